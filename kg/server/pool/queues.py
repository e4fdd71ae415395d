"""Waiting for a worker: a queue for each client, and whose turn it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from kg.server.pool.places import Place


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
            self._gone(place.client, queue)

    def next(self, may: Callable[[Place], bool]) -> Place | None:
        """Take the first place of the client whose turn it is, of those that may go now.

        Its client's next turn is the last.
        """
        for client in [*self._queues]:
            queue = self._queues[client]
            while queue and queue[0].left:
                queue.popleft()
                self._gone(client, queue)
            if queue and may(queue[0]):
                place = queue.popleft()
                if queue:
                    self._queues[client] = self._queues.pop(client)
                self._gone(client, queue)
                return place
        return None

    def close(self) -> None:
        """Cancel whoever waits."""
        for place in (place for queue in self._queues.values() for place in queue):
            if place.future:
                place.future.cancel()

    def _gone(self, client: str, queue: deque[Place]) -> None:
        self.waiting -= 1
        if not queue:
            del self._queues[client]
