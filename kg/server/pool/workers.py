"""A worker process from the parent's side: what is sent to it and what comes back."""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import IO, cast

from kg.server.pool import frames
from kg.server.pool.jobs import ELSEWHERE, LONGEST, Jobs
from kg.server.pool.launcher import Adopted, Process
from kg.server.pool.places import Place

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

    def __init__(
        self, process: Process | None, stderr: IO[bytes], jobs: Jobs | None = None
    ) -> None:
        self.process = process
        self._jobs = jobs
        # Whose jobs were sent ahead, to be done after the one that it is at.
        self.ahead: deque[Place] = deque()
        self._left = 0  # how many of them, the last ones, it died without having taken
        self._streamed = False  # its last answer: it waits for a word before it goes on
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
        self._heard: Callable[[], None] | None = None

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
        self._recover()
        self._wake()
        self.lost(self)

    def _recover(self) -> None:
        """Take back what it has not taken, now that it never will."""
        if self._jobs:
            left = len(self._jobs.drain())
            self._left = min(len(self.ahead), self._left + left)
            self._untaken = self._untaken or (left > len(self.ahead) and not self._begun)

    def _wake(self) -> None:
        if heard := self._heard:
            self._heard = None
            heard()

    def listen(self, heard: Callable[[], None]) -> None:
        """Have ``heard`` called once, when it has said something or has gone."""
        self._heard = heard
        if self._frames or self.gone:
            self._wake()

    def whole(self) -> bytes | None:
        """Return its answer if it came in one piece; else it is left to be read by ``frame``."""
        if not self._frames or self._frames[0][0] != frames.WHOLE:
            return None
        self.clean = True
        return self._frame()[1]

    async def ready(self) -> None:
        """Wait until it can take a job. Raises ``EOFError`` if it never can."""
        kind, payload = await self._next()
        if kind == frames.PID:
            self.process = Adopted(int(payload))
            kind, payload = await self._next()
        self.missing = json.loads(payload)["missing"]

    def send(self, store: str, job: bytes) -> None:
        """Give it a job, written as JSON, over a snapshot's store."""
        self._at(store)
        if not self._transport or self.gone:
            self._untaken = True
        elif not self._give(frames.request(store, job)):
            self._transport.abort()

    def send_ahead(self, place: Place) -> bool:
        """Give it a job to do after those that it has, if that is possible.

        Then comes ``go_ahead``, once those have ended, unless ``take_back`` brings it.
        """
        if not self._jobs or self.gone:
            return False
        request = frames.request(place.store, place.job)
        if len(request) > LONGEST or not self._jobs.give(request):
            return False
        self.ahead.append(place)
        return True

    def take_back(self) -> list[Place]:
        """Take back the jobs sent ahead that it has not begun, the last ones, in their order."""
        if self._jobs and not self.gone:
            lying = self._jobs.drain()
            if len(lying) > len(self.ahead):  # it has not even come to the one before
                self._jobs.give(lying.pop(0))
            self._left = len(lying)
        found = [self.ahead.pop() for _ in range(self._left)]
        self._left = 0
        return found[::-1]

    def go_ahead(self, store: str) -> None:
        """Take the first job that was sent ahead for the one that it is at."""
        self._at(store)
        self._release()

    def _at(self, store: str) -> None:
        self.clean = self._begun = self._untaken = False
        self.store = store

    def _give(self, request: bytes) -> bool:
        assert self._transport
        if self._jobs is None:
            self._transport.write(request)
            return True
        self._release()
        if len(request) <= LONGEST:
            return self._jobs.give(request)
        self._transport.write(request)
        return self._jobs.give(ELSEWHERE)

    def _release(self) -> None:
        """Let it go on after an answer that did not come in one piece."""
        if self._streamed and self._transport and not self.gone:
            self._transport.write(frames.pack(frames.GO))
        self._streamed = False

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
        elif found[0] == frames.HEAD:
            self._streamed = self._jobs is not None
        return found

    async def _next(self) -> frames.Frame:
        while not self._frames:
            if self.gone:
                raise UntakenError if self._untaken else EOFError
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._heard = partial(_set, waiter)
            try:
                await waiter
            finally:
                self._heard = None
        return self._frame()

    def _frame(self) -> frames.Frame:
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
        if self._jobs:
            self._recover()
            self._jobs.close()
            self._jobs = None
        pause = 0.001
        while self.process and self.process.poll() is None:
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.1)
        if self._said is None:
            with self._stderr as stream:
                stream.seek(0)
                self._said = stream.read(2000).decode(errors="replace")
        return self._said


def _set(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
