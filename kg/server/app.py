"""The application: routes, what every response carries, errors, the access log and the counters."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kg.server.addresses.api import EveryOpenApi, OpenApi, QueryAnswer, QueryList
from kg.server.addresses.catalogue import Catalogue
from kg.server.addresses.graphs import Graphs
from kg.server.addresses.operations import Health, MetricsPage, Ready
from kg.server.addresses.protocol import Sparql
from kg.server.addresses.resources import Resources
from kg.server.addresses.several import EveryVoid, FrontPage, Names, ToSlash
from kg.server.addresses.void import Void
from kg.server.answering.answers import AbortedError, Answers
from kg.server.answering.quick import Attempt, Quick
from kg.server.pool.pool import Pool
from kg.server.pool.services import Origin, Services
from kg.server.published import Published
from kg.server.site import Identity, Site
from kg.server.wire.cache import Cache, Shelf
from kg.server.wire.headers import EVERYWHERE
from kg.server.wire.limits import Limits
from kg.server.wire.metrics import Metrics
from kg.server.wire.notes import AccessLog, Notes
from kg.server.wire.problems import MEDIA_TYPE, Problem
from kg.server.wire.requests import header, is_host

LOG = logging.getLogger("kg.server")

# No address of the server has a slash or a control character that is escaped; a name may.
_OF_A_NAME = re.compile(rb"%(?:2F|[01][0-9A-F]|7F)", re.IGNORECASE)


def create_app(
    identities: Sequence[Identity],
    limits: Limits,
    *,
    proxied: bool = False,
    origins: Sequence[Origin] = (),
) -> Front:
    """Return the ASGI application that serves a dispute, or several with a name each.

    They share the workers and the cache: ``limits`` are those of all together. Queries may ask
    the servers of ``origins``.
    """
    metrics = Metrics()
    shelf = Shelf(limits.cache, limits.cached)
    pool = Pool(limits, metrics.worker_ended)
    services = Services(origins, limits.service, limits.workers)
    sites: list[Site] = []
    caches = [Cache(shelf) for _ in identities]
    for identity, cache in zip(identities, caches, strict=True):
        published = Published(identity.roots, cache.clear)
        answers = Answers(published, pool, cache, limits, services)
        site = Site(identity, limits, published, pool, answers, proxied, bool(origins))
        sites.append(site)
    catalogues = [Catalogue(identity.dispute) for identity in identities]

    reading: set[asyncio.Task[None]] = set()

    def reload(cache: Cache, catalogue: Catalogue) -> None:
        cache.clear()
        task = asyncio.get_running_loop().create_task(catalogue.reload())
        reading.add(task)
        task.add_done_callback(reading.discard)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        for site, catalogue in zip(sites, catalogues, strict=True):
            site.published.look()
            catalogue.load()
        await pool.start()
        if pool.missing:
            LOG.warning("workers could not be given: %s", ", ".join(pool.missing))
        try:
            for site in sites:
                await site.prove()
        except BaseException:
            await pool.close()
            raise
        following = []
        for site, cache, catalogue in zip(sites, caches, catalogues, strict=True):
            site.published.changed = partial(reload, cache, catalogue)
            following.append(asyncio.create_task(site.published.follow()))
        try:
            yield
        finally:
            for task in following:
                task.cancel()
            services.close()
            await pool.close()

    routes: list[BaseRoute] = [
        Route("/health", Health()),
        Route("/ready", Ready(sites)),
        Route("/metrics", MetricsPage(metrics, pool, shelf)),
    ]
    resources = [Resources(site) for site in sites]
    names = Names(resources)
    parts = [_routes(*part, names) for part in zip(sites, catalogues, strict=True)]
    if len(sites) == 1 and not sites[0].identity.name:
        routes += parts[0]
    else:
        routes += [
            Route("/", FrontPage(sites), methods=None),
            Route("/.well-known/void", EveryVoid(sites), methods=None),
            Route("/openapi.json", EveryOpenApi(sites, catalogues), methods=None),
        ]
        for site, part in zip(sites, parts, strict=True):
            name = site.identity.name
            routes.append(Route(f"/{name}", ToSlash(site.identity.public_path), methods=None))
            routes.append(Mount(f"/{name}", Router(part, redirect_slashes=False, default=names)))
        routes.append(Route("/{name:path}", names, methods=None))
    mounted = sites[0].identity.mounted.rstrip("/")
    if mounted:
        # Where clients have it; without, for probes and for proxies that take the path away.
        below = Mount(mounted, Router(list(routes), redirect_slashes=False, default=names))
        routes = [Route(mounted, ToSlash(f"{mounted}/"), methods=None), below, *routes]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.router.redirect_slashes = False
    app.router.default = names
    endpoints = {f"{site.identity.path}sparql": Sparql(site) for site in sites}
    endpoints |= {mounted + path: endpoint for path, endpoint in endpoints.items()}
    return Front(_Unescaped(app.router, names), metrics, proxied, endpoints)


def _routes(site: Site, catalogue: Catalogue, names: Names) -> list[BaseRoute]:
    """Return the addresses that a dispute has, below its own path."""
    sparql = Sparql(site)
    return [
        Route("/sparql", sparql, methods=None),
        Route("/sparql/", sparql, methods=None),
        Route("/graphs", Graphs(site), methods=None),
        Route("/.well-known/void", Void(site), methods=None),
        Route("/api/queries", QueryList(site, catalogue), methods=None),
        Route("/api/queries/{name}", QueryAnswer(site, catalogue), methods=None),
        Route("/openapi.json", OpenApi(site, catalogue), methods=None),
        Route("/{name:path}", names, methods=None),
    ]


class _Unescaped:
    """Keeps from routes what only looks like their paths once it is decoded; that is a name.

    So ``/a%2Fb`` is not ``/a/b``; and the end of a path's pattern would match before a line end.
    """

    def __init__(self, routes: ASGIApp, names: ASGIApp) -> None:
        self._routes = routes
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("raw_path") or b""
        app = self._names if _OF_A_NAME.search(path.partition(b"?")[0]) else self._routes
        await app(scope, receive, send)


class Front:
    """Stands before every route: headers, errors in one shape, one line of log for each request.

    ``quick`` begins requests to the ``endpoints``, by path, before they come here.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        proxied: bool,
        endpoints: Mapping[str, Sparql],
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._log = AccessLog(proxied)
        self.quick = Quick(endpoints, self.quick_note, proxied)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the server's own start and stop."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            self._log.flush()
            return
        begun: Attempt | None = scope.get("kg.attempt")
        notes: Notes = scope.setdefault("kg.notes", Notes())
        started = begun.began if begun else time.monotonic()
        status = 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *EVERYWHERE]
            await send(message)

        self._metrics.begin()
        try:
            await self._serve(begun or self._app, scope, receive, send_on, notes)
        finally:
            seconds = time.monotonic() - started
            refused: Problem | None = scope.get("kg.refused")
            if refused:  # its content was no HTTP, which the connection has answered
                status, notes.outcome = refused.status, refused.outcome
            self._metrics.end(scope["method"], status, notes, seconds)
            self._log.add(scope, status, notes, seconds)

    def note(self, scope: Scope, status: int, notes: Notes, seconds: float) -> None:
        """Count and log a request that has been refused before it came here."""
        self._metrics.count(scope["method"], status, notes, seconds)
        self._log.add(scope, status, notes, seconds)

    def quick_note(self, asked: str, notes: Notes, seconds: float) -> None:
        """Count and log a query that has been answered before it came here."""
        self._metrics.count("GET", 200, notes, seconds)
        self._log.add_asked(asked, 200, notes, seconds)

    @staticmethod
    async def _serve(
        app: ASGIApp, scope: Scope, receive: Receive, send: Send, notes: Notes
    ) -> None:
        begun = False

        async def send_on(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            _check_message(scope)
            await app(scope, receive, send_on)
        except AbortedError:
            raise  # the server cuts the connection
        except Problem as problem:
            await _send_problem(problem, scope, send, notes)
        except HTTPException as error:
            await _send_problem(Problem(error.status_code), scope, send, notes)
        except Exception:
            if begun:
                raise
            LOG.exception("a request failed")
            failure = Problem(500, detail="The server failed; its log says how.")
            await _send_problem(failure, scope, send, notes)


def _check_message(scope: Scope) -> None:
    """Refuse what RFC 9112 has every server refuse. Raises ``Problem`` (400, 501, 505)."""
    version = scope["http_version"]
    if version not in ("1.0", "1.1"):
        raise _unknown(505, "This server speaks HTTP/1.1.")
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1 and (hosts or version == "1.1"):
        raise Problem(400, detail=f"A request has one Host header; this one has {len(hosts)}.")
    if hosts and not is_host(hosts[0]):
        raise Problem(400, detail="The Host header names no host.")
    if (header(scope, "transfer-encoding") or "chunked").lower() != "chunked":
        raise _unknown(501, "The only transfer coding that is known here is 'chunked'.")


def _unknown(status: int, detail: str) -> Problem:
    # How the message goes on, or the next begins, may be unknown as well.
    return Problem(status, detail=detail, headers={"Connection": "close"}, outcome="refused")


async def _send_problem(problem: Problem, scope: Scope, send: Send, notes: Notes) -> None:
    notes.outcome = problem.outcome
    body = problem.body()
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *((name.lower().encode(), text.encode()) for name, text in problem.headers.items()),
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else body
    with suppress(OSError):
        await send({"type": "http.response.body", "body": body})
