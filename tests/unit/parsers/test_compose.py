"""Compose files as plans, and their services as containers."""

from collections.abc import Mapping
from typing import Any

import pytest

from plangate.errors import PlanParseError
from plangate.facts.registry import plan_with_facts
from plangate.model.plan import Action, Location, Plan, Provisioner
from plangate.model.values import UNKNOWN
from plangate.parsers import compose
from plangate.parsers.base import Input, Limits, Options
from plangate.parsers.yaml_documents import read_yaml


def read(text: str, variables: Mapping[str, str] | None = None, limits: Limits | None = None) -> Plan:
    bounds = limits or Limits()
    data = text.encode()
    source = Input(name="compose.yaml", data=data, sha256="0" * 64, size=len(data))
    documents = read_yaml(source, bounds)
    return plan_with_facts(compose.parse(documents, Options(variables=variables or {}), bounds))


def service(body: str, variables: Mapping[str, str] | None = None, more: str = "") -> Mapping[str, Any]:
    """Facts of one service ``a`` whose members are given as flow YAML."""
    return read(f"services:\n  a: {{{body}}}\n{more}", variables).resources[0].facts


def container(body: str, variables: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    found: Mapping[str, Any] = service(body, variables)["containers"][0]
    return found


def paths(body: str, more: str = "") -> Any:
    found = service(body, more=more)["host_paths"]
    return found if found is UNKNOWN else [item["source"] for item in found]


PLAIN = "image: 'a:1'"


def test_a_service_that_says_nothing_has_the_engines_defaults() -> None:
    assert {k: v for k, v in container(PLAIN).items() if k not in {"at", "path", "name", "role"}} == {
        "image": "a:1",
        "image_pinned_by": "tag",
        "privileged": False,
        "host_process": False,
        "privilege_escalation": True,
        "run_as_non_root": None,
        "run_as_user": None,
        "read_only_root": False,
        "added_capabilities": (),
        "dropped_capabilities": (),
        "limits": (),
        "secrets_in_env": (),
    }
    facts = service(PLAIN)
    names = ("host_network", "host_pid", "host_ipc", "host_paths")
    assert [facts[name] for name in names] == [False, False, False, ()]


@pytest.mark.parametrize(
    ("body", "fact", "value"),
    [
        ("privileged: true", "privileged", True),
        ("privileged: '$P'", "privileged", UNKNOWN),
        ("post_start: [{command: x, privileged: true}]", "privileged", True),
        ("pre_stop: [{command: x, privileged: '$P'}]", "privileged", UNKNOWN),
        ("build: {context: ., privileged: true}", "privileged", True),
        ("read_only: true", "read_only_root", True),
        ("security_opt: ['no-new-privileges:true']", "privilege_escalation", False),
        ("security_opt: [no-new-privileges]", "privilege_escalation", False),
        ("security_opt: ['no-new-privileges:false']", "privilege_escalation", True),
        ("security_opt: ['$X']", "privilege_escalation", UNKNOWN),
        ("cap_add: [CAP_SYS_ADMIN, net_raw]", "added_capabilities", ("SYS_ADMIN", "NET_RAW")),
        ("cap_drop: [ALL]", "dropped_capabilities", ("ALL",)),
        ("cap_add: '$X'", "added_capabilities", UNKNOWN),
        ("user: '1000:1000'", "run_as_user", 1000),
        ("user: 0", "run_as_user", 0),
        ("user: 0", "run_as_non_root", False),
        ("user: root", "run_as_user", 0),
        ("user: node", "run_as_user", UNKNOWN),
        ("user: '$U'", "run_as_non_root", UNKNOWN),
        ("mem_limit: 1g, cpus: 0.5", "limits", ("cpu", "memory")),
        (
            "deploy: {resources: {limits: {memory: 1g, cpus: '1', pids: 9}}}",
            "limits",
            ("cpu", "memory", "pids"),
        ),
        ("deploy: {resources: {limits: {memory: $M}}}", "limits", UNKNOWN),
        ("deploy: $D", "limits", UNKNOWN),
        ("pids_limit: -1", "limits", ()),
        ("mem_limit: 0g, cpus: '0.0', pids_limit: 5", "limits", ("pids",)),
        ("image: 'r:5000/a'", "image_pinned_by", ""),
        ("image: 'a@sha256:00'", "image_pinned_by", "digest"),
        ("image: 'a:${TAG:-1}'", "image_pinned_by", UNKNOWN),
        ("build: .", "image", UNKNOWN),
    ],
)
def test_what_a_service_says_is_what_its_container_is(body: str, fact: str, value: Any) -> None:
    assert container(body)[fact] == value


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("volumes: ['/var/run/docker.sock:/s:ro']", ["/var/run/docker.sock"]),
        ("volumes: ['./src:/src', '~/x:/x', '../y:/y']", ["./src", "~/x", "../y"]),
        (r"volumes: ['C:\data:/data', 'C:/data:/data']", [r"C:\data", "C:/data"]),
        ("volumes: ['/data', 'data:/data']", []),
        ("volumes: ['$HOME/.ssh:/ssh']", UNKNOWN),
        ("volumes: ['elsewhere:/data']", UNKNOWN),
        ("volumes: ['hidden:/data']", ["/srv"]),
        ("volumes: ['odd:/data']", UNKNOWN),
        ("volumes: [{type: bind, source: /etc, target: /e}]", ["/etc"]),
        ("volumes: [{type: bind, source: $S, target: /e}]", [UNKNOWN]),
        ("volumes: [{type: $T, source: /etc, target: /e}]", UNKNOWN),
        ("volumes: [{type: volume, source: hidden, target: /e}]", ["/srv"]),
        ("volumes: [{type: volume, target: /e}, {type: tmpfs, target: /t}]", []),
        ("volumes: [7]", UNKNOWN),
        ("volumes: $V", UNKNOWN),
        ("volumes_from: [b]", UNKNOWN),
        ("devices: ['/dev/sda:/dev/sda', 'vendor.com/gpu=all']", ["/dev/sda"]),
        ("use_api_socket: true", ["/var/run/docker.sock"]),
        ("use_api_socket: $U", UNKNOWN),
        # One that is certain says that there are some.
        ("volumes: ['/etc:/etc', 'elsewhere:/data']", ["/etc", UNKNOWN]),
        ("extends: b", UNKNOWN),
    ],
)
def test_paths_of_the_host_that_are_mounted_are_found(body: str, expected: Any) -> None:
    more = "volumes: {data: {}, hidden: {driver_opts: {type: none, o: bind, device: /srv}}, odd: {driver_opts: $X}}\n"
    assert paths(body, more) == expected


