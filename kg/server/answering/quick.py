"""Answering a query before there is a task for it, as long as it takes no time.

A task with its timers and messages costs more than most queries do. So a plain request is begun as
soon as its head has been read, and if a whole answer comes at once it is sent as it is. Whatever
takes longer, fails or is not plain goes the usual way; a query that has been begun by then keeps
its worker or its place in the queue.

Nor is the head of a request parsed if it differs from one that has been parsed in its query alone:
see ``Quick.known``.
"""

from __future__ import annotations

import asyncio
import string
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from starlette.types import Receive, Scope, Send

from kg.server.answering.answers import UNHELD, Answers, Asked, Request
from kg.server.pool import frames
from kg.server.pool.places import BusyError, Place
from kg.server.pool.workers import Worker
from kg.server.wire.cache import Entry
from kg.server.wire.leaving import SOON
from kg.server.wire.notes import Notes, asked, client_of
from kg.server.wire.problems import Problem

# After so long those are looked at again that could not be taken back from a worker; seconds.
_AGAIN = 0.005
# So many heads are remembered, none of them longer (bytes).
_HEADS, _LONGEST_HEAD = 1024, 2048
# What stands in a query string for itself, and ends nothing. RFC 3986, section 3.4, less "&".
_IN_VALUE = (string.ascii_letters + string.digits + "-._~%!$'()*+,;=:@/?").encode()
_GET, _ASKS, _VERSION = b"GET ", b"?query=", b" HTTP/1.1"


class Connection(Protocol):
    """Where a request came from."""

    def reply(self, entry: Entry, key: str | None) -> None:
        """Send a complete answer, which is kept as ``key`` or not kept."""

    def go_on(self, attempt: Attempt) -> None:
        """Have the application go on: it finds the attempt in the scope as ``kg.attempt``."""


class Endpoint(Protocol):
    """Where queries are sent: an address of SPARQL's protocol."""

    @property
    def answers(self) -> Answers:
        """Who answers its jobs."""

    def plain_job(self, scope: Scope) -> bytes | None:
        """Return the job of a plain request without its query, or ``None`` if it is not plain."""

    def plain_text(self, value: bytes) -> bytes | None:
        """Return the text of a query as an address has it; ``None`` if it is to be refused."""

    def plain_request(self, scope: Scope, job: bytes) -> Request:
        """Return the request for a job that has been written."""


class _Kind(NamedTuple):
    """Requests that differ in their query alone."""

    endpoint: Endpoint
    job: bytes  # without the query
    client: str
    asked: str  # in the log


class Quick:
    """Begins requests. ``endpoints`` are by path; ``note`` has a request logged and counted."""

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        note: Callable[[str, Notes, float], None],
        proxied: bool,
    ) -> None:
        self._endpoints = endpoints
        self._proxied = proxied
        self.note = note
        # Heads that have been parsed: address of the other end, what is before the query, what is
        # behind it.
        self._kinds: dict[tuple[str, bytes, bytes], _Kind] = {}
        # Those that have been begun lately, the oldest first; some are over.
        self._begun: deque[Attempt] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def known(self, peer: str, data: bytes, connection: Connection) -> bool:
        """Begin a request that has not been parsed, or say that it must be.

        It can be begun if another with the same head was, but for the query, by the same client.
        """
        line, _, rest = data.partition(b"\r\n")
        before, _, after = line.partition(_ASKS)
        kind = self._kinds.get((peer, before, rest))
        if kind is None or not after.endswith(_VERSION):
            return False
        value = after[: -len(_VERSION)]
        return not value.translate(None, _IN_VALUE) and self._begin(kind, value, connection)

    def begin(self, peer: str, scope: Scope, data: bytes, connection: Connection) -> bool:
        """Begin a request, or say that it is not one to be begun here.

        Then either ``connection.reply`` is called, at once or later, or ``connection.go_on``.
        ``data`` are all bytes of the request, if they came alone and together; else nothing, or
        others, from the request's first on.
        """
        target: bytes = scope["query_string"]
        if not target.startswith(_ASKS[1:]) or b"&" in target or b"%" in scope["raw_path"]:
            return False  # an escaped slash is none
        endpoint = self._endpoints.get(scope["path"])
        job = endpoint.plain_job(scope) if endpoint else None
        if endpoint is None or job is None:
            return False
        client = client_of(scope, self._proxied)
        kind = _Kind(endpoint, job, client, asked(client, "GET", scope["path"]))
        if not self._begin(kind, target[len(_ASKS) - 1 :], connection):
            return False
        self._learn(peer, scope, data, kind)
        return True

    def _learn(self, peer: str, scope: Scope, data: bytes, kind: _Kind) -> None:
        """Remember a head, if the parser would make the same of it with any other query."""
        line, _, rest = data.partition(b"\r\n")
        before, _, after = line.partition(_ASKS)
        if (
            len(before) + len(rest) <= _LONGEST_HEAD
            and before == _GET + scope["raw_path"]
            and after == scope["query_string"][len(_ASKS) - 1 :] + _VERSION
            and rest.find(b"\r\n\r\n") == len(rest) - 4
            and b"upgrade" not in rest.lower()
        ):
            if len(self._kinds) >= _HEADS:
                self._kinds.clear()
            self._kinds[peer, before, rest] = kind

    def _begin(self, kind: _Kind, value: bytes, connection: Connection) -> bool:
        text = kind.endpoint.plain_text(value)
        if text is None:
            return False
        try:
            attempt = Attempt(self, kind, kind.job + text, connection)
            attempt.begin()
        except (Problem, BusyError):
            return False  # who raised it raises it again
        if not attempt.over:
            self._begun.append(attempt)
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(SOON, self._look)
        return True

    def _look(self) -> None:
        """Let those that take longer go the usual way."""
        self._timer = None
        begun, now = self._begun, time.monotonic()
        later: list[Attempt] = []
        while begun and (begun[0].over or now - begun[0].began >= SOON):
            attempt = begun.popleft()
            if not attempt.over and not attempt.go_on():
                later.append(attempt)
        begun.extendleft(reversed(later))
        if begun:
            wait = max(_AGAIN, begun[0].began + SOON - now)
            self._timer = asyncio.get_running_loop().call_later(wait, self._look)


