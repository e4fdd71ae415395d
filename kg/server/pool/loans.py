"""A worker, lent for as long as a block lasts."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING

from kg.server.pool.places import Place
from kg.server.pool.workers import Worker

if TYPE_CHECKING:
    from kg.server.pool.pool import Pool

# After so long a query gives way to others on the processor; seconds.
_LONG = 1.0


class Loan:
    """A worker between taking it from the pool and giving it back; see ``Pool.lend``."""

    def __init__(self, pool: Pool, client: str, store: str) -> None:
        self._pool = pool
        self._client = client
        self._store = store
        self._taken: Worker | None = None
        self._place: Place | None = None
        # When the worker was given the job, if before the loan; seconds, as of monotonic().
        self.since: float | None = None

    def resume(self, worker: Worker | None, place: Place | None, since: float) -> Loan:
        """Go on from a worker at work on the job ``since`` then, or from a place in the queue."""
        self._taken, self._place = worker, place
        self.since = since if worker else None
        return self

    async def __aenter__(self) -> Worker:
        pool, client = self._pool, self._client
        if self._taken:
            self._worker = self._taken
        elif self._place:
            self._worker = await pool.turn(client, self._place)
        else:
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
