"""What a schema says of values that are not known yet."""

import pytest

from plangate.executor.aws.schemas import Schema, Schemas
from plangate.executor.aws.validation import problems_of
from plangate.model.values import UNKNOWN
from tests.aws_server import REGION


@pytest.fixture(scope="module")
def balancer() -> Schema:
    found = Schemas(REGION).of("AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert found is not None
    return found


def test_two_items_that_are_not_known_yet_need_not_be_the_same(balancer: Schema) -> None:
    assert list(problems_of(balancer, {"Subnets": [UNKNOWN, UNKNOWN]})) == []


def test_two_items_that_are_the_same_are_refused(balancer: Schema) -> None:
    (problem,) = problems_of(balancer, {"Subnets": ["subnet-1", UNKNOWN, "subnet-1"]})
    assert problem[0] == "/Subnets"
