"""What each part of a Terraform plan document becomes."""

import hashlib
import json
from decimal import Decimal
from typing import Any

import pytest

from plangate.model.plan import (
    Action,
    Check,
    Drift,
    OutputChange,
    Provisioner,
    ReplaceOrder,
    Resource,
    Source,
)
from plangate.model.values import ABSENT, UNKNOWN, at_pointer
from plangate.parsers.base import Limits
from tests.plan_documents import (
    AWS,
    a_configuration,
    a_configured,
    a_document,
    an_entry,
    read,
    read_one,
    refusal,
)

# --- The whole -----------------------------------------------------------------------------------------------


def test_a_new_instance_is_read_in_full() -> None:
    entry = an_entry(
        after={"ami": "a", "tags": None},
        after_unknown={"id": True},
        after_sensitive={"ami": True},
        entry={"action_reason": "because"},
    )
    assert read_one(entry) == Resource(
        address="aws_instance.web",
        type="aws_instance",
        name="web",
        provider=AWS,
        cloud="aws",
        action=Action.CREATE,
        reason="because",
        after={"ami": "a", "tags": None},
        planned={"ami": "a", "tags": None, "id": UNKNOWN},
        unknown=("/id",),
        sensitive=("/ami",),
    )


def test_the_source_says_what_was_handed_in() -> None:
    data = b'{"format_version":"1.2","terraform_version":"1.5.0","planned_values":{}}'
    assert read(data).source == Source(
        name="plan.json",
        format="terraform-plan",
        format_version="1.2",
        tool="terraform 1.5.0",
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        media_type="application/json",
    )


def test_a_plan_without_changes_is_a_plan() -> None:
    plan = read({"format_version": "1.0", "planned_values": {}})
    assert (plan.resources, plan.complete, plan.errored, plan.applyable) == ((), True, False, None)


@pytest.mark.parametrize(
    ("member", "value", "expected"),
    [
        ("complete", False, (False, False, None)),
        ("errored", True, (True, True, None)),
        ("applyable", False, (True, False, False)),
        ("applyable", True, (True, False, True)),
        ("deferred_changes", [{"reason": "provider_config_unknown"}], (False, False, None)),
        ("deferred_action_invocations", [{}], (False, False, None)),
    ],
)
def test_flags_of_the_plan(member: str, value: Any, expected: tuple[bool, bool, bool | None]) -> None:
    plan = read(a_document(**{member: value}))
    assert (plan.complete, plan.errored, plan.applyable) == expected


def test_deferred_changes_leave_a_part_unread() -> None:
    assert read(a_document(deferred_changes=[{}, {}])).opaque == (
        "2 deferred changes are not part of this plan",
    )


@pytest.mark.parametrize("member", ["complete", "errored", "applyable"])
@pytest.mark.parametrize("value", [None, "false", 0, []])
def test_a_flag_that_is_neither_true_nor_false_is_refused(member: str, value: Any) -> None:
    assert f"/{member}): expected true or false" in refusal(a_document(**{member: value}))


# --- Actions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "action", "order"),
    [
        ("no-op", Action.NO_OP, None),
        ("create", Action.CREATE, None),
        ("update", Action.UPDATE, None),
        ("delete", Action.DELETE, None),
        ("forget", Action.FORGET, None),
        ("delete+create", Action.REPLACE, ReplaceOrder.DESTROY_FIRST),
        ("create+delete", Action.REPLACE, ReplaceOrder.CREATE_FIRST),
        ("create+forget", Action.REPLACE, ReplaceOrder.CREATE_FIRST),
        ("forget+create", Action.REPLACE, ReplaceOrder.DESTROY_FIRST),
    ],
)
def test_every_action_word_has_its_meaning(words: str, action: Action, order: ReplaceOrder | None) -> None:
    resource = read_one(an_entry(actions=words))
    assert (resource.action, resource.replace_order) == (action, order)


def test_a_data_source_is_read() -> None:
    resource = read_one(an_entry("data.aws_ami.base", "read", after_unknown={"id": True}))
    assert (resource.mode, resource.type, resource.action) == ("data", "aws_ami", Action.READ)


@pytest.mark.parametrize(
    "words",
    [["explode"], [], ["create", "update"], ["delete", "create", "delete"], ["CREATE"], ["no-op", "no-op"]],
)
def test_an_action_that_is_not_known_is_refused(words: list[str]) -> None:
    assert "line 1 (/resource_changes/0/change/actions): unknown action" in refusal(
        a_document(an_entry(actions="create") | {"change": {"actions": words}})
    )


