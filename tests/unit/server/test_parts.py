"""Parts of the server that need no process: frames, tokens, tiles, bodies, who is asked next."""

import asyncio
import gzip
import hashlib
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("starlette")

from starlette.applications import Starlette
from starlette.routing import Route

from plangate.audit.base import Entry
from plangate.errors import EngineError, UsageError
from plangate.server import children
from plangate.server.access import Access, read_digests
from plangate.server.app import Direct
from plangate.server.body import WHOLE, GoneError, read_body
from plangate.server.endpoint import Endpoint, Receive, Scope, Send
from plangate.server.exchange import HttpProblem
from plangate.server.front import Decided
from plangate.server.judges import Judges
from plangate.server.link import Link
from plangate.server.log_api import _number_text, _tile
from plangate.server.messages import (
    Append,
    BadFrameError,
    Call,
    Control,
    Frames,
    Hello,
    Message,
    Returned,
    frame,
)
from plangate.server_settings import CallerSettings, ServerLimitSettings, ServerSettings
from plangate.wiring.choices import now

MESSAGES = st.one_of(
    st.builds(Append, number=st.integers(0, 9), record=st.binary(max_size=50), key=st.text(max_size=9)),
    st.builds(Call, number=st.integers(0, 9), name=st.text(max_size=9), arguments=st.just({"a": [1, b"x"]})),
    st.builds(Control, word=st.text(max_size=9), generation=st.integers(0, 9)),
)


@given(messages=st.lists(MESSAGES, max_size=6), data=st.data())
def test_messages_are_the_same_however_their_bytes_arrive(
    messages: list[Message], data: st.DataObject
) -> None:
    whole = b"".join(map(frame, messages))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    frames = Frames()
    heard: list[Message] = []
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        heard += frames.feed(whole[start:end])
    assert heard == messages


@given(garbage=st.binary(min_size=1, max_size=60))
def test_what_is_no_message_is_never_taken_for_one(garbage: bytes) -> None:
    with pytest.raises(BadFrameError):
        list(Frames().feed(len(garbage).to_bytes(4, "big") + b"\xc1" + garbage))


def test_a_frame_has_a_limit() -> None:
    with pytest.raises(BadFrameError, match="limit"):
        list(Frames().feed(b"\xff\xff\xff\xff"))


@given(number=st.integers(0, 10**12), width=st.integers(1, 256))
def test_the_path_of_a_tile_leads_back_to_it(number: int, width: int) -> None:
    text = _number_text(number)
    assert _tile(f"{text}.p/{width}") == (number, width)
    assert _tile(text) == (number, 256)


@given(text=st.text(alphabet="0123456789x/.p", max_size=16))
def test_a_tile_has_one_path_only(text: str) -> None:
    try:
        number, width = _tile(text)
    except HttpProblem:
        return
    assert text in {_number_text(number), f"{_number_text(number)}.p/{width}"}


@pytest.mark.parametrize(
    ("result", "mode", "allowed"),
    [
        ("allow", "enforce", True),
        ("allow", "warn", True),
        ("deny", "enforce", False),
        ("deny", "warn", True),
        ("error", "enforce", False),
        ("error", "warn", False),
        ("", "warn", False),
        ("nothing", "warn", False),
    ],
)
def test_only_an_allow_or_a_denial_that_is_only_told_lets_anybody_go_on(
    result: str, mode: str, allowed: bool
) -> None:
    entry = Entry(index=0, size=1, root=bytes(32), leaf_hash=bytes(32))
    decided = Decided(
        decision_id="x", result=result, mode=mode, document=b"{}", entry=entry, record=b"", time=now(),
        policy_sha256="",
    )  # fmt: skip
    assert decided.allowed is allowed


# --- who asks


def digest(token: str) -> str:
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"


def scope(authorization: str = "", *names: str) -> dict[str, Any]:
    headers = [(b"authorization", authorization.encode())] if authorization else []
    return {"headers": headers, "extensions": {"tls": {"client_names": names}} if names else {}}


@pytest.fixture
def access(tmp_path: Path) -> Access:
    (tmp_path / "a").write_text(f"{digest('one')}\n{digest('two')} here\n{digest('three')} there\n")
    settings = ServerSettings(
        audience="here",
        callers={
            "a": CallerSettings(may=["ask"], tokens="a", certificate="cn:a"),
            "b": CallerSettings(may=["read"], certificate="uri:b"),
        },
    )
    return Access(settings, tmp_path)


