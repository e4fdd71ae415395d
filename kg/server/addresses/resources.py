"""Names of the dispute that dereference: https://www.w3.org/TR/cooluris/.

A name of a thing redirects (303) to the document about it, since a person is no document; the
name of a graph, and of the dispute as a whole, answers with what it holds.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

from starlette.types import Receive, Scope, Send

from kg.server.addresses.graphs import checked_iri
from kg.server.addresses.reading import METHODS, options
from kg.server.site import WRITES, Site
from kg.server.wire import negotiation
from kg.server.wire.problems import Problem, method_not_allowed, read_only
from kg.server.wire.requests import header
from kg.server.worker.dereference import SEE_OTHER

_ABOUT = "about/"
_ABSENT = "Nothing is said about this name."
_HTML = ("text/html; charset=utf-8", "html")
_OFFERS = (_HTML, *negotiation.GRAPHS)
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_PLAIN = re.compile(r"[A-Za-z0-9._~-]")  # RFC 3986, section 2.3


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
        known = self._site.identity
        home = known.public_path if below == known.path else below
        if local.startswith(_ABOUT):
            await self._about(self._iris(local[len(_ABOUT) :]), home, scope, receive, send)
        elif not local:
            await self._about(self._iris(""), home, scope, receive, send)
        else:
            offer = negotiation.best(header(scope, "accept"), (*negotiation.GRAPHS, _HTML))
            job: dict[str, Any] = {"op": "name", "iris": self._iris(local), "absent": _ABSENT}
            # A graph is data first: a page only for whom that suits better.
            job |= {"html": offer == _HTML, **self._for_page(home)}
            job |= self._site.formats(scope)
            try:
                await self._site.respond(self._site.request(scope, job), receive, send)
            except Problem as problem:
                if problem.status != SEE_OTHER:
                    raise
                await _see_other(send, home + _ABOUT + local)

    def below(self, path: str) -> str | None:
        """Return the start of a path below which the dispute's names are, if it has one."""
        return next((start for start in self._paths if path.startswith(start)), None)

    def _iris(self, local: str) -> list[str]:
        """Return what a name may stand for: itself, and the IRI that clients send so."""
        iris = [self._site.identity.base + each for each in dict.fromkeys((local, _decoded(local)))]
        for iri in iris:
            checked_iri(iri)
        return iris

    def _for_page(self, home: str) -> dict[str, str]:
        """Return what a page needs besides its names: its title, and where its links lead."""
        known = self._site.identity
        return {"title": known.title, "home": home, "queries": known.public_path}

    async def _about(
        self, iris: list[str], home: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        formats = self._site.formats(scope)
        offer = negotiation.best(header(scope, "accept"), _OFFERS)
        job: dict[str, Any]
        if offer == _HTML:
            job = {"op": "page", "iris": iris, "absent": _ABSENT, **self._for_page(home)}
        else:
            names = " ".join(map(checked_iri, iris))
            job = {"op": "query", "query": f"DESCRIBE {names}", "absent": _ABSENT}
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


def _decoded(local: str) -> str:
    """Return a part of a URI as a part of an IRI: RFC 3987, section 3.2.

    Letters beyond ASCII are escaped where HTTP sends them, and what needs no escape may have one.
    """
    return _ESCAPES.sub(_decode, local)


def _decode(match: re.Match[str]) -> str:
    text = unquote_to_bytes(match[0]).decode("utf-8", "surrogateescape")
    return "".join(
        sign if _is_plain(sign) else quote(sign, safe="", errors="surrogateescape") for sign in text
    )


def _is_plain(sign: str) -> bool:
    # No part of a path that has a meaning of its own, and nothing invisible, is brought to light.
    return bool(_PLAIN.match(sign)) if sign.isascii() else sign.isprintable()


async def _see_other(send: Send, path: str) -> None:
    headers = [
        (b"location", path.encode("ascii")),
        (b"vary", b"Accept"),
        (b"content-length", b"0"),
        (b"cache-control", b"public, max-age=300"),
    ]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
