"""Every handler of an AWS type keeps the rules of `plangate.executor.aws.base`, against a double of AWS over HTTP.

A case is a function that makes what the resource needs and gives its properties, with changes that are made in place.
"""

import pytest

from plangate.executor.aws.base import Condition, Found, Mark, Owner, token_of
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.difference import changed_properties
from plangate.executor.aws.handlers import handled_types
from plangate.executor.aws.schemas import Schema, Schemas
from tests.aws_cases import CASES, Case
from tests.aws_server import REGION, AwsServer

pytestmark = pytest.mark.aws
MARK = Mark(owner=Owner(environment="prod", stack="shop"), logical_id="It", token=token_of("one"))
OTHER = Mark(owner=MARK.owner, logical_id="It", token=token_of("another"))


@pytest.fixture
def aws(aws_account: AwsServer) -> Aws:
    return aws_account.aws()


def _schema(case: Case) -> Schema:
    found = Schemas(REGION).of(case.type)
    assert found is not None
    return found


def _read(aws: Aws, case: Case, identifier: str) -> Found:
    """The resource when it is ready; the double is at once, or after a few looks."""
    for _ in range(20):
        found = case.handler.read(aws, [identifier])[identifier]
        if found.condition is Condition.READY:
            return found
    raise AssertionError(f"{case.type} is {found.condition}: {found.detail}")


def _settled(aws: Aws, case: Case, identifier: str, properties: dict[str, object]) -> Found:
    """The resource after what its creation could not set is set."""
    found = _read(aws, case, identifier)
    changed = changed_properties(case.handler, _schema(case), found.properties, properties)
    assert changed <= case.handler.updatable, f"creation leaves these other than wanted: {sorted(changed)}"
    if changed:
        case.handler.update(aws, found, properties, changed)
        found = _read(aws, case, identifier)
    return found


def test_every_handler_has_a_case() -> None:
    assert {case.type for case in CASES} == handled_types()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_handler_names_properties_of_its_schema(case: Case) -> None:
    known = set(_schema(case).document["properties"])
    assert case.handler.supported <= known
    assert case.handler.updatable <= case.handler.supported
    assert set(case.handler.defaults) <= case.handler.updatable
    assert not case.handler.updatable & _schema(case).top(_schema(case).create_only)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_created_is_read_as_it_was_wanted(aws: Aws, case: Case) -> None:
    properties = case.prepare(aws)
    identifier = case.handler.create(aws, properties, MARK)
    found = _settled(aws, case, identifier, properties)
    assert found.identifier == identifier
    assert "Ref" in found.attributes
    assert changed_properties(case.handler, _schema(case), found.properties, properties) == frozenset()
    if case.tagged:
        assert found.marks == MARK.tags
        assert [each.identifier for each in case.handler.owned(aws, MARK.owner)] == [identifier]
    assert case.handler.owned(aws, Owner(environment="prod", stack="other")) in ((), [])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_lost_creation_is_found_and_another_is_not(aws: Aws, case: Case) -> None:
    properties = case.prepare(aws)
    assert case.handler.find(aws, properties, MARK) is None
    identifier = case.handler.create(aws, properties, MARK)
    assert case.handler.find(aws, properties, MARK) == identifier
    if case.tagged:
        assert case.handler.find(aws, properties, OTHER) is None


@pytest.mark.parametrize("case", CASES, ids=str)
def test_changes_in_place_are_made_and_making_them_again_changes_nothing(aws: Aws, case: Case) -> None:
    properties = case.prepare(aws)
    identifier = case.handler.create(aws, properties, MARK)
    _settled(aws, case, identifier, properties)
    for change in case.changes:
        wanted = {name: value for name, value in (properties | dict(change)).items() if value is not None}
        found = _read(aws, case, identifier)
        changed = changed_properties(case.handler, _schema(case), found.properties, wanted)
        assert changed == set(change), "the change is seen, and nothing else"
        for _ in range(2):
            case.handler.update(aws, found, wanted, changed)
        found = _read(aws, case, identifier)
        assert changed_properties(case.handler, _schema(case), found.properties, wanted) == frozenset()
        if case.tagged:
            assert found.marks == MARK.tags, "a change leaves the marks alone"
        properties = wanted


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_deleted_is_gone_and_deleting_again_is_fine(aws: Aws, case: Case) -> None:
    properties = case.prepare(aws)
    identifier = case.handler.create(aws, properties, MARK)
    found = _read(aws, case, identifier)
    for _ in range(2):
        case.handler.delete(aws, found)
    left = case.handler.read(aws, [identifier]).get(identifier)
    assert left is None or left.condition is Condition.BUSY
    assert case.handler.find(aws, properties, MARK) is None or left is not None


@pytest.mark.parametrize("case", CASES, ids=str)
def test_many_are_read_with_few_calls(aws: Aws, case: Case) -> None:
    if case.many_calls is None:
        pytest.skip("AWS tells these one by one")
    properties = case.prepare(aws)
    identifier = case.handler.create(aws, properties, MARK)
    aws.calls.clear()
    assert set(case.handler.read(aws, [identifier, *case.absent])) == {identifier}
    assert aws.calls.total() <= case.many_calls


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_cannot_carry_a_mark_is_known_by_its_key_in_what_it_is_a_part_of(aws: Aws, case: Case) -> None:
    assert bool(case.handler.part_of) is not case.tagged
    properties = case.prepare(aws)
    nobody = Mark(owner=MARK.owner, logical_id=MARK.logical_id, token="0" * 32)
    key = {name: properties[name] for name in case.handler.key if name in properties}
    if not case.tagged:
        assert case.handler.part_of in case.handler.key
        before = case.handler.within(aws, key, nobody)
        assert before is None or case.handler.read(aws, [before]) == {}
    identifier = case.handler.create(aws, properties, MARK)
    assert case.handler.within(aws, key, nobody) == (None if case.tagged else identifier)
