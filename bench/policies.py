"""Twenty Rego policies for the largest benchmark, in the two spellings that the measured tools want.

They are ordinary ones: required tags, allowed types, names, limits, one look at a neighbour in the graph. The
bodies are the same in both spellings; only a finding is written as the tool expects it.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One rule.

    Attributes:
        slug: What it is about; `name` makes it the last part of the package.
        kind: Kind of the resources it looks at.
        body: Conditions on ``resource`` under which it denies.
        message: What it says then.
        before: Definitions beside the rule.
    """

    slug: str
    kind: str
    body: str
    message: str
    before: str = ""

    @property
    def name(self) -> str:
        """Name of the package and of the file, which no shipped policy will ever have."""
        return f"bench_{self.slug}"


def numbered(number: int) -> tuple[Policy, ...]:
    """This many policies: the twenty, and copies of them under other names."""
    return tuple(
        policy if copy == 0 else replace(policy, slug=f"{policy.slug}_{copy}")
        for copy in range(-(-number // len(POLICIES)))
        for policy in POLICIES
    )[:number]


def _tagged(slug: str, kind: str) -> Policy:
    return Policy(
        slug=slug,
        kind=kind,
        body='object.get(resource.after, ["tags", "owner"], "") == ""',
        message="has no owner tag",
    )


_PRIVATE: Final = Policy(
    slug="instance_in_private_subnet",
    kind="compute.instance",
    before="""subnets[subnet.address] := subnet if {
	some subnet in lib.of_kind("network.subnet")
}""",
    body="""some reference in resource.references
	reference.at == "/subnet_id"
	subnets[reference.address].after.map_public_ip_on_launch == true""",
    message="stands in a subnet that gives public addresses",
)

POLICIES: Final = (
    _tagged("instance_owner", "compute.instance"),
    _tagged("volume_owner", "disk.volume"),
    _tagged("subnet_owner", "network.subnet"),
    _tagged("security_group_owner", "network.security_group"),
    _tagged("bucket_owner", "storage.bucket"),
    _tagged("database_owner", "database.instance"),
    _PRIVATE,
    Policy(
        slug="instance_type_allowed",
        kind="compute.instance",
        body='not object.get(resource.after, "instance_type", "") in {"m6i.large", "m6i.xlarge"}',
        message="is of a type that is not allowed",
    ),
    Policy(
        slug="instance_image_pinned",
        kind="compute.instance",
        body='not startswith(object.get(resource.after, "ami", ""), "ami-")',
        message="has no pinned image",
    ),
    Policy(
        slug="volume_size",
        kind="disk.volume",
        body='object.get(resource.after, "size", 0) > 2000',
        message="is larger than 2,000 GiB",
    ),
    Policy(
        slug="volume_type",
        kind="disk.volume",
        body='object.get(resource.after, "type", "") != "gp3"',
        message="is not of type gp3",
    ),
    Policy(
        slug="bucket_name",
        kind="storage.bucket",
        body='not contains(object.get(resource.after, "bucket", ""), "-data-")',
        message="is not named for what it holds",
    ),
    Policy(
        slug="bucket_kept",
        kind="storage.bucket",
        body='object.get(resource.after, "force_destroy", false) == true',
        message="can be destroyed with its objects",
    ),
    Policy(
        slug="database_engine",
        kind="database.instance",
        body='not object.get(resource.after, "engine", "") in {"postgres", "aurora-postgresql"}',
        message="runs an engine that is not allowed",
    ),
    Policy(
        slug="database_protected",
        kind="database.instance",
        body='object.get(resource.after, "deletion_protection", false) != true',
        message="can be deleted",
    ),
    Policy(
        slug="group_described",
        kind="network.security_group",
        body='count(object.get(resource.after, "description", "")) < 8',
        message="does not say what it is for",
    ),
    Policy(
        slug="policy_without_star",
        kind="iam.policy",
        body='contains(object.get(resource.after, "policy", ""), "\\"Action\\": \\"*\\"")',
        message="allows every action",
    ),
    Policy(
        slug="key_window",
        kind="crypto.key",
        body='object.get(resource.after, "deletion_window_in_days", 0) < 14',
        message="can be gone within two weeks",
    ),
    Policy(
        slug="listener_port",
        kind="network.listener",
        body='object.get(resource.after, "port", 0) != 443',
        message="does not listen on 443",
    ),
    Policy(
        slug="log_retention",
        kind="log.group",
        body='object.get(resource.after, "retention_in_days", 0) < 30',
        message="keeps logs for less than 30 days",
    ),
)

_HEADER: Final = """# METADATA
# title: Benchmark policy {slug}
# description: One of twenty ordinary policies that the benchmark judges with.
# custom:
#   id: {id}
#   severity: medium
#   enforcement: overridable
#   kinds: [{kind}]
#   remediation: Nothing; this is a benchmark.
package policies.bench.{slug}

import data.plangate.lib
"""

_FINDINGS: Final = {
    "plangate": 'lib.finding(resource, "{message}")',
    "conftest": '{{"msg": "{message}", "address": resource.address}}',
}


def text(policy: Policy, spelling: str) -> str:
    """The policy's file in the ``plangate`` or the ``conftest`` spelling."""
    finding = _FINDINGS[spelling].format(message=policy.message)
    header = _HEADER.format(slug=policy.name, id=policy.name.replace("_", "-"), kind=policy.kind)
    rule = (
        f'deny contains {finding} if {{\n\tsome resource in lib.of_kind("{policy.kind}")\n\t{policy.body}\n}}'
    )
    return "\n".join(part for part in (header, policy.before, rule) if part) + "\n"


def write(folder: Path, spelling: str, number: int) -> None:
    """Write this many into ``folder``, which is theirs alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for policy in numbered(number):
        (folder / f"{policy.name}.rego").write_text(text(policy, spelling))
