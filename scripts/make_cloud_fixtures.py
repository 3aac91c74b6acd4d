# ruff: noqa: INP001, T201 - a script, not a package; it talks to its user
"""Writes the plans of Azure, Google and Kubernetes under fixtures/rules from the tables in scripts/cloud_cases.

Their providers plan only with an account at hand, so these plans are put together from what each resource sets, in the
shape in which Terraform shows a plan, and beside each plan the source of it. `cases.json` of each rule is brought up to
date with what the tables expect.

    python scripts/make_cloud_fixtures.py [--check]
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from cloud_cases import azure, google, kubernetes
from cloud_cases.source import blocks_of, source
from cloud_cases.table import COMPUTED, UNKNOWN, Case, Ref, Set

ROOT: Final = Path(__file__).resolve().parent.parent / "fixtures" / "rules"
CLOUDS: Final = ("azure", "google", "terraform")
"""What the names of these cases say; ``terraform`` is for objects of Kubernetes."""


def main() -> None:
    """Writes all plans; with ``--check`` it only says which of them are not as the tables have them."""
    made = _files((*azure.CASES, *google.CASES, *kubernetes.CASES))
    if "--check" in sys.argv[1:]:
        stale = [path for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]
        if stale:
            sys.exit(f"{stale[0]} and {len(stale) - 1} more differ (python scripts/make_cloud_fixtures.py)")
        return
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
    print(f"{len(made)} files")


def _files(cases: tuple[Case, ...]) -> dict[Path, str]:
    made = {}
    blocks = blocks_of(cases)
    for slug in sorted({case.rule for case in cases}):
        index = ROOT / slug / "cases.json"
        listed = {k: v for k, v in json.loads(index.read_text(encoding="utf-8")).items() if not _is_ours(k)}
        for case in cases:
            if case.rule == slug:
                outcomes = {
                    address: resource.expected
                    for address, resource in case.resources.items()
                    if resource.expected
                }
                listed[case.name] = {"settings": case.settings, "outcomes": outcomes}
                made[ROOT / slug / f"{case.name}.json"] = json.dumps(_plan(case), indent=1) + "\n"
                made[ROOT / slug / f"{case.name}.tf"] = source(case, blocks)
        made[index] = json.dumps(dict(sorted(listed.items())), indent=2) + "\n"
    return made


def _is_ours(name: str) -> bool:
    return any(f"_{cloud}_" in f"{name}_" for cloud in CLOUDS)


def _plan(case: Case) -> dict[str, Any]:
    changes, resources, configured = [], [], []
    for address, resource in case.resources.items():
        native_type, _, name = address.partition(".")
        provider = native_type.partition("_")[0]
        source = f"registry.terraform.io/hashicorp/{provider}"
        named = {"address": address, "mode": "managed", "type": native_type, "name": name}
        after, unknown = _after(resource.values)
        changes.append(
            {
                **named,
                "provider_name": source,
                "change": {
                    "actions": ["create"],
                    "before": None,
                    "after": after,
                    "after_unknown": unknown,
                    "before_sensitive": False,
                    "after_sensitive": {},
                },
            }
        )
        resources.append(
            {**named, "provider_name": source, "schema_version": 0, "values": after, "sensitive_values": {}}
        )
        configured.append(
            {
                **named,
                "provider_config_key": provider,
                "expressions": _expressions(resource.values),
                "schema_version": 0,
            }
        )
    providers = {address.partition("_")[0] for address in case.resources}
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "applyable": True,
        "complete": True,
        "errored": False,
        "planned_values": {"root_module": {"resources": resources}},
        "resource_changes": changes,
        "configuration": {
            "provider_config": {
                name: {
                    "name": name,
                    "full_name": f"registry.terraform.io/hashicorp/{name}",
                    **({"expressions": _expressions(case.provider)} if case.provider else {}),
                }
                for name in sorted(providers)
            },
            "root_module": {"resources": configured},
        },
    }


def _after(value: Any) -> tuple[Any, Any]:
    """Known values, and the marks of the unknown ones."""
    if isinstance(value, dict):
        parts = {key: _after(item) for key, item in value.items()}
        known = {key: after for key, (after, mark) in parts.items() if mark is not True}
        return known, {key: mark for key, (_, mark) in parts.items() if mark not in (False, {}, [])}
    if isinstance(value, list):
        items = [_after(item) for item in value]
        marked = any(mark is True or mark for _, mark in items)
        return [None if mark is True else after for after, mark in items], [
            mark for _, mark in items
        ] if marked else False
    if isinstance(value, Set):
        return value.value, False
    if value in (UNKNOWN, COMPUTED) or isinstance(value, Ref):
        return None, True
    return value, False


def _expressions(values: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for key, value in values.items():
        expression = _expression(value)
        if expression is not None:
            found[key] = expression
    return found


def _expression(value: Any) -> Any:
    if value is None or value == COMPUTED:
        return None
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return [_expressions(item) for item in value]
    if isinstance(value, list) and not value:
        return None
    names = [
        item.to if isinstance(item, Ref | Set) else ""
        for item in (value if isinstance(value, list) else [value])
    ]
    if value == UNKNOWN or (isinstance(value, list) and UNKNOWN in value):
        names.append("terraform_data.later.output")
    if any(names):
        return {"references": [part for to in names if to for part in (to, to.rpartition(".")[0])]}
    return {"constant_value": value}


if __name__ == "__main__":
    main()
