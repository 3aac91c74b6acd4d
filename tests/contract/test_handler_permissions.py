"""What a handler calls is what its permissions allow, so that `plangate iam` prints enough: against a double of AWS."""

import re
from contextlib import suppress

import pytest

from plangate.errors import ExecutionError
from plangate.executor.aws.base import Condition, Mark, Owner, token_of
from plangate.executor.aws.clients import Aws
from plangate.executor.aws.difference import changed_properties
from plangate.executor.aws.permissions import actions_of
from plangate.executor.aws.schemas import Schemas
from plangate.model.aws_plan import Change
from tests.aws_cases import CASES, Case
from tests.aws_permissions import permission
from tests.aws_server import REGION, AwsServer
from tests.aws_stack import connection

pytestmark = [pytest.mark.aws, pytest.mark.slow]
MARK = Mark(owner=Owner(environment="prod", stack="shop"), logical_id="It", token=token_of("one"))
SCHEMAS = Schemas(REGION)


def _missing(aws: Aws, case: Case, action: str) -> set[str]:
    change = Change(logical_id="It", type=case.type, action=action)
    allowed = actions_of([change], SCHEMAS)
    needed = {permission(*call.split(":")) for call in aws.calls}
    aws.calls.clear()
    return {each for each in needed if not any(re.fullmatch(one.replace("*", ".*"), each) for one in allowed)}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_policy_of_a_change_allows_every_call_of_its_handler(aws_account: AwsServer, case: Case) -> None:
    aws = connection(aws_account.url)
    schema = SCHEMAS.of(case.type)
    assert schema is not None
    properties = case.prepare(aws)
    missing: dict[str, set[str]] = {}
    aws.calls.clear()
    case.handler.owned(aws, MARK.owner)
    case.handler.find(aws, properties, MARK)
    identifier = case.handler.create(aws, properties, MARK)
    found = case.handler.read(aws, [identifier])[identifier]
    for _ in range(20):
        if found.condition is Condition.READY:
            break
        found = case.handler.read(aws, [identifier])[identifier]
    changed = changed_properties(case.handler, schema, found.properties, properties)
    if changed:
        case.handler.update(aws, found, properties, changed)
    missing["create"] = _missing(aws, case, "create")
    for change in case.changes:
        wanted = {name: value for name, value in (properties | dict(change)).items() if value is not None}
        found = case.handler.read(aws, [identifier])[identifier]
        case.handler.update(
            aws, found, wanted, changed_properties(case.handler, schema, found.properties, wanted)
        )
        properties = wanted
    missing["update"] = _missing(aws, case, "update")
    found = case.handler.read(aws, [identifier])[identifier]
    missing["no-op"] = _missing(aws, case, "no-op")
    with suppress(ExecutionError):  # what is protected by its own properties stays
        case.handler.delete(aws, found)
    missing["delete"] = _missing(aws, case, "delete")
    assert {action: names for action, names in missing.items() if names} == {}
