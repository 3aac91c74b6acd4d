"""The audit log over HTTP: its checkpoint, proofs, and the tiles of C2SP tlog-tiles.

Only hashes of full tree nodes are kept, and a tile is made of them. Records are served as entry bundles, where each is
a record's bytes after their length in two bytes; a leaf's hash is over exactly those bytes.

Source: https://c2sp.org/tlog-tiles
"""

import re
from typing import Any, Final

from starlette.routing import Route

from plangate.errors import AuditError
from plangate.server.endpoint import Endpoint, Guard
from plangate.server.exchange import Answer, Exchange, HttpProblem, json_answer
from plangate.server.front import Front

WIDTH: Final = 256
"""Hashes of a full tile."""
_HEIGHT: Final = 8
_MAX_LEVEL: Final = 7
_LENGTH_BYTES: Final = 2
_NUMBER: Final = re.compile(r"(?:x[0-9]{3}/)*[0-9]{3}")
_PARTIAL: Final = re.compile(r"(?P<number>.*?)(?:\.p/(?P<width>[1-9][0-9]{0,2}))?")
_MAX_NUMBER: Final = 40
"""Characters of a number: more than any log will need."""
_BYTES: Final = "application/octet-stream"
_FOREVER: Final = (("cache-control", "max-age=31536000, immutable"),)


class LogApi:
    """The handlers."""

    def __init__(self, front: Front) -> None:
        self._front = front

    async def checkpoint(self, exchange: Exchange) -> Answer:
        """``GET /v1/log/checkpoint``: a signed note over every record that is there."""
        del exchange
        note: str = await self._front.log.call("checkpoint")
        return Answer(body=note.encode(), media_type="text/plain; charset=utf-8")

    async def inclusion(self, exchange: Exchange) -> Answer:
        """``GET /v1/log/proof/inclusion?index=&size=``."""
        index = _whole(exchange, "index")
        size = _whole(exchange, "size", await self._size())
        if index >= size or size > await self._size():
            raise HttpProblem(404, "not_found", "the log has no such records")
        proof: list[bytes] = await self._front.log.call("inclusion", index=index, size=size)
        return json_answer({"index": index, "size": size, "proof": [item.hex() for item in proof]})

    async def consistency(self, exchange: Exchange) -> Answer:
        """``GET /v1/log/proof/consistency?old=&new=``."""
        old = _whole(exchange, "old")
        new = _whole(exchange, "new", await self._size())
        if not 0 < old <= new or new > await self._size():
            raise HttpProblem(404, "not_found", "the log has no such records")
        proof: list[bytes] = await self._front.log.call("consistency", old=old, new=new)
        return json_answer({"old": old, "new": new, "proof": [item.hex() for item in proof]})

    async def tile(self, exchange: Exchange) -> Answer:
        """``GET /v1/log/tile/<level>/<number>[.p/<width>]``."""
        level_text, _, rest = str(exchange.parameters["path"]).partition("/")
        if level_text == "entries":
            return await self._entries(rest)
        if not level_text.isdigit() or str(int(level_text)) != level_text or int(level_text) > _MAX_LEVEL:
            raise _no_tile()
        number, width = _tile(rest)
        start, height = number * WIDTH, int(level_text) * _HEIGHT
        if (start + width) << height > await self._size():
            raise _no_tile()
        hashes: list[bytes] = await self._front.log.call(
            "hashes", level=height, start=start, stop=start + width
        )
        if len(hashes) != width:
            raise AuditError("the log gave fewer hashes than it has")
        return Answer(body=b"".join(hashes), media_type=_BYTES, headers=_FOREVER)

    async def _entries(self, rest: str) -> Answer:
        number, width = _tile(rest)
        start = number * WIDTH
        if start + width > await self._size():
            raise _no_tile()
        records: list[bytes] = await self._front.log.call("records", start=start, stop=start + width)
        if len(records) != width:
            raise AuditError("the log gave fewer records than it has")
        if any(len(record) >> (8 * _LENGTH_BYTES) for record in records):
            raise HttpProblem(500, "internal_error", "a record of this tile is too long for an entry bundle")
        body = b"".join(len(record).to_bytes(_LENGTH_BYTES, "big") + record for record in records)
        return Answer(body=body, media_type=_BYTES, headers=_FOREVER)

    async def _size(self) -> int:
        size: int = await self._front.log.call("size")
        return size


def _tile(text: str) -> tuple[int, int]:
    """Number and width of a tile from its path: ``x001/x234/067.p/12``."""
    found = _PARTIAL.fullmatch(text)
    if found is None or not _NUMBER.fullmatch(found["number"]) or len(found["number"]) > _MAX_NUMBER:
        raise _no_tile()
    number = int(found["number"].replace("x", "").replace("/", ""))
    width = int(found["width"] or WIDTH)
    if width > WIDTH or _number_text(number) != found["number"]:
        raise _no_tile()
    return number, width


def _number_text(number: int) -> str:
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:  # noqa: PLR2004 - three digits a folder
        number //= 1000
        groups.append(f"x{number % 1000:03d}")
    return "/".join(reversed(groups))


def _no_tile() -> HttpProblem:
    return HttpProblem(404, "not_found", "there is no such tile")


def _whole(exchange: Exchange, name: str, default: int | None = None) -> int:
    text = exchange.query.get(name)
    if text is None and default is not None:
        return default
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 15:  # noqa: PLR2004
        raise HttpProblem(400, "invalid_parameter", f"{name}: expected a whole number")
    return int(text)


def log_routes(front: Front, guard: Guard) -> list[Route]:
    """The routes."""
    log = LogApi(front)

    def endpoint(handler: Any) -> Endpoint:
        return Endpoint(guard, handler, permission="read")

    return [
        Route("/v1/log/checkpoint", endpoint(log.checkpoint), methods=["GET"]),
        Route("/v1/log/proof/inclusion", endpoint(log.inclusion), methods=["GET"]),
        Route("/v1/log/proof/consistency", endpoint(log.consistency), methods=["GET"]),
        Route("/v1/log/tile/{path:path}", endpoint(log.tile), methods=["GET"]),
    ]
