"""From a job to a response: the cache, a worker, the limits, and failures that can be seen."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from starlette.types import Receive, Send

from kg.server.pool.loans import Loan
from kg.server.pool.places import BusyError
from kg.server.pool.pool import Pool
from kg.server.pool.running import GoneError, KilledError, Run
from kg.server.pool.services import Services
from kg.server.published import Published
from kg.server.wire.cache import Cache, Entry
from kg.server.wire.leaving import LeftError, UnlessGone
from kg.server.wire.limits import Limits
from kg.server.wire.notes import Notes
from kg.server.wire.pace import Clients, Pace
from kg.server.wire.problems import Problem
from kg.snapshot import Snapshot

# How often a request looks for a newer snapshot when the one it began with has been removed.
_ATTEMPTS = 20
# Whoever kills one worker may kill the next; that one is asked when this is over. Seconds.
_AFTER_DEATH = 0.05
# What a connection takes without waiting for its client; bytes.
UNHELD = 32 * 1024
# An answer of this request depends on these.
_VARY = (b"vary", b"Accept, Accept-Encoding")
_CACHE_CONTROL = (b"cache-control", b"public, max-age=0, must-revalidate")


class AbortedError(Exception):
    """A failure after the response has begun: the connection is cut, so that it shows."""


@dataclass(slots=True)
class Request:
    """A request to be answered by a worker: who asks, what, and how the answer may look.

    ``job`` is written as ``frames.job`` does. ``page_url``, followed by a number, is the address of
    another page of the same answer.
    """

    job: bytes
    client: str
    method: str
    if_none_match: str = ""
    http_1_0: bool = False
    notes: Notes = field(default_factory=Notes)
    transport: asyncio.Transport | None = None  # of its connection
    page_url: str | None = None


class Asked(NamedTuple):
    """What a worker is asked: a job, over a store. Its answer is kept as ``key``."""

    job: bytes
    store: str
    key: str


class Answers:
    """Answers requests from the current snapshot with the workers of a pool."""

    def __init__(
        self, published: Published, pool: Pool, cache: Cache, limits: Limits, services: Services
    ) -> None:
        self._published = published
        self._services = services
        self.pool = pool
        self.cache = cache
        self._limits = limits
        self._clients = Clients(limits, pool.wanted)
        # The snapshot that was asked last, and its store.
        self._current: Snapshot | None = None
        self._store = ""

    async def respond(self, request: Request, receive: Receive, send: Send) -> None:
        """Answer a request. Raises ``Problem`` before anything was sent, ``AbortedError`` after."""
        asked = self.asked(request.job, request.page_url)
        if _matches(request, asked.key):
            await _send_not_modified(send, request, asked.key)
            return
        if entry := self.cache.get(asked.key):
            request.notes.cached = True
            await self.send_entry(send, entry, request, asked.key)
            return
        loan = self.pool.lend(request.client, asked.store)
        await self.go_on(request, asked, receive, send, loan)

    async def go_on(
        self, request: Request, asked: Asked, receive: Receive, send: Send, loan: Loan
    ) -> None:
        """Answer a request with a worker, which may be at work on it. Raises as ``respond``."""
        try:
            with UnlessGone(receive):  # which kills the worker
                await self._work(request, asked, send, loan)
        except LeftError:
            request.notes.outcome = "client went away"
            raise AbortedError from None

    def asked(self, job: bytes, page_url: str | None = None) -> Asked:
        """Return what to ask for a job, of the current snapshot. Raises ``Problem`` (503)."""
        snapshot = self._published.snapshot
        if snapshot is None:
            raise _no_snapshot(self._published.problem)
        if snapshot is not self._current:
            self._current, self._store = snapshot, str(snapshot.store)
        return Asked(job, self._store, _key(snapshot, job, page_url))

    def keep(self, asked: Asked, entry: Entry, head: Mapping[str, Any]) -> str | None:
        """Keep an answer, if it may be kept, and return as what."""
        if not head.get("cacheable", True):
            return None
        self.cache.put(asked.key, entry)
        return asked.key

    async def _work(self, request: Request, asked: Asked, send: Send, loan: Loan) -> None:
        killed = False
        for attempt in range(_ATTEMPTS):
            try:
                await self._run(request, asked, send, loan)
                return
            except KilledError as error:
                if killed:  # no query may have worker after worker killed
                    raise error.problem from None
                killed = True
                await asyncio.sleep(_AFTER_DEATH)
            except GoneError:
                # Two snapshots later, or damaged. Nothing has been sent yet: begin again.
                if attempt:
                    await asyncio.sleep(0.05 * attempt)
                self._published.look()
            asked = self.asked(request.job, request.page_url)
            loan = self.pool.lend(request.client, asked.store)
        raise _no_snapshot("the snapshot cannot be opened")

    async def _run(self, request: Request, asked: Asked, send: Send, loan: Loan) -> None:
        try:
            async with loan as worker:
                run = Run(worker, self._limits, request.notes, self._services)
                await run.begin(asked.store, asked.job, loan.since)
                if not run.ended and not request.http_1_0:
                    await self._stream(request, send, run, asked.key)
                    return
                while not run.ended:  # the end of an HTTP/1.0 answer shows by its length alone
                    await run.more()
                    if run.held > self._limits.cached:
                        raise Problem(505, detail="An answer of this length needs HTTP/1.1.")
        except BusyError as busy:
            raise Problem(
                503,
                "Too many requests",
                "Every worker is taken and the queue is full, or this client holds its share. "
                "Try again later.",
                headers={"Retry-After": str(busy.retry_after)},
                outcome="busy",
            ) from None
        entry = run.entry(request.page_url)
        await self.send_entry(send, entry, request, self.keep(asked, entry, run.head))

    async def _stream(self, request: Request, send: Send, run: Run, key: str) -> None:
        """Send an answer as it comes; what cannot be completed is cut off."""
        cacheable = run.head.get("cacheable", True)
        if _takes_none(request):
            await _send_not_modified(send, request, key if cacheable else None)
            return
        head = _headers(key if cacheable else None) + _content(
            run.head["type"], run.head.get("encoding")
        )
        request.notes.outcome = "cut"
        try:
            async with Pace(self._clients, request.client, request.transport, True) as pace:
                await _send_head(send, 200, head)
                if request.method == "HEAD":
                    await send({"type": "http.response.body", "body": b""})
                    request.notes.outcome = "ok"
                    return
                kept: list[bytes] | None = []
                while True:
                    data = run.take()
                    request.notes.size += len(data)
                    if kept is not None:
                        kept.append(data)
                        if request.notes.size > self.cache.largest or not cacheable:
                            kept = None
                    message = {"type": "http.response.body", "body": data, "more_body": True}
                    await pace.send(len(data), send(message))
                    if run.ended:
                        break
                    await run.more()
                await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            request.notes.outcome = "too slow a client"
            raise AbortedError from None
        except Problem as problem:
            request.notes.outcome = problem.outcome
            raise AbortedError from None
        request.notes.outcome = "ok"
        if kept is not None:
            self.cache.put(key, run.entry(None, b"".join(kept)))

    async def send_entry(self, send: Send, entry: Entry, request: Request, key: str | None) -> None:
        """Send a complete answer; whoever does not take it loses the connection."""
        if _takes_none(request):
            await _send_not_modified(send, request, key)
            return
        head = entry_headers(entry, key)
        request.notes.rows = entry.rows
        await _send_head(send, 200, head)
        body = b"" if request.method == "HEAD" else entry.body
        request.notes.size = len(body)
        message = {"type": "http.response.body", "body": body}
        if len(body) <= UNHELD:
            await send(message)
            return
        try:
            async with Pace(self._clients, request.client, request.transport, False) as pace:
                await pace.send(len(body), send(message))
        except TimeoutError:
            request.notes.outcome = "too slow a client"
            raise AbortedError from None


def _no_snapshot(why: str | None) -> Problem:
    return Problem(
        503,
        "No snapshot",
        f"There is nothing to answer from: {why}. 'kg build' publishes a snapshot.",
        headers={"Retry-After": "5"},
        outcome="no snapshot",
    )


def _key(snapshot: Snapshot, job: bytes, page_url: str | None) -> str:
    # The addresses of other pages name the host as this client did.
    text = f"{snapshot.digest} {page_url} ".encode("utf-8", "surrogateescape") + job
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def _matches(request: Request, key: str) -> bool:
    if request.method not in ("GET", "HEAD", "QUERY") or not request.if_none_match:
        return False
    # Only complete answers were ever given this tag: it says that the client holds one.
    return f'"{key}"' in request.if_none_match


def _takes_none(request: Request) -> bool:
    """Say whether any answer at all is not wanted: RFC 9110, section 13.1.2, on ``*``.

    Whether there is one shows only once the query has been found to run.
    """
    return request.method in ("GET", "HEAD", "QUERY") and request.if_none_match.strip() == "*"


async def _send_not_modified(send: Send, request: Request, key: str | None) -> None:
    request.notes.outcome = "not modified"
    await _send_head(send, 304, _headers(key))
    await send({"type": "http.response.body", "body": b""})


def _headers(key: str | None) -> list[tuple[bytes, bytes]]:
    if key is None:
        return [(b"cache-control", b"no-store"), _VARY]
    return [(b"etag", f'W/"{key}"'.encode()), _CACHE_CONTROL, _VARY]


def entry_headers(entry: Entry, key: str | None) -> list[tuple[bytes, bytes]]:
    """Return the headers of a complete answer that is kept as ``key``, or not kept."""
    head = _headers(key) + _content(entry.media, entry.coding)
    head.append((b"content-length", b"%d" % len(entry.body)))
    if entry.link:
        head.append((b"link", entry.link.encode()))
    return head


def _content(media: str, coding: str | None) -> list[tuple[bytes, bytes]]:
    head = [(b"content-type", media.encode())]
    if coding:
        head.append((b"content-encoding", coding.encode()))
    return head


async def _send_head(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