class Attempt(Place):
    """A request that has been begun; as an application, what goes on with it."""

    __slots__ = (
        "_answers",
        "_cached",
        "_connection",
        "_entry",
        "_key",
        "_kind",
        "_quick",
        "_sent",
        "_waits",
        "_worker",
        "began",
        "over",
    )

    def __init__(self, quick: Quick, kind: _Kind, job: bytes, connection: Connection) -> None:
        self._answers = answers = kind.endpoint.answers
        _, store, self._key = answers.asked(job)
        super().__init__(kind.client, store, job)
        self._quick = quick
        self._kind = kind
        self._connection = connection
        self._waits = self._cached = False
        self._worker: Worker | None = None
        self._sent = 0.0
        self._entry: Entry | None = None
        self.began = time.monotonic()
        self.over = False  # here: it has been answered, or goes the usual way

    def begin(self) -> None:
        """Answer from the cache, or ask a worker. Raises ``BusyError``."""
        answers = self._answers
        if entry := answers.cache.get(self._key):
            self._cached = True
            self._finish(entry, self._key)
        elif worker := answers.pool.at_once(self.client, self.store):
            worker.send(self.store, self.job)
            self._listen(worker)
        else:
            self._waits = True
            answers.pool.queue(self)

    def given(self, worker: Worker) -> None:
        """Have one's turn."""
        if self.future:
            super().given(worker)
            return
        self._waits = False
        if self.worker:
            worker.go_ahead(self.store)
        else:
            worker.send(self.store, self.job)
        self._listen(worker)

    def _listen(self, worker: Worker) -> None:
        self._worker = worker
        self._sent = time.monotonic()
        worker.listen(self._heard)

    def _heard(self) -> None:
        worker, answers = self._worker, self._answers
        if self.over or not worker:
            return  # it is for a task to hear
        payload = worker.whole()
        if payload is None:  # it died, or it says something else
            self.go_on()
            return
        self._worker = None
        answers.pool.back(worker, self.client)
        head, rows, body = frames.read_whole(payload)
        entry = Entry(head["type"], head.get("encoding"), body, rows)
        self._finish(entry, answers.keep(self._asked(), entry, head))

    def _asked(self) -> Asked:
        return Asked(self.job, self.store, self._key)

    def _finish(self, entry: Entry, key: str | None) -> None:
        if len(entry.body) > UNHELD:  # which may have to wait for its reader
            self._entry = entry
            if key is None:
                self._key = ""
            self.go_on()
            return
        self.over = True
        self._connection.reply(entry, key)
        notes = Notes("ok", entry.rows, len(entry.body), self._cached)
        self._quick.note(self._kind.asked, notes, time.monotonic() - self.began)

    def go_on(self) -> bool:
        """Have it answered by a task, unless it is about to be answered anyway."""
        pool = self._answers.pool
        if self._waits:
            self.awaited()  # from now on; and it is not sent ahead again
            if self.worker:
                pool.reclaim(self.worker)
            if self.worker:
                self.future = None
                return False
        if self._worker:
            pool.reclaim(self._worker)  # nobody shall wait for what takes long
        self.over = True
        self._connection.go_on(self)
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer it, from where it is. Raises as ``Answers.respond``."""
        answers, asked = self._answers, self._asked()
        request = self._kind.endpoint.plain_request(scope, self.job)
        if self._entry:
            request.notes.cached = self._cached
            await answers.send_entry(send, self._entry, request, self._key or None)
            return
        loan = answers.pool.lend(self.client, self.store)
        loan.resume(self._worker, self if self._waits else None, self._sent)
        await answers.go_on(request, asked, receive, send, loan)
