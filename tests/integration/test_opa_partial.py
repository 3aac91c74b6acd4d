"""Unknown values with OPA: what the syntax tree cannot tell, partial evaluation can, and nothing passes by accident."""

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from plangate.errors import EngineError
from plangate.model.plan import Plan, Reference
from plangate.model.values import UNKNOWN
from plangate.policy.base import Doubt, PolicySet
from plangate.policy.opa.base import Deadline, Endpoint
from plangate.policy.opa.engine import OpaEngine, PrivateServer, RunningServer
from plangate.policy.opa.questions import questions_of
from plangate.policy.opa.residue import Asking
from plangate.policy.opa.server import Server
from plangate.policy.outcomes import PlanView, doubts, judge
from plangate.wiring.judges import Policies
from tests.contract.test_engines_contract import policies_of
from tests.opa_server import running_opa
from tests.tools import require_tool
from tests.unit.policy.builders import a_plan, a_policy, a_resource, document, statuses
from tests.unit.policy.test_opa import double

pytest.importorskip("opa_client")
pytestmark = pytest.mark.opa

ZONES = """
deny contains lib.finding(r, "it is called x there") if {
	some r in lib.of_kind("compute.instance")
	r.after.zone == "public"
	startswith(r.after.name, "x")
}

deny contains lib.finding(r, "it is open") if {
	some r in lib.of_kind("compute.instance")
	not is_closed(r)
	r.facts.public_ip == true
}

is_closed(r) if r.after.zone == "private"

is_closed(r) if r.after.size == r.after.limit
"""
GUARDED = """
deny contains lib.finding(r, "it is big") if {
	some r in lib.of_kind("compute.instance")
	r.after.size == "big"
	not "/size" in r.unknown
}
"""
NEIGHBOURS = """
deny contains lib.finding(r, "another one is big") if {
	some r in lib.of_kind("compute.instance")
	some s in lib.of_kind("compute.instance")
	s.after.size == "big"
	r.after.zone == "public"
}
"""
BIG = GUARDED.replace('not "/size" in r.unknown', "true")
BY_SIZE = """
deny contains lib.finding(r, "it is as big as allowed") if {
	some size in ["big", "huge"]
	some r in {s | some s in lib.of_kind("compute.instance"); s.name != size}
	r.after.size == size
	r.after.zone == "public"
}
"""
REFERS = """
deny contains lib.finding(r, "it is in a public network") if {
	some r in lib.of_kind("compute.instance")
	some edge in r.references
	some other in input.resources
	other.address == edge.address
	other.type == "public"
	r.after.name == "x"
}
"""
MEMBERS = {"0": ["aws_instance.web"], "-1": ["aws_instance.web"]}
FACTS = {"public_ip": False, "metadata_tokens_required": True, "disks_encrypted": True}
PLAN = a_plan(
    a_resource("x.elsewhere", after={"zone": "private"}, unknown=("/name",)),
    a_resource("x.there", after={"zone": "public"}, unknown=("/name",)),
    a_resource("x.anywhere", after={"name": "xy"}, unknown=("/zone",)),
    a_resource("x.closed", after={"zone": "private"}, facts=FACTS | {"public_ip": UNKNOWN}),
    a_resource("x.open", after={"zone": "public", "name": "y"}, facts=FACTS | {"public_ip": UNKNOWN}),
    a_resource("x.two", after={"zone": "other", "size": 1}, unknown=("/limit", "/name")),
)


def exact(policies: PolicySet, plan: Plan) -> dict[str, str]:
    """Address to status and, where a value matters, its place; judged as the gate judges."""
    specs = {rule.id: rule for rule in policies.rules}
    with OpaEngine(PrivateServer(binary=str(require_tool("opa"))), policies) as engine:
        judges = Policies(policies, specs, engine, 60, settles=True)
        outcomes, _ = judges.ask(plan, lambda: document(plan))()
    return {
        outcome.address: f"{outcome.status.value} {outcome.message.partition('apply: ')[2]}".rstrip()
        for outcome in outcomes
    }


def test_what_the_syntax_tree_leaves_open_opa_settles(tmp_path: Path) -> None:
    policies = policies_of(tmp_path / "p", zones=a_policy(ZONES, slug="zones"))
    assert statuses(policies, PLAN) == dict.fromkeys([each.address for each in PLAN.resources], "unknown")
    assert exact(policies, PLAN) == {
        "x.elsewhere": "pass",
        "x.there": "unknown after.name",
        "x.anywhere": "unknown after.zone",
        "x.closed": "pass",
        "x.open": "unknown facts.public_ip",
        "x.two": "pass",
    }


def test_a_line_that_asks_whether_a_value_is_unknown_settles_nothing(tmp_path: Path) -> None:
    # The line is true now and will be false: once the value is known, the list is another one.
    policies = policies_of(tmp_path / "p", guarded=a_policy(GUARDED, slug="guarded"))
    assert exact(policies, a_plan(a_resource(unknown=("/size",))))["aws_instance.web"].startswith("unknown")


def test_an_unknown_value_of_a_neighbour_settles_nothing(tmp_path: Path) -> None:
    policies = policies_of(tmp_path / "p", neighbours=a_policy(NEIGHBOURS, slug="neighbours"))
    plan = a_plan(a_resource("x.one", after={"zone": "other"}), a_resource("x.two", unknown=("/size",)))
    assert {text.split()[0] for text in exact(policies, plan).values()} == {"unknown"}


def test_a_line_that_gives_resources_and_needs_another_line_settles_nothing(tmp_path: Path) -> None:
    policies = policies_of(tmp_path / "p", by_size=a_policy(BY_SIZE, slug="by_size"))
    plan = a_plan(a_resource("x.one", after={"zone": "other"}, unknown=("/size",)))
    assert exact(policies, plan)["x.one"].startswith("unknown")


