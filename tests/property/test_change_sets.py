"""Theorems about change sets. AWS is a double made here."""

import copy
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from plangate.errors import PlanParseError, ReceiptError
from plangate.executor.change_set.creating import Waiting
from plangate.executor.change_set.executor import ChangeSetExecutor
from plangate.executor.change_set.recorded import differences, hidden_parameters, record
from plangate.model.plan import Action
from plangate.model.values import at_pointer
from plangate.parsers import formats
from plangate.parsers.base import Input, Limits, Options
from plangate.parsers.cloudformation.replacements import with_schemas
from plangate.wiring.change_sets import describer_for
from tests.change_sets import OLD_TEXT, TEMPLATE, a_stack, change, described, identity, recorded
from tests.terraform_project import Told, an_approval, scrub

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab*/~", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab*/~", max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)
ENTRIES = [
    change("Add", "AWS::SNS::Topic", "Topic", after={"TopicName": "t"}),
    change("Modify", "AWS::S3::Bucket", "Logs", Replacement="False", before={"A": "1"}, after={"A": "2"}),
]
PLAN = recorded(*ENTRIES).encode()


class Amazon:
    """Answers as it was told to, and counts executions."""

    def __init__(self, said: Mapping[str, Any], stack: Mapping[str, Any], template: Any) -> None:
        self.executions = 0
        self.meta = self
        self.events = self
        self._said = said
        self._stack = stack
        self._template = template

    def unregister(self, *_: Any) -> None:
        pass

    def describe_change_set(self, **_: Any) -> Any:
        return self._said

    def describe_stacks(self, **_: Any) -> Any:
        return {"Stacks": [self._stack]}

    def get_template(self, **which: Any) -> Any:
        return {"TemplateBody": OLD_TEXT if which.get("StackName") else json.dumps(self._template)}

    def describe_stack_events(self, **_: Any) -> Any:
        return {"StackEvents": []}

    def execute_change_set(self, **_: Any) -> None:
        self.executions += 1
        raise KeyboardInterrupt


class Connected:
    def __init__(self, client: Amazon) -> None:
        self._client = client
        self.place = self
        self.region = "eu-central-1"

    def client(self, _service: str) -> Amazon:
        return self._client


def apply(client: Amazon) -> None:
    executor = ChangeSetExecutor(
        describer=describer_for(Connected(client), "test", Limits()),  # type: ignore[arg-type] # the part that is used
        read_back=lambda _type, _id: None,
        waiting=Waiting(poll_s=0.0),
    )
    executor.apply(an_approval(PLAN), PLAN, observe=Told(), scrub=scrub)


def test_what_was_judged_is_executed_when_aws_says_the_same() -> None:
    client = Amazon(described(*ENTRIES), a_stack(), TEMPLATE)
    with pytest.raises(KeyboardInterrupt):
        apply(client)
    assert client.executions == 1


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [place for key, item in value.items() for place in [(*at, key), *places(item, (*at, key))]]
    if isinstance(value, list):
        return [place for i, item in enumerate(value) for place in [(*at, i), *places(item, (*at, i))]]
    return []


@given(data=st.data(), new=JSON)
def test_whatever_else_aws_says_nothing_is_executed(data: st.DataObject, new: Any) -> None:
    answers: dict[str, Any] = {"said": described(*ENTRIES), "template": copy.deepcopy(dict(TEMPLATE))}
    answers = copy.deepcopy(answers)
    *above, last = data.draw(st.sampled_from([place for place in places(answers) if len(place) > 1]))
    node = answers
    for token in above:
        node = node[token]
    assume(json.dumps(node[last], sort_keys=True) != json.dumps(new, sort_keys=True))
    assume([*above, last] != ["said", "ChangeSetId"] or isinstance(new, str))
    node[last] = new
    client = Amazon(answers["said"], a_stack(), answers["template"])

    # What is no change set at all may fail in any way, as long as nothing runs.
    with pytest.raises(Exception) as caught:  # noqa: PT011
        apply(client)

    assert client.executions == 0
    assert not isinstance(caught.value, KeyboardInterrupt)


