"""Terraform and OpenTofu plan JSON (``terraform show -json PLAN``) to the normalized plan.

Rules this module keeps:
1. A format version or an action that it does not know is refused.
2. A document that is not a plan is refused with a sentence that says what it is.
3. A resource that is planned but has no change entry is refused: a stripped plan must not pass for an empty one.
4. An entry that contradicts itself is refused: one address twice, a type that its address does not bear out, a
   mark on a value that is not there.
5. What is unknown is ``UNKNOWN`` in ``planned``, also inside lists; what is sensitive is marked and remembered.

Source: https://developer.hashicorp.com/terraform/internals/json-format
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from plangate.errors import PlanParseError
from plangate.model.address import steps
from plangate.model.plan import (
    Action,
    Check,
    Drift,
    OutputChange,
    Plan,
    Provisioner,
    ReplaceOrder,
    Resource,
    Source,
)
from plangate.model.values import AllUnknown, pointer
from plangate.parsers.base import Documents, Format, Input, Limits, Options, Places
from plangate.parsers.json_documents import read_json_document
from plangate.parsers.reader import Reader
from plangate.parsers.terraform_document import MESSAGES, MESSAGES_HINT, recognize
from plangate.parsers.terraform_graph import ConfigurationGraph
from plangate.parsers.terraform_provisioners import configured_provisioners
from plangate.parsers.terraform_references import Configuration
from plangate.parsers.terraform_secrets import below, change_secrets, document_secrets, state_resources
from plangate.parsers.terraform_values import Paths, ShadowError, overlay_unknown

ID: Final = "terraform-plan"
MAX_ADDRESS_CHARS: Final = 10_000
MAX_ADDRESS_STEPS: Final = 32
"""Modules deep. An address is kept once for every step that has a key."""
_ACTIONS: Final[Mapping[tuple[str, ...], tuple[Action, ReplaceOrder | None]]] = {
    ("no-op",): (Action.NO_OP, None),
    ("create",): (Action.CREATE, None),
    ("read",): (Action.READ, None),
    ("update",): (Action.UPDATE, None),
    ("delete",): (Action.DELETE, None),
    ("forget",): (Action.FORGET, None),
    ("delete", "create"): (Action.REPLACE, ReplaceOrder.DESTROY_FIRST),
    ("create", "delete"): (Action.REPLACE, ReplaceOrder.CREATE_FIRST),
    # Replacement that leaves the old object in place, from a `removed` lifecycle: the old one is forgotten.
    ("create", "forget"): (Action.REPLACE, ReplaceOrder.CREATE_FIRST),
    ("forget", "create"): (Action.REPLACE, ReplaceOrder.DESTROY_FIRST),
}
CLOUDS: Final = {
    "aws": "aws",
    "awscc": "aws",
    "azapi": "azure",
    "azuread": "azure",
    "azurerm": "azure",
    "google": "google",
    "google-beta": "google",
    "helm": "kubernetes",
    "kubernetes": "kubernetes",
}
_CHECK_STATUSES: Final = frozenset({"pass", "fail", "error", "unknown"})


def parse(document: Input, limits: Limits) -> Plan:
    """Parse plan JSON.

    Raises:
        PlanParseError: Not a plan, not a version we know, or not consistent; names the place.
    """
    try:
        documents = read_json_document(document, limits)
    except PlanParseError as error:
        if document.data.lstrip()[:1] == b"{" and b'"@level"' in document.data[:2000]:
            raise PlanParseError(document.name, MESSAGES, hint=MESSAGES_HINT) from error
        raise
    return parse_documents(documents, Options(), limits)


def parse_documents(documents: Documents, _options: Options, limits: Limits) -> Plan:
    """Parse plan JSON that has been read.

    Raises:
        PlanParseError: As `parse`.
    """
    source = documents.source
    if len(documents.values) != 1:
        is_stream = any(isinstance(value, dict) and "@level" in value for value in documents.values)
        raise PlanParseError(
            source.name,
            MESSAGES if is_stream else f"{len(documents.values)} documents (expected one plan)",
            hint=MESSAGES_HINT if is_stream else "",
        )
    try:
        return _Reader(source, documents.places[0], limits).plan(documents.values[0])
    except RecursionError as error:
        raise PlanParseError(source.name, "nested too deeply to be read") from error


def recognizes(values: Sequence[Any]) -> bool:
    """Whether this is a plan: one object with what only a plan has."""
    root = values[0] if len(values) == 1 else None
    return isinstance(root, dict) and (
        "resource_changes" in root or ("planned_values" in root and "format_version" in root)
    )


class _Reader(Reader):
    """Reads one plan document."""

    def __init__(self, document: Input, places: Places, limits: Limits) -> None:
        super().__init__(document, places)
        self._limits = limits
        self._secrets: set[str] = set()
        self._paths = Paths(limits.max_plan_bytes)

    def plan(self, value: Any) -> Plan:
        root = self.object_of(value, "")
        version = recognize(self, root)
        entries = self.list_of(root.get("resource_changes"), "/resource_changes")
        if len(entries) > self._limits.max_resources:
            self.refuse(
                "/resource_changes", f"{len(entries)} resources (limit: {self._limits.max_resources})"
            )
        configuration = self.object_of(root.get("configuration") or {}, "/configuration")
        config = Configuration(
            self.object_of(configuration.get("root_module") or {}, "/configuration/root_module")
        )
        variables = self.object_of(root.get("variables") or {}, "/variables")
        self._secrets |= document_secrets(root, configuration, variables)
        graph = ConfigurationGraph(
            config,
            provider_config=self.object_of(
                configuration.get("provider_config") or {}, "/configuration/provider_config"
            ),
            variables=variables,
            addresses=self._addresses(entries),
        )
        resources = tuple(
            self._resource(entry, f"/resource_changes/{i}", graph) for i, entry in enumerate(entries)
        )
        self._check_stripped(root, resources)
        deferred = [
            entry
            for key in ("deferred_changes", "deferred_action_invocations")
            for entry in self.list_of(root.get(key), f"/{key}")
        ]
        invocations = self.list_of(root.get("action_invocations"), "/action_invocations")
        return Plan(
            source=Source(
                name=self._document.name,
                format=ID,
                format_version=version,
                tool=f"terraform {tool}" if isinstance(tool := root.get("terraform_version"), str) else "",
                sha256=self._document.sha256,
                size=self._document.size,
                media_type=self._document.media_type,
            ),
            complete=self.flag_of(root, "complete", default=True) and not deferred,
            errored=self.flag_of(root, "errored", default=False),
            applyable=self.flag_of(root, "applyable", default=False) if "applyable" in root else None,
            resources=resources,
            drift=tuple(
                self._drift(entry, f"/resource_drift/{i}")
                for i, entry in enumerate(self.list_of(root.get("resource_drift"), "/resource_drift"))
            ),
            outputs=tuple(
                self._output(name, entry)
                for name, entry in sorted(
                    self.object_of(root.get("output_changes") or {}, "/output_changes").items()
                )
            ),
            checks=tuple(self._checks(root)),
            provisioners=tuple(configured_provisioners(config, resources))
            + tuple(self._invocations(invocations)),
            providers=tuple(sorted({r.provider for r in resources if r.provider} | graph.providers)),
            opaque=tuple(f"{len(deferred)} deferred changes are not part of this plan" for _ in deferred[:1]),
            secrets=frozenset(self._secrets),
        )

    def _resource(self, entry: Any, at: str, graph: ConfigurationGraph) -> Resource:
        item = self.object_of(entry, at)
        change = self.object_of(item.get("change"), f"{at}/change")
        action, order = self._action(change, f"{at}/change")
        address = self.text_of(item, "address", at)
        native_type = self.text_of(item, "type", at)
        mode = item.get("mode")
        if mode not in ("managed", "data"):  # a tuple: the mode may be anything, and not all of it has a hash
            self.refuse(f"{at}/mode", f'unknown mode {mode!r:.40} (expected "managed" or "data")')
        module_address = self.text_of(item, "module_address", at) if item.get("module_address") else ""
        named = f"{'data.' if mode == 'data' else ''}{native_type}.{self.text_of(item, 'name', at)}"
        if not f"{address}[".startswith(f"{module_address}.{named}[" if module_address else f"{named}["):
            self.refuse(f"{at}/address", f"{address[:200]} is not the address of this {native_type[:100]}")
        index = item.get("index")
        if index is not None and (isinstance(index, bool) or not isinstance(index, int | str)):
            self.refuse(f"{at}/index", "instance key that is neither text nor a whole number")
        before = self.values_of(change, "before", f"{at}/change")
        after = self.values_of(change, "after", f"{at}/change")
        gone = action in {Action.DELETE, Action.FORGET}
        if gone and after is not None:
            self.refuse(f"{at}/change/after", f"values after a {action.value} (expected null)")
        if action is Action.NO_OP and before == after:
            # One object for both: "nothing changes" then costs nothing to ask, and half the memory.
            after = before
        self._secrets |= change_secrets(native_type, change)
        sensitive = self._marked(f"{at}/change", change, "before_sensitive", "after_sensitive")
        shadow = None if gone else change.get("after_unknown")
        planned: Mapping[str, Any] = {}
        unknown: tuple[str, ...] = ()
        # A no-op from nothing to nothing is what Terraform writes for an object that vanished; anything else
        # without values is a resource of which nothing is known.
        if not gone and (
            shadow is True or (after is None and (action is not Action.NO_OP or before is not None))
        ):
            after, planned, unknown = {}, AllUnknown(), ("",)
        elif after is not None:
            planned = self._overlaid(after, shadow, f"{at}/change")
            unknown = self._marked(f"{at}/change", change, "after_unknown")
        provider = item.get("provider_name")
        provider = provider if isinstance(provider, str) else ""
        cloud = CLOUDS.get(provider.rpartition("/")[2], "")
        node = graph.node(address)
        values = planned if after is not None else before or {}
        importing = change.get("importing")
        return Resource(
            address=address,
            type=native_type,
            name=item["name"],
            mode=mode,
            provider=provider,
            cloud=cloud,
            region=graph.region(node, values) if cloud == "aws" else graph.cloud_region(cloud, node, values),
            action=action,
            replace_order=order,
            reason=reason if isinstance(reason := item.get("action_reason"), str) else "",
            previous_address=moved if isinstance(moved := item.get("previous_address"), str) else "",
            importing=importing if isinstance(importing, dict) else {} if importing else None,
            deposed=deposed if isinstance(deposed := item.get("deposed"), str) else "",
            module_address=module_address,
            index=index,
            before=before,
            after=after,
            planned=planned,
            unknown=unknown,
            sensitive=sensitive,
            replace_paths=tuple(
                pointer(*path)
                for path in self.list_of(change.get("replace_paths"), f"{at}/change/replace_paths")
                if isinstance(path, list) and all(isinstance(step, str | int) for step in path)
            ),
            references=node.references,
            unresolved=node.unresolved,
            configured=node.configured,
        )

    def _action(self, change: Mapping[str, Any], at: str) -> tuple[Action, ReplaceOrder | None]:
        words = change.get("actions")
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            self.refuse(f"{at}/actions", "expected a list of action words")
        found = _ACTIONS.get(tuple(words))
        if found is None:
            self.refuse(
                f"{at}/actions", f"unknown action {words!r:.80} (known: {', '.join(a.value for a in Action)})"
            )
        return found

    def _drift(self, entry: Any, at: str) -> Drift:
        item = self.object_of(entry, at)
        change = self.object_of(item.get("change"), f"{at}/change")
        before, after = (
            self.values_of(change, "before", f"{at}/change"),
            self.values_of(change, "after", f"{at}/change"),
        )
        native_type = self.text_of(item, "type", at)
        self._secrets |= change_secrets(native_type, change)
        # Terraform 1.0 wrote drift without addresses.
        address = self.text_of(item, "address", at) if "address" in item else _composed(item)
        return Drift(
            address=address,
            type=native_type,
            action=self._action(change, f"{at}/change")[0],
            before=before,
            after=after,
            sensitive=self._marked(f"{at}/change", change, "before_sensitive", "after_sensitive"),
        )

    def _output(self, name: str, entry: Any) -> OutputChange:
        at = f"/output_changes{pointer(name)}"
        change = self.object_of(entry, at)
        before, after = change.get("before"), change.get("after")
        self._secrets |= change_secrets("", change)
        return OutputChange(
            name=name,
            action=self._action(change, at)[0],
            before=before,
            after=self._overlaid(after, change.get("after_unknown"), at),
            sensitive=bool(self._marked(at, change, "before_sensitive", "after_sensitive")),
        )

    def _checks(self, root: Mapping[str, Any]) -> Iterator[Check]:
        for i, entry in enumerate(self.list_of(root.get("checks"), "/checks")):
            item = self.object_of(entry, f"/checks/{i}")
            address = self.object_of(item.get("address") or {}, f"/checks/{i}/address")
            status = item.get("status")
            if not isinstance(status, str) or status not in _CHECK_STATUSES:
                self.refuse(f"/checks/{i}/status", f"unknown check status {status!r:.40}")
            problems = [
                message
                for instance in self.list_of(item.get("instances"), f"/checks/{i}/instances")
                if isinstance(instance, dict)
                for problem in self.list_of(instance.get("problems"), f"/checks/{i}/instances")
                if isinstance(problem, dict) and isinstance(message := problem.get("message"), str)
            ]
            yield Check(
                address=str(address.get("to_display", "")),
                kind=str(address.get("kind", "")),
                status=status,
                problems=tuple(problems),
            )

    def _invocations(self, entries: list[Any]) -> Iterator[Provisioner]:
        for i, entry in enumerate(entries):
            item = self.object_of(entry, f"/action_invocations/{i}")
            yield Provisioner(
                address=self.text_of(item, "address", f"/action_invocations/{i}"),
                type=f"action:{self.text_of(item, 'type', f'/action_invocations/{i}')}",
                runs=True,
            )

    def _check_stripped(self, root: Mapping[str, Any], resources: tuple[Resource, ...]) -> None:
        """Refuse a plan whose planned values name a managed resource that no change entry accounts for."""
        changed = {resource.address for resource in resources}
        prior = None
        for address in _managed(root.get("planned_values")):
            if address in changed:
                continue
            if prior is None:
                state = root.get("prior_state")
                prior = set(_managed(below(state, "values")))
            # A plan with -target keeps what it does not look at in its planned values, without a change entry.
            if not (root.get("complete") is False and address in prior):
                self.refuse("/resource_changes", f"no entry for {address[:200]}, which planned_values lists")

    def _addresses(self, entries: list[Any]) -> list[str]:
        """Addresses of all entries, each fit to be indexed, and each there once but for deposed objects."""
        found: list[str] = []
        seen: set[tuple[str, str]] = set()
        for i, entry in enumerate(entries):
            at = f"/resource_changes/{i}"
            address = self.text_of(self.object_of(entry, at), "address", at)
            if len(address) > MAX_ADDRESS_CHARS:
                self.refuse(f"{at}/address", f"{len(address)} characters (limit: {MAX_ADDRESS_CHARS})")
            if address.count(".") >= MAX_ADDRESS_STEPS and len(steps(address)) > MAX_ADDRESS_STEPS:
                self.refuse(f"{at}/address", f"more than {MAX_ADDRESS_STEPS} modules deep")
            key = address, str(entry.get("deposed") or "")
            if key in seen:
                self.refuse(f"{at}/address", f"{address[:200]} comes twice")
            seen.add(key)
            found.append(address)
        return found

    def _marked(self, at: str, change: Mapping[str, Any], *keys: str) -> tuple[str, ...]:
        try:
            return self._paths.marked(*(change.get(key) for key in keys))
        except ShadowError as error:
            self.refuse(f"{at}/{keys[-1]}", str(error))

    def _overlaid(self, value: Any, shadow: Any, at: str) -> Any:
        try:
            return overlay_unknown(value, shadow)
        except ShadowError as error:
            self.refuse(f"{at}/after_unknown", str(error))


def _managed(values: Any) -> Iterator[str]:
    for resource in state_resources(values):
        if resource.get("mode") == "managed" and isinstance(address := resource.get("address"), str):
            yield address


def _composed(item: Mapping[str, Any]) -> str:
    """An address from the parts of an entry."""
    parts = [
        item.get("module_address"),
        "data" if item.get("mode") == "data" else None,
        item.get("type"),
        item.get("name"),
    ]
    index = item.get("index")
    key = "" if index is None else f"[{json.dumps(index)}]" if isinstance(index, str) else f"[{index}]"
    return ".".join(part for part in parts if isinstance(part, str) and part) + key


FORMAT: Final = Format(id=ID, title="Terraform plan", recognizes=recognizes, parse=parse_documents)
