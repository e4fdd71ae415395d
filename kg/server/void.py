"""The description of the data at its well-known place: https://www.w3.org/TR/void/, section 7.2."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from kg.server.graphs import METHODS
from kg.server.problems import method_not_allowed, read_only
from kg.server.site import WRITES, Site


class Void:
    """``/.well-known/void``."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] in WRITES or scope["method"] == "POST":
            raise read_only()
        if scope["method"] == "OPTIONS":
            await self._site.options(scope, send, METHODS)
            return
        if scope["method"] not in ("GET", "HEAD"):
            raise method_not_allowed(METHODS)
        job = self._site.description(scope, void=True)
        await self._site.respond(self._site.request(scope, job), receive, send)
