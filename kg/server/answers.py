"""From a job to a response: the cache, a worker, the limits, and failures that can be seen."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive, Scope, Send

from kg.server import frames
from kg.server.cache import Cache, Entry
from kg.server.limits import Limits
from kg.server.pool import BusyError, Pool, Worker
from kg.server.problems import Problem
from kg.server.published import Published
from kg.server.services import ForbiddenError, ServiceError, Services
from kg.snapshot import Snapshot

# How often a request looks for a newer snapshot when the one it began with has been removed.
_ATTEMPTS = 20
# An answer of this request depends on these.
VARY = "Accept, Accept-Encoding"
CACHE_CONTROL = "public, max-age=0, must-revalidate"
# What Rust, Python, C++ and a thread that cannot be started say last.
_NO_MEMORY = ("memory allocation", "MemoryError", "bad_alloc", "Resource temporarily unavailable")


class AbortedError(Exception):
    """A failure after the response has begun: the connection is cut, so that it shows."""


@dataclass
class Notes:
    """What the access log says of a request beyond its status."""

    outcome: str = "ok"
    rows: int | None = None
    size: int = 0
    cached: bool = False


@dataclass(frozen=True)
class Request:
    """A request to be answered by a worker: who asks, what, and how the answer may look.

    ``links`` makes the value of a Link header from what the worker tells of a page.
    """

    job: Mapping[str, Any]
    client: str
    method: str
    if_none_match: str = ""
    http_1_0: bool = False
    notes: Notes = field(default_factory=Notes)
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

    async def respond(self, request: Request, receive: Receive, send: Send) -> None:
        """Answer a request. Raises ``Problem`` before anything was sent, ``AbortedError`` after."""
        snapshot = self._snapshot()
        key = _key(snapshot, request.job)
        if _matches(request, key):
            request.notes.outcome = "not modified"
            await _send_head(send, 304, _headers(key))
            await send({"type": "http.response.body", "body": b""})
            return
        if entry := self._cache.get(key):
            request.notes.cached = True
            await _send_entry(send, entry, request, key)
            return
        work = asyncio.ensure_future(self._work(request, send))
        gone = asyncio.ensure_future(_disconnect(receive))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                request.notes.outcome = "client went away"
                work.cancel()  # which kills the worker
                await asyncio.wait({work})
                raise AbortedError
            await work
        finally:
            gone.cancel()
            work.cancel()

    def _snapshot(self) -> Snapshot:
        if self._published.snapshot is None:
            raise _no_snapshot(self._published.problem)
        return self._published.snapshot

    async def _work(self, request: Request, send: Send) -> None:
        for attempt in range(_ATTEMPTS):
            snapshot = self._snapshot()
            try:
                await self._run(request, send, snapshot)
                return
            except _GoneError:
                # Two snapshots later, or damaged. Nothing has been sent yet: begin again.
                if attempt:
                    await asyncio.sleep(0.05 * attempt)
                self._published.look()
        raise _no_snapshot("the snapshot cannot be opened")

    async def _run(self, request: Request, send: Send, snapshot: Snapshot) -> None:
        key = _key(snapshot, request.job)
        try:
            async with self._pool.lend(request.client) as worker:
                run = _Run(worker, self._limits, request.notes, self._services)
                await run.begin({**request.job, "store": str(snapshot.store)})
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
            await _send_entry(send, entry, request, key)
        else:
            await _send_entry(send, entry, request, None)

    async def _stream(self, request: Request, send: Send, run: _Run, key: str) -> None:
        """Send an answer as it comes; what cannot be completed is cut off."""
        cacheable = run.head.get("cacheable", True)
        head = _headers(key if cacheable else None) + _content(
            run.head["type"], run.head.get("encoding")
        )
        request.notes.outcome = "cut"
        try:
            async with asyncio.timeout(self._limits.patience + self._limits.timeout):
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
                    await send({"type": "http.response.body", "body": data, "more_body": True})
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


class _GoneError(Exception):
    """The snapshot that a job was given is no longer there."""


class _Run:
    """One job in one worker: its frames, read against the clock."""

    def __init__(self, worker: Worker, limits: Limits, notes: Notes, services: Services) -> None:
        self._worker = worker
        self._services = services
        self._limits = limits
        self._notes = notes
        self._left = limits.timeout
        self._parts: list[bytes] = []
        self.held = 0
        self.head: dict[str, Any] = {}
        self.ended = False

    async def begin(self, job: dict[str, Any]) -> None:
        """Send the job and read until the answer ends, or as much is held as may be."""
        try:
            await self._worker.send(job)
        except EOFError:
            raise _GoneError from None  # it died while it was idle; another takes the job
        while not self.ended and self.held <= self._limits.held:
            await self.more()

    async def more(self) -> None:
        """Read a frame. Raises ``Problem`` for whatever ends the job, ``_GoneError``."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, self._left)):
                kind, payload = await self._worker.frame()
        except TimeoutError:
            raise Problem(
                504,
                "Query took too long",
                f"The query was stopped after {self._limits.timeout:g} seconds. "
                "Ask for less, or add LIMIT.",
                outcome="deadline",
            ) from None
        except EOFError:
            raise _death(await self._worker.bury()) from None
        # What the worker waited for a slow client does not count.
        self._left -= time.monotonic() - started
        if kind == frames.BODY:
            self._parts.append(payload)
            self.held += len(payload)
        elif kind == frames.HEAD:
            self.head = json.loads(payload)
        elif kind == frames.CALL:
            await self._call(**json.loads(payload))
        elif kind == frames.END:
            self.ended = True
            told = json.loads(payload)
            self._notes.rows = told["rows"]
            self.head.update(told)
        else:
            told = json.loads(payload)
            if told["status"] == 503:
                raise _GoneError
            raise _told(told)

    async def _call(self, address: str, query: str) -> None:
        """Ask another server for the worker, which has no network; it costs the query's time."""
        started = time.monotonic()
        try:
            data = await self._services.ask(address, query, max(0.0, self._left))
        except (ForbiddenError, ServiceError) as error:
            told = {"detail": str(error), "forbidden": isinstance(error, ForbiddenError)}
            reply: tuple[bytes, Any] = (frames.FAIL, told)
        else:
            reply = (frames.BODY, data)
        self._left -= time.monotonic() - started
        with suppress(EOFError):  # the next frame tells how it ended
            await self._worker.reply(*reply)

    def take(self) -> bytes:
        """Return what is held and hold it no more."""
        data = b"".join(self._parts)
        self._parts, self.held = [], 0
        return data

    def entry(self, page_url: str | None, body: bytes | None = None) -> Entry:
        """Return the complete answer."""
        return Entry(
            self.head["type"],
            self.head.get("encoding"),
            self.take() if body is None else body,
            self.head["rows"],
            _links(page_url, self.head.get("pages")),
        )


