"""Places in the queue for a worker."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kg.server.workers import Worker


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


class Queues:
    """One queue for each client that waits; clients take turns."""

    def __init__(self) -> None:
        # In the order of their turns.
        self._queues: dict[str, deque[Place]] = {}
        self.waiting = 0  # places in all of them

    def __len__(self) -> int:
        """Return how many clients wait."""
        return len(self._queues)

    def __contains__(self, client: str) -> bool:
        return client in self._queues

    def of(self, client: str) -> int:
        """Return how many places a client has."""
        return len(self._queues.get(client, ()))

    def add(self, place: Place) -> None:
        """Stand at the end."""
        self._queues.setdefault(place.client, deque()).append(place)
        self.waiting += 1

    def put_back(self, place: Place) -> None:
        """Stand before all others of this client, as one did before."""
        self._queues.setdefault(place.client, deque()).appendleft(place)
        self.waiting += 1

    def leave(self, place: Place) -> None:
        """Stand there no more."""
        queue = self._queues.get(place.client)
        if queue and place in queue:
            queue.remove(place)
            self._gone(place.client, queue, 1)

    def next(self, may: Callable[[Place], bool]) -> Place | None:
        """Take the first place of the client whose turn it is, of those that may go now.

        Its client's next turn is the last.
        """
        for client in [*self._queues]:
            queue = self._queues[client]
            while queue and queue[0].left:
                queue.popleft()
                self._gone(client, queue, 1)
            if queue and may(queue[0]):
                place = queue.popleft()
                if queue:
                    self._queues[client] = self._queues.pop(client)
                self._gone(client, queue, 1)
                return place
        return None

    def close(self) -> None:
        """Cancel whoever waits."""
        for place in (place for queue in self._queues.values() for place in queue):
            if place.future:
                place.future.cancel()

    def _gone(self, client: str, queue: deque[Place], count: int) -> None:
        self.waiting -= count
        if not queue:
            del self._queues[client]