@pytest.mark.parametrize("words", [None, "create", {"create": True}, [1], [["create"]]])
def test_actions_that_are_not_a_list_of_words_are_refused(words: Any) -> None:
    assert "expected a list of action words" in refusal(
        a_document(an_entry() | {"change": {"actions": words}})
    )


def test_values_after_a_deletion_are_refused() -> None:
    for words in ("delete", "forget"):
        assert f"values after a {words} (expected null)" in refusal(
            a_document(an_entry(actions=words, after={"ami": "a"}))
        )


def test_changes_are_counted_by_action() -> None:
    plan = read(
        a_document(
            an_entry("a_b.c", "create"),
            an_entry("a_b.d", "delete+create"),
            an_entry("a_b.e", "no-op", importing={"id": "i-1"}),
            an_entry("data.a_b.f", "read"),
            an_entry("data.a_b.g", "no-op"),
        )
    )
    assert plan.changes == {
        "create": 1,
        "update": 0,
        "delete": 0,
        "replace": 1,
        "read": 1,
        "no-op": 1,
        "forget": 0,
        "import": 1,
    }


# --- What else an entry says ---------------------------------------------------------------------------------


def test_a_move_keeps_where_it_was() -> None:
    resource = read_one(an_entry(actions="no-op", entry={"previous_address": "aws_instance.old"}))
    assert (resource.previous_address, resource.existing) == ("aws_instance.old", True)


@pytest.mark.parametrize("importing", [{"id": "i-1"}, {}, {"identity": {"name": "x"}}])
def test_an_import_is_a_change_of_management(importing: dict[str, Any]) -> None:
    resource = read_one(an_entry(actions="no-op", importing=importing))
    assert (resource.importing, resource.existing) == (importing, False)


def test_an_import_with_an_unknown_id_is_an_import() -> None:
    assert read_one(an_entry(actions="no-op", importing={"unknown": True})).importing == {"unknown": True}


def test_a_no_op_is_existing_only_while_nothing_changes() -> None:
    assert read_one(an_entry(actions="no-op")).existing
    assert not read_one(an_entry(actions="no-op", before={"ami": "b"})).existing
    assert not read_one(an_entry(actions="no-op", before=None)).existing


def test_a_deposed_object_shares_the_address_of_its_resource() -> None:
    plan = read(
        a_document(an_entry(actions="update"), an_entry(actions="delete", entry={"deposed": "ab12cd34"}))
    )
    assert [(r.address, r.deposed, r.exists_after) for r in plan.resources] == [
        ("aws_instance.web", "", True),
        ("aws_instance.web", "ab12cd34", False),
    ]


def test_replace_paths_are_pointers() -> None:
    resource = read_one(an_entry(actions="delete+create", replace_paths=[["ami"], ["disk", 0, "a/b"], []]))
    assert resource.replace_paths == ("/ami", "/disk/0/a~1b", "")


@pytest.mark.parametrize(
    ("address", "index"),
    [
        ("aws_instance.web", None),
        ("aws_instance.web[0]", 0),
        ('aws_instance.web["a"]', "a"),
        ('aws_instance.web["a.b[c]/d\\"é"]', 'a.b[c]/d"é'),
        ('module.m["x.y"].aws_instance.web[10]', 10),
    ],
)
def test_an_instance_key_may_be_anything_that_terraform_allows(address: str, index: int | str | None) -> None:
    entry = an_entry("aws_instance.web")
    module = 'module.m["x.y"]' if address.startswith("module") else None
    entry |= {"address": address, "index": index} | ({"module_address": module} if module else {})
    resource = read_one(entry)
    assert (resource.address, resource.index, resource.module_address) == (address, index, module or "")


@pytest.mark.parametrize("index", [1.5, True, False, [0], {"a": 1}])
def test_an_instance_key_that_is_neither_text_nor_a_whole_number_is_refused(index: Any) -> None:
    assert "/resource_changes/0/index): instance key that is neither" in refusal(
        a_document(an_entry(entry={"index": index}))
    )


# --- An entry that contradicts itself ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry",
    [
        {"type": "null_resource"},
        {"name": "other"},
        {"mode": "data"},
        {"module_address": "module.m"},
        {"address": "module.m.aws_instance.web"},
        {"address": "aws_instance.web2"},
        {"address": "aws_instance.web.x"},
        {"address": "…"},
    ],
)
def test_an_address_must_bear_out_what_the_entry_says_it_is(entry: dict[str, Any]) -> None:
    assert "/resource_changes/0/address): " in refusal(a_document(an_entry(entry=entry)))


