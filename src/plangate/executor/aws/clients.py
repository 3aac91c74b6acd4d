"""Connections to AWS: one session, clients made once, retries that adapt, limits, and a count of what was called."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from plangate.errors import ExecutionError, UsageError

_INSTALL: Final = "pip install 'plangate[aws]'"
Client = Any
"""A client of boto3, which makes its methods when it is created."""


class Place(Struct, frozen=True, kw_only=True):
    """Where changes are made.

    Attributes:
        region: E.g. ``eu-central-1``.
        profile: Of the AWS configuration files; empty for the default chain of credentials.
        endpoint: URL of every service, for a server that stands in for AWS; empty for AWS itself.
        role: ARN of a role to take on; empty for none.
        session_policy: JSON of an IAM policy that narrows what the role may do; empty for none.
    """

    region: str
    profile: str = ""
    endpoint: str = ""
    role: str = ""
    session_policy: str = ""


class Aws:
    """Clients for one place.

    Args:
        place: Where.
        attempts: Tries of one call; botocore spaces them out, and slows down when AWS throttles.
        connect_timeout_s: Seconds to connect.
        read_timeout_s: Seconds to wait for an answer.
        connections: Connections to one service at once.
        prepare: Called with every new botocore session, for hooks on its events.
    """

    def __init__(
        self,
        place: Place,
        *,
        attempts: int = 8,
        connect_timeout_s: float = 10.0,
        read_timeout_s: float = 60.0,
        connections: int = 16,
        prepare: Callable[[Any], None] | None = None,
    ) -> None:
        try:
            import boto3  # noqa: PLC0415
            from botocore.config import Config  # noqa: PLC0415
        except ImportError as error:
            raise UsageError(
                "changes of AWS resources need boto3, which is not installed", hint=_INSTALL
            ) from error
        self.place = place
        self.calls: Counter[str] = Counter()
        """Calls by ``service:Operation``, each try counted once."""
        self._config = Config(
            retries={"mode": "adaptive", "total_max_attempts": attempts},
            connect_timeout=connect_timeout_s,
            read_timeout=read_timeout_s,
            max_pool_connections=connections,
            user_agent_extra="plangate",
        )
        self._lock = threading.Lock()
        self._clients: dict[str, Client] = {}
        self._watched = threading.local()
        self._account = ""
        try:
            self._session = self._open(boto3, prepare)
        except Exception as error:
            raise _refused(error) from error

    def client(self, service: str) -> Client:
        """The client of a service, made once."""
        with self._lock:
            found = self._clients.get(service)
            if found is None:
                found = self._session.client(
                    service, config=self._config, endpoint_url=self.place.endpoint or None
                )
                self._clients[service] = found
            return found

    @contextmanager
    def guarded(self, check: Callable[[], None]) -> Iterator[None]:
        """A context in which each try of a call by this thread is sent only if a check does not raise.

        Between two calls of one step a lock can be lost, or a user can have enough.
        """
        self._watched.check = check
        try:
            yield
        finally:
            del self._watched.check

    @property
    def account(self) -> str:
        """The account's number.

        Raises:
            ExecutionError: AWS does not say, e.g. since there are no credentials.
        """
        if not self._account:
            try:
                self._account = self.client("sts").get_caller_identity()["Account"]
            except Exception as error:
                raise _refused(error) from error
        return self._account

    def pages(self, service: str, operation: str, result: str, **arguments: Any) -> list[Any]:
        """Everything that an operation lists, over all its pages."""
        client = self.client(service)
        if not client.can_paginate(operation):
            return list(getattr(client, operation)(**arguments).get(result) or ())
        pages = client.get_paginator(operation).paginate(**arguments)
        return [item for page in pages for item in page.get(result) or ()]

    def _open(self, boto3: Any, prepare: Callable[[Any], None] | None) -> Any:
        import botocore.session  # noqa: PLC0415

        place = self.place
        core = botocore.session.Session(profile=place.profile or None)
        if place.role:
            given = self._credentials_of_role(boto3.Session(botocore_session=core, region_name=place.region))
            core = botocore.session.Session(profile=place.profile or None)
            core.set_credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        core.register_component("data_loader", _descriptions())
        events = core.get_component("event_emitter")
        events.register_first("before-send", self._check)
        events.register("before-send", self._count)
        events.register(
            "needs-retry.*.*", _not_blindly
        )  # asked before botocore's own, which is for a whole service
        if prepare is not None:
            prepare(core)
        return boto3.Session(botocore_session=core, region_name=place.region)

    def _credentials_of_role(self, session: Any) -> Mapping[str, str]:
        arguments = {"RoleArn": self.place.role, "RoleSessionName": "plangate"}
        if self.place.session_policy:
            arguments["Policy"] = self.place.session_policy
        sts = session.client("sts", config=self._config, endpoint_url=self.place.endpoint or None)
        given: Mapping[str, str] = sts.assume_role(**arguments)["Credentials"]
        return given

    def _check(self, **_details: Any) -> None:
        check: Callable[[], None] | None = getattr(self._watched, "check", None)
        if check is not None:
            check()

    def _count(self, event_name: str, **_details: Any) -> None:
        _, service, operation = event_name.split(".", 2)
        with self._lock:
            self.calls[f"{service}:{operation}"] += 1


@cache
def _descriptions() -> Any:
    """The SDK's descriptions of services, read once in a process: they are most of the time that a client takes."""
    import boto3  # noqa: PLC0415
    import botocore.loaders  # noqa: PLC0415

    folder = Path(boto3.__file__).parent / "data"
    return botocore.loaders.create_loader(str(folder))


