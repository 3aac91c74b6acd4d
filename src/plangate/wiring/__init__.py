"""Names the concrete parts, reads settings and environment, and takes the clock: once per run, and only here."""

from plangate.wiring.approval import (
    approval_by_receipt,
    approval_of,
    expiry,
    receipt_for,
)
from plangate.wiring.choices import (
    AwsChoices,
    Choices,
    ClusterChoice,
    ConftestChoices,
    limits_of,
    now,
    settings_for,
)
from plangate.wiring.clusters import (
    Manifests,
    cluster_document,
    cluster_of,
    first_stage,
    is_cluster_plan,
    read_manifests,
)
from plangate.wiring.documents import Document, parse_document, read_document
from plangate.wiring.executors import Means, means_for
from plangate.wiring.judges import chosen_spec, rule_specs
from plangate.wiring.session import Session, document_of, open_session, plan_for_rules, plan_with_secrets
from plangate.wiring.state import State, export_log, open_state, state_folder, stored_records, verify_log

__all__ = [
    "AwsChoices",
    "Choices",
    "ClusterChoice",
    "ConftestChoices",
    "Document",
    "Manifests",
    "Means",
    "Session",
    "State",
    "approval_by_receipt",
    "approval_of",
    "chosen_spec",
    "cluster_document",
    "cluster_of",
    "document_of",
    "expiry",
    "export_log",
    "first_stage",
    "is_cluster_plan",
    "limits_of",
    "means_for",
    "now",
    "open_session",
    "open_state",
    "parse_document",
    "plan_for_rules",
    "plan_with_secrets",
    "read_document",
    "read_manifests",
    "receipt_for",
    "rule_specs",
    "settings_for",
    "state_folder",
    "stored_records",
    "verify_log",
]
