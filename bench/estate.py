"""The estate that benchmark plans are about: a hub of ten resources, and a service made again and again.

Every fact here is invented. The mix and the attributes are those of a common AWS estate: subnets, security
groups with their rules apart, instances and volumes, buckets with their three companions, databases, keys,
roles and policies, load balancers, logs, and types that no rule looks at. About one service in sixteen has
each of a handful of usual faults, so that rules have something to say.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from bench.values import Later, Secret, made_id

REGION: Final = "eu-central-1"
ACCOUNT: Final = "123456789012"

Values = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One ``resource`` block.

    Attributes:
        expressions: Attribute to the references of its expression, in Terraform's spelling (longest
            first), or to its nested blocks as they stand in ``configuration``.
        keys: Instance keys for ``count`` or ``for_each``; ``(None,)`` for a single instance.
    """

    type: str
    name: str
    expressions: dict[str, tuple[str, ...] | list[Values]] = field(default_factory=dict)
    keys: tuple[int | str | None, ...] = (None,)

    def configuration(self) -> Values:
        """The block as it stands in ``configuration``."""
        block: Values = {
            "address": f"{self.type}.{self.name}",
            "mode": "managed",
            "type": self.type,
            "name": self.name,
            "provider_config_key": "aws",
            "expressions": {
                name: {"references": list(shown)} if isinstance(shown, tuple) else shown
                for name, shown in self.expressions.items()
            },
            "schema_version": 1,
        }
        if isinstance(self.keys[0], int):
            block["count_expression"] = {"constant_value": len(self.keys)}
        elif self.keys[0] is not None:
            block["for_each_expression"] = {"references": ["local.rules"]}
        return block


def _to(address: str, attribute: str = "id") -> tuple[str, ...]:
    """The references of ``address.attribute``."""
    base = address.partition("[")[0]
    return tuple(dict.fromkeys((f"{address}.{attribute}", address, base)))


def _each(address: str) -> tuple[str, ...]:
    """The references of ``address[count.index].id``."""
    return (address, "count.index")


_NAME: Final = ("var.name",)
_COMPANION: Final[dict[str, tuple[str, ...] | list[Values]]] = {"bucket": _to("aws_s3_bucket.data")}
_KEYED: Final = {
    "kms_master_key_id": {"references": list(_to("aws_kms_key.main", "arn"))},
    "sse_algorithm": {"constant_value": "aws:kms"},
}

HUB: Final = (
    Template(type="aws_subnet", name="shared", expressions={"vpc_id": ("var.vpc_id",)}),
    Template(type="aws_security_group", name="shared", expressions={"vpc_id": ("var.vpc_id",)}),
    Template(
        type="aws_vpc_security_group_ingress_rule",
        name="https",
        expressions={"security_group_id": _to("aws_security_group.shared")},
    ),
    Template(
        type="aws_instance",
        name="bastion",
        expressions={
            "subnet_id": _to("aws_subnet.shared"),
            "vpc_security_group_ids": _to("aws_security_group.shared"),
        },
    ),
    Template(type="aws_ebs_volume", name="bastion"),
    Template(type="aws_s3_bucket", name="data"),
    Template(
        type="aws_s3_bucket_server_side_encryption_configuration", name="data", expressions=dict(_COMPANION)
    ),
    Template(type="aws_s3_bucket_versioning", name="data", expressions=dict(_COMPANION)),
    Template(type="aws_s3_bucket_public_access_block", name="data", expressions=dict(_COMPANION)),
    Template(
        type="aws_db_instance",
        name="main",
        expressions={
            "password": ("var.db_password",),
            "vpc_security_group_ids": _to("aws_security_group.shared"),
        },
    ),
)

