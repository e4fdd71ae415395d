"""What a server of several disputes answers at its root: which there are, and where."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from starlette.types import Receive, Scope, Send

from kg.engine import Triples
from kg.errors import FormatError
from kg.server.addresses.operations import send_text
from kg.server.addresses.reading import METHODS, Reading, options
from kg.server.addresses.resources import Resources, path_of
from kg.server.site import WRITES, Site
from kg.server.wire import negotiation
from kg.server.wire.problems import Problem, read_only, sentences
from kg.server.wire.requests import header
from kg.server.worker.descriptions import datasets
from kg.server.worker.evaluate import graph_text

_HTML = ("text/html; charset=utf-8", "html")
_JSON = ("application/json", "json")
_VARY = b"Accept"


class OfSeveral(Reading):
    """An address that speaks of all disputes."""

    def __init__(self, sites: Sequence[Site]) -> None:
        self._sites = sites

    def home(self, scope: Scope) -> str:
        """Return the server's own address, below which each dispute has its name."""
        first = self._sites[0]
        return first.address(scope).removesuffix(first.identity.path[1:])


class FrontPage(OfSeveral):
    """``/``: the disputes, as JSON or as a page."""

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the list. Raises ``Problem`` (406)."""
        offer = negotiation.best(header(scope, "accept"), (_JSON, _HTML))
        if offer is None:
            raise Problem(406, detail="The list comes as application/json and text/html.")
        if offer == _HTML:
            text = self._page(scope)
        else:
            listed = [self._described(site, scope) for site in self._sites]
            told = {"disputes": listed, "openapi": f"{self.home(scope)}openapi.json"}
            text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
        await send_text(scope, send, offer[0], text, _VARY)

    @staticmethod
    def _described(site: Site, scope: Scope) -> dict[str, str]:
        address = site.address(scope)
        return {
            "name": site.identity.name,
            "title": site.identity.title,
            "base": site.identity.base,
            "home": address,
            "sparql": f"{address}sparql",
            "queries": f"{address}api/queries",
            "openapi": f"{address}openapi.json",
            "void": f"{address}.well-known/void",
        }

    def _page(self, scope: Scope) -> str:
        items = "".join(
            f'<li><a href="{escape(address)}">{escape(site.identity.title)}</a>'
            f' (<a href="{escape(address)}sparql">SPARQL</a>,'
            f' <a href="{escape(address)}api/queries">stored queries</a>)</li>\n'
            for site in self._sites
            for address in [site.address(scope)]
        )
        return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Disputes</title></head>
<body>
<h1>Disputes</h1>
<ul>
{items}</ul>
</body>
</html>
"""


class EveryVoid(OfSeveral):
    """``/.well-known/void``: every dispute's data in one description, counted in its own."""

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the description. Raises ``Problem`` (406)."""
        offer = negotiation.best(header(scope, "accept"), negotiation.GRAPHS)
        if offer is None:
            raise Problem(406, detail="The description comes as text/turtle and as other RDF.")
        media, format = offer
        told = [
            (site.address(scope), site.identity.base, site.identity.title) for site in self._sites
        ]
        try:
            text, _ = graph_text(Triples(datasets(self.home(scope), told)), format)
        except FormatError as error:
            raise Problem(
                406, detail=sentences(error.message, "It can be had as text/turtle")
            ) from None
        await send_text(scope, send, media, text, _VARY)


class Names:
    """Whatever path no other route takes: a name below the base of one of the disputes."""

    def __init__(self, resources: Sequence[Resources]) -> None:
        self._resources = resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request by the dispute whose base goes furthest. Raises ``Problem`` (404)."""
        path = path_of(scope)
        if path == "*" and scope["method"] == "OPTIONS":  # RFC 9110, section 9.3.7: of the server
            await options(send, METHODS)
            return
        if scope["method"] in WRITES or scope["method"] == "POST":
            raise read_only()
        found = [(len(below), n) for n, r in enumerate(self._resources) if (below := r.below(path))]
        if not found:
            raise Problem(404, detail="There is nothing here; / lists the disputes.")
        await self._resources[max(found)[1]](scope, receive, send)


class ToSlash(Reading):
    """A path without its last slash: what is there is at ``location``."""

    def __init__(self, location: str) -> None:
        self._location = location.encode()

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the client there."""
        headers = [(b"location", self._location), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 308, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
