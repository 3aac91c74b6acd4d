"""Load balancers, target groups and listeners."""

from typing import Any, Final

from plangate.executor.aws.clients import Aws
from tests.aws_cases.autoscaling import new_target_group
from tests.aws_cases.base import Case
from tests.aws_cases.network import (
    OWNER,
    RETAGGED,
    new_address,
    new_gateway,
    new_group,
    new_instance,
    new_subnet,
    new_vpc,
)

_ARN: Final = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:"


def new_certificate(aws: Aws) -> str:
    """A certificate's ARN."""
    return str(aws.client("acm").request_certificate(DomainName="example.com")["CertificateArn"])


def new_balancer(aws: Aws, vpc: str, name: str = "web") -> str:
    """A load balancer's ARN."""
    new_gateway(aws, vpc)
    subnets = [new_subnet(aws, vpc, 1, "eu-central-1a"), new_subnet(aws, vpc, 2, "eu-central-1b")]
    made = aws.client("elbv2").create_load_balancer(Name=name, Subnets=subnets)
    return str(made["LoadBalancers"][0]["LoadBalancerArn"])


def _application(aws: Aws) -> dict[str, Any]:
    vpc = new_vpc(aws)
    new_gateway(aws, vpc)
    return {
        "Name": "web",
        "Scheme": "internal",
        "Type": "application",
        "SecurityGroups": [new_group(aws, vpc)],
        "Subnets": [new_subnet(aws, vpc, 2, "eu-central-1b"), new_subnet(aws, vpc, 1, "eu-central-1a")],
        "LoadBalancerAttributes": [
            {"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": True},
            {"Key": "idle_timeout.timeout_seconds", "Value": 30},
        ],
        "Tags": OWNER,
    }


def _network(aws: Aws) -> dict[str, Any]:
    vpc = new_vpc(aws)
    return {
        "Type": "network",
        "Scheme": "internet-facing",
        "SubnetMappings": [{"SubnetId": new_subnet(aws, vpc), "AllocationId": new_address(aws)}],
    }


def _targets(aws: Aws) -> dict[str, Any]:
    vpc = new_vpc(aws)
    return {
        "Name": "web",
        "Port": "80",
        "Protocol": "HTTP",
        "VpcId": vpc,
        "HealthCheckPath": "/health",
        "HealthCheckIntervalSeconds": "10",
        "HealthyThresholdCount": 3,
        "Matcher": {"HttpCode": "200-299"},
        "TargetGroupAttributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
        "Targets": [{"Id": new_instance(aws, new_subnet(aws, vpc))}],
        "Tags": OWNER,
    }


def _plain_targets(aws: Aws) -> dict[str, Any]:
    return {"Port": 8080, "Protocol": "HTTP", "VpcId": new_vpc(aws), "TargetType": "ip"}


def _encrypted(aws: Aws) -> dict[str, Any]:
    vpc = new_vpc(aws)
    return {
        "LoadBalancerArn": new_balancer(aws, vpc),
        "Port": 443,
        "Protocol": "HTTPS",
        "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "Certificates": [{"CertificateArn": new_certificate(aws)}],
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": new_target_group(aws, vpc, "web")}],
        "Tags": OWNER,
    }


def _redirect(aws: Aws) -> dict[str, Any]:
    return {
        "LoadBalancerArn": new_balancer(aws, new_vpc(aws)),
        "Port": "80",
        "Protocol": "HTTP",
        "DefaultActions": [_redirection("301")],
    }


def _redirection(code: str) -> dict[str, Any]:
    return {
        "Type": "redirect",
        "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": f"HTTP_{code}"},
    }


CASES: Final = (
    Case(
        type="AWS::ElasticLoadBalancingV2::LoadBalancer",
        name="application",
        prepare=_application,
        changes=(
            {"LoadBalancerAttributes": [{"Key": "deletion_protection.enabled", "Value": "true"}]},
            {"LoadBalancerAttributes": [{"Key": "deletion_protection.enabled", "Value": "false"}]},
            *RETAGGED,
        ),
        many_calls=5,
        absent=(f"{_ARN}loadbalancer/app/none/0123456789abcdef",),
    ),
    Case(type="AWS::ElasticLoadBalancingV2::LoadBalancer", name="network", prepare=_network, many_calls=5),
    Case(
        type="AWS::ElasticLoadBalancingV2::TargetGroup",
        name="web",
        prepare=_targets,
        changes=(
            {"HealthCheckPath": "/ready", "UnhealthyThresholdCount": "4"},
            {"TargetGroupAttributes": [{"Key": "stickiness.enabled", "Value": "true"}]},
            {"Targets": []},
            *RETAGGED,
        ),
        many_calls=6,
        absent=(f"{_ARN}targetgroup/none/0123456789abcdef",),
    ),
    Case(
        type="AWS::ElasticLoadBalancingV2::TargetGroup",
        name="of addresses",
        prepare=_plain_targets,
        many_calls=6,
    ),
    Case(
        type="AWS::ElasticLoadBalancingV2::Listener",
        name="encrypted",
        prepare=_encrypted,
        changes=(
            {"SslPolicy": "ELBSecurityPolicy-TLS13-1-3-2021-06"},
            {"DefaultActions": [_redirection("302")], "Port": 8443},
            *RETAGGED,
        ),
        many_calls=4,
        absent=(f"{_ARN}listener/app/none/0123456789abcdef/0123456789abcdef",),
    ),
    Case(
        type="AWS::ElasticLoadBalancingV2::Listener",
        name="that redirects",
        prepare=_redirect,
        many_calls=4,
    ),
)
