import json
from collections import Counter
from typing import Any

import pytest

from plangate.errors import PlanParseError
from plangate.model.plan import Action, Location, Provisioner, Reference, ReplaceOrder
from plangate.model.values import UNKNOWN
from plangate.parsers import pulumi_preview
from plangate.parsers.base import Limits
from tests.pulumi_documents import (
    BUCKET,
    INSTANCE,
    UNKNOWN_TEXT,
    a_creation,
    a_preview,
    a_state,
    a_step,
    read_preview,
    urn,
)
from tests.tools import ROOT

STACK = "pulumi:pulumi:Stack"
OLD = a_state("web", {"ami": "ami-1"}, id="i-1", outputs={"ami": "ami-1", "publicIp": "1.2.3.4"})
NEW = a_state("web", {"ami": "ami-2"})


def actions(*steps: dict[str, Any], **more: Any) -> dict[str, tuple[Action, ReplaceOrder | None]]:
    """Address (and deposed key) → action and order."""
    found = read_preview(a_preview(*steps, **more)).resources
    return {r.address + (f" {r.deposed}" if r.deposed else ""): (r.action, r.replace_order) for r in found}


WEB = "aws:ec2/instance:Instance::web"


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (a_step("same", OLD, OLD), Action.NO_OP),
        (a_step("create", None, NEW), Action.CREATE),
        (a_step("update", OLD, NEW), Action.UPDATE),
        (a_step("delete", OLD), Action.DELETE),
        (a_step("delete", {**OLD, "retainOnDelete": True}), Action.FORGET),
        (a_step("replace", OLD, NEW), Action.REPLACE),
        (a_step("read", None, {**NEW, "external": True}), Action.READ),
        (a_step("discard", {**OLD, "external": True}), Action.FORGET),
        (a_step("import", None, {**OLD, "importID": "i-1"}), Action.NO_OP),
        (a_step("import-replacement", OLD, {**NEW, "importID": "i-1"}), Action.REPLACE),
        (a_step("read-replacement", OLD, NEW), Action.REPLACE),
        (a_step("refresh", OLD, OLD), Action.NO_OP),
        (a_step("discard-replaced", OLD), Action.FORGET),
    ],
)
def test_each_word_for_an_operation_has_its_action(step: dict[str, Any], expected: Action) -> None:
    (resource,) = read_preview(a_preview(step)).resources
    assert (resource.address, resource.action) == (WEB, expected)


@pytest.mark.parametrize(
    "word", ["", "destroy", "diff", "extend-parameterize", "Create", None, 7, ["create"]]
)
def test_another_word_is_refused(word: Any) -> None:
    step = {**a_creation("web", {}), "op": word}
    with pytest.raises(PlanParseError, match=r"line 1 column \d+: unknown operation"):
        read_preview({"steps": [step], "duration": 1, "changeSummary": {}})


def test_the_steps_of_one_replacement_are_one_replacement() -> None:
    made, logical, gone = (
        a_step("create-replacement", OLD, NEW),
        a_step("replace", OLD, NEW),
        a_step("delete-replaced", OLD),
    )
    assert actions(made, logical, gone) == {WEB: (Action.REPLACE, ReplaceOrder.CREATE_FIRST)}
    assert actions(gone, logical, made) == {WEB: (Action.REPLACE, ReplaceOrder.DESTROY_FIRST)}
    assert actions(logical) == {WEB: (Action.REPLACE, None)}
    pending = a_step("remove-pending-replace", OLD)
    assert actions(pending, made, logical) == {WEB: (Action.REPLACE, ReplaceOrder.DESTROY_FIRST)}


def test_a_replacement_under_another_name_is_one_replacement_that_says_where_it_was() -> None:
    old = a_state("old", {}, id="i-1")
    plan = read_preview(a_preview(a_step("replace", old, NEW), a_step("delete-replaced", old)))
    assert [(r.address, r.action, r.previous_address) for r in plan.resources] == [
        (WEB, Action.REPLACE, "aws:ec2/instance:Instance::old")
    ]


