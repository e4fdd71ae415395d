"""HTTP/1.1 as uvicorn reads it, with what it leaves open: slow, endless and too many heads."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kg.server.problems import MEDIA_TYPE, Problem

# From a request's first byte to the end of its head, in seconds.
HEAD_SECONDS = 10.0
# Of a request's line and headers; the parser itself takes no address of 64 KiB or more.
HEAD_BYTES = 128 * 1024
_ADDRESS_BYTES = 64 * 1024 - 1
# More is not held back to be sent in one piece.
_AT_ONCE = 16 * 1024
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

    _peer = ""
    _in_head = True
    _head = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection; its first request must come soon."""
        super().connection_made(cast(asyncio.Transport, Joined(transport)))
        self._peer = str((transport.get_extra_info("peername") or ("",))[0])
        self._open[self._peer] += 1
        if self.bounded and self._open[self._peer] > CONNECTIONS_EACH:
            transport.abort()
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
            self._head += len(data)
            if self._head > HEAD_BYTES + len(data):
                self._refuse(self._too_long())
                return
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

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP in the shape of all other errors."""
        if len(self.url) > _ADDRESS_BYTES:
            self._refuse(self._too_long())
        else:
            self._refuse(Problem(400, detail="The request is not HTTP."))

    def _too_long(self) -> Problem:
        if len(self.url) > _ADDRESS_BYTES:
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
        body = problem.body()
        head = (
            f"HTTP/1.1 {problem.status} {problem.title}\r\n"
            f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
            "x-content-type-options: nosniff\r\n"
            "content-security-policy: default-src 'none'; frame-ancestors 'none'; sandbox\r\n"
            "cache-control: no-store\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


def protocol(proxied: bool) -> type[Any]:
    """Return the protocol to serve with; behind a proxy connections are not counted."""
    return type("Http1", (Http1,), {"bounded": not proxied})
