"""Services of a compose file: containers with the defaults of the engine that runs them.

What a service takes over from another one (``extends``) is not read: what it does not say itself is then `UNKNOWN`,
and so is every list, because lists add up.

Source: https://docs.docker.com/reference/compose-file/services/
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from plangate.facts.base import Adapter, Native, Raw, Values, flag, texts
from plangate.facts.containers import capabilities, container, looks_secret, sounds_secret
from plangate.facts.kubernetes_types import inside
from plangate.model.graph import Graph
from plangate.model.values import ABSENT, UNKNOWN, Tri, Unknown, any_of, pointer

DOCS: Final = "https://docs.docker.com/reference/compose-file/services/"
BIND: Final = re.compile(r"[./~\\]|[A-Za-z]:[\\/]")
"""How the source of a mount begins that is a path of the host, and not the name of a volume."""
_WINDOWS: Final = re.compile(r"[A-Za-z]:[\\/]")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_NO_LIMIT: Final = re.compile(r"\s*+(?:-.*|0*+(?:\.0*+)?[A-Za-z]{0,3})\s*+", re.DOTALL)
"""What a limit says that is none: nothing, less than nothing, or zero in any unit."""
_SOCKET: Final = "/var/run/docker.sock"
MAX_HOPS: Final = 10
"""Services that share the namespace of a service that shares one."""
_SHARED: Final = ("service:", "container:")
_AT: Final[Mapping[str, str]] = {
    "image": "image",
    "privileged": "privileged",
    "privilege_escalation": "security_opt",
    "run_as_non_root": "user",
    "run_as_user": "user",
    "read_only_root": "read_only",
    "added_capabilities": "cap_add",
    "dropped_capabilities": "cap_drop",
    "limits": "deploy",
    "secrets_in_env": "environment",
}
"""What a container's facts come from."""


def _service(native: Native) -> dict[str, Any]:
    values = _Values(native.values)
    return {
        "containers": (_container(native, values),),
        "host_network": _shares(native, "network_mode"),
        "host_pid": _shares(native, "pid"),
        "host_ipc": _shares(native, "ipc"),
        "host_paths": _host_paths(native, values),
        "tags": _labels(values.get("labels")),
        "stateful": False,
        "regional": False,
    }


class _Values:
    """What a service says; what it takes over from another one is unknown."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self.extends = values.get("extends") is not None

    def get(self, name: str) -> Raw:
        """A single value, which the service's own word decides."""
        return self._values.get(name, UNKNOWN if self.extends else None)

    def listed(self, name: str) -> Raw:
        """A list or mapping, to which the other service may add."""
        return UNKNOWN if self.extends else self._values.get(name)

    def own(self, name: str) -> Raw:
        """What stands here, whatever is added."""
        return self._values.get(name)


def _container(native: Native, values: _Values) -> Mapping[str, Any]:
    number, named = _user(values.get("user"))
    return container(
        name=native.resource.name,
        path="",
        at={fact: pointer(name) for fact, name in _AT.items() if values.own(name) is not None},
        # What is built here has no image of others; its base image is not in this file.
        image=values.get("image"),
        privileged=_privileged(values),
        host_process=False,
        privilege_escalation=_escalates(values.listed("security_opt")),
        run_as_non_root=named,
        run_as_user=number,
        read_only_root=flag(values.get("read_only"), default=False),
        added_capabilities=capabilities(values.listed("cap_add")),
        dropped_capabilities=capabilities(values.listed("cap_drop")),
        limits=_limits(values),
        secrets_in_env=_secrets(native, values),
    )


def _privileged(values: _Values) -> Tri:
    """Whether the container is privileged, or a command that is run in it, or the building of its image.

    Source: https://docs.docker.com/reference/compose-file/services/#post_start, …/build/#privileged
    """
    build = values.own("build")
    found = [
        flag(values.get("privileged"), default=False),
        flag(build.get("privileged") if isinstance(build, Mapping) else None, default=False),
    ]
    for name in ("post_start", "pre_stop"):
        hooks = values.own(name)  # what another service brings along is judged there, or not read and said so
        if hooks is None:
            continue
        listed = hooks if isinstance(hooks, list | tuple) else (UNKNOWN,)
        found += [flag(inside(hook, "privileged"), default=False) for hook in listed]
    return any_of(found)


def _user(value: Raw) -> tuple[int | Unknown | None, Tri | None]:
    """The user's number, and whether it is said not to be root. A name is looked up in the image."""
    if value is None:
        return None, None
    name = str(value).partition(":")[0] if isinstance(value, str | int) else ""
    if isinstance(value, bool) or not name:
        return UNKNOWN, UNKNOWN
    if _NUMBER.fullmatch(name):
        return int(name), int(name) != 0
    return (0, False) if name == "root" else (UNKNOWN, UNKNOWN)


