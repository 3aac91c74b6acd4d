"""One meaningful rule for each kind, for `plangate.authoring.scaffold` to start a policy from."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct


class Starter(Struct, frozen=True, kw_only=True):
    """A rule about one fact of a kind.

    Attributes:
        fact: The fact that it reads.
        bad: A value with which it fails.
        good: A value with which it passes.
        title: The good condition as a sentence.
        why: Why it matters.
        message: What a finding says of the resource.
        fix: How to repair a failure.
        lines: The condition where it is more than ``fact == bad``; ``FACT`` stands for the fact.
    """

    fact: str
    bad: Any
    good: Any
    title: str
    why: str
    message: str
    fix: str
    lines: tuple[str, ...] = ()


def _encrypted(what: str, fact: str = "encrypted") -> Starter:
    return Starter(
        fact=fact, bad=False, good=True,
        title=f"{what} are encrypted",
        why="What is not encrypted can be read from a copy or a discarded disk.",
        message="it is not encrypted", fix="Switch encryption on.",
    )  # fmt: skip


def _not_public(what: str, fact: str = "public_ip") -> Starter:
    return Starter(
        fact=fact, bad=True, good=False,
        title=f"{what} are not reachable from the internet",
        why="What everybody can reach is attacked within minutes.",
        message="it is reachable from the internet", fix="Keep it in a private network.",
    )  # fmt: skip


def _not_in_default_namespace(what: str) -> Starter:
    return Starter(
        fact="namespace", bad="default", good="shop",
        title=f"{what} are not in the default namespace",
        why="Quotas, network policies and permissions are given by namespace; the default one has none.",
        message="it is in the default namespace", fix="Give it a namespace of its own.",
    )  # fmt: skip


def _open_to_everyone() -> Starter:
    rule = {"address": "x", "path": "", "protocol": "tcp", "from_port": 22, "to_port": 22, "cidrs": []}
    return Starter(
        fact="ingress", bad=[{**rule, "any_source": True}], good=[{**rule, "any_source": False}],
        title="Nothing is open to every address",
        why="A port that is open to every address is found and tried within minutes.",
        message="it lets every address in", fix="Name the addresses that need it.",
        lines=("some rule in lib.items(FACT)", "rule.any_source == true"),
    )  # fmt: skip


def _not_privileged() -> Starter:
    box = {"name": "app", "role": "container", "path": "/spec"}
    return Starter(
        fact="containers", bad=[{**box, "privileged": True}], good=[{**box, "privileged": False}],
        title="Containers are not privileged",
        why="A privileged container has the powers of its host.",
        message="it runs a privileged container", fix="Take privileged out; add the capabilities that it needs.",
        lines=("some container in lib.items(FACT)", "container.privileged == true"),
    )  # fmt: skip


def _tokens(what: str, *, good: bool | None) -> Starter:
    return Starter(
        fact="metadata_tokens_required", bad=False, good=good,
        title=f"The metadata service of {what} asks for session tokens",
        why="Without tokens, one forged request from the machine gives its credentials away.",
        message="its metadata service answers without a token", fix="Require session tokens.",
    )  # fmt: skip


def _token_not_mounted(what: str) -> Starter:
    return Starter(
        fact="token_mounted", bad=True, good=False,
        title=f"{what} do not hand out credentials of the cluster",
        why="Most pods never call the API of their cluster; whoever breaks into one finds a key to it.",
        message="it puts credentials of its account into pods", fix="Set automountServiceAccountToken to false.",
    )  # fmt: skip


STARTERS: Final[Mapping[str, Starter]] = MappingProxyType(
    {
        "compute.instance": _not_public("Instances"),
        "compute.template": _tokens("instances from a template", good=True),
        "compute.group": _tokens("instances of a group", good=None),
        "disk.volume": _encrypted("Disks"),
        "network.vpc": Starter(
            fact="default", bad=True, good=False,
            title="The default network is not used",
            why="It lets its subnets out to the internet, and nobody designed it.",
            message="it is the default network", fix="Make a network for the purpose.",
        ),
        "network.subnet": Starter(
            fact="public_ips", bad=True, good=False,
            title="Subnets give no public addresses of their own accord",
            why="An instance then becomes public because of where it is, without a word in its own definition.",
            message="instances in it get public addresses", fix="Switch public addresses on launch off.",
        ),
        "network.security_group": _open_to_everyone(),
        "network.security_group_rule": _open_to_everyone(),
        "network.load_balancer": _not_public("Load balancers", "public"),
        "network.listener": Starter(
            fact="tls", bad=False, good=True,
            title="Listeners use TLS",
            why="Without TLS, everybody on the way reads and changes what is said.",
            message="clients can use it without TLS", fix="Use https or tls, or redirect to it.",
        ),
        "storage.bucket": Starter(
            fact="versioned", bad=False, good=True,
            title="Buckets keep old versions",
            why="Without versions, what is overwritten or deleted is gone.",
            message="it does not keep old versions", fix="Switch versioning on.",
        ),
        "database.instance": Starter(
            fact="deletion_protection", bad=False, good=True,
            title="Databases refuse to be deleted",
            why="One wrong line in a change should not delete data.",
            message="it can be deleted", fix="Switch deletion protection on.",
        ),
        "iam.policy": Starter(
            fact="full_admin", bad=True, good=False,
            title="No policy allows everything",
            why="Whoever gets such a policy owns the account.",
            message="it allows everything", fix="Name the actions and resources that are needed.",
        ),
        "crypto.key": Starter(
            fact="rotation", bad=False, good=True,
            title="Keys rotate",
            why="Rotation limits what one piece of key material protects.",
            message="it does not rotate", fix="Switch automatic rotation on.",
        ),
        "kubernetes.cluster": Starter(
            fact="public_endpoint", bad=True, good=False,
            title="The API of a cluster is not open to the internet",
            why="A flaw in the API server, or one stolen token, is enough then.",
            message="its API can be reached from everywhere", fix="Make the endpoint private, or limit its sources.",
        ),
        "container.workload": _not_privileged(),
        "kubernetes.workload": _not_privileged(),
        "kubernetes.service": Starter(
            fact="exposures", bad=[{"via": "load-balancer", "everyone": True, "path": "/spec/type"}],
            good=[{"via": "internal-load-balancer", "everyone": False, "path": "/spec/type"}],
            title="Services are not open to everyone",
            why="What everybody can reach is attacked within minutes.",
            message="everyone can reach it", fix="Limit its sources, or use an internal load balancer.",
            lines=("some exposure in lib.items(FACT)", "exposure.everyone == true"),
        ),
        "kubernetes.ingress": Starter(
            fact="tls", bad=False, good=True,
            title="Every name of an ingress has a certificate",
            why="Without TLS, everybody on the way reads and changes what is said.",
            message="one of its names has no certificate", fix="Name all hosts below spec.tls.",
        ),
        "kubernetes.network_policy": Starter(
            fact="open_ingress", bad=True, good=False,
            title="Network policies let nobody in without saying whom",
            why="A policy that lets everybody in on every port is none.",
            message="it lets everybody in on every port", fix="Say in `from` and `ports` who may come in, and where.",
        ),
        "kubernetes.role": Starter(
            fact="rules",
            bad=[{"groups": [""], "resources": ["pods"], "verbs": ["*"], "names": [], "urls": [], "path": "/rules/0"}],
            good=[
                {"groups": [""], "resources": ["pods"], "verbs": ["get"], "names": [], "urls": [], "path": "/rules/0"}
            ],
            title="Roles name the verbs that they allow",
            why="A wildcard also allows what will be added to the cluster later.",
            message="it allows every verb", fix="Name the verbs.",
            lines=("some rule in lib.items(FACT)", '"*" in lib.items(rule.verbs)'),
        ),
        "kubernetes.role_binding": Starter(
            fact="role", bad="ClusterRole/cluster-admin", good="ClusterRole/view",
            title="Nobody is bound to cluster-admin",
            why="Whoever has it owns the cluster.",
            message="it gives cluster-admin", fix="Bind a role with the permissions that are needed.",
        ),
        "kubernetes.service_account": _token_not_mounted("Service accounts"),
        "kubernetes.secret": _not_in_default_namespace("Secrets"),
        "kubernetes.config_map": _not_in_default_namespace("Config maps"),
        "kubernetes.volume_claim": _not_in_default_namespace("Volume claims"),
        "kubernetes.namespace": Starter(
            fact="pod_security", bad="privileged", good="restricted",
            title="Namespaces enforce a Pod Security level",
            why="At the level privileged, any pod may take over its node.",
            message="it lets privileged pods in", fix="Set the label pod-security.kubernetes.io/enforce.",
        ),
        "serverless.function": _not_public("Functions", "public"),
        "container.registry": Starter(
            fact="immutable_tags", bad=False, good=True,
            title="Tags of images cannot be moved",
            why="A tag that can be moved lets another image in under a name that was approved.",
            message="its tags can be moved", fix="Make tags immutable.",
        ),
        "log.group": Starter(
            fact="retention_days", bad=7, good=365,
            title="Logs are kept for at least 30 days",
            why="Most intrusions are found weeks after they began.",
            message="it keeps logs for less than 30 days", fix="Keep logs for 30 days or more.",
            lines=("days := FACT", "is_number(days)", "days > 0", "days < 30"),
        ),
        "resource.part": Starter(
            fact="tags", bad={}, good={"owner": "team-web"},
            title="Everything that can have tags says who owns it",
            why="What nobody owns is repaired and removed by nobody.",
            message="it has no tag owner", fix="Add the tag owner.",
            lines=("tags := FACT", "is_object(tags)", 'owner := object.get(tags, "owner", "")', 'owner == ""'),
        ),
    }
)  # fmt: skip
"""By kind; every kind of `plangate.model.kinds` has one."""