@pytest.mark.parametrize("mode", [None, "", "ephemeral", [], {}, 1])
def test_an_unknown_mode_is_refused(mode: Any) -> None:
    assert 'expected "managed" or "data"' in refusal(a_document(an_entry(entry={"mode": mode})))


def test_an_address_that_comes_twice_is_refused() -> None:
    assert "(/resource_changes/1/address): aws_instance.web comes twice" in refusal(
        a_document(an_entry(), an_entry(actions="no-op"))
    )
    deposed = an_entry(actions="delete", entry={"deposed": "1"})
    assert "(/resource_changes/2/address)" in refusal(a_document(an_entry(), deposed, deposed))


@pytest.mark.parametrize("member", ["address", "type", "name"])
@pytest.mark.parametrize("value", [None, "", 7, ["x"], {"x": 1}])
def test_what_names_a_resource_has_to_be_text(member: str, value: Any) -> None:
    assert f"/resource_changes/0/{member}): expected text" in refusal(
        a_document(an_entry(entry={member: value}))
    )


@pytest.mark.parametrize("entry", [None, [], "x", 1, True])
def test_an_entry_has_to_be_an_object(entry: Any) -> None:
    assert "(/resource_changes/0): expected an object" in refusal(a_document(entry))


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("value", ["x", 1, [], True])
def test_values_have_to_be_an_object_or_null(side: str, value: Any) -> None:
    assert f"/change/{side}): expected an object" in refusal(a_document(an_entry(**{side: value})))


def test_an_address_has_bounds() -> None:
    deep = ".".join(f"module.m{i}" for i in range(33))
    assert "more than 32 modules deep" in refusal(a_document(an_entry(f"{deep}.aws_instance.web")))
    long = "x" * 10_000
    assert "characters (limit: 10000)" in refusal(a_document(an_entry(f"aws_instance.{long}")))


def test_more_resources_than_allowed_are_refused() -> None:
    document = a_document(an_entry("a_b.c"), an_entry("a_b.d"))
    assert len(read(document, Limits(max_resources=2)).resources) == 2
    assert "2 resources (limit: 1)" in refusal(document, Limits(max_resources=1))


# --- Absent, null, unknown, sensitive ------------------------------------------------------------------------


def test_absent_null_unknown_and_sensitive_stay_four_different_things() -> None:
    resource = read_one(
        an_entry(
            after={"null": None, "secret": "hunter2hunter2", "known": False},
            after_unknown={"unknown": True},
            after_sensitive={"secret": True},
        )
    )
    assert {
        name: at_pointer(resource.planned, f"/{name}") for name in ("absent", "null", "unknown", "known")
    } == {
        "absent": ABSENT,
        "null": None,
        "unknown": UNKNOWN,
        "known": False,
    }
    assert (resource.unknown, resource.sensitive) == (("/unknown",), ("/secret",))


def test_unknowns_inside_lists_and_blocks_keep_their_place() -> None:
    resource = read_one(
        an_entry(
            after={"ids": ["a", None, "c"], "disk": [{"size": 1}, {"size": 2}], "map": {"k": 1}},
            after_unknown={
                "ids": [False, True, False],
                "disk": [{}, {"id": True}],
                "map": {"u/v": True},
                "made": {"deep": [{"x": True}]},
                "untouched": [{}, {"a": False}],
            },
        )
    )
    assert resource.planned == {
        "ids": ["a", UNKNOWN, "c"],
        "disk": [{"size": 1}, {"size": 2, "id": UNKNOWN}],
        "map": {"k": 1, "u/v": UNKNOWN},
        "made": {"deep": [{"x": UNKNOWN}]},
    }
    assert resource.unknown == ("/disk/1/id", "/ids/1", "/made/deep/0/x", "/map/u~1v")


def test_a_list_whose_unknown_items_are_missing_is_as_long_as_its_shadow() -> None:
    resource = read_one(an_entry(after={"members": []}, after_unknown={"members": [True, True]}))
    assert resource.planned == {"members": [UNKNOWN, UNKNOWN]}


@pytest.mark.parametrize(
    "change",
    [
        {"after": {}, "after_unknown": True},
        {"after": None, "after_unknown": True},
        {"after": None, "after_unknown": {}},
        {"after": None, "after_unknown": {"id": True}},
    ],
)
@pytest.mark.parametrize("words", ["create", "update", "delete+create", "read"])
def test_a_resource_of_which_nothing_is_known_is_unknown_everywhere(
    words: str, change: dict[str, Any]
) -> None:
    resource = read_one(an_entry(actions=words, **change))
    assert resource.unknown == ("",)
    assert at_pointer(resource.planned, "/anything/at/all") is UNKNOWN
    assert resource.exists_after


