"""How much the endpoint gives to one request, one client and all of them together."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

KIB = 1024
MIB = 1024 * KIB


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def default_workers() -> int:
    """Return twice the processors this process may use, and at least twelve.

    More than there are processors, because a query that has run for a second gives way to newer
    ones: eight without end, from one client or from many, leave a worker for a short one.
    """
    return max(12, 2 * processors())


@dataclass(frozen=True)
class Limits:
    """Bounds of the endpoint; times are in seconds, sizes in bytes."""

    timeout: float = 10.0  # what one query may take of a worker
    workers: int = field(default_factory=default_workers)  # queries at once
    short: int = field(default_factory=processors)  # of these, queries that have only just begun
    waiting: int = 128  # requests that may wait for a worker
    waiting_each: int = 32  # of one client
    memory: int = 1024 * MIB  # address space of one worker
    rows: int = 20_000_000  # of one answer, or triples
    answer: int = 8192 * MIB  # of one answer, before it is compressed
    patience: float = 60.0  # how long a client may take nothing of its answer
    stall: float = 5.0  # the same while others wait for a worker
    query: int = 256 * KIB  # of a query's text
    body: int = 1 * MIB  # of a request's body
    body_time: float = 10.0  # to send a request's body
    target: int = 60 * KIB  # of a query string; the parser takes no address beyond 64 KiB
    service: int = 1 * MIB  # of what another server answers
    held: int = 256 * KIB  # of an answer held back, so that a failure can still have its status
    cache: int = 64 * MIB  # all cached answers together
    cached: int = 4 * MIB  # one cached answer

    @property
    def share(self) -> int:
        """How many workers one client may hold: a quarter of them, at least one, stays free."""
        return max(1, self.workers - max(1, self.workers // 4))