@pytest.mark.parametrize(
    ("request_scope", "name", "identity"),
    [
        (scope(), "anonymous", "anonymous"),
        (scope("Bearer one"), "a", "a"),
        (scope("bearer  two "), "a", "a"),
        (scope("", "cn:a"), "a", "a (cn:a)"),
        (scope("", "dns:x", "uri:b"), "b", "b (dns:x)"),
        (scope("", "cn:unknown"), "anonymous", "anonymous (cn:unknown)"),
        (scope("Bearer one", "cn:a"), "a", "a (cn:a)"),
        (scope("Bearer one", "cn:unknown"), "a", "a (cn:unknown)"),
    ],
)
def test_a_caller_is_known_by_token_or_certificate(
    access: Access, request_scope: Mapping[str, Any], name: str, identity: str
) -> None:
    caller = access.identify(request_scope)
    assert (caller.name, caller.identity) == (name, identity)


@pytest.mark.parametrize(
    "request_scope",
    [scope("Bearer three"), scope("Bearer"), scope("one"), scope("Bearer one", "uri:b"), scope("Bearer " + "x" * 9_000)],
)  # fmt: skip
def test_wrong_credentials_are_of_nobody(access: Access, request_scope: Mapping[str, Any]) -> None:
    with pytest.raises(HttpProblem) as caught:
        access.identify(request_scope)
    assert caught.value.status == 401


@pytest.mark.parametrize("line", ["one", "sha256:abc", f"{digest('x').upper()}", f"{digest('x')} a b"])
def test_a_file_of_digests_holds_nothing_else(tmp_path: Path, line: str) -> None:
    (tmp_path / "t").write_text(f"# a comment\n\n{line}\n")
    with pytest.raises(UsageError, match=":3:"):
        read_digests(tmp_path / "t", "")


# --- bodies

LIMITS = ServerLimitSettings(max_body_bytes=100, body_timeout_s=0.2)


def body_of(pieces: list[bytes], headers: list[tuple[bytes, bytes]], *, gone: bool = False) -> bytes:
    waiting = list(pieces)

    async def receive() -> Mapping[str, Any]:
        if not waiting:
            if gone:
                return {"type": "http.disconnect"}
            await asyncio.sleep(10)
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting) or gone}

    return asyncio.run(read_body({"headers": headers}, receive, LIMITS))


