"""Names of the dispute that dereference: https://www.w3.org/TR/cooluris/.

A name of a thing redirects (303) to the document about it, since a person is no document; the
name of a graph, and of the dispute as a whole, answers with what it holds.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.types import Receive, Scope, Send

from kg.server import negotiation
from kg.server.dereference import SEE_OTHER
from kg.server.graphs import checked_iri
from kg.server.problems import Problem, method_not_allowed, read_only
from kg.server.reading import METHODS, options
from kg.server.requests import header
from kg.server.site import WRITES, Site

_ABOUT = "about/"
_ABSENT = "Nothing is said about this name."
_HTML = ("text/html; charset=utf-8", "html")
_OFFERS = (_HTML, *negotiation.GRAPHS)


class Resources:
    """Whatever path no other route takes: a name below one of the bases, or nothing."""

    def __init__(self, site: Site) -> None:
        self._site = site
        # Under its own name, where a server of that name passes requests on; and under --base.
        known = site.identity
        # Its path on this server is for proxies that take the rest away, and for a first look.
        paths = {urlsplit(known.base).path or "/", known.public_path, known.path}
        self._paths = sorted(paths, key=len, reverse=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method = scope["method"]
        path = path_of(scope)
        below = self.below(path)
        if method in WRITES or method == "POST":
            raise read_only()
        if below is None:
            where = f"{self._site.identity.path}sparql"
            raise Problem(404, detail=f"There is nothing here. Queries go to {where}.")
        if method == "OPTIONS":
            await options(send, METHODS)
            return
        if method not in ("GET", "HEAD"):
            raise method_not_allowed(METHODS)
        local = path[len(below) :]
        if local.startswith(_ABOUT):
            await self._about(self._iri(local[len(_ABOUT) :]), scope, receive, send)
        elif not local:
            await self._about(self._iri(""), scope, receive, send)
        else:
            offer = negotiation.best(header(scope, "accept"), (*negotiation.GRAPHS, _HTML))
            job: dict[str, Any] = {"op": "name", "iri": self._iri(local), "absent": _ABSENT}
            # A graph is data first: a page only for whom that suits better.
            job |= {"html": offer == _HTML, "title": self._site.identity.title}
            job |= self._site.formats(scope)
            try:
                await self._site.respond(self._site.request(scope, job), receive, send)
            except Problem as problem:
                if problem.status != SEE_OTHER:
                    raise
                known = self._site.identity
                start = known.public_path if below == known.path else below
                await _see_other(send, start + _ABOUT + local)

    def below(self, path: str) -> str | None:
        """Return the start of a path below which the dispute's names are, if it has one."""
        return next((start for start in self._paths if path.startswith(start)), None)

    def _iri(self, local: str) -> str:
        iri = self._site.identity.base + local
        checked_iri(iri)
        return iri

    async def _about(self, iri: str, scope: Scope, receive: Receive, send: Send) -> None:
        formats = self._site.formats(scope)
        offer = negotiation.best(header(scope, "accept"), _OFFERS)
        if offer == _HTML:
            job = {"op": "page", "iri": iri, "absent": _ABSENT, "title": self._site.identity.title}
        else:
            job = {"op": "query", "query": f"DESCRIBE {checked_iri(iri)}", "absent": _ABSENT}
        job |= formats
        await self._site.respond(self._site.request(scope, job), receive, send)


def path_of(scope: Scope) -> str:
    """Return the path as it was sent: an escape in it is part of the name."""
    raw = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    try:
        path = raw.decode("ascii").partition("?")[0]
    except UnicodeDecodeError:
        raise Problem(400, detail="The path is not percent-encoded.") from None
    if not path.startswith("/"):  # the form for proxies, with scheme and host
        path = urlsplit(path).path or "/"
    return str(path)


async def _see_other(send: Send, path: str) -> None:
    headers = [
        (b"location", path.encode("ascii")),
        (b"vary", b"Accept"),
        (b"content-length", b"0"),
        (b"cache-control", b"public, max-age=300"),
    ]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
