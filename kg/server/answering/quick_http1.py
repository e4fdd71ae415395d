"""HTTP/1.1 whose short requests are answered before they have a task, or have even been parsed."""

from __future__ import annotations

from math import inf
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from kg.server.answering.heads import Heads
from kg.server.answering.quick import Attempt, Quick
from kg.server.wire.cache import Entry
from kg.server.wire.http1 import Http1
from kg.server.wire.joined import Joined
from kg.server.wire.notes import Note


class QuickHttp1(Http1):
    """A connection. Until a request is answered it is in one of three states.

    Begun without having been parsed (``_raw``); begun and parsed (``_begun``); handed to a task.
    It gets from each to the next as soon as anything is out of the ordinary.
    """

    quick: Quick

    # Those of all connections of this process: what their answers begin with.
    _heads = Heads()

    _raw: bytes | None = None
    _begun: tuple[RequestResponseCycle, Any] | None = None  # what goes on with it, if need be
    _quick = False  # whether a request may be begun before it has a task
    _alone = b""  # what has been read, if it begins with that request's first byte
    _catching_up = False
    _in_message = False
    _rested = -inf  # when the last one ended that was not parsed

    def connection_lost(self, exc: Exception | None) -> None:
        """Let whatever goes on with a request know."""
        self._catch_up()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come: begin it, or have it parsed."""
        self._catch_up()
        if self._at_rest():
            self._raw = data
            if self.quick.known(self._peer, data, self):
                if self._timer:
                    self._disarm()
                return
            self._raw = None
            self._alone = data
        # One in what was read together: the others must not keep the loop to themselves.
        self._quick = not self.flow.write_paused
        super().data_received(data)
        self._alone = b""

    def _at_rest(self) -> bool:
        """Say whether all requests before have been answered, and the answers taken."""
        if self._in_message or self._head:
            return False
        if self.flow.write_paused or self.transport.is_closing():
            return False
        return self.cycle is None or self.cycle.response_complete

    def _catch_up(self) -> None:
        """Parse the request that is being answered, if it was not: it is no longer alone."""
        if self._raw is not None:
            raw, self._raw = self._raw, None
            self._unset_keepalive_if_required()
            self._catching_up = True
            self._feed(raw)  # as it was parsed before, but for its query
            self._catching_up = False

    def on_message_begin(self) -> None:
        """Know that the parser is in the middle of a request."""
        super().on_message_begin()
        self._in_message = True

    def on_message_complete(self) -> None:
        """Know that it has parsed all of it, unless it has to do so once more."""
        self._in_message = bool(self._again)
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Begin a request; most that are short need no task."""
        if self._catching_up:
            self._begun = cycle, app
            return
        if self._quick and cycle.keep_alive and not cycle.waiting_for_100_continue:
            self._quick = False
            self._begun = cycle, app
            if self.quick.begin(self._peer, cast(Any, cycle.scope), self._alone, self):
                return
            self._begun = None
        super()._start_asgi_task(cycle, app)

    def go_on(self, attempt: Attempt) -> None:
        """Have a task answer what has been begun."""
        self._catch_up()
        assert self._begun
        (cycle, app), self._begun = self._begun, None
        cast(dict[str, Any], cycle.scope)["kg.attempt"] = attempt
        super()._start_asgi_task(cycle, app)

    def reply(self, entry: Entry, key: str | None) -> None:
        """Send a complete answer, as ``cycle.send`` would."""
        head = self._heads.head(self.server_state.default_headers, entry, key)
        transport = cast(Joined, self.transport)
        if self._raw is not None:
            self._raw = None
            transport.write_now(head + entry.body)
            self.server_state.total_requests += 1
            self._rested = self.loop.time()
            if self.timeout_keep_alive_task is None:
                self._wait(self.timeout_keep_alive)
            return
        assert self._begun
        (cycle, _), self._begun = self._begun, None
        if cycle.disconnected:
            return
        cycle.response_started = cycle.response_complete = True
        if cycle.keep_alive:
            transport.write_now(head + entry.body)
        else:  # the server has been told to stop
            transport.write_now(head[:-2] + b"connection: close\r\n\r\n" + entry.body)
            transport.close()
        self.on_response_complete()

    def _wait(self, seconds: float) -> None:
        handler = self.timeout_keep_alive_handler
        self.timeout_keep_alive_task = self.loop.call_later(seconds, handler)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that is used no more; one timer may serve for many requests."""
        self.timeout_keep_alive_task = None
        left = self._rested + self.timeout_keep_alive - self.loop.time()
        if self._raw is None and left > 0:
            self._wait(left)
        elif self._raw is None:
            super().timeout_keep_alive_handler()

    def shutdown(self) -> None:
        """Close the connection, after the answer to the request that it is at."""
        self._catch_up()
        super().shutdown()


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
    return type("Http1", (QuickHttp1 if quick else Http1,), more)
