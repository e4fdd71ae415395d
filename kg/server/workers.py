"""A worker process from the parent's side: what is sent to it and what comes back."""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import IO, cast

from kg.server import frames
from kg.server.launcher import Adopted, Process

_NICE = 10
# So much of an answer is held here before the worker has to wait for its reader; bytes.
_AHEAD = 256 * 1024
_ENDS = frozenset({frames.WHOLE, frames.END, frames.FAIL})


class UntakenError(EOFError):
    """The worker died before it took the request: another may have it."""


class Worker(asyncio.Protocol):
    """A worker process. Use it between ``Pool.lend`` and its end.

    ``lost`` is called when it has gone, whatever the reason.
    """

    def __init__(self, process: Process | None, stderr: IO[bytes]) -> None:
        self.process = process
        self.missing: list[str] = []
        self.clean = True  # between two jobs: it may be lent again
        self.spent = False  # it gave way once, and the system does not let it hurry again
        self.gone = False
        self.store = ""  # of its last job
        self.lost: Callable[[Worker], None] = lambda _: None
        self._stderr = stderr
        self._said: str | None = None
        self._transport: asyncio.Transport | None = None
        self._splitter = frames.Splitter()
        self._frames: deque[frames.Frame] = deque()
        self._held = 0
        self._paused = False
        self._begun = False  # to answer
        self._untaken = False
        self._waiter: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be connected."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take what it sent; what nobody takes from here makes it wait."""
        try:
            found = self._splitter.feed(data)
        except frames.MalformedError:
            assert self._transport
            self._transport.abort()
            return
        self._frames.extend(found)
        self._held += len(data)
        if self._held > _AHEAD and self._frames and not self._paused:
            assert self._transport
            self._transport.pause_reading()
            self._paused = True
        if found:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Know that it has gone."""
        self.gone = True
        # A request that it did not read breaks the connection; one that it died of closes it.
        if isinstance(exc, BrokenPipeError | ConnectionResetError):
            self._untaken = not self._begun
        self._wake()
        self.lost(self)

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    async def ready(self) -> None:
        """Wait until it can take a job. Raises ``EOFError`` if it never can."""
        kind, payload = await self._next()
        if kind == frames.PID:
            self.process = Adopted(int(payload))
            kind, payload = await self._next()
        self.missing = json.loads(payload)["missing"]

    def send(self, store: str, job: bytes) -> None:
        """Give it a job, written as JSON, over a snapshot's store."""
        self.clean = self._begun = False
        self.store = store
        if self._transport and not self.gone:
            self._transport.write(frames.request(store, job))
        else:
            self._untaken = True

    def reply(self, frame: bytes) -> None:
        """Give it what it asked for in the middle of a job; ``frame`` tells if it has gone."""
        if self._transport and not self.gone:
            self._transport.write(frame)

    async def frame(self) -> frames.Frame:
        """Return the next frame of its answer.

        Raises ``EOFError`` if it dies, ``UntakenError`` if it died before it took the job.
        """
        found = await self._next()
        self._begun = True
        if found[0] in _ENDS:
            self.clean = True
        return found

    async def _next(self) -> frames.Frame:
        while not self._frames:
            if self.gone:
                raise UntakenError if self._untaken else EOFError
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        found = self._frames.popleft()
        if not self._frames:
            self._held = 0
            if self._paused and self._transport:
                self._transport.resume_reading()
                self._paused = False
        return found

    def give_way(self) -> None:
        """Let others have the processor first, from now to its end."""
        if not self.clean and self.process:
            self.spent = True
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self.process.pid, _NICE)

    async def bury(self) -> str:
        """Kill it, wait for its end, and return the beginning of what it said while dying."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self._transport:
            self._transport.abort()
        pause = 0.001
        while self.process and self.process.poll() is None:
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.1)
        if self._said is None:
            with self._stderr as stream:
                stream.seek(0)
                self._said = stream.read(2000).decode(errors="replace")
        return self._said
