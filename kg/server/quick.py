"""Answering a query before there is a task for it, as long as it takes no time.

A task with its timers and messages costs more than most queries do. So a plain request is begun as
soon as its head has been read, and if a whole answer comes at once it is sent as it is. Whatever
takes longer, fails or is not plain goes the usual way; a query that has been begun by then keeps
its worker or its place in the queue.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping

from starlette.types import Receive, Scope, Send

from kg.server import frames
from kg.server.answers import UNHELD, Answers, Asked, Request, entry_headers
from kg.server.cache import Entry
from kg.server.leaving import SOON
from kg.server.notes import Note, Notes
from kg.server.places import BusyError, Place
from kg.server.problems import Problem
from kg.server.protocol import Sparql
from kg.server.workers import Worker

# After so long those are looked at again that could not be taken back from a worker; seconds.
_AGAIN = 0.005
Headers = list[tuple[bytes, bytes]]
# Sends a complete response with status 200.
Reply = Callable[[Headers, bytes], None]


class Quick:
    """Begins requests. ``endpoints`` are by path; ``note`` has a request logged and counted."""

    def __init__(self, endpoints: Mapping[str, Sparql], note: Note) -> None:
        self._endpoints = endpoints
        self.note = note
        # Those that have been begun lately, the oldest first; some are over.
        self._begun: deque[Attempt] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, scope: Scope, reply: Reply, go_on: Callable[[], None]) -> bool:
        """Begin a request, or say that it is not one to be begun here.

        Then either ``reply`` is called, at once or later, or ``go_on``, after which the
        application finds an ``Attempt`` in the scope as ``kg.attempt``.
        """
        endpoint = self._endpoints.get(scope["path"])
        if endpoint is None:
            return False
        began = time.monotonic()
        scope["kg.notes"] = Notes()
        try:
            request = endpoint.plain(scope)
            if request is None:
                return False
            attempt = Attempt(self, endpoint.answers, request, scope, began, reply, go_on)
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


class Attempt:
    """A request that has been begun; as an application, what goes on with it."""

    __slots__ = (
        "_answers",
        "_asked",
        "_entry",
        "_go_on",
        "_key",
        "_place",
        "_quick",
        "_reply",
        "_request",
        "_scope",
        "_sent",
        "_worker",
        "began",
        "over",
    )

    def __init__(
        self,
        quick: Quick,
        answers: Answers,
        request: Request,
        scope: Scope,
        began: float,
        reply: Reply,
        go_on: Callable[[], None],
    ) -> None:
        self._quick = quick
        self._answers = answers
        self._request = request
        self._scope = scope
        self._reply = reply
        self._go_on = go_on
        self._asked: Asked = answers.asked(request)
        self._place: Place | None = None
        self._worker: Worker | None = None
        self._sent = 0.0
        self._entry: Entry | None = None
        self._key: str | None = None
        self.began = began
        self.over = False  # here: it has been answered, or goes the usual way

    def begin(self) -> None:
        """Answer from the cache, or ask a worker. Raises ``BusyError``."""
        answers, asked, request = self._answers, self._asked, self._request
        if entry := answers.cache.get(asked.key):
            request.notes.cached = True
            self._finish(entry, asked.key)
        elif worker := answers.pool.at_once(request.client, asked.store):
            self._ask(worker)
        else:
            client, store, job = request.client, asked.store, asked.job
            self._place = answers.pool.queue(client, self._ask, store, job)

    def _ask(self, worker: Worker) -> None:
        place, self._place = self._place, None
        self._worker = worker
        self._sent = time.monotonic()
        if place and place.worker:
            worker.go_ahead(self._asked.store)
        else:
            worker.send(self._asked.store, self._asked.job)
        worker.listen(self._heard)

    def _heard(self) -> None:
        assert self._worker
        payload = self._worker.whole()
        if payload is None:  # it died, or it says something else
            self.go_on()
            return
        answers = self._answers
        answers.pool.back(self._worker, self._request.client)
        self._worker = None
        head, rows, body = frames.read_whole(payload)
        entry = Entry(head["type"], head.get("encoding"), body, rows)
        self._finish(entry, answers.keep(self._asked, entry, head))

    def _finish(self, entry: Entry, key: str | None) -> None:
        if len(entry.body) > UNHELD:  # which may have to wait for its reader
            self._entry, self._key = entry, key
            self.go_on()
            return
        self.over = True
        notes = self._request.notes
        notes.rows, notes.size = entry.rows, len(entry.body)
        self._reply(entry_headers(entry, key), entry.body)
        self._quick.note(self._scope, 200, notes, time.monotonic() - self.began)

    def go_on(self) -> bool:
        """Have it answered by a task, unless it is about to be answered anyway."""
        pool = self._answers.pool
        if self._place:
            self._place.job = b""  # it is not sent ahead again
            if self._place.worker and not pool.reclaim(self._place.worker):
                return False
        if self._worker:
            pool.reclaim(self._worker)  # nobody shall wait for what takes long
        self.over = True
        self._scope["kg.attempt"] = self
        self._go_on()
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer it, from where it is. Raises as ``Answers.respond``."""
        answers, request = self._answers, self._request
        if self._entry:
            await answers.send_entry(send, self._entry, request, self._key)
            return
        loan = answers.pool.lend(request.client, self._asked.store)
        loan.resume(self._worker, self._place, self._sent)
        await answers.go_on(request, self._asked, receive, send, loan)
