"""One request and its answer, as handlers see them; and what they raise when there is no answer but a problem."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from plangate.audit.record import Actor, ActorKind

_ENCODER: Final = msgspec.json.Encoder()
JSON: Final = "application/json"
_MAX_PARAMETERS: Final = 100


class Answer(Struct, frozen=True, kw_only=True):
    """What is sent back."""

    status: int = 200
    body: bytes = b""
    media_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why there is no answer, as our own interface says it.

    Attributes:
        code: A word for programs.
        message: For people.
        hint: What to do next.
        decision_id: The decision that says so in the log, if there is one.
    """

    code: str
    message: str
    hint: str = ""
    decision_id: str = ""


class HttpProblem(Exception):  # noqa: N818 - it is what becomes of an error, not a kind of one
    """A request that has no answer but a status and a problem.

    Args:
        status: Of HTTP.
        code: A word for programs.
        message: For people; never a value of the request.
        hint: What to do next.
        headers: More headers, e.g. ``Retry-After``.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        hint: str = "",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.problem = Problem(code=code, message=message, hint=hint)
        self.headers = headers


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks.

    Attributes:
        name: As in the settings; ``anonymous`` without credentials.
        identity: What the record says: the name, and the certificate's subject if it showed one.
        may: Permissions.
        rule_sets: Rule sets that it may ask under; none for all.
        max_requests: Requests at a time.
    """

    name: str
    identity: str
    may: frozenset[str]
    rule_sets: frozenset[str] = frozenset()
    max_requests: int = 64

    @property
    def actor(self) -> Actor:
        """As in records."""
        return Actor(kind=ActorKind.SERVICE, name=self.identity)


NOBODY: Final = Caller(name="", identity="", may=frozenset())


class Exchange:
    """One request, read whole, and who sent it.

    Attributes:
        caller: Who asks; `NOBODY` as long as that is not known.
        body: The body, unpacked if it was packed.
        request_id: The caller's own id, or ours.
        decision_id: Set by whoever makes a decision, for the log of requests.
        result: Its result, for the same.
    """

    def __init__(self, scope: Mapping[str, Any], request_id: str) -> None:
        self._scope = scope
        self.caller = NOBODY
        self.body = b""
        self.request_id = request_id
        self.decision_id = ""
        self.result = ""
        self._query: dict[str, str] | None = None

    @property
    def method(self) -> str:
        """The method, in capitals."""
        method: str = self._scope["method"]
        return method

    @property
    def path(self) -> str:
        """The path, percent-decoded."""
        path: str = self._scope["path"]
        return path

    @property
    def raw_path(self) -> str:
        """The path as it was sent."""
        raw: bytes = self._scope.get("raw_path") or b""
        return raw.decode("ascii", "replace")

    @property
    def client(self) -> str:
        """Address of the other side."""
        client = self._scope.get("client")
        return f"{client[0]}:{client[1]}" if client else ""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What the route's path has in braces."""
        found: Mapping[str, Any] = self._scope.get("path_params", {})
        return found

    @property
    def query(self) -> Mapping[str, str]:
        """Query parameters; of one that is given twice the last.

        Raises:
            HttpProblem: They cannot be read, or are too many.
        """
        if self._query is None:
            try:
                pairs = parse_qsl(
                    self._scope["query_string"].decode("ascii"),
                    keep_blank_values=True,
                    max_num_fields=_MAX_PARAMETERS,
                    errors="strict",
                )
            except (ValueError, UnicodeDecodeError) as error:
                raise HttpProblem(400, "invalid_parameter", "the query string cannot be read") from error
            self._query = dict(pairs)
        return self._query

    def header(self, name: bytes) -> str:
        """The first header of this name (lower case); empty without one."""
        return header(self._scope, name)


def header(scope: Mapping[str, Any], name: bytes) -> str:
    """The first header of this name (lower case); empty without one."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return ""


def json_answer(value: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """An answer with a JSON body."""
    return Answer(status=status, body=_ENCODER.encode(value), headers=headers)


def plain_problem(problem: HttpProblem) -> Answer:
    """A problem as our own interface says it."""
    return json_answer(problem.problem, status=problem.status, headers=problem.headers)
