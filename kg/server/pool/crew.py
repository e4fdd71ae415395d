"""The processes behind a pool: started ahead, buried, and replaced at once."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from typing import Any

from kg.server.pool.launcher import Launcher
from kg.server.pool.workers import Worker
from kg.server.wire.limits import Limits

# A worker that cannot start is tried again after so long, doubled up to the last; seconds.
_PAUSES = (0.1, 5.0)


class Crew:
    """As many workers as ``limits`` say, and one more that is ready to replace a killed one.

    ``ready`` is called with each that can take a job, ``lost`` with each that has gone, and
    ``retired`` with how each dismissed one ended: ``killed``, ``died``, ``replaced``.
    """

    def __init__(
        self,
        limits: Limits,
        ready: Callable[[Worker], None],
        lost: Callable[[Worker], None],
        retired: Callable[[str], None],
    ) -> None:
        self._workers = limits.workers
        self._ready = ready
        self._lost = lost
        self._retired = retired
        self._all: set[Worker] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._launcher = Launcher(
            {"memory": limits.memory, "rows": limits.rows, "answer": limits.answer}
        )
        # What the workers could not be given, such as to be without a network.
        self.missing: list[str] = []

    @property
    def pids(self) -> list[int]:
        """The process identifiers of all workers."""
        return [worker.process.pid for worker in self._all if worker.process]

    async def start(self) -> None:
        """Start the workers and return when the first is ready."""
        first = asyncio.ensure_future(self._start_one())
        for _ in range(self._workers):
            self._background(self._replace())
        await first

    async def close(self) -> None:
        """Kill every worker, and start no other."""
        self._closed = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*(worker.bury() for worker in self._all))
        self._all.clear()
        self._launcher.close()

    def dismiss(self, worker: Worker) -> None:
        """Kill a worker and start another, unless that was done."""
        if worker in self._all:
            self._all.discard(worker)
            how = "replaced" if worker.clean else "killed"
            self._retired("died" if worker.gone else how)
            self._background(_bury(worker))
            self._background(self._replace())

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
        stderr = tempfile.TemporaryFile()  # noqa: SIM115  # the worker's, until it is buried
        try:
            ours, process, jobs = self._launcher.launch(stderr)
        except BaseException:
            stderr.close()
            raise
        worker = Worker(process, stderr, jobs)
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
        self._ready(worker)

    def _background(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _bury(worker: Worker) -> None:
    await worker.bury()
