"""What those who run the endpoint look at: is it alive, is it ready, what has it done."""

from __future__ import annotations

import json
from collections.abc import Sequence

from starlette.types import Receive, Scope, Send

from kg.server.addresses.reading import Reading
from kg.server.pool.pool import Pool
from kg.server.site import Site
from kg.server.wire import metrics
from kg.server.wire.cache import Shelf
from kg.server.wire.problems import Problem


async def send_text(
    scope: Scope, send: Send, media: str, text: str, vary: bytes | None = None
) -> None:
    """Send a small text that no one may keep; ``vary`` is what its form depends on."""
    body = text.encode()
    headers = [
        (b"content-type", media.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *([(b"vary", vary)] if vary else []),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": body})


class Health(Reading):
    """``/health``: the process answers."""

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the state."""
        await send_text(scope, send, "application/json", '{"status": "ok"}\n')


class Ready(Reading):
    """``/ready``: there is a snapshot of every dispute, and a worker; or 503."""

    def __init__(self, sites: Sequence[Site]) -> None:
        self._sites = sites

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the state. Raises ``Problem`` (503)."""
        disputes = {site.identity.name: _state(site) for site in self._sites}
        alone = disputes.pop("", None)
        told = {"status": "ready", **alone} if alone else {"status": "ready", "disputes": disputes}
        await send_text(scope, send, "application/json", json.dumps(told) + "\n")


def _state(site: Site) -> dict[str, str | None]:
    snapshot, problem = site.published.snapshot, site.published.problem
    if snapshot is None or not site.pool.pids:
        which = f"{site.identity.name}: " if site.identity.name else ""
        why = problem or "no worker runs"
        raise Problem(503, "Not ready", f"{which}{why}.", outcome="not ready")
    return {"snapshot": snapshot.digest, "problem": problem}


class MetricsPage(Reading):
    """``/metrics``, for Prometheus."""

    def __init__(self, counted: metrics.Metrics, pool: Pool, cache: Shelf) -> None:
        self._metrics = counted
        self._pool = pool
        self._cache = cache

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the figures."""
        pool, cache = self._pool, self._cache
        now = {
            "kg_workers": ("gauge", "Worker processes.", len(pool.pids)),
            "kg_workers_busy": ("gauge", "Workers at work.", pool.busy),
            "kg_waiting": ("gauge", "Requests that wait for a worker.", pool.waiting),
            "kg_cache_bytes": ("gauge", "Bytes of cached answers.", cache.size),
            "kg_cache_hits_total": ("counter", "Answers from the cache.", cache.hits),
            "kg_cache_misses_total": ("counter", "Answers not in the cache.", cache.misses),
        }
        await send_text(scope, send, metrics.MEDIA_TYPE, self._metrics.text(now))
