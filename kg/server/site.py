"""What is served, and what every part of the endpoint needs of the others."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.types import Message, Receive, Scope, Send

from kg.errors import EngineError
from kg.server.answering.answers import Answers, Request
from kg.server.pool import frames
from kg.server.pool.pool import Pool
from kg.server.published import Published
from kg.server.wire import negotiation
from kg.server.wire.limits import Limits
from kg.server.wire.notes import Notes, client_of
from kg.server.wire.problems import Problem
from kg.server.wire.requests import header

if TYPE_CHECKING:
    from kg.dispute import Dispute

# Verbs that would change something; each is refused with the same sentence.
WRITES = frozenset({"PUT", "DELETE", "PATCH"})


@dataclass(frozen=True)
class Identity:
    """What is served: its title, the base of its names, and the address it is served under.

    Snapshots are published below one of ``roots``. ``public`` is the address that stands for the
    base (``--base``), or ``None`` to take it from each request. ``dispute`` is what stored queries
    are looked up in. ``name`` tells it from others on the same server; alone it has none.
    """

    base: str
    title: str
    roots: tuple[Path, ...]
    public: str | None = None
    dispute: Dispute | None = None
    name: str = ""

    @property
    def path(self) -> str:
        """The path on this server below which all of it is."""
        return f"/{self.name}/" if self.name else "/"

    @property
    def public_path(self) -> str:
        """The path below which clients have all of it: that of ``public``, if there is one."""
        return urlsplit(self.public).path if self.public else self.path

    @property
    def mounted(self) -> str:
        """The path that ``--base`` puts before ``path``, ending in a slash."""
        return self.public_path.removesuffix(self.path[1:]) or "/"


@dataclass
class Site:
    """The parts of a running endpoint."""

    identity: Identity
    limits: Limits
    published: Published
    pool: Pool
    answers: Answers
    proxied: bool = False
    federated: bool = False  # queries may ask the other servers that are listed

    def request(self, scope: Scope, job: dict[str, Any], page_url: str | None = None) -> Request:
        """Return a request for a worker."""
        return self.written(scope, self._job(job), page_url)

    def plain_job(self, scope: Scope) -> bytes:
        """Return the job of a query over the usual dataset, without the query's text."""
        rest = {"default": None, "named": None, **self.formats(scope)}
        return self._job({"op": "query", "query": "", **rest})

    def _job(self, job: dict[str, Any]) -> bytes:
        return frames.job({"base": self.identity.base, "services": self.federated, **job})

    def written(self, scope: Scope, job: bytes, page_url: str | None = None) -> Request:
        """Return a request whose job has been written."""
        notes: Notes = scope["kg.notes"]
        return Request(
            job=job,
            client=client_of(scope, self.proxied),
            method=scope["method"],
            if_none_match=header(scope, "if-none-match") or "",
            http_1_0=scope["http_version"] == "1.0",
            notes=notes,
            transport=scope.get("kg.transport"),
            page_url=page_url,
        )

    async def respond(self, request: Request, receive: Receive, send: Send) -> None:
        """Answer with what a worker makes of it."""
        await self.answers.respond(request, receive, send)

    async def prove(self) -> None:
        """Have a worker open the snapshot and answer. Raises ``EngineError`` if none ever will."""
        if self.published.snapshot is None:
            return
        job = {
            "base": self.identity.base,
            "op": "query",
            "query": "ASK {}",
            "rows": negotiation.ROWS[0],
            "graph": None,
            "encoding": None,
        }
        try:
            await self.answers.respond(Request(frames.job(job), "", "GET"), _nobody, _nowhere)
        except Problem as problem:
            # What only takes long, or is not there yet, may do better for those who ask later.
            if problem.status in (422, 500):
                raise EngineError(
                    f"a worker cannot answer over {self.published.snapshot.store}: {problem.title}",
                    hint="Give workers more with --memory.",
                ) from None

    def formats(self, scope: Scope) -> dict[str, Any]:
        """Return what the client takes: for rows, for a graph, and which content coding."""
        accept = header(scope, "accept")
        return {
            "rows": negotiation.best(accept, negotiation.ROWS),
            "graph": negotiation.best(accept, negotiation.GRAPHS),
            "encoding": negotiation.coding(header(scope, "accept-encoding")),
        }

    def address(self, scope: Scope) -> str:
        """Return the address below which the dispute is, as the client used it, with a slash."""
        if self.identity.public:
            return self.identity.public
        return server_address(scope) + self.identity.path.removeprefix("/")

    async def describe_service(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the service description: what is here and what can be asked."""
        await self.respond(self.request(scope, self.description(scope)), receive, send)

    def description(self, scope: Scope, void: bool = False) -> dict[str, Any]:
        """Return the job that describes the service, or with ``void`` the data."""
        return {
            "op": "describe",
            "void": void,
            "home": self.address(scope),
            "endpoint": self.address(scope) + "sparql",
            "title": self.identity.title,
            **self.formats(scope),
        }


async def _nobody() -> Message:
    """Be a client that stays and says nothing."""
    never: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
    return await never


async def _nowhere(_: Message) -> None:
    pass


def server_address(scope: Scope) -> str:
    """Return this server's address as the client used it, ending in a slash."""
    host = header(scope, "host") or ""
    if not host:  # as from HTTP/1.0
        host = f":{(scope.get('server') or ('', 80))[1]}"
    if host.startswith(":"):
        host = f"localhost{host}"
    return f"{scope.get('scheme', 'http')}://{host}/"
