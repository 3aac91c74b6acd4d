"""What every test may use: Hypothesis profiles, the shared folder, and the list of required tools."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.aws_server import aws_account, shared_aws_server
from tests.kubernetes_place import place
from tests.kubernetes_server import shared_kubernetes_server
from tests.tools import SHARED, required_tools, skip_or_fail

__all__ = ["aws_account", "place", "shared_aws_server", "shared_kubernetes_server"]

# No deadlines: the machine is shared, and a slow example is not a wrong one.
settings.register_profile(
    "dev", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
# CI runs the same examples every time, so that a red run is about the change and can be repeated.
settings.register_profile("ci", settings.get_profile("dev"), max_examples=200, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


def pytest_configure() -> None:
    """Refuse a misspelt PLANGATE_REQUIRE before anything runs: it would require nothing."""
    required_tools()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real and hostile inputs beside the repository; skips where it is missing."""
    if not SHARED.is_dir():
        skip_or_fail("shared", "the folder of shared inputs is not beside this repository")
    return SHARED