@pytest.mark.parametrize(
    ("member", "fact"), [("network_mode", "host_network"), ("pid", "host_pid"), ("ipc", "host_ipc")]
)
def test_a_namespace_of_the_host_is_found_also_through_another_service(member: str, fact: str) -> None:
    def shared(word: str, other: str = "bridge") -> Any:
        more = f"  b: {{image: b, {member}: '{other}'}}\n"
        return service(f"image: a, {member}: '{word}'", more=more)[fact]

    assert [shared("host"), shared("bridge"), shared("$N"), shared("container:x")] == [
        True,
        False,
        UNKNOWN,
        UNKNOWN,
    ]
    assert [shared("service:b", "host"), shared("service:b"), shared("service:gone")] == [
        True,
        False,
        UNKNOWN,
    ]
    assert shared("service:b", "service:a") is UNKNOWN


def test_secrets_in_the_environment_are_found_however_they_are_written() -> None:
    body = (
        "environment: [DB_PASSWORD=hunter22, 'API_TOKEN=$T', 'OTHER_TOKEN=${T:-hunter33}', PGPASSWORD, MODE=fast, "
        "'X=$X', '$Y']"
    )
    assert [(item["name"], item["path"], item["literal"]) for item in container(body)["secrets_in_env"]] == [
        ("DB_PASSWORD", "/environment/0", True),
        ("API_TOKEN", "/environment/1/API_TOKEN", False),
        ("OTHER_TOKEN", "/environment/2/OTHER_TOKEN", UNKNOWN),
        ("PGPASSWORD", "/environment/3", False),
    ]
    (found,) = container("environment: {DB_PASSWORD: 12345678}")["secrets_in_env"]
    assert (found["path"], found["literal"]) == ("/environment/DB_PASSWORD", True)
    assert container("environment: $E")["secrets_in_env"] is UNKNOWN


