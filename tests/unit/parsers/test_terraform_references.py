"""From the names in a configuration to the instances that they may mean."""

from typing import Any

import pytest

from plangate.model.plan import Plan, Reference
from plangate.model.values import UNKNOWN
from plangate.parsers import terraform_graph, terraform_references
from tests.plan_documents import a_configuration, a_configured, a_document, an_entry, read

SUBNETS = [an_entry(f"aws_subnet.a[{i}]") for i in (0, 1)]


def plan_of(*entries: dict[str, Any], configuration: dict[str, Any], **root: Any) -> Plan:
    return read(a_document(*entries, configuration=configuration, **root))


def edges(plan: Plan, address: str = "aws_instance.web") -> list[tuple[str, str, bool, str]]:
    (resource,) = (r for r in plan.resources if r.address == address)
    return [(edge.at, edge.address, edge.exact, edge.attribute) for edge in resource.references]


def one(
    *names: str, others: tuple[dict[str, Any], ...] = ()
) -> tuple[list[tuple[str, str, bool, str]], tuple[str, ...]]:
    """Edges and unresolved attributes of an instance whose ``subnet_id`` mentions these names."""
    plan = plan_of(
        an_entry("aws_instance.web"),
        *others,
        configuration=a_configuration(a_configured("aws_instance", "web", subnet_id=list(names))),
    )
    return edges(plan), plan.resources[0].unresolved


# --- Names ---------------------------------------------------------------------------------------------------


def test_a_name_leads_to_its_resource() -> None:
    assert one("aws_subnet.a.id", "aws_subnet.a", others=(an_entry("aws_subnet.a"),)) == (
        [("/subnet_id", "aws_subnet.a", True, "id")],
        (),
    )


def test_a_data_source_is_a_resource() -> None:
    assert one(
        "data.aws_subnet.a.id", "data.aws_subnet.a", others=(an_entry("data.aws_subnet.a", "read"),)
    ) == (
        [("/subnet_id", "data.aws_subnet.a", True, "id")],
        (),
    )


def test_a_constant_index_is_kept() -> None:
    assert one("aws_subnet.a[1].id", "aws_subnet.a[1]", "aws_subnet.a", others=tuple(SUBNETS)) == (
        [("/subnet_id", "aws_subnet.a[1]", True, "id")],
        (),
    )


def test_an_index_with_dots_and_brackets_is_one_index() -> None:
    entry = an_entry("aws_subnet.a") | {"address": 'aws_subnet.a["x.y[0]/\\"z"]', "index": 'x.y[0]/"z'}
    assert one(
        'aws_subnet.a["x.y[0]/\\"z"].id', 'aws_subnet.a["x.y[0]/\\"z"]', "aws_subnet.a", others=(entry,)
    ) == (
        [("/subnet_id", 'aws_subnet.a["x.y[0]/\\"z"]', True, "id")],
        (),
    )


def test_an_index_that_is_not_constant_may_be_any_instance() -> None:
    assert one("aws_subnet.a", "count.index", others=tuple(SUBNETS)) == (
        [("/subnet_id", "aws_subnet.a", False, "")],
        (),
    )


def test_the_only_instance_is_meant_exactly() -> None:
    assert one("aws_subnet.a", "count.index", others=(SUBNETS[0],)) == (
        [("/subnet_id", "aws_subnet.a[0]", True, "")],
        (),
    )


def test_a_resource_that_is_not_in_the_plan_is_not_exact() -> None:
    assert one("aws_subnet.gone.id", "aws_subnet.gone") == (
        [("/subnet_id", "aws_subnet.gone", False, "id")],
        (),
    )


def test_each_mention_of_a_resource_counts() -> None:
    names = ("aws_subnet.a.region", "aws_subnet.a", "aws_subnet.a")
    assert one(*names, others=(an_entry("aws_subnet.a"),)) == (
        [("/subnet_id", "aws_subnet.a", True, ""), ("/subnet_id", "aws_subnet.a", True, "region")],
        (),
    )


@pytest.mark.parametrize(
    "name", ["local.subnet", "", "x", "data.aws_ami", "module.unknown.id", "a" * 20_000 + ".b"]
)
def test_a_name_that_leads_nowhere_leaves_its_attribute_unresolved(name: str) -> None:
    assert one(name) == ([], ("/subnet_id",))


@pytest.mark.parametrize(
    "name", ["count.index", "path.module", "terraform.workspace", "self.id", "each.key", "var.x"]
)
def test_a_name_that_no_resource_makes_is_followed_to_its_end(name: str) -> None:
    assert one(name) == ([], ())


