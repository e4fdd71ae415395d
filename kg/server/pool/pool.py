"""Worker processes, lent fairly, and killed when they must be."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable

from kg.server.pool.crew import Crew
from kg.server.pool.jobs import LONGEST
from kg.server.pool.loans import Loan
from kg.server.pool.places import BusyError, Place
from kg.server.pool.queues import Queues
from kg.server.pool.workers import Worker
from kg.server.wire.limits import Limits

# A query is short until it has run for so long; seconds.
_SHORT = 0.005
# So many jobs are sent ahead to one worker, none of them longer.
_AHEAD, _AHEAD_BYTES = 3, LONGEST // 2


class Pool:
    """As many workers as ``limits`` say, and one more that is ready to replace a killed one.

    ``retired`` is called with how each worker ended: ``killed``, ``died``, ``replaced``.
    """

    def __init__(self, limits: Limits, retired: Callable[[str], None] = lambda _: None) -> None:
        self._limits = limits
        self._idle: list[Worker] = []
        self._busy = 0
        self._held: Counter[str] = Counter()
        self._queues = Queues()
        # The workers whose query is short as yet, and since when, the oldest first. No more of them
        # are at work than there are processors: the others are there for queries that are not
        # short, and to wake one of them for what another does in no time would only cost time.
        self._young: dict[Worker, float] = {}
        self._aging: asyncio.TimerHandle | None = None
        self._closed = False
        self._crew = Crew(limits, self._join, self._lost, retired)

    @property
    def busy(self) -> int:
        """How many workers are at work."""
        return self._busy

    @property
    def waiting(self) -> int:
        """How many requests wait for a worker."""
        return self._queues.waiting

    def wanted(self, client: str) -> float:
        """Return how many clients wait for each of the workers that this client holds some of."""
        if self._busy < self._limits.workers and client not in self._queues:
            return 0.0  # who waits has its share
        return len(self._queues) / self._limits.workers

    @property
    def pids(self) -> list[int]:
        """The process identifiers of all workers."""
        return self._crew.pids

    @property
    def missing(self) -> list[str]:
        """What the workers could not be given, such as to be without a network."""
        return self._crew.missing

    async def start(self) -> None:
        """Start the workers and return when the first is ready."""
        await self._crew.start()

    async def close(self) -> None:
        """Kill every worker and refuse every request."""
        self._closed = True
        self._queues.close()
        if self._aging:
            self._aging.cancel()
        await self._crew.close()

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

    def queue(self, place: Place) -> None:
        """Wait in this client's turn: the place will be ``given`` a worker.

        If it has a job, the worker may have been given that by then: it is the ``worker`` of the
        place. Raises ``BusyError``.
        """
        if self._closed:
            raise BusyError(1)
        queues, limits = self._queues, self._limits
        if queues.waiting >= limits.waiting or queues.of(place.client) >= limits.waiting_each:
            raise BusyError(max(1, round(limits.timeout)))
        worker = None if queues or not self._may_go_ahead(place) else self._likeliest()
        if worker is None or not self._sent_ahead(place, worker):
            queues.add(place)
            self._send_ahead()
        self._watch()

    async def turn(self, client: str, place: Place | None = None) -> Worker:
        """Wait for a worker, in a place that one has or at the end. Raises ``BusyError``."""
        if place is None:
            place = Place(client)
            future = place.awaited()
            self.queue(place)
        elif self._closed:
            raise BusyError(1)
        else:
            future = place.future or place.awaited()
        try:
            # Not wait_for, which keeps a cancellation to itself if a worker comes with it.
            async with asyncio.timeout(2 * self._limits.timeout):
                return await future
        except TimeoutError:
            self._give_up(place, future)
            raise BusyError(max(1, round(self._limits.timeout))) from None
        except asyncio.CancelledError:
            self._give_up(place, future)
            raise

    def _give_up(self, place: Place, future: asyncio.Future[Worker]) -> None:
        """Leave the queue, or hand back the worker that came too late."""
        if future.done() and not future.cancelled():
            self.back(future.result(), place.client)
        else:
            self._queues.leave(place)

    def _may(self, client: str) -> bool:
        return (
            self._busy < self._limits.workers
            and self._held[client] < self._limits.share
            and len(self._young) < self._limits.short
        )

    def _age(self) -> None:
        """Let those who wait have other workers than the ones that have turned out to be slow."""
        self._aging = None
        now = time.monotonic()
        while self._young and now - self._young[worker := next(iter(self._young))] >= _SHORT:
            del self._young[worker]
            self._take_back(worker)
        self._serve_queues()

    def reclaim(self, worker: Worker) -> None:
        """Take those jobs back that were sent ahead and that the worker has not begun."""
        if worker.ahead:
            self._take_back(worker)
            self._serve_queues()

    def _take_back(self, worker: Worker) -> None:
        for place in reversed(worker.take_back()):
            self._put_back(place)

    def _put_back(self, place: Place) -> None:
        place.worker = None
        self._let_go(place.client)
        self._queues.put_back(place)

    def _watch(self) -> None:
        """See to it that nobody waits for a query that is not short."""
        if self._aging is None and (
            (self._queues and self._young) or any(worker.ahead for worker in self._young)
        ):
            self._aging = asyncio.get_running_loop().call_later(_SHORT, self._age)

    def _take(self, client: str, store: str = "") -> Worker:
        place = len(self._idle) - 1  # the last one back: what it needs is likely still at hand
        if store and self._idle[place].store != store:
            same = (n for n in reversed(range(place)) if self._idle[n].store == store)
            place = next(same, place)
        worker = self._idle.pop(place)
        self._busy += 1
        self._held[client] += 1
        self._young[worker] = time.monotonic()
        return worker

    def back(self, worker: Worker, client: str) -> None:
        """Take a worker back; see ``lend``."""
        self._let_go(client)
        usable = worker.clean and not worker.spent and not worker.gone
        ahead = worker.ahead
        if ahead and not usable:
            self._take_back(worker)
            while ahead and not worker.gone:  # it will be killed
                self._put_back(ahead.pop())
        self._young.pop(worker, None)
        if ahead:
            # What has died in the middle of a job is for whose job that was to hear of.
            self._young[worker] = time.monotonic()
            ahead.popleft().given(worker)
        else:
            self._busy -= 1
            if usable:
                self._idle.append(worker)
            else:
                self.discard(worker)
        if self._queues:
            self._serve_queues()

    def _let_go(self, client: str) -> None:
        self._held[client] -= 1
        if not self._held[client]:
            del self._held[client]

    def discard(self, worker: Worker) -> None:
        """Kill a worker that is not lent any more and start another."""
        if worker in self._idle:
            self._idle.remove(worker)
        self._crew.dismiss(worker)

    def _join(self, worker: Worker) -> None:
        self._idle.append(worker)
        self._serve_queues()

    def _serve_queues(self) -> None:
        while self._idle and (place := self._queues.next(self._may_have_one)):
            place.given(self._take(place.client, place.store))
        self._send_ahead()
        self._watch()

    def _may_have_one(self, place: Place) -> bool:
        return self._may(place.client)

    def _send_ahead(self) -> None:
        """Send jobs that wait to workers that are likely to be ready for them in no time."""
        queues = self._queues
        while queues and (worker := self._likeliest()):
            place = queues.next(self._may_go_ahead)
            if place is None:
                break
            if not self._sent_ahead(place, worker):
                queues.put_back(place)
                break

    def _sent_ahead(self, place: Place, worker: Worker) -> bool:
        if not worker.send_ahead(place):
            return False
        place.worker = worker
        self._held[place.client] += 1
        return True

    def _likeliest(self) -> Worker | None:
        """Return the worker with the fewest jobs ahead, unless all have as many as may be."""
        fewest, found = _AHEAD, None
        for worker in self._young:
            if len(worker.ahead) < fewest and not worker.clean:
                fewest, found = len(worker.ahead), worker
        return found

    def _may_go_ahead(self, place: Place) -> bool:
        return (
            0 < len(place.job) <= _AHEAD_BYTES
            and place.future is None
            and self._held[place.client] < self._limits.share
        )

    def _lost(self, worker: Worker) -> None:
        if worker in self._idle:
            self.discard(worker)
