"""Which installed versions of a module a call asks for."""

import pytest

from plangate.parsers.hcl.module_versions import allows


@pytest.mark.parametrize(
    ("constraints", "version", "answer"),
    [
        ("5.1.0", "5.1.0", True),
        ("= 5.1", "5.1.0", True),
        ("v5.1.0", "5.1.0", True),
        ("5.1.0", "5.1.1", False),
        ("!= 5.1.0", "5.1.0", False),
        ("~> 5.0", "5.9.3", True),
        ("~> 5.0", "6.0.0", False),
        ("~> 5.1.2", "5.1.9", True),
        ("~> 5.1.2", "5.2.0", False),
        ("~> 5.1.2", "5.1.1", False),
        ("~> 5", "7.0.0", True),
        (">= 1.0, < 2.0.0", "1.9.9", True),
        (">= 1.0, < 2.0.0", "2.0.0", False),
        ("> 1.10", "1.9.0", False),
        ("<= 1.10", "1.9.0", True),
        (">= 1.0", "2.0.0-beta1", False),
        ("2.0.0-beta1", "2.0.0-beta1", True),
        (">= 1.0", "1.2.3+build.1", True),
        (">= 1.0", "", False),
        ("", "1.0.0", False),
        (">= 1.0,", "1.2.0", False),
        ("latest", "1.0.0", False),
        ("=> 1.0", "1.0.0", False),
    ],
)
def test_a_version_is_allowed_as_terraform_allows_it(constraints: str, version: str, answer: bool) -> None:
    assert allows(constraints, version) is answer