def test_a_local_value_beside_a_resource_leaves_the_attribute_unresolved_too() -> None:
    assert one("aws_subnet.a.id", "aws_subnet.a", "local.x", others=(an_entry("aws_subnet.a"),)) == (
        [("/subnet_id", "aws_subnet.a", True, "id")],
        ("/subnet_id",),
    )


def test_blocks_have_edges_at_their_attributes_without_list_indexes() -> None:
    plan = plan_of(
        an_entry("aws_instance.web"),
        an_entry("aws_kms_key.k"),
        configuration=a_configuration(
            a_configured(
                "aws_instance", "web", disk=[{"size": 1}, {"key": ["aws_kms_key.k.arn", "aws_kms_key.k"]}]
            )
        ),
    )
    assert edges(plan) == [("/disk/key", "aws_kms_key.k", True, "arn")]


def test_what_is_configured_is_known_by_name() -> None:
    plan = plan_of(
        an_entry("aws_instance.web"),
        an_entry("aws_instance.elsewhere"),
        configuration=a_configuration(a_configured("aws_instance", "web", ami="a", disk=[{"size": 1}])),
    )
    assert [r.configured for r in plan.resources] == [frozenset({"ami", "disk"}), None]


# --- Across modules ------------------------------------------------------------------------------------------


def net(**call: Any) -> dict[str, Any]:
    """A module that makes subnets and gives out their ids."""
    return {
        "module": {
            "resources": [a_configured("aws_subnet", "a")],
            "outputs": {
                "ids": {
                    "expression": {"references": ["aws_subnet.a[0].id", "aws_subnet.a[0]", "aws_subnet.a"]}
                }
            },
        },
        **call,
    }


def test_an_output_is_what_it_reads_inside_its_module() -> None:
    plan = plan_of(
        an_entry("aws_instance.web"),
        an_entry("module.net.aws_subnet.a[0]"),
        an_entry("module.net.aws_subnet.a[1]"),
        configuration=a_configuration(
            a_configured("aws_instance", "web", subnet_id=["module.net.ids", "module.net"]),
            module_calls={"net": net()},
        ),
    )
    assert edges(plan) == [("/subnet_id", "module.net.aws_subnet.a[0]", True, "id")]


def test_a_whole_module_is_all_that_it_gives_out() -> None:
    plan = plan_of(
        an_entry("aws_instance.web"),
        an_entry("module.net.aws_subnet.a[0]"),
        configuration=a_configuration(
            a_configured("aws_instance", "web", subnet_id=["module.net"]), module_calls={"net": net()}
        ),
    )
    assert edges(plan) == [("/subnet_id", "module.net.aws_subnet.a[0]", True, "id")]


@pytest.mark.parametrize(
    ("names", "address", "exact"),
    [
        (['module.net["x"].ids', 'module.net["x"]', "module.net"], 'module.net["x"].aws_subnet.a[0]', True),
        (["module.net"], "module.net.aws_subnet.a", False),
    ],
)
def test_instances_of_a_module_are_told_apart_by_constant_keys_only(
    names: list[str], address: str, exact: bool
) -> None:
    plan = plan_of(
        an_entry("aws_instance.web"),
        *(an_entry(f'module.net["{key}"].aws_subnet.a[0]') for key in "xy"),
        configuration=a_configuration(
            a_configured("aws_instance", "web", subnet_id=names),
            module_calls={"net": net(for_each_expression={"references": ["var.nets"]})},
        ),
    )
    assert edges(plan) == [("/subnet_id", address, exact, "id")]


def test_a_variable_is_what_the_module_call_passes() -> None:
    inner = {"resources": [a_configured("aws_instance", "web", subnet_id=["var.subnet"])]}
    plan = plan_of(
        an_entry("module.app.aws_instance.web"),
        an_entry("aws_subnet.a"),
        configuration=a_configuration(
            a_configured("aws_subnet", "a"),
            module_calls={
                "app": {
                    "module": inner,
                    "expressions": {"subnet": {"references": ["aws_subnet.a.id", "aws_subnet.a"]}},
                }
            },
        ),
    )
    assert edges(plan, "module.app.aws_instance.web") == [("/subnet_id", "aws_subnet.a", True, "id")]


