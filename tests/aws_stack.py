"""A small stack in the double of AWS, planned and run in this process, so that tests can hook into every call."""

import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final

from botocore.loaders import Loader
from msgspec.structs import replace

from plangate.decision.approved import ApprovedPlan, approve_receipt
from plangate.executor.aws.base import Owner
from plangate.executor.aws.clients import Aws, Place
from plangate.executor.aws.executor import AwsExecutor, AwsOptions
from plangate.executor.aws.journal import Journal
from plangate.executor.aws.locks import FileLock, Lock
from plangate.executor.aws.planning import Kit
from plangate.executor.aws.schemas import Schemas
from plangate.executor.base import ExecutionEvent, ExecutionReport
from plangate.model.aws_plan import AWS_PLAN_SCHEMA, AwsPlan, Template, encode_plan
from plangate.parsers.base import Limits
from plangate.wiring.aws import compared, evaluated, hidden_by, kit_for
from tests.aws_server import REGION, AwsServer

ACCOUNT: Final = "123456789012"
OWNER: Final = Owner(environment="prod", stack="shop")
LIMITS: Final = Limits()
HIDDEN: Final = hidden_by(b"k" * 32)

_READING: Final = ("Describe", "Get", "List", "Head", "Assume", "Search", "BatchGet")


def small(**changes: Any) -> dict[str, Any]:
    """A template with a network, a group, a role and a log: types with and without tags, that need each other.

    Args:
        changes: Resource by logical id; ``None`` leaves it out.
    """
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    may = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
    }
    resources: dict[str, Any] = {
        "Net": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
        "Sub": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Net"}, "CidrBlock": "10.9.1.0/24"},
        },
        "Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Net"}}},
        "Joined": {
            "Type": "AWS::EC2::SubnetRouteTableAssociation",
            "Properties": {"SubnetId": {"Ref": "Sub"}, "RouteTableId": {"Ref": "Table"}},
        },
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {
                "GroupDescription": "web",
                "VpcId": {"Ref": "Net"},
                "SecurityGroupIngress": [
                    {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8"}
                ],
            },
        },
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
        "May": {
            "Type": "AWS::IAM::Policy",
            "Properties": {"PolicyName": "may", "Roles": [{"Ref": "Role"}], "PolicyDocument": may},
        },
        "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 30}},
    }
    resources |= changes
    return {"Resources": {name: each for name, each in resources.items() if each is not None}}


class Hook:
    """What is to happen before a call is sent: replaced by tests, and nothing at first."""

    before: ClassVar[Callable[..., Any] | None] = None

    @classmethod
    def sending(cls, **event: Any) -> Any:
        """botocore's event; an answer instead of AWS's, or an error."""
        return None if cls.before is None else cls.before(**event)


@cache
def _loader() -> Loader:
    """Descriptions of AWS's services, which take long to read."""
    return Loader()


def fresh_connection(url: str) -> Aws:
    """Connections of one's own, with the hook."""

    def prepare(session: Any) -> None:
        session.register_component("data_loader", _loader())
        session.get_component("event_emitter").register_last("before-send", Hook.sending)

    return Aws(Place(region=REGION, endpoint=url), prepare=prepare)


@cache
def connection(url: str) -> Aws:
    """One for each server."""
    return fresh_connection(url)


@cache
def _schemas() -> Schemas:
    return Schemas(REGION)


def kit(aws: Aws) -> Kit:
    """Connections, the schemas that all tests share, handlers."""
    return replace(kit_for(aws, REGION, HIDDEN), schemas=_schemas())