def _told(told: dict[str, Any]) -> Problem:
    errors = told.get("errors") or []
    if "line" in told:
        errors = [{"detail": told["detail"], "line": told["line"]}]
    outcome = {403: "write refused", 422: "limit", 502: "service failed"}.get(told["status"], "")
    return Problem(told["status"], told["title"], told["detail"], errors=errors, outcome=outcome)


def _death(said: str) -> Problem:
    if any(sign in said for sign in _NO_MEMORY):
        return Problem(
            422,
            "Query needs too much memory",
            "The query was stopped when it had used the memory that one query may use.",
            outcome="memory",
        )
    logging.getLogger("kg.server").error("a worker died: %s", said.strip() or "killed")
    return Problem(
        500, "Query failed", "The engine died of this query; nothing else did.", outcome="crash"
    )


def _no_snapshot(why: str | None) -> Problem:
    return Problem(
        503,
        "No snapshot",
        f"There is nothing to answer from: {why}. 'kg build' publishes a snapshot.",
        headers={"Retry-After": "5"},
        outcome="no snapshot",
    )


def _key(snapshot: Snapshot, job: Mapping[str, Any]) -> str:
    text = json.dumps([snapshot.digest, job], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _matches(request: Request, key: str) -> bool:
    if request.method not in ("GET", "HEAD", "QUERY") or not request.if_none_match:
        return False
    # Only complete answers were ever given this tag: it says that the client holds one.
    return f'"{key}"' in request.if_none_match


def _headers(key: str | None) -> list[tuple[bytes, bytes]]:
    if key is None:
        return [(b"cache-control", b"no-store"), (b"vary", VARY.encode())]
    return [
        (b"etag", f'W/"{key}"'.encode()),
        (b"cache-control", CACHE_CONTROL.encode()),
        (b"vary", VARY.encode()),
    ]


def _content(media: str, coding: str | None) -> list[tuple[bytes, bytes]]:
    head = [(b"content-type", media.encode())]
    if coding:
        head.append((b"content-encoding", coding.encode()))
    return head


def _links(page_url: str | None, pages: Mapping[str, int] | None) -> str | None:
    if page_url is None or not pages:
        return None
    return ", ".join(f'<{page_url}{number}>; rel="{name}"' for name, number in pages.items())


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_head(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _send_entry(send: Send, entry: Entry, request: Request, key: str | None) -> None:
    head = _headers(key) + _content(entry.media, entry.coding)
    head.append((b"content-length", str(len(entry.body)).encode()))
    if entry.link:
        head.append((b"link", entry.link.encode()))
    request.notes.rows = entry.rows
    await _send_head(send, 200, head)
    body = b"" if request.method == "HEAD" else entry.body
    request.notes.size = len(body)
    await send({"type": "http.response.body", "body": body})


def client_of(scope: Scope, proxied: bool = False) -> str:
    """Return who asks: the address of the other end, or, behind a proxy, the one it names.

    An IPv6 network of 64 bits is one client: it is what one customer usually has.
    """
    address = str((scope.get("client") or ("unknown",))[0])
    if proxied:
        for name, value in scope["headers"]:
            if name == b"x-forwarded-for":
                address = value.decode("latin-1").rpartition(",")[2].strip()
    if ":" in address:
        import ipaddress

        try:
            return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
        except ValueError:
            return address
    return address
