"""Compose files (``docker-compose.yaml``) to the normalized plan: services, volumes, networks, configs and secrets.

Rules this module keeps:
1. Values are as written; text with a variable that nobody gave is `UNKNOWN` (`plangate.parsers.compose_variables`).
2. Another file that this one names (``include``, ``extends``, ``env_file``) is not opened, and the plan says so.
3. What a service takes over from another one (``extends``) is not known, rather than not there.

Source: https://docs.docker.com/reference/compose-file/
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn

from plangate.errors import PlanParseError
from plangate.facts.compose import BIND, literal_secrets, service_targets
from plangate.model.plan import Action, Location, Plan, Provisioner, Reference, Resource, Source
from plangate.model.redaction import MIN_CHARS
from plangate.model.values import UNKNOWN, pointer
from plangate.parsers.base import Documents, Format, Limits, Options
from plangate.parsers.compose_variables import Interpolation
from plangate.parsers.pulumi_values import without_unknown

ID: Final = "compose"
_SECTIONS: Final[Mapping[str, str]] = {
    "services": "service",
    "volumes": "volume",
    "networks": "network",
    "configs": "config",
    "secrets": "secret",
}
_TOP: Final = frozenset({*_SECTIONS, "version", "name", "include", "models"})
_STARTS: Final = frozenset({
    "image", "build", "extends", "provider",
    # What an overriding file changes may be nothing but this.
    "cap_add", "cap_drop", "cgroup", "cgroup_parent", "container_name", "cpu_quota", "cpus", "depends_on", "deploy",
    "device_cgroup_rules", "devices", "entrypoint", "env_file", "environment", "group_add", "ipc", "mem_limit",
    "network_mode", "networks", "pid", "pids_limit", "ports", "post_start", "pre_stop", "privileged", "read_only",
    "security_opt", "sysctls", "use_api_socket", "user", "userns_mode", "uts", "volumes", "volumes_from",
})  # fmt: skip
"""Members of which every service has one."""
_OTHERS: Final = frozenset({"Resources", "apiVersion", "kind", "AWSTemplateFormatVersion", "$schema"})
_FILES: Final = ("env_file", "label_file")


def recognizes(values: Sequence[Any]) -> bool:
    """Whether these are compose files: they have services, of which one at least says what it runs."""
    # Further documents override the first ones, and need not have services of their own.
    return any(_is_compose(value) for value in values) and all(
        isinstance(value, dict) and _OTHERS.isdisjoint(value) for value in values
    )


def _is_compose(value: Any) -> bool:
    if not isinstance(value, dict) or not _OTHERS.isdisjoint(value):
        return False
    services = value.get("services")
    if services is None:
        names = all(key in _TOP or key.startswith("x-") for key in value)
        return names and isinstance(value.get("include"), list)
    return isinstance(services, dict) and any(
        isinstance(item, dict) and not _STARTS.isdisjoint(item) for item in services.values()
    )


def parse(documents: Documents, options: Options, limits: Limits) -> Plan:
    """Parse a compose file.

    Raises:
        PlanParseError: A section or service of another shape than the specification gives it; says where.
    """
    try:
        return _Project(documents, options, limits).plan()
    except RecursionError as error:
        raise PlanParseError(documents.source.name, "nested too deeply to be read") from error


class _Project:
    """Reads one file."""

    def __init__(self, documents: Documents, options: Options, limits: Limits) -> None:
        self._documents = documents
        self._limits = limits
        self._variables = Interpolation(options.variables, limits.max_plan_bytes)
        self._secrets: set[str] = set()
        self._opaque: list[str] = []

    def plan(self) -> Plan:
        resources: list[Resource] = []
        seen: set[str] = set()
        for number, value in enumerate(self._documents.values):
            for resource in self._document(number, value):
                if resource.address in seen:
                    self._refuse(
                        number,
                        pointer(*resource.address.split(".", 1)),
                        f"{resource.address[:200]} comes twice (documents of one file that override each other)",
                    )
                seen.add(resource.address)
                resources.append(resource)
                if len(resources) > self._limits.max_resources:
                    self._refuse(number, "", f"more than {self._limits.max_resources} resources")
        source = self._documents.source
        return Plan(
            source=Source(
                name=source.name,
                format=ID,
                format_version="",
                tool="",
                sha256=source.sha256,
                size=source.size,
                media_type=source.media_type,
            ),
            resources=tuple(resources),
            provisioners=tuple(_programs(resources)),
            opaque=tuple(self._opaque),
            secrets=frozenset(text for text in self._secrets if len(text) >= MIN_CHARS),
        )

    def _document(self, number: int, value: Any) -> Iterator[Resource]:
        if not isinstance(value, dict):
            self._refuse(number, "", "a document that is not an object")
        included = value.get("include")
        if included is not None and included != []:
            count = len(included) if isinstance(included, list) else 1
            self._opaque.append(f"{count} included files are not read")
        if value.get("models"):
            self._opaque.append("models are not read")
        for section, kind in _SECTIONS.items():
            members = value.get(section)
            if members is None:
                continue
            if not isinstance(members, dict):
                self._refuse(number, pointer(section), f"{section} that are not an object")
            keys = self._documents.places[number].below(pointer(section))
            for name, body in members.items():
                at = pointer(section, name)
                if body is not None and not isinstance(body, dict):
                    self._refuse(number, at, f"a {kind} that is not an object")
                yield self._resource(number, section, name, body or {}, keys.get(name, (0, 0)))

    def _resource(
        self, number: int, section: str, name: str, body: Mapping[str, Any], key: tuple[int, int]
    ) -> Resource:
        kind = _SECTIONS[section]
        self._variables.clear.clear()
        planned: dict[str, Any] = self._variables.value(dict(body), "")
        sensitive: set[str] = set()
        address = f"{section}.{name}".replace("[", "%5B")
        if kind == "service":
            self._files(address, planned)
            for at, text in literal_secrets(planned):
                sensitive.add(at)
                self._secrets.add(text)
        elif kind in ("config", "secret") and isinstance(content := planned.get("content"), str):
            sensitive.add("/content")
            self._secrets.add(content)
        after = without_unknown(planned)
        places = self._documents.places[number]
        at = pointer(section, name)
        file = self._documents.source.name
        return Resource(
            address=address,
            type=f"compose_{kind}",
            name=name,
            provider="docker",
            action=Action.CREATE,
            after=after,
            planned=planned,
            unknown=tuple(_unknown(planned, "")) if after is not planned else (),
            sensitive=tuple(sorted(sensitive)),
            references=tuple(_references(planned)) if kind == "service" else (),
            unresolved=tuple(sorted(self._variables.clear)),
            configured=frozenset(planned),
            location=Location(file=file, line=key[0], column=key[1]),
            places={
                pointer(member): Location(file=file, line=line, column=column)
                for member, (line, column) in places.below(at).items()
            },
        )

    def _files(self, address: str, planned: Mapping[str, Any]) -> None:
        """Say which files of a service are not read."""
        extended = planned.get("extends")
        if isinstance(extended, Mapping) and extended.get("file") is not None:
            self._opaque.append(f"{address} extends a service of another file, which is not read")
        for key in _FILES:
            if planned.get(key) not in (None, [], ""):
                self._opaque.append(f"{address} names files in {key}, which are not read")

    def _refuse(self, number: int, at: str, problem: str) -> NoReturn:
        line, column = self._documents.places[number].at(at)
        raise PlanParseError(self._documents.source.name, problem, at=f"line {line} column {column}")


def _programs(resources: Sequence[Resource]) -> Iterator[Provisioner]:
    """Services that are no containers, but a program on the machine that starts the project.

    Source: https://docs.docker.com/reference/compose-file/services/#provider
    """
    for resource in resources:
        if resource.type == "compose_service" and resource.planned.get("provider") is not None:
            yield Provisioner(address=resource.address, type="action:compose-provider", runs=True)


def _references(planned: Mapping[str, Any]) -> Iterator[Reference]:
    """Edges of a service to others and to what the file declares."""
    found = {(at, f"services.{name}") for at, name in service_targets(planned)}
    for section in ("volumes", "networks", "configs", "secrets"):
        listed = planned.get(section)
        names = listed if isinstance(listed, list) else list(listed) if isinstance(listed, dict) else []
        for item in names:
            name = item.get("source") if isinstance(item, dict) else item
            if isinstance(name, str):
                name = name.partition(":")[0] if section == "volumes" else name
                if name and not BIND.match(name):
                    found.add((pointer(section), f"{section}.{name}"))
    for at, address in sorted(found):
        yield Reference(at=at, address=address, exact=True)


def _unknown(value: Any, at: str) -> Iterator[str]:
    """JSON Pointers of everything `UNKNOWN`."""
    pending = [(value, at)]
    found: list[str] = []
    while pending:
        item, path = pending.pop()
        if item is UNKNOWN:
            found.append(path)
        elif isinstance(item, dict):
            pending += [(below, path + pointer(key)) for key, below in item.items()]
        elif isinstance(item, list):
            pending += [(below, f"{path}/{index}") for index, below in enumerate(item)]
    yield from sorted(found)


FORMAT: Final = Format(
    id=ID,
    title="Compose project",
    recognizes=recognizes,
    parse=parse,
    tags=frozenset({"!reset", "!override"}),
)
