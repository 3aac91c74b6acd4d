"""The kinds of resources that rules speak of, and the facts that each kind has.

A fact is ``True``, ``False`` or ``UNKNOWN`` (*tri*) unless its description says what else it holds.
Adapters in `plangate.facts` fill all facts of their kind; a rule that reads one that is missing gets ``UNKNOWN``.
A fact describes the resource as it will be after the change; of one that goes, as it is before.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

COMMON_FACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tags": "Tags as a mapping of text, whole or per value UNKNOWN; null when the type has no tags.",
        "tags_complete": "False while something unknown may still add tags; never UNKNOWN.",
        "stateful": "It holds data that is lost with it.",
        "regional": "It lives in a region; false for a global service.",
    }
)
"""Facts of every resource, modelled or not."""

INGRESS_SHAPE: Final = (
    "Allowed traffic: a tuple of {address, path, protocol ('tcp'|'udp'|'icmp'|'all'|number as text|UNKNOWN), "
    "from_port (int|UNKNOWN), to_port (int|UNKNOWN), cidrs (tuple of text|UNKNOWN), any_source (tri)}, or UNKNOWN. "
    "any_source means that the sources together are the whole internet, over IPv4 or IPv6. address and path name the "
    "resource and attribute that say so; for protocol 'all' the ports are 0 to 65535."
)

CONTAINERS_SHAPE: Final = (
    "Its containers: a tuple of {name (text), role ('container'|'init'|'ephemeral'), path (JSON Pointer), at (mapping "
    "of a key here to the JSON Pointer that sets it, as far as set), image (text|UNKNOWN), image_pinned_by "
    "('digest'|'tag'|''|UNKNOWN), privileged (tri), host_process (tri), privilege_escalation (tri), run_as_non_root "
    "(tri|null: not said), run_as_user (int|null: not said|UNKNOWN), read_only_root (tri), added_capabilities and "
    "dropped_capabilities (tuples of upper-case text without CAP_|UNKNOWN, or UNKNOWN), limits (tuple of names of "
    "limited resources: 'cpu', 'memory', …; or UNKNOWN), secrets_in_env (tuple of {name, path, literal (the value "
    "stands there in clear, tri)}, or UNKNOWN)}, or UNKNOWN. What is set for all containers is applied to each."
)
HOST_PATHS_SHAPE: Final = (
    "Paths of the host that it mounts: a tuple of {source (text|UNKNOWN), path (JSON Pointer)}, or UNKNOWN."
)
_NAMESPACE: Final = "Its namespace as text; empty when it is not said, or UNKNOWN."

WORKLOAD_FACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "containers": CONTAINERS_SHAPE,
        "host_network": "It shares the network of the host.",
        "host_pid": "It sees the processes of the host.",
        "host_ipc": "It shares the inter-process communication of the host.",
        "host_paths": HOST_PATHS_SHAPE,
    }
)
"""Facts of everything that runs containers, whoever schedules them."""

KINDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "compute.instance": {
            "public_ip": "It gets a public address.",
            "public_ip_from": "What gives the address, for people, as text; empty when there is none.",
            "metadata_tokens_required": "The metadata service answers only to session tokens or, where the cloud has "
            "none, to a header that a forged request does not carry; or it is off.",
            "disks_encrypted": "All its disks are encrypted.",
        },
        "compute.template": {
            "public_ip": "Instances made from it get a public address; null when it leaves that to the subnet.",
            "public_ip_from": "What gives the address, for people, as text; empty when there is none.",
            "metadata_tokens_required": "As for compute.instance.",
            "disks_encrypted": "As for compute.instance.",
        },
        "compute.group": {
            "public_ip": "Instances that it starts get a public address.",
            "public_ip_from": "What gives the address, for people, as text; empty when there is none.",
            "metadata_tokens_required": "As for compute.instance; null when a template in this plan says it.",
            "disks_encrypted": "As for compute.instance; null when a template in this plan says it.",
        },
        "disk.volume": {"encrypted": "It is encrypted at rest."},
        "network.vpc": {"default": "It is the account's default network."},
        "network.subnet": {"public_ips": "Instances in it get public addresses unless they say otherwise."},
        "network.security_group": {
            "ingress": INGRESS_SHAPE + " Own rules and those of linked rule resources."
        },
        "network.security_group_rule": {"ingress": INGRESS_SHAPE + " Empty for an egress rule."},
        "network.load_balancer": {
            "public": "It is reachable from the internet.",
            "tls": "As for network.listener, of all its own listeners; null when they are resources of their own.",
        },
        "network.listener": {
            "tls": "Clients must use TLS (https, tls, or only redirects to https); null where bytes are passed on.",
            "protocol": "Protocol as text in lower case, or UNKNOWN.",
        },
        "storage.bucket": {
            "public_access_blocked": "Nothing can open it to everyone, by this plan: bucket or account.",
            "public_acl": "An ACL grants access to everyone.",
            "public_policy": "A bucket policy allows everyone.",
            "encrypted": "Objects are encrypted at rest.",
            "encryption": "How, as text: AES256, aws:kms, azure:key-vault, google:kms, … or UNKNOWN; null when its "
            "account in this plan says it.",
            "versioned": "Versioning is on; null when its account in this plan says it.",
        },
        "database.instance": {
            "public": "It has an address on the internet or is open to everyone; null when its server in this plan, or "
            "the members of its cluster, say it.",
            "encrypted": "Its storage is encrypted; null when its cluster in this plan, or each of its databases, "
            "says it.",
            "deletion_protection": "It refuses to be deleted; null for a kind of database that cannot.",
            "final_snapshot": "Deleting or replacing it, as was applied last, makes a snapshot of its data first or "
            "leaves it where it is; null for what nothing is to become of.",
        },
        "iam.policy": {
            "full_admin": "It allows all actions on all resources, or all actions of IAM, which amounts to it.",
            "statements": "Tuple of {effect, actions, not_actions, resources, not_resources, conditions (bool)} with "
            "UNKNOWN leaves, or UNKNOWN; empty for an attachment.",
        },
        "crypto.key": {"rotation": "The key rotates by itself; null for a kind of key that cannot."},
        "kubernetes.cluster": {
            "public_endpoint": "Its API is reachable from the whole internet.",
            "secrets_encrypted": "Secrets are encrypted with a key of ours.",
        },
        "container.workload": WORKLOAD_FACTS,
        "kubernetes.workload": {
            **WORKLOAD_FACTS,
            "namespace": _NAMESPACE,
            "service_account": "Name of the account that it runs as, as text, or UNKNOWN.",
            "token_mounted": "Credentials of its account are put into its containers.",
            "pod_security": "What keeps it from the Pod Security Standards: a tuple of {level (of the control: "
            "'baseline'|'restricted'), control (its published name), violated (true|UNKNOWN), message (text), path "
            "(JSON Pointer)}, or UNKNOWN. What violates baseline violates restricted as well.",
        },
        "kubernetes.service": {
            "namespace": _NAMESPACE,
            "type": "Its type as text, e.g. ClusterIP, or UNKNOWN.",
            "exposures": "How it is reached from outside of the cluster: a tuple of {via ('load-balancer'|"
            "'internal-load-balancer'|'node-port'|'external-ip'), everyone (whether its sources are not limited, tri), "
            "path (JSON Pointer)}, or UNKNOWN.",
        },
        "kubernetes.ingress": {
            "namespace": _NAMESPACE,
            "hosts": "Names that it answers to: a tuple of text|UNKNOWN, or UNKNOWN; '' and '*' are any name.",
            "tls": "Every name that it answers to is covered by a certificate.",
        },
        "kubernetes.network_policy": {
            "namespace": _NAMESPACE,
            "selects_all": "It is about every pod of its namespace.",
            "open_ingress": "It lets everybody in on every port.",
            "open_egress": "It lets pods out to everywhere on every port.",
        },
        "kubernetes.role": {
            "namespace": _NAMESPACE,
            "cluster_wide": "It is not bound to a namespace.",
            "rules": "What it allows: a tuple of {groups, resources, verbs, names, urls (tuples of text|UNKNOWN, or "
            "UNKNOWN), path (JSON Pointer)}, or UNKNOWN when the cluster fills it in.",
        },
        "kubernetes.role_binding": {
            "namespace": _NAMESPACE,
            "cluster_wide": "It is not bound to a namespace.",
            "role": "The role that it gives, as 'Role/name' or 'ClusterRole/name', or UNKNOWN.",
            "subjects": "Who gets it: a tuple of {kind, name, namespace} of text|UNKNOWN, or UNKNOWN.",
        },
        "kubernetes.service_account": {
            "namespace": _NAMESPACE,
            "token_mounted": "Its credentials are put into pods that do not say otherwise.",
        },
        "kubernetes.secret": {"namespace": _NAMESPACE},
        "kubernetes.config_map": {"namespace": _NAMESPACE},
        "kubernetes.volume_claim": {"namespace": _NAMESPACE},
        "kubernetes.namespace": {
            "pod_security": "The Pod Security level that it enforces, as text; empty when it does not say, or UNKNOWN.",
        },
        "serverless.function": {"public": "Its URL can be called without authentication."},
        "container.registry": {
            "immutable_tags": "A tag cannot be moved.",
            "scan_on_push": "Images are scanned.",
        },
        "log.group": {
            "encrypted": "It is encrypted with a key of ours.",
            "retention_days": "Days as int, 0 for ever.",
        },
        # Says something of another resource, whose facts hold it: a bucket's policy, an instance's elastic address.
        "resource.part": {},
    }
)
"""Kind to its facts, each with what it means."""