def test_a_value_is_followed_from_module_to_module_through_the_root() -> None:
    """module.outer.module.app reads var.id ← var.ids of outer ← output of module.net."""
    app = {"resources": [a_configured("aws_instance", "web", subnet_id=["var.id"])]}
    outer = {"module_calls": {"app": {"module": app, "expressions": {"id": {"references": ["var.ids"]}}}}}
    plan = plan_of(
        an_entry("module.outer.module.app.aws_instance.web"),
        an_entry("module.net.aws_subnet.a[0]"),
        configuration=a_configuration(
            module_calls={
                "net": net(),
                "outer": {
                    "module": outer,
                    "expressions": {"ids": {"references": ["module.net.ids", "module.net"]}},
                },
            },
        ),
    )
    assert edges(plan, "module.outer.module.app.aws_instance.web") == [
        ("/subnet_id", "module.net.aws_subnet.a[0]", True, "id")
    ]


def test_a_resource_sees_its_own_module_instance() -> None:
    inner = {
        "resources": [a_configured("aws_instance", "web", subnet_id=["aws_subnet.a.id", "aws_subnet.a"])]
    }
    plan = plan_of(
        *(an_entry(f"module.m[{i}].aws_{kind}") for i in range(2) for kind in ("instance.web", "subnet.a")),
        configuration=a_configuration(module_calls={"m": {"module": inner, "count_expression": {}}}),
    )
    for i in range(2):
        assert edges(plan, f"module.m[{i}].aws_instance.web") == [
            ("/subnet_id", f"module.m[{i}].aws_subnet.a", True, "id")
        ]


def test_each_value_is_what_the_loop_goes_over() -> None:
    looped = a_configured("aws_instance", "web", subnet_id=["each.value.id", "each.value"], ami=["each.key"])
    looped["for_each_expression"] = {"references": ["aws_subnet.a"]}
    plan = plan_of(an_entry("aws_instance.web"), *SUBNETS, configuration=a_configuration(looped))
    assert edges(plan) == [("/subnet_id", "aws_subnet.a", False, "")]


def test_each_value_in_a_module_call_is_what_the_call_goes_over() -> None:
    inner = {"resources": [a_configured("aws_instance", "web", subnet_id=["var.subnet"])]}
    plan = plan_of(
        an_entry('module.app["x"].aws_instance.web'),
        *SUBNETS,
        configuration=a_configuration(
            module_calls={
                "app": {
                    "module": inner,
                    "expressions": {"subnet": {"references": ["each.value"]}},
                    "for_each_expression": {"references": ["aws_subnet.a"]},
                }
            }
        ),
    )
    assert edges(plan, 'module.app["x"].aws_instance.web') == [("/subnet_id", "aws_subnet.a", False, "")]


def test_a_variable_that_the_call_does_not_pass_follows_its_default() -> None:
    inner = {"resources": [a_configured("aws_instance", "web", subnet_id=["var.subnet"])]}
    plan = plan_of(
        an_entry("module.app.aws_instance.web"),
        configuration=a_configuration(module_calls={"app": {"module": inner}}),
    )
    resource = plan.resources[0]
    assert (resource.references, resource.unresolved) == ((), ())


# --- It ends -------------------------------------------------------------------------------------------------


def test_outputs_and_variables_that_name_each_other_come_to_an_end() -> None:
    inner = {
        "resources": [a_configured("aws_instance", "web", subnet_id=["var.a"])],
        "outputs": {"o": {"expression": {"references": ["var.a", "var.b"]}}},
    }
    passed = {name: {"references": ["module.m.o", "module.m"]} for name in "ab"}
    plan = plan_of(
        an_entry("module.m.aws_instance.web"),
        configuration=a_configuration(module_calls={"m": {"module": inner, "expressions": passed}}),
    )
    assert plan.resources[0].references == ()


def test_an_attribute_that_is_followed_too_far_is_unresolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terraform_references, "MAX_FOLLOWED", 2)
    assert one("a_b.c", "a_b.d", "a_b.e") == ([], ("/subnet_id",))


def test_a_plan_that_is_followed_too_far_is_unresolved_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terraform_references, "MAX_FOLLOWED_IN_PLAN", 1)
    plan = plan_of(
        an_entry("aws_instance.web"),
        an_entry("aws_instance.db"),
        configuration=a_configuration(
            a_configured("aws_instance", "web", subnet_id=["a_b.c"]),
            a_configured("aws_instance", "db", subnet_id=["a_b.c"]),
        ),
    )
    assert [(len(r.references), r.unresolved) for r in plan.resources] == [(1, ()), (0, ("/subnet_id",))]