def _escalates(options: Raw) -> Tri:
    """Whether a process can gain privileges; it can, unless told otherwise.

    Source: https://docs.docker.com/reference/cli/docker/container/run/#security-opt
    """
    listed = texts(options)
    if listed is UNKNOWN:
        return UNKNOWN
    said = {item.replace("=", ":").replace(" ", "").lower() for item in listed if item is not UNKNOWN}
    if not said.isdisjoint({"no-new-privileges", "no-new-privileges:true"}):
        return False
    return UNKNOWN if UNKNOWN in listed else True


def _limits(values: _Values) -> tuple[str, ...] | Unknown:
    """Resources that are limited, by the new way of saying it or by the old one."""
    written: object = inside(values.get("deploy"), "resources", "limits")
    if written is UNKNOWN:
        return UNKNOWN
    new: Mapping[str, Any] = written if isinstance(written, Mapping) else {}
    found: set[str] = set()
    for name, ways in (
        ("cpu", (new.get("cpus"), values.get("cpus"), values.get("cpu_quota"))),
        ("memory", (new.get("memory"), values.get("mem_limit"))),
        ("pids", (new.get("pids"), values.get("pids_limit"))),
    ):
        said = [
            way
            for way in ways
            if way is not UNKNOWN and way is not None and not _NO_LIMIT.fullmatch(str(way))
        ]
        if said:
            found.add(name)
        elif UNKNOWN in ways:
            return UNKNOWN
    return tuple(sorted(found))


def environment(value: Raw) -> Iterator[tuple[str, Raw, str]]:
    """Variables of a service, each with its value and the JSON Pointer below the member.

    A value of ``None`` is taken from where the project is started.
    """
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield name, item, pointer(name)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            if isinstance(item, Mapping):
                for name, below in item.items():
                    yield name, below, pointer(index, name)
            elif isinstance(item, str):
                name, equals, text = item.partition("=")
                yield name, text if equals else None, pointer(index)
            else:
                yield "", UNKNOWN, pointer(index)


def _secrets(native: Native, values: _Values) -> tuple[Mapping[str, Any], ...] | Unknown:
    written = values.listed("environment")
    if written is UNKNOWN or not isinstance(written, Mapping | list | tuple | None):
        return UNKNOWN
    clear = frozenset(native.resource.unresolved)
    found: list[Mapping[str, Any]] = []
    for name, value, below in environment(written):
        path = f"/environment{below}"
        literal = _is_literal(name, value, in_clear=path in clear)
        if literal is not False or sounds_secret(name):
            found.append({"name": name, "path": path, "literal": literal})
    return tuple(found)


def _is_literal(name: str, value: Raw, *, in_clear: bool) -> Tri:
    """Whether a secret stands there in clear. A variable alone does not; its default may be one."""
    if value is UNKNOWN:
        return UNKNOWN if in_clear and (not name or sounds_secret(name)) else False
    return value is not None and looks_secret(name, str(value))


def literal_secrets(values: Values) -> Iterator[tuple[str, str]]:
    """JSON Pointer and text of every secret that stands in clear in a service."""
    build = values.get("build")
    arguments = build.get("args") if isinstance(build, Mapping) else None
    for head, written in (("/environment", values.get("environment")), ("/build/args", arguments)):
        for name, value, below in environment(written):
            if value is not None and value is not UNKNOWN and looks_secret(name, str(value)):
                yield f"{head}{below}", str(value)


def _shares(native: Native, name: str) -> Tri:
    """Whether a namespace is that of the host, also by way of other services."""
    values: Values = native.values
    for _ in range(MAX_HOPS):
        said = _Values(values).get(name)
        if said is None:
            return False
        if not isinstance(said, str):
            return UNKNOWN
        if not said.startswith(_SHARED):
            return said.strip() == "host"
        other = _values_of(native.graph, f"services.{said.removeprefix('service:')}")
        if said.startswith("container:") or other is None:
            return UNKNOWN
        values = other
    return UNKNOWN


def _values_of(graph: Graph, address: str) -> Values | None:
    found = graph.at_address(address)
    return found[0].planned if len(found) == 1 else None


