"""Requests that are answered before they have a task, or even before they have been parsed."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from kg.server.answering.quick_http1 import QuickHttp1, protocol
from kg.server.wire.cache import Entry

from .conftest import PATIENCE, Serve, Server, numbers, publish, wait_for

ENTRY = Entry("text/plain", None, b"quick", 1)
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"


def head(text: str, more: str = "") -> bytes:
    address = f"/sparql?query={quote(text, safe='')}"
    return f"GET {address} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode()


class Wire(asyncio.Transport):
    """The other end of a connection."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = self.paused = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name == "peername" else default

    def write(self, data: Any) -> None:
        self.sent += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    @property
    def bodies(self) -> list[bytes]:
        return [part.partition(b"\r\n\r\n")[2] for part in self.sent.split(b"HTTP/1.1 200")[1:]]


class Slow:
    """Begins whatever it is given, and remembers heads as they are."""

    def __init__(self) -> None:
        self.begun: list[bytes] = []
        self.parsed = 0
        self.known_heads: set[bytes] = set()

    def known(self, _: str, data: bytes, __: QuickHttp1) -> bool:
        if data not in self.known_heads:
            return False
        self.begun.append(data)
        return True

    def begin(self, _: str, scope: Scope, data: bytes, __: QuickHttp1) -> bool:
        self.begun.append(scope["query_string"])
        self.parsed += 1
        self.known_heads.add(data)
        return True


class Talk:
    """A connection with everything that it is part of."""

    def __init__(self) -> None:
        self.quick, self.wire = Slow(), Wire()
        self.attempts: list[Any] = []
        self.messages: list[str] = []
        config = Config(self.app, interface="asgi3", proxy_headers=False, date_header=False)
        kind = protocol(False, None, self.quick)  # type: ignore[arg-type]
        self.connection: QuickHttp1 = kind(config, ServerState(), {})
        self.connection.connection_made(self.wire)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.attempts.append(scope.get("kg.attempt"))
        self.messages.append((await receive())["type"])
        start = {"type": "http.response.start", "status": 200, "headers": []}
        await send({**start, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"task"})

    def hear(self, data: bytes) -> None:
        self.connection.data_received(data)

    def answered(self) -> None:
        """Hear a short request and answer it."""
        self.hear(head("ASK {}"))
        self.connection.reply(ENTRY, None)


def talking(test: Callable[[Talk], Awaitable[None]]) -> Callable[[], None]:
    def run() -> None:
        async def within() -> None:
            talk = Talk()
            async with asyncio.timeout(PATIENCE):
                await test(talk)
            talk.connection.connection_lost(None)

        asyncio.run(within())

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@talking
async def test_one_of_those_read_together_is_begun_and_the_others_wait_for_it(talk: Talk) -> None:
    talk.hear(b"".join(head(f"ASK {{}} #{n}") for n in range(5)))
    await settled()
    assert len(talk.quick.begun) == 1
    assert talk.wire.paused
    assert not talk.attempts
    assert talk.wire.sent == b""
    talk.connection.reply(ENTRY, None)
    await settled()
    assert len(talk.quick.begun) == 1
    assert talk.attempts == [None] * 4
    assert talk.wire.bodies == [b"quick", *[b"task"] * 4]
    # With the next bytes there may be another.
    talk.hear(head("ASK {} #5") + head("ASK {} #6"))
    assert len(talk.quick.begun) == 2
    talk.connection.reply(ENTRY, None)
    await settled()
    assert talk.wire.bodies[5:] == [b"quick", b"task"]


@talking
async def test_a_head_that_is_known_is_not_parsed(talk: Talk) -> None:
    for _ in range(3):
        talk.hear(head("ASK {}"))
        talk.connection.reply(ENTRY, "tag")
    assert talk.quick.parsed == 1
    assert len(talk.quick.begun) == 3
    first, *others = talk.wire.sent.split(b"HTTP/1.1 200")[1:]
    assert others == [first] * 2
    assert b'etag: W/"tag"' in first


@talking
async def test_what_has_not_been_parsed_is_parsed_when_more_comes(talk: Talk) -> None:
    talk.answered()
    talk.hear(head("ASK {}"))
    talk.hear(head("ASK {} #2")[:20])
    talk.hear(head("ASK {} #2")[20:] + head("ASK {}"))
    await settled()
    assert len(talk.quick.begun) == 2
    assert len(talk.wire.bodies) == 1
    talk.connection.reply(ENTRY, None)
    await settled()
    assert talk.quick.begun[2:] == [b"query=ASK%20%7B%7D%20%232"]  # one of those read together
    talk.connection.reply(ENTRY, None)
    await settled()
    assert talk.wire.bodies == [b"quick"] * 3 + [b"task"]


@talking
async def test_what_has_not_been_parsed_goes_on_with_a_task(talk: Talk) -> None:
    talk.answered()
    talk.hear(head("ASK {}"))
    attempt: Any = object()
    talk.connection.go_on(attempt)
    await settled()
    assert talk.attempts == [attempt]
    assert talk.messages == ["http.request"]
    assert talk.wire.bodies == [b"quick", b"task"]
    talk.answered()
    assert talk.wire.bodies[2:] == [b"quick"]


@talking
async def test_a_task_learns_that_the_client_left_before_there_was_one(talk: Talk) -> None:
    talk.answered()
    talk.hear(head("ASK {}"))
    talk.connection.connection_lost(None)
    attempt: Any = object()
    talk.connection.go_on(attempt)
    await settled()
    assert talk.messages == ["http.disconnect"]
    assert talk.wire.bodies == [b"quick"]
    talk.connection.connection_made(Wire())  # for it to be lost again


