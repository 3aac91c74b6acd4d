"""Names of the plan in policies: what exists is taken, what does not is refused at its place with what was meant."""

from pathlib import Path

import pytest

from plangate.errors import PolicyLoadError
from tests.unit.policy.builders import a_policy, load_policy

RULE = """
deny contains lib.finding(r, "bad") if {{
	some r in lib.of_kind("compute.instance")
	{line}
}}
{more}"""


def policy(line: str, more: str = "") -> str:
    return a_policy(RULE.format(line=line, more=more))


def refusal(root: Path, text: str) -> tuple[str, str, str, str]:
    """Code, the text at the place, message and hint."""
    with pytest.raises(PolicyLoadError) as caught:
        load_policy(root, text)
    error = caught.value
    at = text.splitlines()[error.line - 1][error.column - 1 :]
    return error.code, at.removeprefix('"'), error.problem, error.hint


WRONG = {
    "r.facts.publc_ip": ("unknown-fact", "publc_ip", "did you mean public_ip?"),
    "r.facts.versioned": ("unknown-fact", "versioned", ""),
    'r["facts"]["publc_ip"]': ("unknown-fact", '"publc_ip"]', "did you mean public_ip?"),
    "r.actoin": ("unknown-field", "actoin", "did you mean action?"),
    "not r.exsting": ("unknown-field", "exsting", "did you mean existing?"),
    "r.Action": ("unknown-field", "Action", "did you mean action?"),
    "input.resorces": ("unknown-field", "resorces", "did you mean resources?"),
    "input.resources[_].actoin": ("unknown-field", "actoin", "did you mean action?"),
    "input.source.formt": ("unknown-field", "formt", "did you mean format?"),
    "input.context.tim": ("unknown-field", "tim", "did you mean time?"),
    "some o in input.outputs\n\to.nmae": ("unknown-field", "nmae", "did you mean name?"),
    "some e in r.references\n\te.adress": ("unknown-field", "adress", "did you mean address?"),
    "r.location.lin": ("unknown-field", "lin", "did you mean line?"),
    "r.address.name": ("unknown-field", "name", ""),
    "r.references.at": ("unknown-field", "at", "go through it: `some x in references`"),
    "input.resources.address": ("unknown-field", "address", "go through it: `some x in input.resources`"),
    't := r\n\ts := t\n\ts.actoin == "create"': ("unknown-field", "actoin", "did you mean action?"),
    'object.get(r, "actoin", "") == "create"': ("unknown-field", '"actoin", ""', "did you mean action?"),
    'object.get(r, ["facts", "publc_ip"], 1) == 1': ("unknown-fact", '"publc_ip"]', "did you mean public_ip?"),
    "xs := [x | some x in input.resources; x.actoin]\n\tcount(xs) > 0": ("unknown-field", "actoin]", "did you mean action?"),
    'r.action == "delet"': ("unknown-value", '"delet"', "did you mean delete?"),
    'r.action != "delet"': ("unknown-value", '"delet"', "did you mean delete?"),
    '"delet" == r.action': ("unknown-value", '"delet"', "did you mean delete?"),
    'r.action in {"create", "delet"}': ("unknown-value", '"delet"}', "did you mean delete?"),
    'not r.action in ["delet"]': ("unknown-value", '"delet"]', "did you mean delete?"),
    'r.action = "delet"': ("unknown-value", '"delet"', "did you mean delete?"),
    'a := r.action\n\ta == "delet"': ("unknown-value", '"delet"', "did you mean delete?"),
    'r.kind == "compute.instnace"': ("unknown-value", '"compute.instnace"', "did you mean compute.instance?"),
    'r.mode == "manged"': ("unknown-value", '"manged"', "did you mean managed?"),
    'r.existing == "yes"': ("unknown-value", '"yes"', "it is boolean"),
    'input.schema == "plangate.dev/plan/v2"': ("unknown-value", '"plangate.dev/plan/v2"', "did you mean plangate.dev/plan/v1?"),
    'some c in input.checks\n\tc.status == "failed"': ("unknown-value", '"failed"', "did you mean fail?"),
    'count(lib.of_kind("compute.instnace")) > 0': ("unknown-value", '"compute.instnace"', "did you mean compute.instance?"),
}  # fmt: skip


