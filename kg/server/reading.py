"""What every address that only reads does first: refuse what writes, and answer OPTIONS."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from kg.server.problems import method_not_allowed, read_only
from kg.server.site import WRITES, Site

METHODS = "GET, HEAD, OPTIONS"


class Reading:
    """An address that answers GET and HEAD, in ``get``."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises ``Problem`` for a method that writes or is unknown here."""
        method = scope["method"]
        if method in WRITES or method == "POST":
            raise read_only()
        if method == "OPTIONS":
            await self._site.options(scope, send, METHODS)
            return
        if method not in ("GET", "HEAD"):
            raise method_not_allowed(METHODS)
        await self.get(scope, receive, send)

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a GET or HEAD."""
        raise NotImplementedError