@talking
async def test_an_answer_for_whom_has_left_is_not_sent(talk: Talk) -> None:
    talk.answered()
    talk.hear(head("ASK {}"))
    talk.connection.connection_lost(None)
    talk.connection.reply(ENTRY, None)
    assert talk.wire.bodies == [b"quick"]
    talk.connection.connection_made(Wire())


@talking
async def test_what_has_been_begun_is_the_last_when_the_server_stops(talk: Talk) -> None:
    talk.answered()
    talk.hear(head("ASK {}"))
    talk.connection.shutdown()
    assert not talk.wire.closed
    talk.connection.reply(ENTRY, None)
    assert talk.wire.closed
    assert b"connection: close" in talk.wire.sent.split(b"HTTP/1.1 200")[-1]


@talking
async def test_a_connection_that_is_not_used_is_closed_in_time(talk: Talk) -> None:
    talk.connection.timeout_keep_alive = 1
    talk.answered()
    began = time.monotonic()
    while not talk.wire.closed:
        if time.monotonic() - began < 0.5:  # all of that time it is used
            talk.hear(head("ASK {}"))
            talk.connection.reply(ENTRY, None)
        await asyncio.sleep(0.05)
    assert time.monotonic() - began > 1.3


@talking
async def test_a_connection_is_not_closed_while_it_waits_for_an_answer(talk: Talk) -> None:
    talk.connection.timeout_keep_alive = 0
    talk.answered()
    talk.hear(head("ASK {}"))
    await asyncio.sleep(0.05)
    assert not talk.wire.closed
    talk.connection.reply(ENTRY, None)
    await asyncio.sleep(0.05)
    assert talk.wire.closed


@pytest.fixture
def server(tmp_path: Path, serve_store: Serve) -> Server:
    return serve_store(publish(tmp_path / "store", numbers(1000)), workers=8, timeout=PATIENCE)


class Line:
    """A connection to a server that stays open."""

    def __init__(self, server: Server) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
        self.stream = self.socket.makefile("rb")

    def ask(self, *parts: bytes) -> tuple[int, dict[str, str], bytes]:
        for part in parts:
            self.socket.sendall(part)
            time.sleep(0.05 if len(parts) > 1 else 0)
        status = int(self.stream.readline().split()[1])
        headers = {}
        while line := self.stream.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        return status, headers, self.stream.read(int(headers["content-length"]))


def test_no_part_of_a_head_stands_for_another(server: Server) -> None:
    """Heads that look alike in the bytes of one read are not what they look like."""
    line, query = Line(server), "SELECT (1 AS ?x) {}"
    csv = head(query, "Accept: text/csv\r\n")
    assert line.ask(csv)[2] == b"x\r\n1\r\n"
    assert line.ask(csv)[2] == b"x\r\n1\r\n"
    # The same bytes as the end of another head, in which they are the value of a header.
    other = b"GET /sparql?query=ASK%20%7B%7D HTTP/1.1\r\nAccept: text/csv\r\nX: "
    for _ in range(2):
        assert line.ask(other, head("ASK {}"))[1]["content-type"].startswith("text/csv")
    told = line.ask(head("ASK {}"))
    assert told[1]["content-type"] == "application/sparql-results+json"
    # As content that comes with the beginning of the next head.
    post = b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\n"
    post += b"Content-Length: 6\r\n\r\n"
    assert line.ask(post, b"ASK {}GET /health?", head("ASK {}"))[0] == 200
    line.stream.readline()


@pytest.mark.parametrize(
    "text", ["ASK {}", "SELECT ?a ?c { ?a ?b ?c } ORDER BY ?c LIMIT 3", "SELECT (NOW() AS ?n) {}"]
)
@pytest.mark.parametrize("more", ["", "Accept: text/csv\r\n", "Accept-Encoding: gzip\r\n"])
def test_a_known_head_is_answered_as_an_unknown_one(server: Server, text: str, more: str) -> None:
    line = Line(server)
    first = line.ask(head(text + " #1", more))
    for number in (1, 2, 2):
        status, headers, body = line.ask(head(f"{text} #{number}", more))
        assert status == first[0]
        assert set(headers) == set(first[1])
        if "NOW" not in text:
            assert body == first[2]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/sparql?query=ASK%20{}", 200),
        ("/sparql?query=ASK+%7B%7D%23%00", 200),
        ("/sparql?query=ASK+%7B%7D#x", 200),
        ("/sparql?query=ASK+%7B%7D&query=ASK+%7B%7D", 400),
        ("/sparql?query=%FF", 400),
        ("/sparql?query=" + "x" * 62_000, 414),
        ("/sparql?query=" + "x" * 66_000, 414),
        ("/sparql?update=x", 403),
        ("/sparql?query=nonsense", 400),
    ],
)
def test_what_a_known_head_may_not_ask(server: Server, address: str, status: int) -> None:
    line = Line(server)
    for _ in range(2):
        assert line.ask(head("ASK {}"))[0] == 200
    rest = head("ASK {}").partition(b"\r\n")[2]
    assert line.ask(f"GET {address} HTTP/1.1\r\n".encode() + rest)[0] == status


def test_who_leaves_ends_a_query_whose_head_was_not_parsed(server: Server) -> None:
    line = Line(server)
    for _ in range(2):
        assert line.ask(head("ASK {}"))[0] == 200
    line.socket.sendall(head(ENDLESS))
    wait_for(lambda: server.metric("kg_workers_busy") == 1)
    line.stream.close()
    line.socket.close()
    wait_for(lambda: server.metric("kg_workers_busy") == 0)