SERVICE: Final = (
    Template(type="aws_subnet", name="private", keys=(0, 1), expressions={"vpc_id": ("var.vpc_id",)}),
    Template(type="aws_security_group", name="app", expressions={"vpc_id": ("var.vpc_id",), "name": _NAME}),
    Template(type="aws_security_group", name="db", expressions={"vpc_id": ("var.vpc_id",), "name": _NAME}),
    Template(
        type="aws_vpc_security_group_ingress_rule",
        name="app",
        keys=("admin", "https", "metrics"),
        expressions={"security_group_id": _to("aws_security_group.app"), "from_port": ("each.value.port",)},
    ),
    Template(
        type="aws_security_group_rule",
        name="db",
        expressions={
            "security_group_id": _to("aws_security_group.db"),
            "source_security_group_id": _to("aws_security_group.app"),
        },
    ),
    Template(
        type="aws_launch_template",
        name="app",
        expressions={"vpc_security_group_ids": _to("aws_security_group.app")},
    ),
    Template(
        type="aws_instance",
        name="app",
        keys=(0, 1, 2),
        expressions={
            "subnet_id": _to("aws_subnet.private[0]"),
            "vpc_security_group_ids": _to("aws_security_group.app"),
            "user_data": ("var.user_data",),
            "tags": ("var.name", "count.index"),
        },
    ),
    Template(
        type="aws_ebs_volume",
        name="app",
        keys=(0, 1, 2),
        expressions={"kms_key_id": _to("aws_kms_key.main", "arn")},
    ),
    Template(
        type="aws_volume_attachment",
        name="app",
        keys=(0, 1, 2),
        expressions={"instance_id": _each("aws_instance.app"), "volume_id": _each("aws_ebs_volume.app")},
    ),
    Template(type="aws_s3_bucket", name="data", expressions={"bucket": _NAME}),
    Template(
        type="aws_s3_bucket_server_side_encryption_configuration",
        name="data",
        expressions=_COMPANION | {"rule": [{"apply_server_side_encryption_by_default": [_KEYED]}]},
    ),
    Template(type="aws_s3_bucket_versioning", name="data", expressions=dict(_COMPANION)),
    Template(type="aws_s3_bucket_public_access_block", name="data", expressions=dict(_COMPANION)),
    Template(type="aws_db_subnet_group", name="main", expressions={"subnet_ids": ("aws_subnet.private",)}),
    Template(
        type="aws_db_instance",
        name="main",
        expressions={
            "password": ("var.db_password",),
            "vpc_security_group_ids": _to("aws_security_group.db"),
            "db_subnet_group_name": _to("aws_db_subnet_group.main", "name"),
        },
    ),
    Template(type="aws_kms_key", name="main"),
    Template(type="aws_iam_role", name="app", expressions={"name": _NAME}),
    Template(type="aws_iam_role_policy", name="app", expressions={"role": _to("aws_iam_role.app", "name")}),
    Template(type="aws_lb", name="front", expressions={"subnets": ("aws_subnet.private",)}),
    Template(
        type="aws_lb_listener", name="front", expressions={"load_balancer_arn": _to("aws_lb.front", "arn")}
    ),
    Template(type="aws_cloudwatch_log_group", name="app", expressions={"name": _NAME}),
)
"""The resources of one service; thirty instances."""

FILLER: Final = "aws_cloudwatch_log_group"
"""What makes up the numbers in the root module."""


def instances(templates: tuple[Template, ...]) -> Iterator[tuple[Template, int | str | None]]:
    """Every instance of the blocks, in order."""
    for template in templates:
        for key in template.keys:
            yield template, key


def faulty(fault: str, service: str) -> bool:
    """About one service in sixteen has a given fault, always the same ones."""
    return made_id("", fault, service, length=1) == "0"


def _arn(service: str, kind: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{kind}/{name}"


def _statement(effect: str, action: str | list[str], **others: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action} | others]})


