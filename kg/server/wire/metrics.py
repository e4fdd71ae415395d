"""Counters in the text format of Prometheus. Nothing of a query's text goes into any of them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping

from kg.server.wire.notes import Notes

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# Whatever else a client sends as a method would be a label of its own.
_METHODS = frozenset({"GET", "HEAD", "POST", "QUERY", "OPTIONS", "PUT", "DELETE", "PATCH"})


class Metrics:
    """What has been served since the start."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int, str]] = Counter()
        self._workers: Counter[str] = Counter()
        self._seconds = [0] * (len(_BUCKETS) + 1)
        self._sum = 0.0
        self._rows = 0
        self._bytes = 0
        self._now = 0

    def begin(self) -> None:
        """Count a request that has begun."""
        self._now += 1

    def end(self, method: str, status: int, notes: Notes, seconds: float) -> None:
        """Count a request that has ended."""
        self._now -= 1
        self.count(method, status, notes, seconds)

    def count(self, method: str, status: int, notes: Notes, seconds: float) -> None:
        """Count a request of which nothing was known before it ended."""
        known = method if method in _METHODS else "other"
        self._requests[known, status, notes.outcome] += 1
        self._seconds[bisect_left(_BUCKETS, seconds)] += 1
        self._sum += seconds
        self._rows += notes.rows or 0
        self._bytes += notes.size

    def worker_ended(self, how: str) -> None:
        """Count a worker that has ended: ``killed``, ``died`` or ``replaced``."""
        self._workers[how] += 1

    def text(self, now: Mapping[str, tuple[str, str, float]]) -> str:
        """Return everything; ``now`` adds figures: name to type, help and value."""
        lines = ["# HELP kg_requests_total Requests served.", "# TYPE kg_requests_total counter"]
        lines += [
            f'kg_requests_total{{method="{method}",status="{status}",outcome="{outcome}"}} {count}'
            for (method, status, outcome), count in sorted(self._requests.items())
        ]
        lines += [
            "# HELP kg_request_seconds Time from a request to the end of its response.",
            "# TYPE kg_request_seconds histogram",
        ]
        total = 0
        for bound, count in zip((*_BUCKETS, "+Inf"), self._seconds, strict=True):
            total += count
            lines.append(f'kg_request_seconds_bucket{{le="{bound}"}} {total}')
        lines += [f"kg_request_seconds_sum {self._sum:.6f}", f"kg_request_seconds_count {total}"]
        lines += [
            "# HELP kg_workers_ended_total Worker processes that ended.",
            "# TYPE kg_workers_ended_total counter",
        ]
        lines += [
            f'kg_workers_ended_total{{how="{how}"}} {self._workers[how]}'
            for how in ("died", "killed", "replaced")
        ]
        figures = {
            "kg_rows_total": ("counter", "Rows and triples served.", self._rows),
            "kg_response_bytes_total": ("counter", "Bytes of answers served.", self._bytes),
            "kg_requests_now": ("gauge", "Requests being served.", self._now),
            **now,
        }
        for name, (kind, help, value) in figures.items():
            lines += [f"# HELP {name} {help}", f"# TYPE {name} {kind}", f"{name} {value:g}"]
        return "\n".join(lines) + "\n"