class Stack:
    """One stack and the gate's state about it.

    Args:
        server: The double.
        folder: State folder.
        owner: Whose it is.
    """

    def __init__(self, server: AwsServer, folder: Path, owner: Owner = OWNER) -> None:
        self.server = server
        self.folder = folder
        self.owner = owner
        self.events: list[ExecutionEvent] = []

    def aws(self) -> Aws:
        """The connections that all tests share: making clients takes longer than most tests. Nothing is counted yet."""
        found = connection(self.server.url)
        found.calls.clear()
        return found

    def empty(self, template: Mapping[str, Any] | None, **parameters: str) -> AwsPlan:
        """A plan before anything is compared."""
        text = "" if template is None else json.dumps(template)
        written = Template(
            name="" if template is None else "shop.json",
            sha256=hashlib.sha256(text.encode()).hexdigest(),
            text=text,
        )
        return AwsPlan(
            schema=AWS_PLAN_SCHEMA,
            environment=self.owner.environment,
            stack=self.owner.stack,
            account=ACCOUNT,
            region=REGION,
            tool="plangate 0",
            template=written,
            parameters=parameters,
            zones={REGION: (f"{REGION}a", f"{REGION}b", f"{REGION}c")},
            changes=(),
        )

    def plan(self, template: Mapping[str, Any] | None, aws: Aws | None = None, **parameters: str) -> AwsPlan:
        """What a template would change; without one the stack goes."""
        with Journal(self.folder) as journal:
            return compared(
                self.empty(template, **parameters), journal, kit(aws or self.aws()), LIMITS, lambda _: None
            )

    def apply(
        self,
        plan: AwsPlan,
        *,
        aws: Aws | None = None,
        resume: bool = False,
        workers: int = 4,
        lock: Lock | None = None,
        observe: Callable[[ExecutionEvent], None] | None = None,
        approved: ApprovedPlan | None = None,
        patience: float = 0.02,
    ) -> ExecutionReport:
        """Run a plan that was allowed."""
        data = encode_plan(plan)
        options = AwsOptions(workers=workers, resume=resume, patience=patience)
        with self.executor(options, aws=aws, lock=lock) as executor:
            return executor.apply(
                approved or approval(data, self.owner.environment),
                data,
                observe=observe or self.events.append,
                scrub=str,
            )

    @contextmanager
    def executor(
        self, options: AwsOptions | None = None, *, aws: Aws | None = None, lock: Lock | None = None
    ) -> Iterator[AwsExecutor]:
        """What runs plans of this stack."""
        with Journal(self.folder) as journal:
            yield AwsExecutor(
                kit=kit(aws or self.aws()),
                journal=journal,
                lock=lock or FileLock(self.folder),
                evaluate=lambda read, attributes: evaluated(read, attributes, LIMITS),
                hidden=HIDDEN,
                options=options or AwsOptions(patience=0.02),
                tool="plangate 0",
            )

    def up(self, template: Mapping[str, Any] | None, **parameters: str) -> ExecutionReport:
        """Plan and run."""
        return self.apply(self.plan(template, None, **parameters))

    def told(self, plan: AwsPlan) -> dict[str, str]:
        """Action by key, less what stays as it is."""
        return {change.key: str(change.action) for change in plan.changes if change.action != "no-op"}


def approval(data: bytes, environment: str = "prod") -> ApprovedPlan:
    """Leave to run these bytes."""
    now = datetime.now(UTC)
    return approve_receipt(
        decision_id=str(uuid.uuid4()),
        plan_sha256=hashlib.sha256(data).hexdigest(),
        environment=environment,
        expires=now + timedelta(minutes=5),
        nonce=uuid.uuid4().hex,
        obligations=(),
        now=now,
    )


def mutating(calls: Counter[str]) -> Counter[str]:
    """The calls that change something."""
    return Counter({
        name: count for name, count in calls.items() if not name.partition(":")[2].startswith(_READING)
    })  # fmt: skip


def census(aws: Aws) -> Counter[str]:
    """How many things of each kind the account has, less what an empty account comes with."""
    ec2, iam = aws.client("ec2"), aws.client("iam")
    vpcs = [each["VpcId"] for each in ec2.describe_vpcs()["Vpcs"] if not each["IsDefault"]]
    among = [{"Name": "vpc-id", "Values": vpcs or ["none"]}]
    tables = ec2.describe_route_tables(Filters=among)["RouteTables"]
    roles = iam.list_roles()["Roles"]
    groups = ec2.describe_security_groups(Filters=among)["SecurityGroups"]
    return Counter({
        "vpcs": len(vpcs),
        "subnets": len(ec2.describe_subnets(Filters=among)["Subnets"]),
        "tables": sum(not any(a.get("Main") for a in each["Associations"]) for each in tables),
        "joined": sum(not a.get("Main") for each in tables for a in each["Associations"]),
        "groups": sum(each["GroupName"] != "default" for each in groups),
        "rules": sum(
            len(p["IpRanges"]) for each in groups if each["GroupName"] != "default" for p in each["IpPermissions"]
        ),
        "roles": len(roles),
        "policies": sum(len(iam.list_role_policies(RoleName=r["RoleName"])["PolicyNames"]) for r in roles),
        "logs": len(aws.client("logs").describe_log_groups()["logGroups"]),
    })  # fmt: skip


SMALL: Final = Counter(vpcs=1, subnets=1, tables=1, joined=1, groups=1, rules=1, roles=1, policies=1, logs=1)
"""The census of `small`."""
