"""AWS's answers by botocore's Stubber, for what the double over HTTP does not have. It checks arguments and answers
against AWS's own service models; nothing is called."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from botocore.stub import Stubber

from plangate.executor.aws.clients import Aws, Place
from tests.aws_server import ENVIRONMENT, REGION


@pytest.fixture
def stub_aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    """Connections that reach nothing."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return Aws(Place(region=REGION, endpoint="http://127.0.0.1:9"), attempts=1)


@contextmanager
def stubbed(aws: Aws, service: str) -> Iterator[Stubber]:
    """A stub of one service; every answer that was added has to be asked for."""
    with Stubber(aws.client(service)) as stub:
        yield stub
        stub.assert_no_pending_responses()