def test_an_object_that_vanished_is_nothing_rather_than_unknown() -> None:
    resource = read_one(an_entry(actions="no-op", before=None, after=None, after_unknown={"id": True}))
    assert (resource.after, resource.planned, resource.unknown, resource.existing) == (None, {}, (), False)


def test_what_goes_has_no_unknowns() -> None:
    resource = read_one(an_entry(actions="delete", after_unknown=True))
    assert (resource.after, resource.planned, resource.unknown, resource.exists_after) == (
        None,
        {},
        (),
        False,
    )


def test_numbers_stay_exact() -> None:
    document = a_document(an_entry(after={"a": "#1", "b": "#2", "c": "#3"}))
    text = json.dumps(document)
    for mark, number in (('"#1"', "0.1"), ('"#2"', "123456789012345678901234567890"), ('"#3"', "1e2")):
        text = text.replace(mark, number)
    (resource,) = read(text.encode()).resources
    assert resource.after == {"a": Decimal("0.1"), "b": 123456789012345678901234567890, "c": Decimal("1E+2")}


@pytest.mark.parametrize("shadow", ["true", 1, 0, "", {"ami": "true"}, {"ami": 1}, {"x": [["yes"]]}])
@pytest.mark.parametrize("member", ["after_unknown", "after_sensitive", "before_sensitive"])
def test_a_mark_that_is_no_mark_is_refused(member: str, shadow: Any) -> None:
    assert "expected true, false, an object or a list" in refusal(
        a_document(an_entry(actions="update", **{member: shadow}))
    )


@pytest.mark.parametrize(
    ("after", "shadow", "problem"),
    [
        ({"a": "text"}, {"a": {"b": True}}, "marks attributes of something that is not an object"),
        ({"a": ["x"]}, {"a": {"0": True}}, "marks attributes of something that is not an object"),
        ({"a": {"0": "x"}}, {"a": [True]}, "marks elements of something that is not a list"),
        ({"a": 7}, {"a": [True]}, "marks elements of something that is not a list"),
    ],
)
def test_a_mark_on_a_part_that_is_not_there_is_refused(after: Any, shadow: Any, problem: str) -> None:
    assert refusal(a_document(an_entry(after=after, after_unknown=shadow))) == (
        f"plan.json: line 1 (/resource_changes/0/change/after_unknown): {problem}"
    )


def test_a_plan_without_shadows_is_read() -> None:
    entry = an_entry()
    for member in ("after_unknown", "before_sensitive", "after_sensitive"):
        del entry["change"][member]
    resource = read_one(entry)
    assert (resource.planned, resource.unknown, resource.sensitive) == ({"ami": "a"}, (), ())


# --- Outputs, checks, drift, side effects --------------------------------------------------------------------


def test_outputs_are_read_with_their_unknowns() -> None:
    plan = read(
        a_document(
            output_changes={
                "b": {"actions": ["create"], "before": None, "after_unknown": True},
                "a": {
                    "actions": ["update"],
                    "before": 1,
                    "after": [1, None],
                    "after_unknown": [False, True],
                    "after_sensitive": [True, False],
                },
            }
        )
    )
    assert plan.outputs == (
        OutputChange(name="a", action=Action.UPDATE, before=1, after=[1, UNKNOWN], sensitive=True),
        OutputChange(name="b", action=Action.CREATE, before=None, after=UNKNOWN),
    )


def test_checks_keep_what_they_found() -> None:
    check = {
        "address": {"kind": "check", "name": "health", "to_display": "check.health"},
        "status": "fail",
        "instances": [
            {"address": {}, "status": "fail", "problems": [{"message": "down"}, {"message": "late"}]}
        ],
    }
    assert read(a_document(checks=[check])).checks == (
        Check(address="check.health", kind="check", status="fail", problems=("down", "late")),
    )


@pytest.mark.parametrize("status", [None, "", "ok", 1, [], {}])
def test_a_check_status_that_is_not_known_is_refused(status: Any) -> None:
    assert "/checks/0/status): unknown check status" in refusal(a_document(checks=[{"status": status}]))


