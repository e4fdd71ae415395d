"""Worker processes: started ahead, lent fairly, killed when they must be, replaced at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

from kg.server import frames
from kg.server.limits import Limits

# Where this package was imported from; a worker must not find another.
_PACKAGES = str(Path(__file__).resolve().parents[2])
# After so long a query gives way to others on the processor; seconds.
_LONG = 1.0
_NICE = 10
# A worker that cannot start is tried again after so long, doubled up to the last; seconds.
_PAUSES = (0.1, 5.0)


class BusyError(Exception):
    """No worker is free and no more may wait; ``retry_after`` seconds might help."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many requests are waiting")
        self.retry_after = retry_after


class Worker:
    """A worker process from the parent's side. Use it between ``Pool.lend`` and its end."""

    def __init__(self, process: subprocess.Popen[bytes], stderr: IO[bytes]) -> None:
        self.process = process
        self._stderr = stderr
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self.missing: list[str] = []
        self.clean = True  # between two jobs: it may be lent again
        self._said: str | None = None
        self.spent = False  # it gave way once, and the system does not let it hurry again

    async def connect(self, connection: socket.socket) -> None:
        """Wait until it is ready. Raises ``EOFError`` if it never is."""
        self._reader, self._writer = await asyncio.open_connection(sock=connection)
        _, payload = await frames.read(self._reader)
        self.missing = json.loads(payload)["missing"]

    async def send(self, job: dict[str, Any]) -> None:
        """Give it a job and wait until it has it. Raises ``EOFError`` if it has gone."""
        self.clean = False
        self._writer.write(frames.pack(frames.REQUEST, job))
        try:
            await self._writer.drain()
            await frames.read(self._reader)
        except ConnectionError as error:
            raise EOFError("the worker has gone") from error

    async def reply(self, kind: bytes, payload: bytes | dict[str, Any]) -> None:
        """Give it what it asked for in the middle of a job. Raises ``EOFError`` if it has gone."""
        self._writer.write(frames.pack(kind, payload))
        try:
            await self._writer.drain()
        except ConnectionError as error:
            raise EOFError("the worker has gone") from error

    async def frame(self) -> tuple[bytes, bytes]:
        """Return the next frame of its answer. Raises ``EOFError`` if it dies."""
        kind, payload = await frames.read(self._reader)
        self.clean = kind in (frames.END, frames.FAIL)
        return kind, payload

    def give_way(self) -> None:
        """Let others have the processor first, from now to its end."""
        if not self.clean:
            self.spent = True
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self.process.pid, _NICE)

    async def bury(self) -> str:
        """Kill it, wait for its end, and return the beginning of what it said while dying."""
        if self.process.poll() is None:
            self.process.kill()
        if hasattr(self, "_writer"):
            self._writer.close()
        pause = 0.001
        while self.process.poll() is None:
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.1)
        if self._said is None:
            with self._stderr as stream:
                stream.seek(0)
                self._said = stream.read(2000).decode(errors="replace")
        return self._said


