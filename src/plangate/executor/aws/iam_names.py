"""Which policies of a role another resource put there.

A role may have policies of its own, and others that a resource of the type ``AWS::IAM::Policy`` or
``AWS::IAM::ManagedPolicy`` puts on it. Policies that are written into a role cannot carry a mark. So the role carries
one for each of the others, as a tag, and what has no such tag is the role's own, or was put there by hand.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from plangate.executor.aws.clients import Aws, is_gone
from plangate.executor.aws.tags import as_mapping

PREFIX: Final = "plangate:policy:"
"""Start of the keys of such tags."""
_DIGITS: Final = 24


def policy_tag(policy: str) -> str:
    """The key of the tag that says that a policy is another resource's.

    Args:
        policy: Name of one that is written into the role, or ARN of one that is attached.
    """
    # A key has 128 characters at most, and a policy's name or ARN may have more.
    return PREFIX + hashlib.sha256(policy.encode()).hexdigest()[:_DIGITS]


def own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """A role's tags without these."""
    return {key: value for key, value in tags.items() if not key.startswith(PREFIX)}


def role_tags(aws: Aws, role: str) -> dict[str, str] | None:
    """All tags of a role; ``None`` when there is no such role."""
    try:
        return as_mapping(aws.pages("iam", "list_role_tags", "Tags", RoleName=role))
    except Exception as error:
        if is_gone(error):
            return None
        raise