@given(pieces=st.lists(st.binary(max_size=30), min_size=1, max_size=6))
def test_a_body_is_the_whole_of_its_pieces_or_refused(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    if len(whole) <= LIMITS.max_body_bytes:
        assert body_of(pieces, []) == whole
    else:
        with pytest.raises(HttpProblem) as caught:
            body_of(pieces, [])
        assert caught.value.status == 413


def test_bodies_that_lie_or_never_end_are_refused() -> None:
    for headers, pieces, status in (
        ([(b"content-length", b"101")], [b"x"], 413),
        ([(b"content-length", b"-1")], [b"x"], 400),
        ([(b"content-encoding", b"br")], [b"x"], 415),
        ([(b"content-encoding", b"gzip")], [b"x"], 400),
        ([(b"content-encoding", b"gzip")], [gzip.compress(b"x" * 101)], 413),
        ([(b"content-encoding", b"gzip")], [gzip.compress(b"x") + b"more"], 400),
        ([(b"content-encoding", b"gzip")], [gzip.compress(b"x")[:-1]], 400),
        ([], [], 408),
    ):
        with pytest.raises(HttpProblem) as caught:
            body_of(pieces, headers)
        assert caught.value.status == status
    with pytest.raises(GoneError):
        body_of([b"x"], [], gone=True)


def test_without_a_judge_there_is_no_answer() -> None:
    async def ask() -> None:
        await Judges(lambda _: None).ask(lambda number: Call(number=number, name="x", arguments={}), 0.05)

    with pytest.raises(EngineError, match="longer than"):
        asyncio.run(ask())


async def _come(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A judge that connects."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(frame(Hello(pid=os.getpid(), generation=0, policies={})))
    return reader, writer


async def _asked(path: Path, count: int) -> tuple[socket.socket, list["asyncio.Task[Any]"]]:
    """As many questions as that, asked in one turn of the loop."""
    judges = Judges(lambda _: None)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    await judges.listen(listener)

    def question(name: str) -> "asyncio.Task[Any]":
        return asyncio.create_task(judges.ask(lambda number: Call(number=number, name=name, arguments={}), 5))

    return listener, [question(str(number)) for number in range(count)]


def test_questions_that_wait_are_handed_over_at_once_and_answered_one_by_one(tmp_path: Path) -> None:
    async def run() -> None:
        listener, tasks = await _asked(tmp_path / "s", 5)
        reader, writer = await _come(tmp_path / "s")
        questions = list(Frames().feed(await reader.read(1 << 16)))
        assert [question.name for question in questions if isinstance(question, Call)] == list("01234")
        for question in reversed(questions):
            assert isinstance(question, Call)
            writer.write(frame(Returned(number=question.number, value=question.name)))
        assert [(await task).value for task in tasks] == list("01234")
        writer.close()
        listener.close()

    asyncio.run(run())


def test_a_question_that_ends_its_judge_takes_none_of_those_along_that_came_with_it(tmp_path: Path) -> None:
    async def run() -> None:
        listener, tasks = await _asked(tmp_path / "s", 4)
        reader, writer = await _come(tmp_path / "s")
        questions = list(Frames().feed(await reader.read(1 << 16)))
        writer.write(frame(Returned(number=questions[0].number, value="0")))  # type: ignore[union-attr]  # a call
        await writer.drain()
        assert (await tasks[0]).value == "0"
        writer.close()  # at the second
        reader, writer = await _come(tmp_path / "s")
        frames, rest = Frames(), 2
        while rest:
            for question in frames.feed(await reader.read(1 << 16)):
                assert isinstance(question, Call)
                writer.write(frame(Returned(number=question.number, value=question.name)))
                rest -= 1
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(found[1], EngineError)
        assert [item.value for item in found if not isinstance(item, BaseException)] == ["0", "2", "3"]
        writer.close()
        listener.close()

    asyncio.run(run())


async def _link(path: Path) -> tuple[Link, asyncio.StreamReader, asyncio.StreamWriter, asyncio.Server]:
    """A link and the other end of it."""
    came: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await came.put((reader, writer))

    server = await asyncio.start_unix_server(take, path)
    _, link = await asyncio.get_running_loop().create_unix_connection(Link, str(path))
    return link, *(await came.get()), server


def test_a_question_without_an_answer_is_given_up_and_the_others_are_not(tmp_path: Path) -> None:
    async def ask() -> None:
        link, _, other, server = await _link(tmp_path / "s")
        async with server:
            late = [
                link.ask(number, Call(number=number, name="size", arguments={}), 0.3) for number in (1, 2)
            ]
            await asyncio.sleep(0.15)
            third = link.ask(3, Call(number=3, name="size", arguments={}), 0.3)
            other.write(frame(Returned(number=2, value="two")))
            with pytest.raises(TimeoutError):
                await late[0]
            assert await late[1] == Returned(number=2, value="two")
            assert not third.done()
            other.write(
                frame(Returned(number=1, value="too late")) + frame(Returned(number=3, value="three"))
            )
            assert await third == Returned(number=3, value="three")
            assert link.waiting == 0
            link.close()
            other.close()

    asyncio.run(asyncio.wait_for(ask(), 10))


def test_a_lost_connection_leaves_no_question_waiting_for_its_time(tmp_path: Path) -> None:
    async def ask() -> None:
        link, _, other, server = await _link(tmp_path / "s")
        async with server:
            asked = link.ask(1, Call(number=1, name="size", arguments={}), 60)
            other.close()
            with pytest.raises(ConnectionError):
                await asked

    asyncio.run(asyncio.wait_for(ask(), 10))


def test_a_body_that_is_there_is_read_however_little_time_there_is() -> None:
    async def receive() -> Mapping[str, Any]:
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"whole", "more_body": False}

    limits = ServerLimitSettings(max_body_bytes=100, body_timeout_s=0)
    assert asyncio.run(read_body({"headers": [], WHOLE: True}, receive, limits)) == b"whole"
    with pytest.raises(HttpProblem):
        asyncio.run(read_body({"headers": []}, receive, limits))


class _Named(Endpoint):
    """An endpoint that says its name."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive, send
        scope["said"] = self._name


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("POST", "/asked", "post"),
        ("GET", "/asked", "get"),
        ("POST", "/named/x", "with a parameter"),
        ("POST", "/asked/", None),
        ("PUT", "/asked", None),
    ],
)
def test_the_short_way_leads_where_the_long_one_does(method: str, path: str, said: str | None) -> None:
    routes = [
        Route("/asked", _Named("post"), methods=["POST"]),
        Route("/asked", _Named("get"), methods=["GET"]),
        Route("/named/{name}", _Named("with a parameter"), methods=["POST"]),
    ]
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False

    async def send(_: Any) -> None:
        """Nobody listens."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    for each in (app, Direct(app)):
        found: dict[str, Any] = {"type": "http", "method": method, "path": path, "headers": []}
        asyncio.run(each(found, receive, send))
        assert found.get("said") == said


@pytest.mark.skipif(sys.platform != "linux", reason="names of processes are read from /proc")
def test_a_process_of_the_server_can_be_told_from_the_others() -> None:
    def wait() -> int:
        time.sleep(30)
        return 0

    pid = children.start(wait, name="plangate-log")
    try:
        until = time.monotonic() + 5
        while Path(f"/proc/{pid}/comm").read_text() != "plangate-log\n":
            assert time.monotonic() < until
            time.sleep(0.01)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