def test_what_is_left_over_and_goes_now_is_a_deposed_object() -> None:
    left = {**OLD, "id": "i-0", "delete": True}
    assert actions(a_step("same", OLD, OLD), a_step("delete-replaced", left)) == {
        WEB: (Action.NO_OP, None),
        f"{WEB} i-0": (Action.DELETE, None),
    }


@pytest.mark.parametrize(
    "steps",
    [
        (a_step("create", None, NEW), a_step("create", None, NEW)),
        (a_step("delete", OLD), a_step("same", OLD, OLD)),
        (a_step("same", OLD, OLD), a_step("delete", OLD)),
        (a_step("create", None, NEW), a_step("replace", OLD, NEW)),
        (a_step("replace", OLD, NEW), a_step("replace", OLD, NEW)),
    ],
)
def test_steps_that_contradict_each_other_are_refused(steps: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(PlanParseError, match=r"contradicting steps|comes twice"):
        read_preview(a_preview(*steps))


def test_what_a_refresh_found_gives_way_to_what_is_done() -> None:
    assert actions(a_step("update", OLD, OLD), a_step("replace", OLD, NEW)) == {WEB: (Action.REPLACE, None)}
    assert actions(a_step("delete", OLD), a_step("create", None, NEW)) == {WEB: (Action.CREATE, None)}


def test_a_preview_that_counts_more_than_it_lists_is_refused() -> None:
    with pytest.raises(PlanParseError, match="it counts 2 of create and lists 1"):
        read_preview(a_preview(a_creation("web", {}), changeSummary={"create": 2}))


def test_unchanged_resources_that_are_left_out_are_said_to_be() -> None:
    plan = read_preview(a_preview(a_creation("web", {}), changeSummary={"create": 1, "same": 3}))
    assert plan.opaque == (
        "3 unchanged resources are not in this document, and what changes may concern them (make it with --show-sames)",
    )
    assert plan.complete


def test_a_preview_without_its_summary_is_incomplete() -> None:
    assert not read_preview({"steps": [a_creation("web", {})], "duration": 1}).complete


@pytest.mark.parametrize(
    "more",
    [
        {"diagnostics": [{"message": "no such bucket", "severity": "error"}]},
        {"diagnostics": ["?"]},
        {"maybeCorrupt": True},
    ],
)
def test_a_preview_that_failed_is_errored(more: dict[str, Any]) -> None:
    assert read_preview(a_preview(a_creation("web", {}), **more)).errored
    assert not read_preview(a_preview(a_creation("web", {}), diagnostics=[{"severity": "warning"}])).errored


def test_inputs_win_over_outputs_and_what_only_the_provider_knows_is_unknown() -> None:
    step = a_creation(
        "web",
        {"ami": "ami-2", "subnetId": UNKNOWN_TEXT, "__defaults": []},
        outputs={"ami": "ami-9", "publicIp": UNKNOWN_TEXT, "ebsOptimized": False},
    )
    (resource,) = read_preview(a_preview(step)).resources
    assert resource.planned == {
        "ami": "ami-2", "subnetId": UNKNOWN, "publicIp": UNKNOWN, "ebsOptimized": False, "id": UNKNOWN
    }  # fmt: skip
    assert resource.after == {"ami": "ami-2", "ebsOptimized": False}
    assert resource.unknown == ("/id", "/publicIp", "/subnetId")
    assert resource.configured == frozenset({"ami", "subnetId"})
    assert resource.before is None


def test_an_update_keeps_what_only_the_provider_knows_and_drops_what_is_not_set_any_more() -> None:
    old = a_state(
        "web",
        {"ami": "ami-1", "keyName": "k"},
        id="i-1",
        outputs={"ami": "ami-1", "keyName": "k", "arn": "a"},
    )
    (resource,) = read_preview(a_preview(a_step("update", old, a_state("web", {"ami": "ami-2"})))).resources
    assert resource.planned == {"ami": "ami-2", "arn": "a", "id": "i-1"}
    assert resource.before == {"ami": "ami-1", "keyName": "k", "arn": "a", "id": "i-1"}


def test_an_update_does_not_forget_that_something_is_hidden() -> None:
    old = a_state("web", {}, id="i-1", outputs={"publicIp": "[secret]"})
    (resource,) = read_preview(a_preview(a_step("update", old, a_state("web", {})))).resources
    assert resource.planned == {"publicIp": UNKNOWN, "id": "i-1"}


def test_an_unchanged_resource_exists() -> None:
    (resource,) = read_preview(a_preview(a_step("same", OLD, a_state("web", {"ami": "ami-1"})))).resources
    assert resource.existing
    assert resource.after == {"ami": "ami-1", "publicIp": "1.2.3.4", "id": "i-1"}


def test_a_resource_without_a_state_is_unknown_as_a_whole() -> None:
    step = {"op": "create", "urn": urn("web")}
    (resource,) = read_preview(a_preview(step)).resources
    assert (resource.unknown, resource.after, resource.planned["anything"]) == (("",), {}, UNKNOWN)


def test_a_deleted_resource_has_no_values_after() -> None:
    (resource,) = read_preview(a_preview(a_step("delete", OLD))).resources
    assert (resource.after, resource.before) == (None, {"ami": "ami-1", "publicIp": "1.2.3.4", "id": "i-1"})


def test_a_property_made_of_another_resource_refers_to_it() -> None:
    bucket = a_creation("assets", {}, BUCKET)
    policy = a_creation(
        "assets",
        {"bucket": UNKNOWN_TEXT},
        "aws:s3/bucketPolicy:BucketPolicy",
        propertyDependencies={"bucket": [urn("assets", BUCKET)]},
        dependencies=[urn("assets", BUCKET)],
    )
    resource = read_preview(a_preview(bucket, policy)).resources[1]
    assert resource.references == (
        Reference(at="", address="aws:s3/bucket:Bucket::assets", exact=True),
        Reference(at="/bucket", address="aws:s3/bucket:Bucket::assets", exact=True),
    )
    assert resource.unresolved == ()


def test_a_value_made_of_two_resources_refers_to_neither_exactly() -> None:
    step = a_creation(
        "p", {"bucket": UNKNOWN_TEXT}, propertyDependencies={"bucket": [urn("a", BUCKET), urn("b", BUCKET)]}
    )
    (resource,) = read_preview(a_preview(step)).resources
    assert [(r.address, r.exact) for r in resource.references] == [
        ("aws:s3/bucket:Bucket::a", False),
        ("aws:s3/bucket:Bucket::b", False),
    ]


def test_a_list_of_two_values_made_of_two_resources_refers_to_both() -> None:
    step = a_creation(
        "p",
        {"vpcSecurityGroupIds": [UNKNOWN_TEXT, UNKNOWN_TEXT]},
        propertyDependencies={"vpcSecurityGroupIds": [urn("a"), urn("b")]},
    )
    (resource,) = read_preview(a_preview(step)).resources
    assert [(r.at, r.exact) for r in resource.references] == [("/vpcSecurityGroupIds", True)] * 2


def test_a_value_that_another_resource_may_only_pass_on_is_unresolved() -> None:
    controls = a_creation(
        "c", {"bucket": UNKNOWN_TEXT}, "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    )
    acl = a_creation("acl", {"bucket": UNKNOWN_TEXT}, propertyDependencies={"bucket": [controls["urn"]]})
    assert read_preview(a_preview(controls, acl)).resources[1].unresolved == ("/bucket",)


@pytest.mark.parametrize(
    ("given", "unresolved"),
    [("shop-assets", ()), (UNKNOWN_TEXT, ("/bucket",)), ("[secret]", ("/bucket",)), (["a"], ("/bucket",))],
)
def test_an_unknown_value_is_not_the_known_one_that_its_resource_was_given(
    given: Any, unresolved: tuple[str, ...]
) -> None:
    bucket = a_creation("assets", {"bucket": given}, BUCKET)
    block = a_creation("b", {"bucket": UNKNOWN_TEXT}, propertyDependencies={"bucket": [bucket["urn"]]})
    assert read_preview(a_preview(bucket, block)).resources[1].unresolved == unresolved


def test_an_unknown_value_of_which_nobody_says_what_it_is_made_of_is_unresolved() -> None:
    step = a_creation("web", {"subnetId": UNKNOWN_TEXT, "keyName": "[secret]"})
    (resource,) = read_preview(a_preview(step)).resources
    assert (resource.references, resource.unresolved) == ((), ("/keyName", "/subnetId"))


def test_secrets_are_marked_and_remembered_also_those_that_only_their_name_gives_away() -> None:
    step = a_creation("db", {"password": "hunter22", "token": "[secret]"}, "aws:rds/instance:Instance")
    plan = read_preview(a_preview(step))
    assert plan.secrets == {"hunter22"}
    assert plan.resources[0].sensitive == ("/token",)


def test_a_resource_takes_its_region_from_its_provider_or_from_the_stack() -> None:
    provider = a_creation("eu", {"region": "eu-west-1"}, "pulumi:providers:aws")
    named = a_creation("a", {}, provider=f"{provider['urn']}::{UNKNOWN_TEXT}")
    unknown = a_creation("up", {"region": UNKNOWN_TEXT}, "pulumi:providers:aws")
    steps = (
        provider,
        unknown,
        named,
        a_creation("b", {}),
        a_creation("c", {"region": "us-east-2"}),
        a_creation("d", {}, provider=f"{unknown['urn']}::{UNKNOWN_TEXT}"),
        a_creation("e", {"region": UNKNOWN_TEXT}),
    )
    plan = read_preview(a_preview(*steps, config={"aws:region": "us-west-2"}))
    assert [r.region for r in plan.resources[2:]] == ["eu-west-1", "us-west-2", "us-east-2", UNKNOWN, UNKNOWN]
    hidden = read_preview(a_preview(a_creation("b", {}), config={"aws:region": "[secret]"}))
    assert hidden.resources[0].region is UNKNOWN


def test_a_resource_of_another_cloud_takes_its_region_from_what_that_cloud_calls_it() -> None:
    steps = (
        a_creation("a", {"location": "West Europe"}, "azure:storage/account:Account"),
        a_creation("b", {"location": UNKNOWN_TEXT}, "azure:storage/account:Account"),
        a_creation("c", {}, "azure:network/subnet:Subnet"),
        a_creation("d", {"zone": "europe-west1-b"}, "gcp:compute/instance:Instance"),
        a_creation("e", {}, "gcp:compute/instance:Instance"),
    )
    plan = read_preview(a_preview(*steps, config={"gcp:region": "us-central1"}))
    assert [r.region for r in plan.resources] == ["westeurope", UNKNOWN, "", "europe-west1", "us-central1"]


def test_providers_are_named_by_their_package_and_one_from_elsewhere_is_told_apart() -> None:
    default = f"{urn('default_7_8_0', 'pulumi:providers:aws')}::x"
    elsewhere = f"{urn('default_1_0_0_https_//evil.example', 'pulumi:providers:aws')}::x"
    own = a_creation("p", {"pluginDownloadURL": "https://evil.example"}, "pulumi:providers:aws")
    component = a_step(
        "create", None, {"urn": urn("c", "shop:web:Server"), "type": "shop:web:Server", "custom": False}
    )
    plan = read_preview(
        a_preview(
            a_creation("a", {}, provider=default),
            a_creation("b", {}, provider=elsewhere),
            own,
            a_creation("c", {}, provider=f"{own['urn']}::x"),
            component,
        )
    )
    assert [r.provider for r in plan.resources if r.type == INSTANCE] == [
        "pulumi.com/packages/aws", "pulumi.com/elsewhere/aws", "pulumi.com/elsewhere/aws"
    ]  # fmt: skip
    assert plan.providers == (
        "pulumi.com/builtin/pulumi",
        "pulumi.com/elsewhere/aws",
        "pulumi.com/packages/aws",
    )


def test_resources_that_run_programs_are_said_to() -> None:
    plan = read_preview(
        a_preview(
            a_creation("x", {"create": "make"}, "command:local:Command"),
            a_creation("y", {}, "pulumi-nodejs:dynamic:Resource"),
            a_step("same", *[a_state("z", {}, "command:remote:Command", id="1")] * 2),
        )
    )
    assert plan.provisioners == (
        Provisioner(address="command:local:Command::x", type="local-exec", runs=True),
        Provisioner(
            address="pulumi-nodejs:dynamic:Resource::y",
            type="action:pulumi-nodejs:dynamic:Resource",
            runs=True,
        ),
        Provisioner(address="command:remote:Command::z", type="remote-exec", runs=False),
    )


def test_an_import_says_what_is_imported() -> None:
    (resource,) = read_preview(a_preview(a_step("import", None, {**OLD, "importID": "i-7"}))).resources
    assert (resource.importing, resource.existing) == ({"id": "i-7"}, False)


def test_what_is_only_read_is_data() -> None:
    (resource,) = read_preview(a_preview(a_step("same", *[{**OLD, "external": True}] * 2))).resources
    assert resource.mode == "data"


def test_the_place_in_the_program_is_kept() -> None:
    step = a_creation("web", {}, sourcePosition="project:///src/index.ts#12,5")
    (resource,) = read_preview(a_preview(step)).resources
    assert resource.location == Location(file="src/index.ts", line=12, column=5)


def test_an_address_leaves_out_stack_and_project_and_never_looks_like_an_instance() -> None:
    steps = (a_creation("a[0]", {}), a_creation("a", {}), a_creation("x::y", {}))
    assert list(actions(*steps)) == [f"{INSTANCE}::a%5B0]", f"{INSTANCE}::a", f"{INSTANCE}::x::y"]


def test_outputs_of_the_stack_are_outputs() -> None:
    old = {"urn": urn("shop-dev", STACK), "type": STACK, "outputs": {"url": "a", "gone": 1, "same": 2}}
    new = {**old, "outputs": {"url": "b", "fresh": "[secret]", "same": 2}}
    plan = read_preview(a_preview(a_step("same", old, new)))
    assert [(o.name, o.action, o.after, o.sensitive) for o in plan.outputs] == [
        ("fresh", Action.CREATE, UNKNOWN, True),
        ("gone", Action.DELETE, None, False),
        ("same", Action.NO_OP, 2, False),
        ("url", Action.UPDATE, "b", False),
    ]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "a preview that is not an object"),
        ({"steps": {}}, "steps that are not a list"),
        ({"steps": [1]}, "a step that is not an object"),
        ({"steps": [{"op": "create"}]}, "without the URN"),
        ({"steps": [{"op": "create", "urn": "web"}]}, "not the URN of a resource: web"),
        ({"steps": [{"op": "create", "urn": urn("x" * 10_000)}]}, "10,?04[0-9]+ characters"),
        ({"steps": [{"op": "create", "urn": urn("web"), "newState": 1}]}, "a state that is not an object"),
        ({"steps": [a_step("create", None, {**NEW, "inputs": []})]}, "inputs that are not an object"),
        ({"steps": [{**a_creation("web", {}), "urn": urn("db")}]}, "state is that of another resource"),
        ({"steps": [a_step("create", None, {**NEW, "type": BUCKET})]}, "state is that of another resource"),
        ({"changeSummary": {"create": "1"}, "steps": []}, "no whole number"),
        ({"diagnostics": {}, "steps": []}, "diagnostics that are not a list"),
        ({"steps": [a_creation("web", {"a": {"4dabf18193072939515e22adb298388d": "?"}})]}, "signature"),
    ],
)
def test_what_is_not_a_preview_is_refused_with_its_place(document: Any, problem: str) -> None:
    with pytest.raises(PlanParseError, match=problem) as caught:
        read_preview(document)
    assert caught.value.at.startswith("line 1 column ")


