"""Shuts off a resource that turned out to break a rule after it was made. Nothing here deletes anything but open rules.

Only rules whose settings say ``quarantine: true`` come here, and every step is recorded.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from plangate.errors import ExecutionError
from plangate.executor.aws.clients import Aws

_WORLD: Final = frozenset({"0.0.0.0/0", "::/0"})


def shut_off(aws: Aws, type_name: str, identifier: str) -> str:
    """Shut one resource off, and say what was done.

    Raises:
        ExecutionError: There is no way to do that with such a resource.
    """
    act = _ACTS.get(type_name)
    if act is None:
        raise ExecutionError(f"there is no way to shut off {type_name}; it stays as it is")
    return act(aws, identifier)


def _stop(aws: Aws, identifier: str) -> str:
    aws.client("ec2").stop_instances(InstanceIds=[identifier])
    return f"stopped {identifier}"


def _close(aws: Aws, identifier: str) -> str:
    """Remove the rules of a group that let everybody in."""
    rules = aws.pages(
        "ec2",
        "describe_security_group_rules",
        "SecurityGroupRules",
        Filters=[{"Name": "group-id", "Values": [identifier]}],
    )
    open_ = sorted(rule["SecurityGroupRuleId"] for rule in rules if _is_open(rule))
    if not open_:
        return f"{identifier} lets not everybody in; nothing was removed"
    aws.client("ec2").revoke_security_group_ingress(GroupId=identifier, SecurityGroupRuleIds=open_)
    return f"removed {', '.join(open_)} from {identifier}"


def _is_open(rule: Mapping[str, Any]) -> bool:
    return not rule.get("IsEgress") and bool(_WORLD & {rule.get("CidrIpv4"), rule.get("CidrIpv6")})


def _detach(aws: Aws, identifier: str) -> str:
    """Remove one rule, as it is known by its own id."""
    rule = identifier.rpartition("|")[2]
    found = aws.client("ec2").describe_security_group_rules(SecurityGroupRuleIds=[rule])["SecurityGroupRules"]
    aws.client("ec2").revoke_security_group_ingress(GroupId=found[0]["GroupId"], SecurityGroupRuleIds=[rule])
    return f"removed {rule} from {found[0]['GroupId']}"


def _block(aws: Aws, identifier: str) -> str:
    switches = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    aws.client("s3").put_public_access_block(
        Bucket=identifier, PublicAccessBlockConfiguration=dict.fromkeys(switches, True)
    )
    return f"blocked all public access to {identifier}"


def _withdraw(aws: Aws, identifier: str) -> str:
    aws.client("rds").modify_db_instance(
        DBInstanceIdentifier=identifier, PubliclyAccessible=False, ApplyImmediately=True
    )
    return f"took the public address off {identifier}"


_ACTS: Final[Mapping[str, Callable[[Aws, str], str]]] = {
    "AWS::EC2::Instance": _stop,
    "AWS::EC2::SecurityGroup": _close,
    "AWS::EC2::SecurityGroupIngress": _detach,
    "AWS::RDS::DBInstance": _withdraw,
    "AWS::S3::Bucket": _block,
}