def test_a_variable_without_a_name_that_has_text_beside_it_may_be_a_secret() -> None:
    (found,) = container("environment: ['pre${X}']")["secrets_in_env"]
    assert (found["path"], found["literal"]) == ("/environment/0", UNKNOWN)


def test_secrets_are_remembered_and_marked() -> None:
    plan = read(
        "services:\n  a: {image: a, environment: {DB_PASSWORD: hunter22}, build: {args: [NPM_TOKEN=hunter33]}}\n"
        "configs: {c: {content: hunter44}}\n"
    )
    assert plan.secrets == {"hunter22", "hunter33", "hunter44"}
    assert [r.sensitive for r in plan.resources] == [
        ("/build/args/0", "/environment/DB_PASSWORD"),
        ("/content",),
    ]


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ("$A-${A}-$$A", {"A": "1"}, "1-1-$A"),
        ("${A:-x}", {"A": ""}, "x"),
        ("${A-x}", {"A": ""}, ""),
        ("${A:-${B:-y}}", {"A": "", "B": ""}, "y"),
        ("${A:-${B}}", {"A": ""}, UNKNOWN),
        ("${A:+x}", {"A": "1"}, "x"),
        ("${A+x}", {"A": ""}, "x"),
        ("${A:+x}", {"A": ""}, ""),
        ("${A:?no}", {"A": "1"}, "1"),
        ("${A:?no}", {"A": ""}, UNKNOWN),
        ("${A:-x}", {}, UNKNOWN),
        ("${A", {"A": "1"}, UNKNOWN),
        ("${}", {}, UNKNOWN),
        ("$1", {}, UNKNOWN),
        ("${A/b/c}", {"A": "1"}, UNKNOWN),
        ("${A:-" * 20 + "}" * 20, {"A": ""}, UNKNOWN),
        ("5$$", {}, "5$"),
    ],
)
def test_variables_that_the_user_gives_are_replaced_and_others_are_unknown(
    text: str, variables: dict[str, str], expected: Any
) -> None:
    (resource,) = read(f"services:\n  a: {{image: a, hostname: '{text}'}}\n", variables).resources
    assert resource.planned["hostname"] == expected
    assert resource.unknown == (("/hostname",) if expected is UNKNOWN else ())
    assert ("hostname" in (resource.after or {})) is (expected is not UNKNOWN)


def test_other_files_are_not_read_and_the_plan_says_so() -> None:
    plan = read(
        "include: [a.yaml, b.yaml]\n"
        "services:\n  a: {image: a, env_file: .env, label_file: l}\n  b: {extends: {file: c.yaml, service: x}}\n"
        "models: {m: {model: m}}\n"
    )
    assert plan.opaque == (
        "2 included files are not read",
        "models are not read",
        "services.a names files in env_file, which are not read",
        "services.a names files in label_file, which are not read",
        "services.b extends a service of another file, which is not read",
    )


def test_what_a_service_takes_over_is_unknown_and_what_it_says_itself_is_not() -> None:
    found = container("extends: b, privileged: false, cap_drop: [ALL]")
    assert (found["privileged"], found["dropped_capabilities"], found["read_only_root"]) == (
        False,
        UNKNOWN,
        UNKNOWN,
    )
    assert service("extends: b, privileged: false")["host_network"] is UNKNOWN


def test_anchors_and_merge_keys_are_expanded() -> None:
    plan = read("x-base: &base {privileged: true}\nservices:\n  a: {<<: *base, image: a}\n")
    assert plan.resources[0].facts["containers"][0]["privileged"] is True