@pytest.mark.parametrize("line", WRONG)
def test_refuses(line: str, tmp_path: Path) -> None:
    code, at, _, hint = refusal(tmp_path, policy(line))
    wanted_code, wanted_at, wanted_hint = WRONG[line]
    wanted_at = wanted_at.removeprefix('"')
    assert (code, at[: len(wanted_at)]) == (wanted_code, wanted_at)
    assert hint.startswith(wanted_hint)


RIGHT = [
    "r.facts.public_ip == true",
    "r.facts.tags.owner",
    "r.facts[_] == true",
    "r.after.anything.at.all",
    "r.before.anything",
    'r.importing.id == "x"',
    'r.region == "unknown"',
    'r.action == "no-op"',
    'r.action in {"create", "delete"}',
    'r.kind in {"compute.instance", "storage.bucket"}',
    'r.facts.public_ip == "unknown"',
    "r.index == 1",
    'r.index == "a"',
    'input.context.time == "2027"',
    "some x in input.resources\n\tx.facts.encrypted == false",
    "some x in input.resources\n\tx.facts.public_ip == true\n\tx.facts.versioned == true",
    'x := object.union(r, {"extra": 1})\n\tx.extra == 1',
    'x := {"actoin": r.action}\n\tx.actoin == "create"',
    'some x in [r, {"extra": 1}]\n\tx.extra == 1',
    'some x in [{"extra": 1}]\n\tx.extra == 1',
    'object.get(r, "location", {"name": "x"}).name == "x"',
    "key := `actoin`\n\tr[key]",
    "some key in [`actoin`]\n\tr[key]",
    'json.unmarshal(r.after.policy).actoin == "x"',
    'r.type == "anything"',
    'some t in lib.of_type("aws_anything")\n\tt.facts.encrypted == true',
]  # fmt: skip


@pytest.mark.parametrize("line", RIGHT)
def test_accepts(line: str, tmp_path: Path) -> None:
    assert [rule.id for rule in load_policy(tmp_path, policy(line)).rules] == ["no-bad"]


def test_a_helper_is_refused_at_its_own_line(tmp_path: Path) -> None:
    text = policy("is_public(r)", "\nis_public(x) if x.facts.publc_ip == true\n")
    assert refusal(tmp_path, text)[:2] == ("unknown-fact", "publc_ip == true")


def test_a_helper_may_be_for_several_kinds(tmp_path: Path) -> None:
    more = """
deny contains lib.finding(b, "bad") if {
	some b in lib.of_kind("storage.bucket")
	is_weak(b)
}

is_weak(x) if x.facts.versioned == false

is_weak(x) if x.facts.public_ip == true
"""
    text = a_policy(RULE.format(line="is_weak(r)", more=more), extra="")
    assert load_policy(tmp_path, text).rules


def test_a_rule_that_gives_either_a_resource_or_something_of_its_own_is_taken(tmp_path: Path) -> None:
    more = """
described(x) := x if x.existing

described(x) := {"extra": x.address} if not x.existing
"""
    assert load_policy(tmp_path, policy('described(r).extra == "x"', more)).rules


def test_an_import_of_a_part_of_the_plan_is_known(tmp_path: Path) -> None:
    text = policy("some x in rs\n\tx.actoin").replace(
        "import data.plangate.lib\n", "import data.plangate.lib\nimport input.resources as rs\n"
    )
    assert refusal(tmp_path, text)[:2] == ("unknown-field", "actoin")


def test_an_import_of_what_no_plan_has_is_refused(tmp_path: Path) -> None:
    text = policy("some x in rs").replace(
        "import data.plangate.lib\n", "import data.plangate.lib\nimport input.resorces as rs\n"
    )
    assert refusal(tmp_path, text)[:2] == ("unknown-field", "import input.resorces as rs")


def test_every_wrong_name_of_a_body_has_its_own_place(tmp_path: Path) -> None:
    code, at, problem, _ = refusal(tmp_path, policy("r.facts.publc_ip == true\n\tr.actoin"))
    assert (code, at, problem) == (
        "unknown-fact",
        "publc_ip == true",
        'compute.instance has no fact "publc_ip", so this line would never hold',
    )