def test_drift_is_read() -> None:
    plan = read(
        a_document(
            resource_drift=[an_entry("aws_instance.web", "update", before_sensitive={"ami": True})],
        )
    )
    assert plan.drift == (
        Drift(
            address="aws_instance.web",
            type="aws_instance",
            action=Action.UPDATE,
            before={"ami": "a"},
            after={"ami": "a"},
            sensitive=("/ami",),
        ),
    )


@pytest.mark.parametrize(
    ("parts", "address"),
    [
        ({}, "aws_instance.web"),
        ({"index": 2, "module_address": "module.m"}, "module.m.aws_instance.web[2]"),
        ({"index": "a", "mode": "data"}, 'data.aws_instance.web["a"]'),
    ],
)
def test_drift_without_an_address_is_named_by_its_parts(parts: dict[str, Any], address: str) -> None:
    entry = an_entry(actions="update", entry=parts)
    del entry["address"]
    assert [drift.address for drift in read(a_document(resource_drift=[entry])).drift] == [address]


@pytest.mark.parametrize(
    ("words", "runs"),
    [
        ("create", True),
        ("delete+create", True),
        ("delete", True),
        ("update", False),
        ("no-op", False),
        ("forget", False),
    ],
)
def test_a_provisioner_runs_when_its_resource_comes_or_goes(words: str, runs: bool) -> None:
    configured = a_configured("aws_instance", "web") | {
        "provisioners": [{"type": "local-exec"}, {"type": "file"}]
    }
    module = {"m": {"module": {"resources": [configured]}, "count_expression": {"constant_value": 2}}}
    entries = [an_entry(f"module.m[{i}].aws_instance.web", "no-op" if i else words) for i in range(2)]
    plan = read(a_document(*entries, configuration=a_configuration(module_calls=module)))
    assert plan.provisioners == tuple(
        Provisioner(address="module.m.aws_instance.web", type=kind, runs=runs)
        for kind in ("local-exec", "file")
    )


def test_a_program_that_is_read_while_applying_runs() -> None:
    plan = read(a_document(an_entry("data.external.sh", "read"), an_entry("data.external.done", "no-op")))
    assert plan.provisioners == (Provisioner(address="data.external.sh", type="external", runs=True),)


def test_an_action_of_a_provider_runs() -> None:
    plan = read(
        a_document(
            action_invocations=[{"address": "action.aws_lambda_invoke.x", "type": "aws_lambda_invoke"}]
        )
    )
    assert plan.provisioners == (
        Provisioner(address="action.aws_lambda_invoke.x", type="action:aws_lambda_invoke", runs=True),
    )


def test_providers_are_those_of_entries_and_configuration() -> None:
    plan = read(
        a_document(
            an_entry(entry={"provider_name": "registry.terraform.io/hashicorp/aws"}),
            configuration=a_configuration(
                provider_config={
                    "null": {"name": "null", "full_name": "registry.terraform.io/hashicorp/null"}
                }
            ),
        )
    )
    assert plan.providers == ("registry.terraform.io/hashicorp/aws", "registry.terraform.io/hashicorp/null")


@pytest.mark.parametrize(
    ("provider", "cloud"),
    [
        (AWS, "aws"),
        ("registry.opentofu.org/hashicorp/aws", "aws"),
        ("aws", "aws"),
        ("registry.terraform.io/hashicorp/google-beta", "google"),
        ("registry.terraform.io/hashicorp/azurerm", "azure"),
        ("registry.terraform.io/hashicorp/null", ""),
        ("", ""),
    ],
)
def test_the_cloud_follows_from_the_provider(provider: str, cloud: str) -> None:
    assert read_one(an_entry(entry={"provider_name": provider})).cloud == cloud


# --- A stripped plan -----------------------------------------------------------------------------------------

_PLANNED = {
    "root_module": {"child_modules": [{"resources": [{"address": "module.m.a_b.c", "mode": "managed"}]}]}
}


def test_a_plan_whose_changes_were_removed_is_refused() -> None:
    assert "no entry for module.m.a_b.c, which planned_values lists" in refusal(
        a_document(planned_values=_PLANNED)
    )
    document = a_document(planned_values=_PLANNED)
    del document["resource_changes"]
    assert "no entry for module.m.a_b.c" in refusal(document)


def test_a_plan_with_target_may_leave_out_what_was_there_before() -> None:
    state = {"values": _PLANNED}
    assert not read(a_document(planned_values=_PLANNED, prior_state=state, complete=False)).complete
    assert "no entry for" in refusal(a_document(planned_values=_PLANNED, prior_state=state))
    assert "no entry for" in refusal(a_document(planned_values=_PLANNED, complete=False))