def test_edges_beyond_the_limit_are_unresolved_rather_than_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terraform_graph, "MAX_EDGES", 1)
    found, unresolved = one("a_b.c", "a_b.d")
    assert (found, unresolved) == ([], ("/subnet_id",))


def test_an_endless_attribute_path_is_cut_at_its_block() -> None:
    deep: Any = {"references": ["a_b.c"]}
    for _ in range(100):
        deep = {"k" * 50: deep}
    configured = a_configured("aws_instance", "web")
    configured["expressions"] = {"block": deep}
    plan = plan_of(an_entry("aws_instance.web"), configuration=a_configuration(configured))
    (reference,) = plan.resources[0].references
    assert (len(reference.at), reference) == (
        len(reference.at),
        Reference(at="/block" + ("/" + "k" * 50) * 19, address="a_b.c", exact=False),
    )


# --- Region --------------------------------------------------------------------------------------------------


def region_of(provider: Any, key: str = "aws", after: Any = None, unknown: Any = None, **root: Any) -> Any:
    configured = a_configured("aws_instance", "web", **root.pop("expressions", {})) | {
        "provider_config_key": key
    }
    plan = plan_of(
        an_entry("aws_instance.web", after=after or {}, after_unknown=unknown or {}),
        configuration=a_configuration(configured, provider_config={key: provider}),
        **root,
    )
    return plan.resources[0].region


def test_a_constant_region_of_the_provider_counts() -> None:
    assert region_of({"expressions": {"region": {"constant_value": "eu-west-1"}}}) == "eu-west-1"
    assert region_of({"expressions": {"region": {"constant_value": "us-east-1"}}}, "aws.us") == "us-east-1"


def test_a_region_from_a_root_variable_is_that_variables_value() -> None:
    provider = {"expressions": {"region": {"references": ["var.region"]}}}
    assert region_of(provider, variables={"region": {"value": "eu-west-1"}}) == "eu-west-1"
    assert region_of(provider, variables={"region": {"value": 7}}) is UNKNOWN
    assert region_of(provider) is UNKNOWN


def test_a_variable_of_a_module_is_not_the_root_variable_of_that_name() -> None:
    provider = {"expressions": {"region": {"references": ["var.region"]}}}
    assert region_of(provider, "module.m:aws", variables={"region": {"value": "eu-west-1"}}) is UNKNOWN


@pytest.mark.parametrize(
    "region",
    [
        {"references": ["local.region"]},
        {"references": ["data.aws_region.r.name", "data.aws_region.r"]},
        {"references": ["var.a", "var.b"]},
        {"constant_value": 7},
        {},
    ],
)
def test_a_region_that_something_else_sets_is_unknown(region: Any) -> None:
    assert region_of({"expressions": {"region": region}}) is UNKNOWN


@pytest.mark.parametrize("provider", [{}, {"expressions": {}}, None, "x", {"expressions": []}])
def test_a_provider_that_says_no_region_leaves_it_open(provider: Any) -> None:
    assert region_of(provider) == ""


def test_the_resources_own_region_wins() -> None:
    provider = {"expressions": {"region": {"constant_value": "eu-west-1"}}}
    assert region_of(provider, after={"region": "us-east-1"}) == "us-east-1"


def test_an_own_region_that_is_unknown_counts_only_when_it_is_configured() -> None:
    provider = {"expressions": {"region": {"constant_value": "eu-west-1"}}}
    assert region_of(provider, unknown={"region": True}) == "eu-west-1"
    assert region_of(provider, unknown={"region": True}, expressions={"region": ["var.r"]}) is UNKNOWN


@pytest.mark.parametrize(
    "configuration",
    [
        {"root_module": {"resources": "x", "module_calls": []}},
        {"root_module": {"resources": [1, None, {"type": 7}], "module_calls": {"m": 1, "n": {"module": []}}}},
        {"provider_config": {"aws": 1}, "root_module": {}},
        {"root_module": {"resources": [{"type": "aws_instance", "name": "web", "expressions": [1]}]}},
        {
            "root_module": {
                "resources": [
                    {"type": "aws_instance", "name": "web", "expressions": {"a": {"references": [1]}}}
                ]
            }
        },
    ],
)
def test_a_configuration_of_another_shape_says_nothing(configuration: Any) -> None:
    (resource,) = plan_of(an_entry("aws_instance.web"), configuration=configuration).resources
    assert resource.references == ()