def _not_blindly(
    *, operation: Any, response: Any = None, caught_exception: BaseException | None = None, **_details: Any
) -> bool | None:
    """Keeps botocore from making a change again that may have been made: most creations have no client token.

    The engine looks first whether it was made.
    """
    if operation.name.startswith(_READING):
        return None
    if caught_exception is not None:
        return None if type(caught_exception).__name__ in _NEVER_SENT else False
    if response is None or response[0].status_code < _SERVER_ERROR:
        return None
    return None if response[1].get("Error", {}).get("Code") in _THROTTLED else False


_READING: Final = ("Assume", "BatchGet", "Describe", "Get", "Head", "List", "Search", "Simulate")
_NEVER_SENT: Final = frozenset({"ConnectTimeoutError", "EndpointConnectionError", "ProxyConnectionError"})
_THROTTLED: Final = frozenset({
    "EC2ThrottledException", "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "SlowDown",
    "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException",
})  # fmt: skip
"""Refusals that come with a server error's status, at S3 and EC2."""


def code_of(error: BaseException) -> str:
    """AWS's error code, e.g. ``InvalidGroup.NotFound``; empty for anything that is not AWS's answer."""
    response = getattr(error, "response", None)
    if not isinstance(response, Mapping):
        return ""
    code = response.get("Error", {}).get("Code", "")
    return code if isinstance(code, str) else ""


def said(error: BaseException) -> str:
    """An error for people: AWS's code first."""
    code = code_of(error)
    if code:
        message = getattr(error, "response", {}).get("Error", {}).get("Message", "")
        return f"{code}: {message}"[:400]
    return str(error)[:400] or type(error).__name__


def is_gone(error: BaseException) -> bool:
    """Whether AWS says that there is no such thing."""
    code = code_of(error)
    return "NotFound" in code or code in _GONE


class NotYetError(ExecutionError):
    """AWS is still at it: the same call tells more a little later."""


def is_passing(error: BaseException) -> bool:
    """Whether the same call may succeed a little later: other parts of AWS have not heard of a change yet."""
    code = code_of(error)
    return (
        isinstance(error, NotYetError)
        or code in _PASSING
        or any(phrase in said(error) for phrase in _PASSING_SAID.get(code, ()))
    )


def is_ambiguous(error: BaseException) -> bool:
    """Whether the call may have been carried out all the same: no answer came, or one that says nothing."""
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return bool(status >= _SERVER_ERROR)
    return (
        type(error).__module__ in {"botocore.exceptions", "botocore.parsers"}
        and type(error).__name__ in _NO_ANSWER
    )


_SERVER_ERROR: Final = 500
_NO_ANSWER: Final = frozenset({
    "ConnectTimeoutError", "ConnectionClosedError", "ConnectionError", "EndpointConnectionError", "HTTPClientError",
    "ReadTimeoutError", "ResponseParserError", "ResponseStreamingError",
})  # fmt: skip
_PASSING: Final = frozenset({
    "ConcurrentOperationException",  # Cloud Control: the request before it is still under way
    "ConcurrentModification",  # IAM: the same role is being changed by somebody
    "DependencyViolation",  # what depended on it is still being deleted
    "InvalidDBParameterGroupState",  # the database that used it is still being deleted
    "InvalidDBSubnetGroupStateFault",  # the database that used it is still being deleted
    "InvalidIPAddress.InUse",  # a NAT gateway that had the address is still being deleted
    "ResourceInUse",  # instances of a group are still ending, or a listener of a target group is
    "ScalingActivityInProgress",  # a group is still starting or ending instances
    "VolumeInUse",  # an instance that had the volume is still ending, or it is still being detached
})  # fmt: skip
_PASSING_SAID: Final[Mapping[str, tuple[str, ...]]] = {
    # A role or user that was just made is not known everywhere; any other fault of a policy stays.
    "InvalidParameterValueException": ("cannot be assumed by Lambda", "does not have permissions to call"),
    "MalformedPolicy": ("Invalid principal",),  # S3
    "MalformedPolicyDocument": ("Invalid principal",),  # IAM
    "MalformedPolicyDocumentException": ("invalid principals",),  # KMS
    # RDS: the role for monitoring.
    "InvalidParameterValue": ("IAM role ARN value is invalid", "Invalid IAM Instance Profile"),
    # CloudWatch Logs: the policy of the key has not arrived yet.
    "InvalidParameterException": ("KMS key does not exist or is not allowed",),
    # Lambda: the change before it is still on its way; that a function exists already is no such case.
    "ResourceConflictException": ("in progress",),
    # DynamoDB, likewise.
    "ResourceInUseException": ("is being",),
}
"""Codes that mean many things, with what AWS says when the reason passes."""
_GONE: Final = frozenset({"404", "NoSuchBucket", "NoSuchEntity", "NoSuchKey", "ResourceNotFoundException"})


def asked(error: Exception) -> ExecutionError:
    """What to say when AWS did not answer a question as it should."""
    return ExecutionError(f"AWS could not be asked: {said(error)}")


def is_of_aws(error: BaseException) -> bool:
    """Whether an error came from AWS, or from the way to it."""
    return type(error).__module__.startswith(("botocore.", "boto3."))


def _refused(error: Exception) -> ExecutionError:
    return ExecutionError(
        f"AWS cannot be used: {said(error)}",
        hint="check credentials and region with `aws sts get-caller-identity`",
    )