def test_more_steps_than_the_limit_are_refused() -> None:
    with pytest.raises(PlanParseError, match="2 steps \\(limit: 1\\)"):
        read_preview(a_preview(a_creation("a", {}), a_creation("b", {})), Limits(max_resources=1))


@pytest.mark.parametrize(
    "value",
    [
        {"Resources": {}},
        {"format_version": "1.2", "resource_changes": [], "diagnostics": []},
        {"steps": [{"run": "make"}]},
        {"version": 3, "deployment": {}},
        [],
        "steps",
    ],
)
def test_other_documents_are_not_taken_for_a_preview(value: Any) -> None:
    assert not pulumi_preview.recognizes([value])


def test_previews_are_recognized() -> None:
    assert pulumi_preview.recognizes([a_preview(a_creation("web", {}))])
    assert pulumi_preview.recognizes([{"config": {}, "diagnostics": [], "duration": 1}])
    assert not pulumi_preview.recognizes([a_preview(), a_preview()])


@pytest.mark.parametrize("name", ["open", "closed"])
def test_the_fixture_is_read_in_full(name: str) -> None:
    document = json.loads((ROOT / "fixtures" / "pulumi" / name / "preview.json").read_text(encoding="utf-8"))
    plan = read_preview(document)
    assert Counter(r.type for r in plan.resources) == Counter(
        s["newState"]["type"] for s in document["steps"]
    )
    assert (plan.complete, plan.errored, plan.opaque) == (True, False, ())


