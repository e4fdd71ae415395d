"""From a job to a response: the cache, a worker, the limits, and failures that can be seen."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive, Send

from kg.server.cache import Cache, Entry
from kg.server.leaving import LeftError, UnlessGone
from kg.server.limits import Limits
from kg.server.notes import Notes
from kg.server.pace import Clients, Pace
from kg.server.pool import BusyError, Pool
from kg.server.problems import Problem
from kg.server.published import Published
from kg.server.running import GoneError, Run
from kg.server.services import Services
from kg.snapshot import Snapshot

# How often a request looks for a newer snapshot when the one it began with has been removed.
_ATTEMPTS = 20
# What a connection takes without waiting for its client; bytes.
_UNHELD = 32 * 1024
# An answer of this request depends on these.
_VARY = (b"vary", b"Accept, Accept-Encoding")
_CACHE_CONTROL = (b"cache-control", b"public, max-age=0, must-revalidate")


class AbortedError(Exception):
    """A failure after the response has begun: the connection is cut, so that it shows."""


@dataclass(frozen=True)
class Request:
    """A request to be answered by a worker: who asks, what, and how the answer may look.

    ``page_url``, followed by a number, is the address of another page of the same answer.
    """

    job: Mapping[str, Any]
    client: str
    method: str
    if_none_match: str = ""
    http_1_0: bool = False
    notes: Notes = field(default_factory=Notes)
    transport: asyncio.Transport | None = None  # of its connection
    page_url: str | None = None


class Answers:
    """Answers requests from the current snapshot with the workers of a pool."""

    def __init__(
        self, published: Published, pool: Pool, cache: Cache, limits: Limits, services: Services
    ) -> None:
        self._published = published
        self._services = services
        self._pool = pool
        self._cache = cache
        self._limits = limits
        self._clients = Clients(limits, pool.wanted)

    async def respond(self, request: Request, receive: Receive, send: Send) -> None:
        """Answer a request. Raises ``Problem`` before anything was sent, ``AbortedError`` after."""
        job = json.dumps(request.job).encode()
        snapshot = self._snapshot()
        key = _key(snapshot, job, request.page_url)
        if _matches(request, key):
            await _send_not_modified(send, request, key)
            return
        if entry := self._cache.get(key):
            request.notes.cached = True
            await self._send_entry(send, entry, request, key)
            return
        try:
            with UnlessGone(receive):  # which kills the worker
                await self._work(request, job, send, snapshot, key)
        except LeftError:
            request.notes.outcome = "client went away"
            raise AbortedError from None

    def _snapshot(self) -> Snapshot:
        if self._published.snapshot is None:
            raise _no_snapshot(self._published.problem)
        return self._published.snapshot

    async def _work(
        self, request: Request, job: bytes, send: Send, snapshot: Snapshot, key: str
    ) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                await self._run(request, job, send, str(snapshot.store), key)
                return
            except GoneError:
                # Two snapshots later, or damaged. Nothing has been sent yet: begin again.
                if attempt:
                    await asyncio.sleep(0.05 * attempt)
                self._published.look()
                snapshot = self._snapshot()
                key = _key(snapshot, job, request.page_url)
        raise _no_snapshot("the snapshot cannot be opened")

    async def _run(self, request: Request, job: bytes, send: Send, store: str, key: str) -> None:
        try:
            async with self._pool.lend(request.client, store) as worker:
                run = Run(worker, self._limits, request.notes, self._services)
                await run.begin(store, job)
                if not run.ended and not request.http_1_0:
                    await self._stream(request, send, run, key)
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
        if run.head.get("cacheable", True):
            self._cache.put(key, entry)
            await self._send_entry(send, entry, request, key)
        else:
            await self._send_entry(send, entry, request, None)

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
                        if request.notes.size > self._cache.largest or not cacheable:
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
            self._cache.put(key, run.entry(None, b"".join(kept)))

    async def _send_entry(
        self, send: Send, entry: Entry, request: Request, key: str | None
    ) -> None:
        """Send a complete answer; whoever does not take it loses the connection."""
        if _takes_none(request):
            await _send_not_modified(send, request, key)
            return
        head = _headers(key) + _content(entry.media, entry.coding)
        head.append((b"content-length", str(len(entry.body)).encode()))
        if entry.link:
            head.append((b"link", entry.link.encode()))
        request.notes.rows = entry.rows
        await _send_head(send, 200, head)
        body = b"" if request.method == "HEAD" else entry.body
        request.notes.size = len(body)
        message = {"type": "http.response.body", "body": body}
        if len(body) <= _UNHELD:
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
    return hashlib.sha256(text).hexdigest()[:32]


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


def _content(media: str, coding: str | None) -> list[tuple[bytes, bytes]]:
    head = [(b"content-type", media.encode())]
    if coding:
        head.append((b"content-encoding", coding.encode()))
    return head


async def _send_head(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