def test_everything_that_is_declared_is_created_and_knows_its_line() -> None:
    plan = read("services:\n  a:\n    image: a\n    depends_on: [b]\n  b:\nvolumes:\n  d:\n")
    assert [(r.address, r.type, r.kind, r.action) for r in plan.resources] == [
        ("services.a", "compose_service", "container.workload", Action.CREATE),
        ("services.b", "compose_service", "container.workload", Action.CREATE),
        ("volumes.d", "compose_volume", "resource.part", Action.CREATE),
    ]
    assert [r.location for r in plan.resources] == [
        Location(file="compose.yaml", line=line, column=3) for line in (2, 5, 7)
    ]
    assert plan.resources[0].place("/image") == Location(file="compose.yaml", line=3, column=5)
    assert [(r.at, r.address) for r in plan.resources[0].references] == [("/depends_on", "services.b")]


def test_a_service_that_is_a_program_is_said_to_be() -> None:
    plan = read("services:\n  a: {provider: {type: awesomecloud}}\n")
    assert plan.provisioners == (
        Provisioner(address="services.a", type="action:compose-provider", runs=True),
    )


def test_labels_are_tags() -> None:
    assert service("image: a, labels: {team: x}")["tags"] == {"team": "x"}
    assert service("image: a, labels: [team=x]")["tags"] == {"team": "x"}
    assert service("image: a, labels: $L")["tags"] is UNKNOWN


@pytest.mark.parametrize(
    ("text", "problem", "at"),
    [
        ("services:\n  a: {image: a}\n  b: [c]\n", "a service that is not an object", "line 3 column 3"),
        ("services: {a: {image: a}}\nvolumes: [d]\n", "volumes that are not an object", "line 2 column 1"),
        (
            "services: {a: {image: a}}\n---\nservices: {a: {image: b}}\n",
            "services.a comes twice",
            "line 3 column 12",
        ),
        ("- a\n", "a document that is not an object", "line 1 column 1"),
    ],
)
def test_what_has_another_shape_is_refused_with_its_place(text: str, problem: str, at: str) -> None:
    with pytest.raises(PlanParseError, match=problem) as caught:
        read(text)
    assert caught.value.at == at


def test_more_resources_than_the_limit_are_refused() -> None:
    with pytest.raises(PlanParseError, match="more than 1 resources"):
        read("services: {a: {image: a}, b: {image: b}}", limits=Limits(max_resources=1))


def test_text_that_variables_blow_up_beyond_its_bound_is_unknown() -> None:
    text = "services: {a: {image: a, hostname: '$X$X$X$X$X$X'}}"
    (resource,) = read(text, {"X": "x" * 100}, Limits(max_plan_bytes=200)).resources
    assert resource.planned["hostname"] is UNKNOWN


@pytest.mark.parametrize(
    "value",
    [
        {"services": {}},
        {"services": []},
        {"services": {"a": {}}},
        {"services": {"a": "b"}},
        {"services": {"a": {"image": "x"}}, "apiVersion": "v1", "kind": "X"},
        {"Resources": {}, "services": {"a": {"image": "x"}}},
        {"include": [{"local": "x"}], "test": {"script": "make"}},
        {"name": "x"},
        [{"hosts": "all"}],
        None,
    ],
)
def test_other_documents_are_not_taken_for_compose_files(value: Any) -> None:
    assert not compose.recognizes([value])
    assert not compose.recognizes([])


@pytest.mark.parametrize(
    "value",
    [
        {"services": {"a": {"image": "x"}, "b": None}},
        {"version": "3", "services": {"a": {"build": "."}}},
        {"include": ["x.yaml"], "x-note": 1},
        # What overrides another file says no more than what it changes.
        {"services": {"a": {"user": "root"}}},
        {"services": {"a": {"image": "x"}, "b": 7}},
        {"services": {"a": {"mem_limit": 0}}},
        {"services": {"a": {"post_start": [{"command": "x", "privileged": True}]}}},
        {"services": {"a": {"deploy": {"resources": {"limits": {"memory": 0}}}}}},
    ],
)
def test_compose_files_are_recognized(value: Any) -> None:
    assert compose.recognizes([value])