def test_outputs_that_are_secret_by_declaration_are_remembered_and_marked() -> None:
    step = a_creation(
        "k", {}, outputs={"key": "hunter22", "name": "n"}, additionalSecretOutputs=["key", "gone", 7]
    )
    plan = read_preview(a_preview(step))
    assert (plan.secrets, plan.resources[0].sensitive) == (frozenset({"hunter22"}), ("/key",))
    unknown = a_creation("k", {}, outputs={"key": UNKNOWN_TEXT}, additionalSecretOutputs=["key"])
    assert read_preview(a_preview(unknown)).secrets == frozenset()


def test_pointers_of_unknown_values_that_would_need_more_than_their_bound_are_refused() -> None:
    step = a_creation("k", {"p" * 300: [UNKNOWN_TEXT] * 30})
    with pytest.raises(PlanParseError, match="longer paths"):
        read_preview(a_preview(step), Limits(max_plan_bytes=4000))


def test_values_nested_beyond_the_limit_are_refused() -> None:
    with pytest.raises(PlanParseError, match="nested deeper than 120 levels"):
        read_preview(
            json.loads(
                json.dumps(a_preview(a_creation("k", {"p": 1}))).replace(
                    '"p": 1', '"p": ' + "[" * 150 + "]" * 150
                )
            )
        )


def test_values_of_the_object_that_goes_are_read_for_their_secrets_too() -> None:
    database = "aws:rds/instance:Instance"
    step = a_step(
        "delete", a_state("d", {"password": "hunter22"}, database, id="d", outputs={"token": "[secret]"})
    )
    plan = read_preview(a_preview(step))
    assert (plan.secrets, plan.resources[0].sensitive) == (frozenset({"hunter22"}), ("/token",))
