"""What ``pulumi preview --json`` says: one object with all steps, to the normalized plan.

Source: https://github.com/pulumi/pulumi/blob/master/pkg/display/json.go (``PreviewDigest``)
"""

from collections.abc import Sequence
from typing import Any, Final

from plangate.errors import PlanParseError
from plangate.model.plan import Plan
from plangate.parsers.base import Documents, Format, Limits, Options
from plangate.parsers.pulumi_plan import PulumiReader, Summary, read_config

ID: Final = "pulumi-preview"
_OURS: Final = frozenset({"config", "steps", "diagnostics", "duration", "changeSummary", "maybeCorrupt"})


def recognizes(values: Sequence[Any]) -> bool:
    """Whether this is one preview."""
    if len(values) != 1 or not isinstance(values[0], dict):
        return False
    keys = values[0].keys()
    listed = "steps" in keys or "diagnostics" in keys
    return ("changeSummary" in keys and (listed or keys <= _OURS)) or (listed and "duration" in keys)


def parse(documents: Documents, _options: Options, limits: Limits) -> Plan:
    """Parse a preview.

    Raises:
        PlanParseError: Not a preview, with an operation that we do not know, or not consistent; says where.
    """
    try:
        return _parse(documents, limits)
    except RecursionError as error:
        raise PlanParseError(documents.source.name, "nested too deeply to be read") from error


def _parse(documents: Documents, limits: Limits) -> Plan:
    reader = PulumiReader(documents, limits)
    if len(documents.values) != 1:
        raise PlanParseError(documents.source.name, "more than one document (expected one preview)")
    root = reader.object_of(documents.values[0], "0#", "a preview")
    steps = root.get("steps")
    if steps is not None and not isinstance(steps, list):
        reader.refuse("0#/steps", "steps that are not a list")
    summary = Summary(config=read_config(root.get("config")))
    # An engine that was cancelled writes what it has so far, without a summary.
    if root.get("changeSummary") is not None:
        summary.counts = reader.counts(root["changeSummary"], "0#/changeSummary")
    summary.errored = root.get("maybeCorrupt") not in (None, False)
    diagnostics = root.get("diagnostics")
    if diagnostics is not None and not isinstance(diagnostics, list):
        reader.refuse("0#/diagnostics", "diagnostics that are not a list")
    for item in diagnostics or ():
        if not isinstance(item, dict) or item.get("severity") == "error":
            summary.errored = True
    return reader.plan(
        ID,
        [
            reader.step(item, f"0#/steps/{i}", old="oldState", new="newState", keys="replaceReasons")
            for i, item in enumerate(steps or ())
        ],
        summary,
    )


FORMAT: Final = Format(id=ID, title="Pulumi preview (--json)", recognizes=recognizes, parse=parse)