def attributes(kind: str, name: str, key: int | str | None, service: str) -> Values:  # noqa: C901, PLR0911, PLR0912
    """Values of one instance, with what is known only after apply wrapped in `Later`.

    One branch a type, flat and in the order of the types above: that reads better than a table of functions.
    """
    at = (kind, name, key, service)
    tags = {"Name": f"{service}-{name}", "env": "prod", "owner": f"team-{service[-1]}"}
    if faulty("untagged", f"{service}{kind}"):
        tags = {"Name": f"{service}-{name}"}
    both = {"tags": tags, "tags_all": dict(tags)}
    group = Later(made_id("sg-", "aws_security_group", "app", service))
    bucket = f"{service}-data-{ACCOUNT}"
    key_arn = Later(_arn("kms", "key", made_id("", "key", service, length=32)))
    match kind:
        case "aws_subnet":
            third = int(made_id("", service, length=2), 16)
            return {
                "availability_zone": f"{REGION}{'abc'[(key or 0) if isinstance(key, int) else 0]}",
                "cidr_block": f"10.{third}.{key or 0}.0/24",
                "id": Later(made_id("subnet-", *at)),
                "map_public_ip_on_launch": faulty("public subnet", service),
                "vpc_id": "vpc-0a1b2c3d4e5f60718",
            } | both
        case "aws_security_group":
            return {
                "arn": Later(_arn("ec2", "security-group", made_id("sg-", *at))),
                "description": f"{name} of {service}",
                "egress": Later([]),
                "id": Later(made_id("sg-", *at)),
                "ingress": Later([]),
                "name": f"{service}-{name}",
                "vpc_id": "vpc-0a1b2c3d4e5f60718",
            } | both
        case "aws_vpc_security_group_ingress_rule":
            port = {"admin": 22, "metrics": 9100}.get(str(key), 443)
            is_open = port == 443 or faulty("open ssh", service)  # noqa: PLR2004 - HTTPS is for everybody
            return {
                "cidr_ipv4": "0.0.0.0/0" if is_open else "10.0.0.0/8",
                "cidr_ipv6": None,
                "from_port": port,
                "id": Later(made_id("sgr-", *at)),
                "ip_protocol": "tcp",
                "referenced_security_group_id": None,
                "security_group_id": group,
                "to_port": port,
            }
        case "aws_security_group_rule":
            return {
                "cidr_blocks": None,
                "from_port": 5432,
                "id": Later(made_id("sgrule-", *at)),
                "protocol": "tcp",
                "security_group_id": Later(made_id("sg-", "aws_security_group", "db", service)),
                "source_security_group_id": group,
                "to_port": 5432,
                "type": "ingress",
            }
        case "aws_launch_template":
            return {
                "id": Later(made_id("lt-", *at)),
                "image_id": "ami-0123456789abcdef0",
                "instance_type": "m6i.large",
                "metadata_options": [{"http_endpoint": "enabled", "http_tokens": "required"}],
                "name": f"{service}-{name}",
                "vpc_security_group_ids": [group],
            } | both
        case "aws_instance":
            return {
                "ami": "ami-0123456789abcdef0",
                "arn": Later(_arn("ec2", "instance", made_id("i-", *at))),
                "associate_public_ip_address": faulty("public instance", service),
                "id": Later(made_id("i-", *at)),
                "instance_type": "m6i.large",
                "metadata_options": [
                    {
                        "http_endpoint": "enabled",
                        "http_tokens": "optional" if faulty("metadata", service) else "required",
                    }
                ],
                "private_ip": Later("10.0.0.10"),
                "public_ip": Later(""),
                "root_block_device": [
                    {"encrypted": not faulty("plain disk", service), "volume_size": 40, "volume_type": "gp3"}
                ],
                "subnet_id": Later(made_id("subnet-", "aws_subnet", "private", 0, service)),
                "user_data": Secret(made_id("", "user data", service, length=40)),
                "vpc_security_group_ids": [group],
            } | both
        case "aws_ebs_volume":
            return {
                "arn": Later(_arn("ec2", "volume", made_id("vol-", *at))),
                "availability_zone": f"{REGION}a",
                "encrypted": not faulty("plain volume", service),
                "id": Later(made_id("vol-", *at)),
                "kms_key_id": key_arn,
                "size": 100,
                "type": "gp3",
            } | both
        case "aws_volume_attachment":
            return {
                "device_name": "/dev/sdf",
                "id": Later(made_id("vai-", *at)),
                "instance_id": Later(made_id("i-", "aws_instance", name, key, service)),
                "volume_id": Later(made_id("vol-", "aws_ebs_volume", name, key, service)),
            }
        case "aws_s3_bucket":
            return {
                "arn": Later(f"arn:aws:s3:::{bucket}"),
                "bucket": bucket,
                "force_destroy": False,
                "id": Later(bucket),
            } | both
        case "aws_s3_bucket_server_side_encryption_configuration":
            default = {"kms_master_key_id": key_arn, "sse_algorithm": "aws:kms"}
            rule = {"apply_server_side_encryption_by_default": [default], "bucket_key_enabled": True}
            return {"bucket": Later(bucket), "id": Later(bucket), "rule": [rule]}
        case "aws_s3_bucket_versioning":
            status = "Suspended" if faulty("unversioned", service) else "Enabled"
            configuration = [{"mfa_delete": None, "status": status}]
            return {"bucket": Later(bucket), "id": Later(bucket), "versioning_configuration": configuration}
        case "aws_s3_bucket_public_access_block":
            closed = not faulty("public bucket", service)
            return {
                "block_public_acls": closed,
                "block_public_policy": closed,
                "bucket": Later(bucket),
                "id": Later(bucket),
                "ignore_public_acls": closed,
                "restrict_public_buckets": closed,
            }
        case "aws_db_subnet_group":
            subnets = [Later(made_id("subnet-", "aws_subnet", "private", i, service)) for i in range(2)]
            return {"id": Later(service), "name": f"{service}-main", "subnet_ids": subnets} | both
        case "aws_db_instance":
            return {
                "allocated_storage": 100,
                "arn": Later(_arn("rds", "db", service)),
                "deletion_protection": not faulty("deletable", service),
                "endpoint": Later(f"{service}.example:5432"),
                "engine": "postgres",
                "engine_version": "16.4",
                "id": Later(made_id("db-", *at)),
                "identifier": f"{service}-main",
                "instance_class": "db.m6g.large",
                "password": Secret(made_id("", "password", service, length=24)),
                "publicly_accessible": faulty("public database", service),
                "storage_encrypted": not faulty("plain database", service),
                "username": "app",
                "vpc_security_group_ids": [Later(made_id("sg-", "aws_security_group", "db", service))],
            } | both
        case "aws_kms_key":
            return {
                "arn": key_arn,
                "deletion_window_in_days": 30,
                "enable_key_rotation": not faulty("no rotation", service),
                "id": Later(made_id("", "key", service, length=32)),
                "is_enabled": True,
                "policy": Later(_statement("Allow", "kms:*")),
            } | both
        case "aws_iam_role":
            principal = {"Service": "ec2.amazonaws.com"}
            return {
                "arn": Later(_arn("iam", "role", f"{service}-{name}")),
                "assume_role_policy": _statement("Allow", "sts:AssumeRole", Principal=principal),
                "id": Later(f"{service}-{name}"),
                "name": f"{service}-{name}",
            } | both
        case "aws_iam_role_policy":
            admin = faulty("admin", service)
            policy = _statement(
                "Allow",
                "*" if admin else ["s3:GetObject", "s3:PutObject"],
                Resource="*" if admin else f"arn:aws:s3:::{bucket}/*",
            )
            return {
                "id": Later(f"{service}:{name}"),
                "name": f"{service}-{name}",
                "policy": policy,
                "role": Later(f"{service}-{name}"),
            }
        case "aws_lb":
            return {
                "arn": Later(_arn("elasticloadbalancing", "loadbalancer", f"{service}-{name}")),
                "dns_name": Later(f"{service}.elb.example"),
                "id": Later(made_id("lb-", *at)),
                "internal": True,
                "load_balancer_type": "application",
                "name": f"{service}-{name}",
                "security_groups": [group],
            } | both
        case "aws_lb_listener":
            plain = faulty("plain listener", service)
            return {
                "arn": Later(_arn("elasticloadbalancing", "listener", service)),
                "certificate_arn": None if plain else _arn("acm", "certificate", service),
                "id": Later(made_id("listener-", *at)),
                "load_balancer_arn": Later(_arn("elasticloadbalancing", "loadbalancer", f"{service}-front")),
                "port": 80 if plain else 443,
                "protocol": "HTTP" if plain else "HTTPS",
                "ssl_policy": None if plain else "ELBSecurityPolicy-TLS13-1-2-2021-06",
            } | both
        case "aws_cloudwatch_log_group":
            return {
                "arn": Later(_arn("logs", "log-group", f"{service}-{name}")),
                "id": Later(f"{service}-{name}"),
                "kms_key_id": None,
                "name": f"/{service}/{name}/{key if key is not None else 'main'}",
                "retention_in_days": 90,
            } | both
    raise KeyError(kind)
