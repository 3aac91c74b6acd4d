"""The words of a receipt, and how its parts are read: shared by making and verifying one.

Every reader here raises on what is missing or malformed; none has a default.
"""

import contextlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from urllib.parse import quote

from plangate.audit import strict_json
from plangate.audit.record import RECORD_SCHEMA, RecordType
from plangate.errors import ReceiptError

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://slsa.dev/verification_summary/v1"
EXTENSION: Final = "https://plangate.dev/receipt/v1"
VERIFIER_ID: Final = "https://plangate.dev/gate/v1"
LEVEL: Final = "PLANGATE_ALLOWED"
"""What an allow is called among the verified levels. Names that start with SLSA_ are SLSA's own."""
MAX_RECEIPT_BYTES: Final = 16_777_216
MAX_SKEW: Final = timedelta(seconds=60)
"""How far the issuer's clock may be ahead of the verifier's."""
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z", re.ASCII)
NONCE: Final = re.compile(r"[0-9a-f]{32,64}\Z")

T = TypeVar("T")


def environment_uri(environment: str) -> str:
    """The resource URI that stands for an environment."""
    return f"plangate:environment/{quote(environment, safe='')}"


def allow_in(record: bytes) -> Mapping[str, Any]:
    """The body of a record that is an allow."""
    try:
        document = strict_json.loads(record)
    except strict_json.StrictJsonError as error:
        raise ReceiptError(f"receipt: the record in the log: {error}") from error
    if not isinstance(document, dict) or document.get("schema") != RECORD_SCHEMA:
        raise ReceiptError("receipt: the record in the log is not one of ours")
    if document.get("type") != RecordType.DECISION.value:
        raise ReceiptError("receipt: the record in the log is not a decision")
    body = mapping(document, "body")
    if body.get("result") != "allow":
        raise ReceiptError("receipt: the decision in the log is not an allow")
    return body


def check_obligation_count(body: Mapping[str, Any], obligations: Sequence[Mapping[str, Any]]) -> None:
    """The record may hold fewer obligations than there are, but it says how many it left out."""
    left_out = mapping(body, "truncated").get("obligations", 0)
    recorded = len(get(body, "obligations", list)) + (left_out if isinstance(left_out, int) else 0)
    if recorded != len(obligations):
        raise ReceiptError(
            f"receipt: {len(obligations)} obligations (the decision in the log has {recorded})"
        )


def get(part: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """A member of a given type; ``True`` is no integer here."""
    value = part.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ReceiptError(f"receipt: {name} is missing or malformed")
    return value


def text(part: Mapping[str, Any], name: str) -> str:
    """A member that is a text."""
    return get(part, name, str)


def mapping(part: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A member that is an object."""
    return get(part, name, dict)


def time(part: Mapping[str, Any], name: str) -> datetime:
    """A member that is a time in UTC with milliseconds."""
    value = text(part, name)
    if _TIME.match(value):
        with contextlib.suppress(ValueError):  # a date that no calendar has
            return datetime.fromisoformat(value)
    raise ReceiptError(f"receipt: {name} is not a time in UTC with milliseconds")


def same(left: str, right: str) -> bool:
    """Whether two texts are equal, taking as long wherever they differ."""
    return hmac.compare_digest(left.encode(), right.encode())