class Pool:
    """As many workers as ``limits`` say, and one more that is ready to replace a killed one.

    ``retired`` is called with how each worker ended: ``killed``, ``died``, ``replaced``.
    """

    def __init__(self, limits: Limits, retired: Callable[[str], None] = lambda _: None) -> None:
        self._limits = limits
        self._retired = retired
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._busy = 0
        self._held: Counter[str] = Counter()
        # One queue for each client that waits; clients take turns in the order of the dictionary.
        self._queues: dict[str, deque[asyncio.Future[Worker]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self.missing: list[str] = []

    @property
    def busy(self) -> int:
        """How many workers are at work."""
        return self._busy

    @property
    def waiting(self) -> int:
        """How many requests wait for a worker."""
        return sum(map(len, self._queues.values()))

    @property
    def pids(self) -> list[int]:
        """The process identifiers of all workers."""
        return [worker.process.pid for worker in self._all]

    async def start(self) -> None:
        """Start the workers and return when the first is ready."""
        first = asyncio.ensure_future(self._start_one())
        for _ in range(self._limits.workers):
            self._background(self._replace())
        await first

    async def close(self) -> None:
        """Kill every worker and refuse every request."""
        self._closed = True
        for task in list(self._tasks):
            task.cancel()
        for queue in self._queues.values():
            for future in queue:
                future.cancel()
        await asyncio.gather(*(worker.bury() for worker in self._all))
        self._all.clear()

    @asynccontextmanager
    async def lend(self, client: str) -> AsyncIterator[Worker]:
        """Lend a worker, waiting for it in this client's turn. Raises ``BusyError``.

        A worker that comes back in the middle of an answer is killed; so is one whose borrower
        is cancelled.
        """
        worker = await self._turn(client)
        later = asyncio.get_running_loop().call_later(_LONG, worker.give_way)
        try:
            yield worker
        finally:
            later.cancel()
            self._back(worker, client)

    async def _turn(self, client: str) -> Worker:
        if self._closed:
            raise BusyError(1)
        waiting = len(self._queues.get(client, ()))
        if not waiting and self._may(client) and self._idle:
            return self._take(client)
        if waiting >= self._limits.waiting_each or self.waiting >= self._limits.waiting:
            raise BusyError(max(1, round(self._limits.timeout)))
        future: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(client, deque()).append(future)
        try:
            # Not wait_for, which keeps a cancellation to itself if a worker comes with it.
            async with asyncio.timeout(2 * self._limits.timeout):
                return await future
        except TimeoutError:
            self._give_up(future, client)
            raise BusyError(max(1, round(self._limits.timeout))) from None
        except asyncio.CancelledError:
            self._give_up(future, client)
            raise

    def _give_up(self, future: asyncio.Future[Worker], client: str) -> None:
        """Leave the queue, or hand back the worker that came too late."""
        if future.done() and not future.cancelled():
            self._back(future.result(), client)
            return
        queue = self._queues.get(client)
        if queue and future in queue:
            queue.remove(future)
            if not queue:
                del self._queues[client]

    def _may(self, client: str) -> bool:
        return self._busy < self._limits.workers and self._held[client] < self._limits.share

    def _take(self, client: str) -> Worker:
        worker = self._idle.pop()
        self._busy += 1
        self._held[client] += 1
        return worker

    def _back(self, worker: Worker, client: str) -> None:
        self._busy -= 1
        self._held[client] -= 1
        if not self._held[client]:
            del self._held[client]
        if worker.clean and not worker.spent and worker.process.poll() is None:
            self._idle.append(worker)
        else:
            self.discard(worker)
        self._serve_queues()

    def discard(self, worker: Worker) -> None:
        """Kill a worker that is not lent any more and start another."""
        if worker in self._all:
            self._all.discard(worker)
            if worker in self._idle:
                self._idle.remove(worker)
            how = "replaced" if worker.clean else "killed"
            self._retired(how if worker.process.poll() is None else "died")
            self._background(_bury(worker))
            self._background(self._replace())

    def _serve_queues(self) -> None:
        for client in list(self._queues):
            queue = self._queues[client]
            while queue and queue[0].done():  # gave up
                queue.popleft()
            if queue and self._idle and self._may(client):
                queue.popleft().set_result(self._take(client))
                self._queues[client] = self._queues.pop(client)  # its next turn is the last
            if not queue:
                self._queues.pop(client, None)
        if self._idle and any(self._may(client) for client in self._queues):
            self._serve_queues()

    async def _replace(self) -> None:
        pause, longest = _PAUSES
        while not self._closed:
            try:
                await self._start_one()
                break
            except (EOFError, OSError):
                await asyncio.sleep(pause)
                pause = min(2 * pause, longest)

    async def _start_one(self) -> None:
        ours, theirs = socket.socketpair()
        stderr = tempfile.TemporaryFile()  # noqa: SIM115  # the worker's, until it is buried
        told = {
            "memory": self._limits.memory,
            "rows": self._limits.rows,
            "answer": self._limits.answer,
            "parent": os.getpid(),
        }
        with theirs:
            process = subprocess.Popen(
                # -P: the folder one happens to stand in is no place to import from.
                [sys.executable, "-P", "-m", "kg.server.worker", json.dumps(told)],
                # Fewer arenas: each reserves address space, which the limit counts.
                env=os.environ | {"PYTHONPATH": _PACKAGES, "MALLOC_ARENA_MAX": "2"},
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
        worker = Worker(process, stderr)
        self._all.add(worker)
        try:
            await worker.connect(ours)
        except BaseException:
            self._all.discard(worker)
            await worker.bury()
            raise
        self.missing = worker.missing
        self._idle.append(worker)
        self._serve_queues()

    def _background(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _bury(worker: Worker) -> None:
    await worker.bury()
