"""One job in one worker: what it answers, read against the clock, and what its end means."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from typing import Any

from kg.server.pool import frames
from kg.server.pool.services import ForbiddenError, ServiceError, Services
from kg.server.pool.workers import UntakenError, Worker
from kg.server.wire.cache import Entry
from kg.server.wire.limits import Limits
from kg.server.wire.notes import Notes
from kg.server.wire.problems import Problem

# What Rust, Python, C++ and a thread that cannot be started say last.
_NO_MEMORY = ("memory allocation", "MemoryError", "bad_alloc", "Resource temporarily unavailable")

# A worker that is killed so soon after it was given a job was hardly killed for it; seconds.
_EARLY = 0.25


class GoneError(Exception):
    """The snapshot that a job was given is no longer there."""


class KilledError(GoneError):
    """A worker was killed before it can have done much for its job, and nobody knows why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem


class Run:
    """One job in one worker: its frames, read against the clock."""

    def __init__(self, worker: Worker, limits: Limits, notes: Notes, services: Services) -> None:
        self._worker = worker
        self._services = services
        self._limits = limits
        self._notes = notes
        self._left = limits.timeout
        self._parts: list[bytes] = []
        self._since = 0.0
        self._heard = False
        self.held = 0
        self.head: dict[str, Any] = {}
        self.ended = False

    async def begin(self, store: str, job: bytes, since: float | None = None) -> None:
        """Send the job and read until the answer ends, or as much is held as may be.

        ``since``: when it was sent, if it has been (seconds as of ``time.monotonic``).
        """
        self._since = since or time.monotonic()
        if since is None:
            self._worker.send(store, job)
        else:
            self._left -= time.monotonic() - since
        while not self.ended and self.held <= self._limits.held:
            await self.more()

    async def more(self) -> None:
        """Read a frame. Raises ``Problem`` for whatever ends the job, ``GoneError``."""
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
        except UntakenError:
            raise GoneError from None  # it died while it was idle; another takes the job
        except EOFError:
            said = await self._worker.bury()
            problem = _death(said)
            if not said.strip() and not self._heard and time.monotonic() - self._since < _EARLY:
                raise KilledError(problem) from None
            raise problem from None
        self._heard = True
        # What the worker waited for a slow client does not count.
        self._left -= time.monotonic() - started
        if kind == frames.WHOLE:
            self.head, self._notes.rows, body = frames.read_whole(payload)
            self._parts.append(body)
            self.ended = True
        elif kind == frames.BODY:
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
        else:
            told = json.loads(payload)
            if told["status"] == 503:
                raise GoneError
            raise _told(told)

    async def _call(self, address: str, query: str) -> None:
        """Ask another server for the worker, which has no network; it costs the query's time."""
        started = time.monotonic()
        try:
            data = await self._services.ask(address, query, max(0.0, self._left))
        except (ForbiddenError, ServiceError) as error:
            told = {"detail": str(error), "forbidden": isinstance(error, ForbiddenError)}
            reply = frames.pack(frames.FAIL, told)
        else:
            reply = frames.pack(frames.BODY, data)
        self._left -= time.monotonic() - started
        self._worker.reply(reply)

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
            self._notes.rows or 0,
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


def _links(page_url: str | None, pages: Mapping[str, int] | None) -> str | None:
    if page_url is None or not pages:
        return None
    return ", ".join(f'<{page_url}{number}>; rel="{name}"' for name, number in pages.items())