@given(
    st.sampled_from(["StackStatus", "ChangeSetId", "StackId", "StackName"]),
    st.text("ABC_", min_size=1, max_size=9),
)
def test_a_stack_that_is_another_or_was_touched_is_never_changed(field: str, new: str) -> None:
    client = Amazon(described(*ENTRIES), a_stack(**{field: new}), TEMPLATE)
    with pytest.raises(ReceiptError):
        apply(client)
    assert client.executions == 0


@given(JSON, JSON)
def test_documents_differ_nowhere_exactly_when_they_are_the_same(one: Any, other: Any) -> None:
    found = differences(one, other)
    assert (found == []) is (one == other)
    assert all(at_pointer(one, place) != at_pointer(other, place) for place in found)


@given(JSON, JSON, JSON, JSON)
def test_any_document_gives_a_plan_or_is_refused(stack: Any, said: Any, template: Any, changes: Any) -> None:
    document = json.loads(PLAN)
    for mutated in (
        {**document, "stack": stack},
        {**document, "described": said},
        {**document, "template": template},
        {**document, "described": {**document["described"], "Changes": [changes]}},
        {**document, "described": {**document["described"], "Parameters": [changes]}},
        {**document, "template": {**TEMPLATE, "Parameters": template}},
        _with_details(document, [{"Target": changes}, said]),
        _with_details(document, [{"Target": {"Name": stack, "Path": said, "RequiresRecreation": template}}]),
    ):
        data = json.dumps(mutated).encode()
        source = Input(name="d", data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
        try:
            plan = formats.parse(formats.read_documents(source, Limits()), Options(), Limits())
        except PlanParseError:
            continue
        assert plan is not None
        with_schemas(plan, mutated["described"], lambda _: frozenset({"/A"}))


def _with_details(document: Mapping[str, Any], details: Any) -> dict[str, Any]:
    changed = copy.deepcopy(dict(document))
    changed["described"]["Changes"][1]["ResourceChange"]["Details"] = details
    return changed


@given(
    st.sampled_from(["True", "False", "Conditional", None]),
    st.dictionaries(st.sampled_from("ABC"), JSON, max_size=3),
    st.dictionaries(st.sampled_from("ABC"), JSON, max_size=3),
    st.sets(st.sampled_from(["/A", "/B", "/C/a", "/C/*/b"])),
)
def test_schemas_only_make_a_change_stricter_and_a_changed_create_only_property_replaces(
    said: str | None, before: dict[str, Any], after: dict[str, Any], pointers: set[str]
) -> None:
    entry = change(
        "Modify",
        "AWS::S3::Bucket",
        "Logs",
        before=before,
        after=after,
        **({} if said is None else {"Replacement": said}),
    )
    document = recorded(entry)
    data = document.encode()
    source = Input(name="d", data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    plan = formats.parse(formats.read_documents(source, Limits()), Options(), Limits())
    assert plan is not None
    first = {r.address: r for r in plan.resources}["Logs"]
    then = {
        r.address: r for r in with_schemas(plan, document.described, lambda _: frozenset(pointers)).resources
    }["Logs"]
    if first.action is Action.REPLACE:
        assert then == first
    changed = {at for at in pointers if before.get(at[1]) != after.get(at[1]) and len(at) == 2}
    if said != "False" or changed:
        assert then.action is Action.REPLACE
    if not pointers and said == "False":
        assert then == first


@given(st.text("abcdefgh", min_size=8, max_size=12), st.booleans())
def test_the_value_and_the_default_of_a_hidden_parameter_are_in_no_record(secret: str, as_text: bool) -> None:
    template = {
        **TEMPLATE,
        "Parameters": {"P": {"Type": "String", "NoEcho": "TRUE" if as_text else True, "Default": secret}},
    }
    said = described(
        *ENTRIES, Parameters=[{"ParameterKey": "P", "ParameterValue": secret, "ResolvedValue": secret}]
    )
    made = record(environment="e", region="r", stack=identity(), described=said, template=template)
    assert secret.encode() not in made.encode()
    assert hidden_parameters(template) == {"P"}
