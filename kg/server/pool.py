"""Worker processes: started ahead, lent fairly, killed when they must be, replaced at once."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections import Counter, deque
from collections.abc import Callable
from types import TracebackType
from typing import Any

from kg.server.launcher import Launcher
from kg.server.limits import Limits
from kg.server.workers import Worker

# After so long a query gives way to others on the processor; seconds.
_LONG = 1.0
# A worker that cannot start is tried again after so long, doubled up to the last; seconds.
_PAUSES = (0.1, 5.0)


class BusyError(Exception):
    """No worker is free and no more may wait; ``retry_after`` seconds might help."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many requests are waiting")
        self.retry_after = retry_after


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
        self._launcher = Launcher(
            {"memory": limits.memory, "rows": limits.rows, "answer": limits.answer}
        )
        self.missing: list[str] = []

    @property
    def busy(self) -> int:
        """How many workers are at work."""
        return self._busy

    @property
    def waiting(self) -> int:
        """How many requests wait for a worker."""
        return sum(map(len, self._queues.values()))

    def wanted(self, client: str) -> float:
        """Return how many clients wait for each of the workers that this client holds some of."""
        if self._busy < self._limits.workers and client not in self._queues:
            return 0.0  # who waits has its share
        return len(self._queues) / self._limits.workers

    @property
    def pids(self) -> list[int]:
        """The process identifiers of all workers."""
        return [worker.process.pid for worker in self._all if worker.process]

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
        self._launcher.close()

    def lend(self, client: str, store: str) -> Loan:
        """Lend a worker, for an ``async with`` that waits for it in this client's turn.

        Preferred is one whose last job was over the same store. Entering raises ``BusyError``. A
        worker that comes back in the middle of an answer is killed; so is one whose borrower is
        cancelled.
        """
        return Loan(self, client, store)

    def at_once(self, client: str, store: str) -> Worker | None:
        """Return a worker if one is free and nobody of this client waits."""
        if self._closed or not self._idle or client in self._queues or not self._may(client):
            return None
        return self._take(client, store)

    async def turn(self, client: str) -> Worker:
        """Wait for a worker. Raises ``BusyError``."""
        if self._closed:
            raise BusyError(1)
        waiting = len(self._queues.get(client, ()))
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
            self.back(future.result(), client)
            return
        queue = self._queues.get(client)
        if queue and future in queue:
            queue.remove(future)
            if not queue:
                del self._queues[client]

    def _may(self, client: str) -> bool:
        return self._busy < self._limits.workers and self._held[client] < self._limits.share

    def _take(self, client: str, store: str = "") -> Worker:
        place = len(self._idle) - 1  # the last one back: what it needs is likely still at hand
        if store and self._idle[place].store != store:
            same = (n for n in reversed(range(place)) if self._idle[n].store == store)
            place = next(same, place)
        worker = self._idle.pop(place)
        self._busy += 1
        self._held[client] += 1
        return worker

    def back(self, worker: Worker, client: str) -> None:
        """Take a worker back; see ``lend``."""
        self._busy -= 1
        self._held[client] -= 1
        if not self._held[client]:
            del self._held[client]
        if worker.clean and not worker.spent and not worker.gone:
            self._idle.append(worker)
        else:
            self.discard(worker)
        if self._queues:
            self._serve_queues()

    def discard(self, worker: Worker) -> None:
        """Kill a worker that is not lent any more and start another."""
        if worker in self._all:
            self._all.discard(worker)
            if worker in self._idle:
                self._idle.remove(worker)
            how = "replaced" if worker.clean else "killed"
            self._retired("died" if worker.gone else how)
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
        with theirs:
            try:
                worker = Worker(self._launcher.launch(theirs, stderr), stderr)
            except BaseException:
                ours.close()
                stderr.close()
                raise
        self._all.add(worker)
        try:
            loop = asyncio.get_running_loop()
            await loop.create_unix_connection(lambda: worker, sock=ours)
            await worker.ready()
        except EOFError:
            self._all.discard(worker)
            said = (await worker.bury()).strip().splitlines()
            raise EOFError(f"no worker starts: {said[-1] if said else 'it was killed'}") from None
        except BaseException:
            self._all.discard(worker)
            await worker.bury()
            raise
        self.missing = worker.missing
        worker.lost = self._lost
        self._idle.append(worker)
        self._serve_queues()

    def _lost(self, worker: Worker) -> None:
        if worker in self._idle:
            self.discard(worker)

    def _background(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _bury(worker: Worker) -> None:
    await worker.bury()


class Loan:
    """A worker between taking it from the pool and giving it back; see ``Pool.lend``."""

    def __init__(self, pool: Pool, client: str, store: str) -> None:
        self._pool = pool
        self._client = client
        self._store = store

    async def __aenter__(self) -> Worker:
        pool, client = self._pool, self._client
        self._worker = pool.at_once(client, self._store) or await pool.turn(client)
        later = asyncio.get_running_loop().call_later(_LONG, self._worker.give_way)
        self._later = later
        return self._worker

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._later.cancel()
        self._pool.back(self._worker, self._client)
