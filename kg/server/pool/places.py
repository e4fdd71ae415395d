"""Places in the queue for a worker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kg.server.pool.workers import Worker


class BusyError(Exception):
    """No worker is free and no more may wait; ``retry_after`` seconds might help."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many requests are waiting")
        self.retry_after = retry_after


class Place:
    """A place in the queue: when its turn comes, ``given`` is called with a worker.

    ``store`` and ``job`` are known if the job may be sent to a worker ahead of its turn.
    """

    __slots__ = ("client", "future", "job", "store", "worker")

    def __init__(self, client: str, store: str = "", job: bytes = b"") -> None:
        self.client = client
        self.store = store
        self.job = job
        self.worker: Worker | None = None  # which has the job, but not its turn yet
        self.future: asyncio.Future[Worker] | None = None  # what a task waits for here

    def given(self, worker: Worker) -> None:
        """Have one's turn."""
        assert self.future
        self.future.set_result(worker)

    def awaited(self) -> asyncio.Future[Worker]:
        """Return what brings the worker from now on, for a task to wait for."""
        self.future = asyncio.get_running_loop().create_future()
        return self.future

    @property
    def left(self) -> bool:
        """Whether who waited here does so no more."""
        return self.future is not None and self.future.done()