def test_what_the_rest_of_the_plan_says_counts(tmp_path: Path) -> None:
    policies = policies_of(tmp_path / "p", refers=a_policy(REFERS, slug="refers"))
    edge = Reference(at="/n", address="net.a", exact=True)
    for kind, said in (("public", "unknown after.name"), ("private", "pass")):
        plan = a_plan(
            a_resource("x.one", unknown=("/name",), references=(edge,)),
            a_resource("net.a", type=kind, kind=""),
        )
        assert exact(policies, plan)["x.one"] == said


@pytest.mark.parametrize(
    ("line", "reads"),
    [
        ("r.after.zone == 1", False),
        ('lib.is_empty(r, "zone")', False),
        ("count(input.outputs) == 0", True),
        ("some t in lib.references(r)\n\tt.after.zone == 1", True),
        ("calm", True),
        ("data.policies.test.probe.calm", True),
    ],
)
def test_only_a_rule_that_cannot_reach_the_plan_is_asked_without_it(
    line: str, reads: bool, tmp_path: Path
) -> None:
    body = f'deny contains lib.finding(r, "x") if {{\n\tsome r in lib.of_kind("compute.instance")\n\t{line}\n}}\n'
    calm = "\ncalm if count(input.checks) == 0\n"
    policies = policies_of(tmp_path / "p", probe=a_policy(body + calm, slug="probe"))
    assert [probe.reads_input for probe in questions_of(policies).probes["probe"]] == [reads]


def test_a_resource_that_shares_its_address_settles_nothing(tmp_path: Path) -> None:
    policies = policies_of(tmp_path / "p", zones=a_policy(ZONES, slug="zones"))
    plan = a_plan(PLAN.resources[0], a_resource("x.elsewhere", deposed="old", after={"zone": "private"}))
    assert exact(policies, plan)["x.elsewhere"].startswith("unknown")


@pytest.mark.parametrize("private", [True, False])
def test_an_opa_that_is_gone_settles_nothing(private: bool, tmp_path: Path) -> None:
    policies = policies_of(tmp_path / "p", zones=a_policy(ZONES, slug="zones"))
    with running_opa() as (url, process):
        where = PrivateServer(binary=str(require_tool("opa"))) if private else RunningServer(url=url)
        with OpaEngine(where, policies) as engine:
            answers = engine.evaluate(policies, document(PLAN), 30)
            found = doubts(policies, answers, PlanView(PLAN))
            assert len(engine.settle(policies, found, document(PLAN), 30)) == len(PLAN.resources)
            assert engine.settle(policies, found, document(PLAN), 0) == {}
            if private:
                assert engine._asked is not None
                assert engine._asked._process is not None
                os.kill(engine._asked._process.pid, signal.SIGSTOP)
            else:
                process.kill()
                process.wait()
            assert engine.settle(policies, found, document(PLAN), 3) == {}
            judged = judge(policies, answers, PlanView(PLAN), {})
    assert {outcome.status.value for outcome in judged.outcomes} == {"unknown"}


EQUALS = {"type": "ref", "value": [{"type": "var", "value": "eq"}]}
SLOT_OF_CANARY = [
    {
        "index": 0,
        "terms": [EQUALS, {"type": "var", "value": "slot"}, {"type": "number", "value": 2}],
    }
]


# The double's own threads may leave a socket to the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, {}),
        (200, {"queries": None}),
        (200, {"queries": []}),
        (200, {"queries": [[]]}),
        (200, {"queries": [SLOT_OF_CANARY, []]}),
        (200, {"queries": [SLOT_OF_CANARY, [{"terms": {"type": "boolean", "value": False}}]]}),
        (200, {"queries": {"0": SLOT_OF_CANARY}}),
        (200, [SLOT_OF_CANARY]),
        (500, {"queries": [SLOT_OF_CANARY]}),
    ],
)
def test_an_answer_that_is_none_settles_nothing(status: int, result: object, tmp_path: Path) -> None:
    assert _settled(status, {"result": result}, MEMBERS, tmp_path) == {}


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"0": []},
        {"0": [], "-1": []},
        {"0": [], "-1": ["x.other"]},
        {"-1": ["aws_instance.web"]},
        [],
        None,
    ],
)
def test_without_a_word_on_what_is_asked_about_nothing_is_settled(members: object, tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        _settled(200, {"result": {"queries": [SLOT_OF_CANARY]}}, members, tmp_path)


def test_the_answers_above_lack_only_sense(tmp_path: Path) -> None:
    found = _settled(200, {"result": {"queries": [SLOT_OF_CANARY]}}, MEMBERS, tmp_path)
    assert list(found.values()) == [()]


def _settled(
    status: int, answer: object, members: object, folder: Path
) -> Mapping[Doubt, tuple[tuple[str, ...], ...]]:
    """What becomes of one doubt with two questions when a double of OPA answers this."""
    policies = policies_of(folder / "p", big=a_policy(BIG, slug="big"))
    plan = a_plan(a_resource(unknown=("/size",)))
    doubt = Doubt(rule="big", position=0, paths=(("after", "size"),))
    values = json.dumps({"result": members}).encode()
    with double(status, json.dumps(answer).encode(), values) as url:
        where = Endpoint(name="a double", host="127.0.0.1", port=int(url.rpartition(":")[2]))
        server = Server(where, 1 << 20, 1 << 20)
        try:
            return Asking(server, questions_of(policies), document(plan), Deadline(5)).settle([doubt])
        finally:
            server.close()