def _host_paths(native: Native, values: _Values) -> tuple[Mapping[str, Any], ...] | Unknown:
    """Paths of the host that the service mounts, and devices of it.

    `UNKNOWN` when there may be some and none is certain: text that is not known may as well name a volume.
    """
    if values.extends or values.own("volumes_from") not in (None, [], ()):
        return UNKNOWN
    found: list[Mapping[str, Any]] = []
    certain = False
    for name in ("volumes", "devices"):
        listed = values.own(name)
        if listed is None:
            continue
        if not isinstance(listed, list | tuple):
            return UNKNOWN
        for index, item in enumerate(listed):
            source = _device(item) if name == "devices" else _mounted(native.graph, item)
            if source is not None:
                found.append({"source": source, "path": pointer(name, index)})
                certain = certain or source is not UNKNOWN or _is_bind(item)
    if (asked := flag(values.own("use_api_socket"), default=False)) is not False:
        found.append({"source": _SOCKET if asked is True else UNKNOWN, "path": "/use_api_socket"})
        certain = certain or asked is True
    return tuple(found) if certain or not found else UNKNOWN


def _is_bind(item: Raw) -> bool:
    """Whether an entry of ``volumes`` is a path of the host, whichever."""
    return isinstance(item, Mapping) and item.get("type") in ("bind", "npipe")


def _device(item: Raw) -> str | Unknown | None:
    if isinstance(item, Mapping):
        item = item.get("source")
    if not isinstance(item, str):
        return UNKNOWN
    # Anything else names a device of the Container Device Interface (vendor.com/class=name).
    return item.partition(":")[0] if item.startswith("/") else None


def _mounted(graph: Graph, item: Raw) -> str | Unknown | None:
    """The path of the host that an entry of ``volumes`` mounts, or ``None``."""
    if isinstance(item, str):
        return _mounted_short(graph, item)
    kind: Raw = item.get("type", UNKNOWN) if isinstance(item, Mapping) else UNKNOWN
    if not isinstance(kind, str):
        return UNKNOWN
    source: Raw = item.get("source")
    if kind in ("bind", "npipe"):
        return source if isinstance(source, str) else UNKNOWN
    if kind != "volume" or source is None:
        return None
    return _of_volume(graph, source) if isinstance(source, str) else UNKNOWN


def _mounted_short(graph: Graph, item: str) -> str | Unknown | None:
    """As above, of ``source:target:mode``."""
    drive = 2 if _WINDOWS.match(item) else 0
    head, colon, _ = item[drive:].partition(":")
    if not colon:
        return None  # a path in the container, with a volume of its own
    source = item[:drive] + head
    return source if BIND.match(source) else _of_volume(graph, source)


def _of_volume(graph: Graph, name: str) -> str | Unknown | None:
    """The path of the host that a declared volume is, or ``None``.

    Source: https://docs.docker.com/reference/cli/docker/volume/create/#opt
    """
    declared = _values_of(graph, f"volumes.{name}")
    if declared is None:
        return UNKNOWN
    options: Raw = declared.get("driver_opts")
    if options is None:
        return None
    if not isinstance(options, Mapping):
        return UNKNOWN
    device = options.get("device", ABSENT)
    if device is ABSENT:
        return None
    if not isinstance(device, str):
        return UNKNOWN
    return device if BIND.match(device) else None


def service_targets(values: Values) -> Iterator[tuple[str, str]]:
    """Services that a service names: JSON Pointer of the member, and name."""
    for name in ("depends_on", "links"):
        listed = values.get(name)
        for item in listed if isinstance(listed, list | tuple | Mapping) else ():
            if isinstance(item, str):
                yield pointer(name), item.partition(":")[0]
    for name in ("network_mode", "pid", "ipc"):
        said = values.get(name)
        if isinstance(said, str) and said.startswith("service:"):
            yield pointer(name), said.removeprefix("service:")
    extended = values.get("extends")
    if isinstance(extended, str):
        yield "/extends", extended
    elif isinstance(extended, Mapping) and extended.get("file") is None:
        service = extended.get("service")
        if isinstance(service, str):
            yield "/extends", service


def _labels(value: Raw) -> Mapping[str, Any] | Unknown:
    if value is None:
        return {}
    if value is UNKNOWN or not isinstance(value, Mapping | list | tuple):
        return UNKNOWN
    return {name: text for name, text, _ in environment(value) if name}


def _part(native: Native) -> dict[str, Any]:
    return {
        "tags": _labels(native.values.get("labels")),
        "stateful": native.resource.type == "compose_volume",
        "regional": False,
    }


ADAPTERS: Final = {
    "compose_service": Adapter(kind="container.workload", adapt=_service, docs=DOCS),
    **{
        f"compose_{name}": Adapter(
            kind="resource.part", adapt=_part, docs=f"https://docs.docker.com/reference/compose-file/{name}s/"
        )
        for name in ("volume", "network", "config", "secret")
    },
}
