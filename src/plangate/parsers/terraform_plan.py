"""Terraform and OpenTofu plan JSON (``terraform show -json PLAN``) to the normalized plan.

Rules this module keeps:
1. A format version or an action that it does not know is refused.
2. A document that is not a plan is refused with a sentence that says what it is.
3. A resource that is planned but has no change entry is refused: a stripped plan must not pass for an empty one.
4. What is unknown is ``UNKNOWN`` in ``planned``, also inside lists; what is sensitive is marked and remembered.

Source: https://developer.hashicorp.com/terraform/internals/json-format
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

from plangate.errors import PlanParseError
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
from plangate.model.address import patterns
from plangate.model.values import AllUnknown, pointer
from plangate.parsers.base import Input, Limits
from plangate.parsers.documents import position_of, read_json
from plangate.parsers.terraform_graph import ConfigurationGraph
from plangate.parsers.terraform_references import Configuration
from plangate.parsers.terraform_values import leaves, marked_paths, overlay_unknown, secrets_in

FORMAT: Final = "terraform-plan"
SUPPORTED: Final = "0.1 to 1.x"
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
_CLOUDS: Final = {"aws": "aws", "awscc": "aws", "azurerm": "azure", "azuread": "azure", "azapi": "azure",
                  "google": "google", "google-beta": "google", "kubernetes": "kubernetes", "helm": "kubernetes"}  # fmt: skip
_CHECK_STATUSES: Final = frozenset({"pass", "fail", "error", "unknown"})
_RUNS_PROVISIONERS: Final = frozenset({Action.CREATE, Action.REPLACE, Action.DELETE})


def parse(document: Input, limits: Limits) -> Plan:
    """Parse plan JSON.

    Raises:
        PlanParseError: Not a plan, not a version we know, or not consistent; names the place.
    """
    try:
        value, text = read_json(document.data, document.name, limits)
    except PlanParseError as error:
        if document.data.lstrip()[:1] == b"{" and b'"@level"' in document.data[:2000]:
            raise PlanParseError(
                document.name,
                "this is the message stream of `terraform plan -json`, not a plan",
                hint="save the plan with `terraform plan -out tfplan` and hand in tfplan, or `terraform show -json tfplan`",
            ) from error
        raise
    try:
        return _Reader(document, text, limits).plan(value)
    except RecursionError as error:
        raise PlanParseError(document.name, "nested too deeply to be read") from error


class _Reader:
    """Reads one document; every complaint names the JSON Pointer and the line of what is wrong."""

    def __init__(self, document: Input, text: str, limits: Limits) -> None:
        self._document = document
        self._text = text
        self._limits = limits
        self._secrets: set[str] = set()

    def plan(self, value: Any) -> Plan:
        root = self._object(value, "")
        version = self._version(root)
        entries = self._list(root.get("resource_changes"), "/resource_changes")
        if len(entries) > self._limits.max_resources:
            self._bad("/resource_changes", f"{len(entries)} resources (limit: {self._limits.max_resources})")
        configuration = self._object(root.get("configuration") or {}, "/configuration")
        config = Configuration(self._object(configuration.get("root_module") or {}, "/configuration/root_module"))
        variables = self._object(root.get("variables") or {}, "/variables")
        self._remember_secrets(root, configuration, variables)
        graph = ConfigurationGraph(
            config,
            provider_config=self._object(configuration.get("provider_config") or {}, "/configuration/provider_config"),
            variables=variables,
            addresses=[a for e in entries if isinstance(e, dict) and isinstance(a := e.get("address"), str)],
        )
        resources = tuple(self._resource(entry, f"/resource_changes/{i}", graph) for i, entry in enumerate(entries))
        self._check_stripped(root, resources)
        deferred = self._list(root.get("deferred_changes"), "/deferred_changes")
        invocations = self._list(root.get("action_invocations"), "/action_invocations")
        return Plan(
            source=Source(
                name=self._document.name,
                format=FORMAT,
                format_version=version,
                tool=f"terraform {tool}" if isinstance(tool := root.get("terraform_version"), str) else "",
                sha256=self._document.sha256,
                size=self._document.size,
                media_type=self._document.media_type,
            ),
            complete=self._bool(root, "complete", default=True) and not deferred,
            errored=self._bool(root, "errored", default=False),
            applyable=self._bool(root, "applyable", default=False) if "applyable" in root else None,
            resources=resources,
            drift=tuple(
                self._drift(entry, f"/resource_drift/{i}")
                for i, entry in enumerate(self._list(root.get("resource_drift"), "/resource_drift"))
            ),
            outputs=tuple(
                self._output(name, entry)
                for name, entry in sorted(self._object(root.get("output_changes") or {}, "/output_changes").items())
            ),
            checks=tuple(self._checks(root)),
            provisioners=tuple(_provisioners(config, resources)) + tuple(self._invocations(invocations)),
            providers=tuple(sorted({r.provider for r in resources if r.provider} | graph.providers)),
            opaque=tuple(f"{len(deferred)} deferred changes are not part of this plan" for _ in deferred[:1]),
            secrets=frozenset(self._secrets),
        )

    def _version(self, root: Mapping[str, Any]) -> str:
        version = root.get("format_version")
        if "planned_values" not in root and "resource_changes" not in root:
            self._refuse_other_document(root)
        if "plan_format_version" in root:
            self._bad("", "this is a redacted plan of a remote run, which hides values and configuration",
                      hint="hand in the plan itself: `terraform show -json tfplan`")  # fmt: skip
        if not isinstance(version, str):
            self._bad("/format_version", f"missing, so this is no plan we can trust (supported: {SUPPORTED})")
        major, dot, minor = version.partition(".")
        if not (dot and major.isdecimal() and minor.isdecimal()) or int(major) > 1 or version == "0.0":
            self._bad("/format_version", f'unsupported version "{version[:20]}" (supported: {SUPPORTED})')
        return str(version)

    def _refuse_other_document(self, root: Mapping[str, Any]) -> None:
        if not root:
            self._bad("", "empty document (expected a plan)")
        if "values" in root or {"serial", "lineage"} <= root.keys():
            self._bad("", "this is a state, not a plan",
                      hint="make a plan with `terraform plan -out tfplan` and hand in tfplan, or `terraform show -json tfplan`")  # fmt: skip
        if "@level" in root:
            self._bad("", "this is the message stream of `terraform plan -json`, not a plan",
                      hint="save the plan with `terraform plan -out tfplan` and hand in tfplan")  # fmt: skip
        if "action_invocations" not in root and "plan_format_version" not in root:
            keys = ", ".join(sorted(root)[:5])
            self._bad("", f"not a Terraform plan: no planned_values and no resource_changes (found: {keys[:200]})")

    def _resource(self, entry: Any, at: str, graph: ConfigurationGraph) -> Resource:
        item = self._object(entry, at)
        change = self._object(item.get("change"), f"{at}/change")
        action, order = self._action(change, f"{at}/change")
        address = self._text_of(item, "address", at)
        native_type = self._text_of(item, "type", at)
        mode = item.get("mode")
        if mode not in {"managed", "data"}:
            self._bad(f"{at}/mode", f'unknown mode {mode!r} (expected "managed" or "data")')
        index = item.get("index")
        if index is not None and (isinstance(index, bool) or not isinstance(index, int | str)):
            self._bad(f"{at}/index", "instance key that is neither text nor a whole number")
        before = self._values(change, "before", f"{at}/change")
        after = self._values(change, "after", f"{at}/change")
        gone = action in {Action.DELETE, Action.FORGET}
        if gone and after is not None:
            self._bad(f"{at}/change/after", f"values after a {action.value} (expected null)")
        shadow = change.get("after_unknown")
        planned: Mapping[str, Any] = overlay_unknown(after, shadow) if after is not None and shadow is not True else {}
        # A no-op from nothing to nothing is what Terraform writes for an object that vanished; anything else
        # without values is a resource of which nothing is known.
        if not gone and (shadow is True or (after is None and (action is not Action.NO_OP or before is not None))):
            after, planned, shadow = {}, AllUnknown(), True
        sensitive_before, sensitive_after = change.get("before_sensitive"), change.get("after_sensitive")
        self._secrets |= secrets_in(before, sensitive_before) | secrets_in(after, sensitive_after)
        provider = item.get("provider_name")
        provider = provider if isinstance(provider, str) else ""
        cloud = _CLOUDS.get(provider.rpartition("/")[2], "")
        module_address = item.get("module_address") if isinstance(item.get("module_address"), str) else ""
        node = graph.node(address)
        importing = change.get("importing")
        return Resource(
            address=address,
            type=native_type,
            name=str(item.get("name", "")),
            mode=mode,
            provider=provider,
            cloud=cloud,
            region=graph.region(node, planned if after is not None else before or {}) if cloud == "aws" else "",
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
            unknown=tuple(sorted(marked_paths(shadow))) if shadow else (),
            sensitive=tuple(sorted({*marked_paths(sensitive_before), *marked_paths(sensitive_after)})),
            replace_paths=tuple(
                pointer(*path) for path in self._list(change.get("replace_paths"), f"{at}/change/replace_paths")
                if isinstance(path, list)
            ),
            references=node.references,
            unresolved=node.unresolved,
            configured=node.configured,
        )

    def _action(self, change: Mapping[str, Any], at: str) -> tuple[Action, ReplaceOrder | None]:
        words = change.get("actions")
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            self._bad(f"{at}/actions", "expected a list of action words")
        found = _ACTIONS.get(tuple(words))
        if found is None:
            self._bad(f"{at}/actions", f"unknown action {words!r:.80} (known: {', '.join(a.value for a in Action)})")
        return found

    def _drift(self, entry: Any, at: str) -> Drift:
        item = self._object(entry, at)
        change = self._object(item.get("change"), f"{at}/change")
        before, after = self._values(change, "before", f"{at}/change"), self._values(change, "after", f"{at}/change")
        shadows = change.get("before_sensitive"), change.get("after_sensitive")
        self._secrets |= secrets_in(before, shadows[0]) | secrets_in(after, shadows[1])
        return Drift(
            address=self._text_of(item, "address", at),
            type=self._text_of(item, "type", at),
            action=self._action(change, f"{at}/change")[0],
            before=before,
            after=after,
            sensitive=tuple(sorted({*marked_paths(shadows[0]), *marked_paths(shadows[1])})),
        )

    def _output(self, name: str, entry: Any) -> OutputChange:
        at = f"/output_changes{pointer(name)}"
        change = self._object(entry, at)
        before, after = change.get("before"), change.get("after")
        shadows = change.get("before_sensitive"), change.get("after_sensitive")
        self._secrets |= secrets_in(before, shadows[0]) | secrets_in(after, shadows[1])
        return OutputChange(
            name=name,
            action=self._action(change, at)[0],
            before=before,
            after=overlay_unknown(after, change.get("after_unknown")),
            sensitive=any(marked_paths(shadow) for shadow in shadows),
        )

    def _checks(self, root: Mapping[str, Any]) -> Iterator[Check]:
        for i, entry in enumerate(self._list(root.get("checks"), "/checks")):
            item = self._object(entry, f"/checks/{i}")
            address = self._object(item.get("address") or {}, f"/checks/{i}/address")
            status = item.get("status")
            if status not in _CHECK_STATUSES:
                self._bad(f"/checks/{i}/status", f"unknown check status {status!r:.40}")
            problems = [
                message
                for instance in self._list(item.get("instances"), f"/checks/{i}/instances")
                if isinstance(instance, dict)
                for problem in self._list(instance.get("problems"), f"/checks/{i}/instances")
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
            item = self._object(entry, f"/action_invocations/{i}")
            yield Provisioner(
                address=self._text_of(item, "address", f"/action_invocations/{i}"),
                type=f"action:{self._text_of(item, 'type', f'/action_invocations/{i}')}",
                runs=True,
            )

    def _check_stripped(self, root: Mapping[str, Any], resources: tuple[Resource, ...]) -> None:
        """Refuse a plan whose planned values name a managed resource that no change entry accounts for."""
        changed = {resource.address for resource in resources}
        prior = None
        for address in _planned_addresses(root.get("planned_values")):
            if address in changed:
                continue
            if prior is None:
                state = root.get("prior_state")
                prior = set(_planned_addresses(state.get("values") if isinstance(state, dict) else None))
            # A plan with -target keeps what it does not look at in its planned values, without a change entry.
            if not (root.get("complete") is False and address in prior):
                self._bad("/resource_changes", f"no entry for {address[:200]}, which planned_values lists")

    def _remember_secrets(
        self, root: Mapping[str, Any], configuration: Mapping[str, Any], variables: Mapping[str, Any]
    ) -> None:
        module = configuration.get("root_module")
        declared = module.get("variables") if isinstance(module, dict) else None
        for name, declaration in (declared if isinstance(declared, dict) else {}).items():
            if isinstance(declaration, dict) and declaration.get("sensitive"):
                given = variables.get(name)
                self._secrets |= leaves(given.get("value") if isinstance(given, dict) else None)
                self._secrets |= leaves(declaration.get("default"))
        for values in (root.get("planned_values"), _below(root.get("prior_state"), "values")):
            outputs = _below(values, "outputs")
            for output in outputs.values() if isinstance(outputs, dict) else ():
                if isinstance(output, dict) and output.get("sensitive"):
                    self._secrets |= leaves(output.get("value"))
            for resource in _planned_resources(values):
                self._secrets |= secrets_in(resource.get("values"), resource.get("sensitive_values"))

    def _values(self, change: Mapping[str, Any], side: str, at: str) -> Mapping[str, Any] | None:
        value = change.get(side)
        return None if value is None else self._object(value, f"{at}/{side}")

    def _object(self, value: Any, at: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._bad(at, f"expected an object, found {_name_of(value)}")
        return value

    def _list(self, value: Any, at: str) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, list):
            self._bad(at, f"expected a list, found {_name_of(value)}")
        return value

    def _text_of(self, item: Mapping[str, Any], key: str, at: str) -> str:
        value = item.get(key)
        if not isinstance(value, str) or not value:
            self._bad(f"{at}/{key}", f"expected text, found {_name_of(value)}")
        return value

    def _bool(self, item: Mapping[str, Any], key: str, *, default: bool) -> bool:
        value = item.get(key, default)
        if not isinstance(value, bool):
            self._bad(f"/{key}", f"expected true or false, found {_name_of(value)}")
        return value

    def _bad(self, at: str, problem: str, *, hint: str = "") -> NoReturn:
        line, _ = position_of(self._text, at)
        where = f"line {line} ({at})" if line and at else at
        raise PlanParseError(self._document.name, problem, at=where, hint=hint)


def _provisioners(config: Configuration, resources: tuple[Resource, ...]) -> Iterator[Provisioner]:
    """Provisioners of the configuration. One with ``when = destroy`` cannot be told apart, so deletion runs them too."""
    touched: dict[str, bool] = {}
    for (path, name), resource in config.resources.items():
        declared = resource.get("provisioners")
        if isinstance(declared, list) and declared:
            address = "".join(f"module.{step}." for step in path) + name
            if not touched:
                touched = {patterns(r.address)[-1]: False for r in resources}
                touched.update({patterns(r.address)[-1]: True for r in resources if r.action in _RUNS_PROVISIONERS})
            for provisioner in declared:
                kind = provisioner.get("type") if isinstance(provisioner, dict) else None
                yield Provisioner(address=address, type=str(kind), runs=touched.get(address, False))
    for resource_change in resources:
        # Reading this data source runs a program, and a deferred read does so while applying.
        if resource_change.type == "external" and resource_change.action is Action.READ:
            yield Provisioner(address=resource_change.address, type="external", runs=True)


def _planned_resources(values: Any) -> Iterator[Mapping[str, Any]]:
    pending = [_below(values, "root_module")]
    while pending:
        module = pending.pop()
        if isinstance(module, dict):
            listed, below = module.get("resources"), module.get("child_modules")
            yield from (r for r in listed if isinstance(r, dict)) if isinstance(listed, list) else ()
            pending += below if isinstance(below, list) else []


def _planned_addresses(values: Any) -> Iterator[str]:
    for resource in _planned_resources(values):
        if resource.get("mode") == "managed" and isinstance(address := resource.get("address"), str):
            yield address


def _below(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _name_of(value: Any) -> str:
    if value is None:
        return "nothing"
    return {"dict": "an object", "list": "a list", "str": "text", "bool": "true or false"}.get(
        type(value).__name__, "a number"
    )
