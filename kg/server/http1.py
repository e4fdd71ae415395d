"""HTTP/1.1 as uvicorn reads it, with what it leaves open: slow, endless and too many heads."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from kg.server.headers import EVERYWHERE
from kg.server.notes import Note, Notes
from kg.server.problems import MEDIA_TYPE, Problem
from kg.server.quick import Headers, Quick

# From a request's first byte to the end of its head, in seconds.
HEAD_SECONDS = 10.0
# Of a request's line and headers; the parser itself takes no address of 64 KiB or more.
HEAD_BYTES = 128 * 1024
_ADDRESS_BYTES = 64 * 1024 - 1
# More is not held back to be sent in one piece.
_AT_ONCE = 16 * 1024
# Of the path of a request that is refused, in the log; characters.
_PATH_SHOWN = 200
_EVERYWHERE = b"\r\n".join(b"%b: %b" % pair for pair in EVERYWHERE)
# Open connections of one address.
CONNECTIONS_EACH = 512


class Joined:
    """A transport that sends in one piece what is written to it within one turn of the loop.

    A response's head and its content come as two writes, and would go as two packets.
    """

    def __init__(self, inner: asyncio.Transport) -> None:
        self._inner = inner
        self._loop = asyncio.get_running_loop()
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        """Send bytes, soon."""
        self._parts.append(data)
        self._size += len(data)
        if self._size > _AT_ONCE:
            self._flush()
        elif len(self._parts) == 1:
            self._loop.call_soon(self._flush)

    def write_now(self, data: bytes) -> None:
        """Send bytes, and whatever waits."""
        self._parts.append(data)
        self._flush()

    def _flush(self) -> None:
        if self._parts and not self._inner.is_closing():
            data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            self._inner.write(data)
        self._parts.clear()
        self._size = 0

    def close(self) -> None:
        """Close once everything has been sent."""
        self._flush()
        self._inner.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Http1(HttpToolsProtocol):
    """Cuts off whoever sends a head too slowly or without end, or opens too many connections."""

    # Of all connections of this process.
    _open: Counter[str] = Counter()
    bounded = True  # not behind a proxy, where all connections are of one address
    note: Note | None = None
    quick: Quick | None = None

    _quick = False  # whether a request may be begun before it has a task
    _peer = ""
    _in_head = True
    _head = 0
    _began = 0.0
    _timer: asyncio.TimerHandle | None = None

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
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come, unless a head gets too long."""
        if self._in_head:
            if not self._head:
                self._began = self.loop.time()
            self._head += len(data)
            if self._head > HEAD_BYTES + len(data):
                self._refuse(self._too_long())
                return
        # One in what was read together: the others must not keep the loop to themselves.
        self._quick = self.quick is not None and not self.flow.write_paused
        super().data_received(data)
        if self._in_head and self._head and self._timer is None:  # most heads come whole
            self._arm()

    def on_message_begin(self) -> None:
        """Let the application see how much of its answer has been taken."""
        super().on_message_begin()
        cast(dict[str, Any], self.scope)["kg.transport"] = self.transport

    def on_headers_complete(self) -> None:
        """Stop the clock: what follows has the application's own limits."""
        self._in_head = False
        self._head = 0
        self._disarm()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Be ready for the next head; until its first byte the keep-alive time counts."""
        self._in_head = True
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Begin a request; most that are short need no task."""
        go_on = partial(super()._start_asgi_task, cycle, app)
        if self._quick and cycle.keep_alive and not cycle.waiting_for_100_continue:
            self._quick = False
            assert self.quick
            if self.quick.begin(cast(Any, cycle.scope), partial(self._reply, cycle), go_on):
                return
        go_on()

    def _reply(self, cycle: RequestResponseCycle, headers: Headers, body: bytes) -> None:
        """Send a complete answer, as ``cycle.send`` would."""
        if cycle.disconnected:
            return
        cycle.response_started = cycle.response_complete = True
        lines = [b"HTTP/1.1 200 OK"]
        lines += [b"%b: %b" % pair for pair in self.server_state.default_headers]
        lines += [b"%b: %b" % pair for pair in headers]
        if not cycle.keep_alive:  # the server has been told to stop
            lines.append(b"connection: close")
        lines += [_EVERYWHERE, b"", body]
        cast(Joined, self.transport).write_now(b"\r\n".join(lines))
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP in the shape of all other errors."""
        if len(self._url) > _ADDRESS_BYTES:
            self._refuse(self._too_long())
        else:
            self._refuse(Problem(400, detail="The request is not HTTP."))

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
        if self.cycle is not None and not self.cycle.response_complete:
            # In the middle of the answer before it there is no place for another.
            self._noted(0, problem.outcome)
            self.transport.close()
            return
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
        self.transport.write(head + lines + b"\r\n" + body)
        self._noted(problem.status, problem.outcome)
        self.transport.close()

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


def protocol(proxied: bool, note: Note | None = None, quick: Quick | None = None) -> type[Any]:
    """Return the protocol to serve with; behind a proxy connections are not counted.

    ``note`` is called for each request that is refused before the application sees it, and
    ``quick`` begins those that can do without a task.
    """
    more = {
        "bounded": not proxied,
        "note": staticmethod(note) if note else None,
        "quick": quick,
    }
    return type("Http1", (Http1,), more)
