"""HTTP/1.1 as uvicorn reads it, with what it leaves open.

That is: heads that are slow, endless or too many; content that turns out to be no HTTP; trailers,
which are no headers; and clients that would rather speak another protocol but need not.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from kg.server.wire.headers import EVERYWHERE
from kg.server.wire.joined import Joined
from kg.server.wire.notes import Note, Notes
from kg.server.wire.problems import MEDIA_TYPE, Problem

# From a request's first byte to the end of its head, in seconds.
HEAD_SECONDS = 10.0
# Of a request's line and headers; the parser itself takes no address of 64 KiB or more.
HEAD_BYTES = 128 * 1024
_ADDRESS_BYTES = 64 * 1024 - 1
# Of what stands around the content, beyond this and that many times the content: the sizes of
# chunks and what follows them. A chunk of one byte has five around it.
_AROUND_BYTES, _AROUND_TIMES = 128 * 1024, 8
# Of the path of a request that is refused, in the log; characters.
_PATH_SHOWN = 200
# Open connections of one address, and requests on one that have not been begun.
CONNECTIONS_EACH = 512
_AHEAD = 512


class Http1(HttpToolsProtocol):
    """Cuts off whoever sends a head too slowly or without end, or opens too many connections."""

    # Of all connections of this process.
    _open: Counter[str] = Counter()
    bounded = True  # not behind a proxy, where all connections are of one address
    note: Note | None = None

    _peer = ""
    _in_head = True
    _head = 0
    _rest = 0  # bytes that came after the head
    _content = 0  # of these, content
    _again = b""  # a head to be parsed once more
    _began = 0.0
    _timer: asyncio.TimerHandle | None = None
    _running: RequestResponseCycle | None = None  # the request that has a task

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection; its first request must come soon."""
        super().connection_made(cast(asyncio.Transport, Joined(transport)))
        self._peer = str((transport.get_extra_info("peername") or ("",))[0])
        self._open[self._peer] += 1
        self._began = self.loop.time()
        if self.bounded and self._open[self._peer] > CONNECTIONS_EACH:
            transport.abort()
            self._noted(0, "too many connections")
            return
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no more."""
        self._disarm()
        self._open[self._peer] -= 1
        if self._open[self._peer] <= 0:
            del self._open[self._peer]
        if self._running and not self._running.response_complete:
            # Others may have been sent behind it, and only the last would hear of it.
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come, unless a head gets too long."""
        if self._in_head:
            if not self._head:
                self._began = self.loop.time()
            self._head += len(data)
        else:
            self._rest += len(data)
        self._unset_keepalive_if_required()
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self.send_400_response("")
            return
        if not self._in_head:
            if self._rest - _AROUND_TIMES * self._content > _AROUND_BYTES:
                self._refuse(Problem(400, detail="There is too much around the content."))
        elif self._head > HEAD_BYTES:
            self._refuse(self._too_long())
        elif self._head and self._timer is None:  # most heads come whole
            self._arm()

    def _feed(self, data: bytes) -> None:
        """Parse what has come. Raises ``HttpParserError``."""
        rest = memoryview(data)
        while rest:
            try:
                self.parser.feed_data(rest)
                return
            except httptools.HttpParserUpgrade as upgrade:
                # The parser takes what follows for another protocol; here it is the content, and
                # the next request. Without that header it sees it so, too.
                rest = rest[upgrade.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.feed_data(self._again)

    def on_message_begin(self) -> None:
        """Let the application see how much of its answer has been taken."""
        super().on_message_begin()
        cast(dict[str, Any], self.scope)["kg.transport"] = self.transport

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, and no trailer: whoever forwards requests may not have looked at those."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop the clock: what follows has the application's own limits."""
        if self.parser.should_upgrade() and (method := self.parser.get_method()) != b"CONNECT":
            version = self.parser.get_http_version().encode()
            lines = [b"%b %b HTTP/%b" % (method, self._url, version)]
            lines += [b"%b: %b" % pair for pair in self.headers if pair[0] != b"upgrade"]
            self._again = b"\r\n".join([*lines, b"", b""])
            return
        self._again = b""
        self._head = self._rest = self._content = 0
        self._disarm()
        if self.expect_100_continue and self.parser.get_http_version() == "1.0":
            self.expect_100_continue = False  # RFC 9110, section 10.1.1
        super().on_headers_complete()
        if len(self.pipeline) > _AHEAD:
            raise httptools.HttpParserError
        if self.expect_100_continue:
            # Answered without a look at its content, it might send that all the same, or not.
            self.cycle.keep_alive = False
        self._in_head = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Remember the request that is at work, and whether its client has left already."""
        self._running = cycle
        cycle.disconnected = cycle.disconnected or self.transport.is_closing()
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        """Take content."""
        self._content += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Be ready for the next head; until its first byte the keep-alive time counts."""
        if self._again:
            return
        self._in_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP in the shape of all other errors."""
        if len(self._url) > _ADDRESS_BYTES:
            self._refuse(self._too_long())
        else:
            what = "request" if self._in_head else "request's content"
            self._refuse(Problem(400, detail=f"The {what} is not HTTP."))

    def _too_long(self) -> Problem:
        if len(self._url) > _ADDRESS_BYTES:
            return Problem(414, detail="The address is too long; send a query by POST.")
        return Problem(431, detail="The request's line and headers are too long.")

    def _arm(self) -> None:
        self._disarm()
        self._timer = asyncio.get_running_loop().call_later(HEAD_SECONDS, self._late)

    def _disarm(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self._in_head and not self.transport.is_closing():
            self._refuse(Problem(408, detail="The request's headers did not arrive in time."))

    def _refuse(self, problem: Problem) -> None:
        if self.transport.is_closing():
            return
        cycle = self.cycle
        if not self._in_head:
            # It is the content of a request that is being answered, or has been.
            if not cycle.response_started and not self.pipeline:
                scope = cast(dict[str, Any], cycle.scope)
                scope["kg.refused"] = problem  # it is logged and counted as it would have been
                self._answer(problem, scope["method"] != "HEAD")
                cycle.disconnected = True
                cycle.message_event.set()
        elif cycle is not None and not cycle.response_complete:
            # In the middle of the answer before it there is no place for another.
            self._noted(0, problem.outcome)
        else:
            self._answer(problem, True)
            self._noted(problem.status, problem.outcome)
        self.transport.close()

    def _answer(self, problem: Problem, with_content: bool) -> None:
        body = problem.body()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"connection", b"close"),
            *EVERYWHERE,
        ]
        head = f"HTTP/1.1 {problem.status} {problem.title}\r\n".encode()
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(head + lines + b"\r\n" + (body if with_content else b""))

    def _noted(self, status: int, outcome: str) -> None:
        """Have it logged and counted, with as much of the request as was understood."""
        if self.note is None:
            return
        known = cast(dict[str, Any] | None, self.scope) or {}
        path = known.get("path") or self._url.partition(b"?")[0].decode("latin-1")[:_PATH_SHOWN]
        scope = {
            "client": self.client,
            "headers": self.headers or [],
            "method": known.get("method", ""),
            "path": path,
        }
        self.note(scope, status, Notes(outcome), self.loop.time() - self._began)

    @property
    def _url(self) -> bytes:
        return getattr(self, "url", b"")  # which there is from the first request on
