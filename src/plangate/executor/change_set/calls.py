"""Calls to AWS, with every error as one of ours: whether AWS answered, what it said, and never what we sent."""

from collections.abc import Mapping
from typing import Any, Final

from plangate.errors import CannotDecideError
from plangate.executor.aws.clients import code_of

MAX_PAGES: Final = 2_000
"""Pages of one answer, so that a server that always names another one is not followed for ever."""
_MAX_SAID_CHARS: Final = 300
_SERVER_ERROR: Final = 500
Client = Any
"""A client of boto3, which makes its methods when it is created."""


class CallError(CannotDecideError):
    """A call that failed.

    Attributes:
        code: AWS's word, e.g. ``ValidationError``; empty when it did not answer.
        said: AWS's sentence, or ours.
        refused: AWS answered that it will not do it. Otherwise it may have done it.
    """

    def __init__(self, operation: str, code: str, said: str, *, refused: bool) -> None:
        super().__init__(f"{operation}: {f'{code}: ' if code else ''}{said[:_MAX_SAID_CHARS]}")
        self.code = code
        self.said = said
        self.refused = refused


def call(client: Client, operation: str, **arguments: Any) -> Mapping[str, Any]:
    """The answer of AWS to one call; boto3 has tried again already where that helps.

    Raises:
        CallError: There is none.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - an extra

    try:
        answer: Mapping[str, Any] = getattr(client, operation)(**arguments)
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        said = str(error.response.get("Error", {}).get("Message", ""))
        raise CallError(operation, code_of(error), said, refused=status < _SERVER_ERROR) from error
    except BotoCoreError as error:
        raise CallError(operation, "", f"{type(error).__name__}: {error}", refused=False) from error
    return answer


def pages(
    client: Client, operation: str, items: str, **arguments: Any
) -> tuple[Mapping[str, Any], list[Any]]:
    """The first page of an answer, and the items of all of its pages.

    Raises:
        CallError: A page is missing, or there is no end.
    """
    first: Mapping[str, Any] | None = None
    found: list[Any] = []
    token: str | None = None
    for _ in range(MAX_PAGES):
        page = call(client, operation, **arguments, **({"NextToken": token} if token else {}))
        first = page if first is None else first
        found += page.get(items) or []
        token = page.get("NextToken")
        if not token:
            return first, found
    raise CallError(operation, "", f"more than {MAX_PAGES} pages", refused=False)
