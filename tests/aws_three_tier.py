"""The three-tier application of ``fixtures/stacks`` in the double of AWS, by the command line."""

import os
from collections import Counter
from pathlib import Path
from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_server import ENVIRONMENT, AwsServer
from tests.command_line import Ran, environment, run
from tests.tools import ROOT

TEMPLATE: Final = ROOT / "fixtures" / "stacks" / "three-tier.yaml"
_KEY: Final = "Data and logs of the application"
"""The double makes others by itself."""
_LISTS: Final[tuple[tuple[str, str, str, Any], ...]] = (
    ("ec2", "describe_vpcs", "Vpcs", lambda each: not each["IsDefault"]),
    ("ec2", "describe_subnets", "Subnets", lambda each: not each["DefaultForAz"]),
    ("ec2", "describe_route_tables", "RouteTables", None),
    ("ec2", "describe_internet_gateways", "InternetGateways", None),
    ("ec2", "describe_nat_gateways", "NatGateways", lambda each: each["State"] != "deleted"),
    ("ec2", "describe_addresses", "Addresses", None),
    ("ec2", "describe_security_groups", "SecurityGroups", None),
    ("ec2", "describe_security_group_rules", "SecurityGroupRules", None),
    ("ec2", "describe_flow_logs", "FlowLogs", None),
    ("ec2", "describe_launch_templates", "LaunchTemplates", None),
    ("kms", "list_aliases", "Aliases", lambda each: not each["AliasName"].startswith("alias/aws/")),
    ("s3", "list_buckets", "Buckets", None),
    ("iam", "list_roles", "Roles", None),
    ("iam", "list_instance_profiles", "InstanceProfiles", None),
    ("logs", "describe_log_groups", "logGroups", None),
    ("rds", "describe_db_instances", "DBInstances", None),
    ("rds", "describe_db_subnet_groups", "DBSubnetGroups", None),
    ("rds", "describe_db_parameter_groups", "DBParameterGroups", None),
    ("elbv2", "describe_load_balancers", "LoadBalancers", None),
    ("elbv2", "describe_target_groups", "TargetGroups", None),
    ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", None),
    ("autoscaling", "describe_launch_configurations", "LaunchConfigurations", None),
)


class ThreeTier:
    """The stack and a folder with its plans and the gate's state.

    Args:
        server: An empty account.
        folder: To work in.
    """

    def __init__(self, server: AwsServer, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.env = environment(AWS_ENDPOINT_URL=server.url, **ENVIRONMENT)
        self.env["PYTHONPATH"] = os.pathsep.join((self.env["PYTHONPATH"], str(ROOT)))
        acm = server.aws().client("acm")
        self.certificate = acm.request_certificate(DomainName="example.com")["CertificateArn"]

    def parameters(self, **more: str) -> list[str]:
        """Options of the command line."""
        given = {"Certificate": self.certificate, "Protected": "false"} | more
        return [word for name, value in given.items() for word in ("--parameters", f"{name}={value}")]

    def run(self, *command: str | Path, module: str = "plangate.cli.main") -> Ran:
        """Run ``plangate``."""
        return run(*command, cwd=self.folder, env=self.env, module=module)

    def plan(self, out: str, **parameters: str) -> Ran:
        """Plan the template."""
        return self.run("plan", TEMPLATE, "-e", "prod", "-o", out, *self.parameters(**parameters))

    def apply(self, plan: str, *options: str) -> Ran:
        """Judge and run a plan."""
        return self.run("apply", plan, "-e", "prod", *options)


def everything(aws: Aws) -> Counter[str]:
    """How many things of each kind the account has, of those that the three tiers are made of."""
    found: Counter[str] = Counter()
    for service, operation, key, counts in _LISTS:
        found[key] = sum(counts is None or bool(counts(each)) for each in aws.pages(service, operation, key))
    keys = [each["KeyId"] for each in aws.pages("kms", "list_keys", "Keys")]
    told = [aws.client("kms").describe_key(KeyId=each)["KeyMetadata"] for each in keys]
    found["Keys"] = sum(each["KeyState"] == "Enabled" and each["Description"] == _KEY for each in told)
    tables = aws.pages("ec2", "describe_route_tables", "RouteTables")
    found["Routes"] = sum(len(each["Routes"]) for each in tables)
    found["Associations"] = sum(len(each["Associations"]) for each in tables)
    roles = [each["RoleName"] for each in aws.pages("iam", "list_roles", "Roles")]
    found["RolePolicies"] = sum(
        len(aws.pages("iam", "list_role_policies", "PolicyNames", RoleName=role)) for role in roles
    )
    balancers = [
        each["LoadBalancerArn"] for each in aws.pages("elbv2", "describe_load_balancers", "LoadBalancers")
    ]
    found["Listeners"] = sum(
        len(aws.pages("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=each)) for each in balancers
    )
    return found
