"""Names the concrete parts, reads settings and environment, and takes the clock: once per run, and only here.

What judging needs is offered here. What only some runs need stays in its module, and is imported there: `approval`,
`executors`, `clusters`.
"""

from plangate.wiring.choices import (
    AwsChoices,
    Choices,
    ClusterChoice,
    ConftestChoices,
    limits_of,
    now,
    settings_for,
)
from plangate.wiring.documents import Document, parse_document, read_document
from plangate.wiring.judges import chosen_spec, rule_specs
from plangate.wiring.session import Session, document_of, open_session, plan_for_rules, plan_with_secrets
from plangate.wiring.state import State, export_log, open_state, state_folder, stored_records, verify_log

__all__ = [
    "AwsChoices",
    "Choices",
    "ClusterChoice",
    "ConftestChoices",
    "Document",
    "Session",
    "State",
    "chosen_spec",
    "document_of",
    "export_log",
    "limits_of",
    "now",
    "open_session",
    "open_state",
    "parse_document",
    "plan_for_rules",
    "plan_with_secrets",
    "read_document",
    "rule_specs",
    "settings_for",
    "state_folder",
    "stored_records",
    "verify_log",
]
