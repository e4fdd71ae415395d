"""What every address that only reads does first: refuse what writes, and answer OPTIONS."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from kg.server.site import WRITES, Site
from kg.server.wire.problems import method_not_allowed, read_only

METHODS = "GET, HEAD, OPTIONS"


class Reading:
    """An address that answers GET and HEAD, in ``get``."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises ``Problem`` for a method that writes or is unknown here."""
        method = scope["method"]
        if method in WRITES or method == "POST":
            raise read_only()
        if method == "OPTIONS":
            await options(send, METHODS)
            return
        if method not in ("GET", "HEAD"):
            raise method_not_allowed(METHODS)
        await self.get(scope, receive, send)

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a GET or HEAD."""
        raise NotImplementedError


class OfSite(Reading):
    """Such an address of one dispute."""

    def __init__(self, site: Site) -> None:
        self._site = site


async def options(send: Send, methods: str) -> None:
    """Answer OPTIONS, and with it a browser that asks before it sends."""
    headers = [
        (b"allow", methods.encode()),
        (b"access-control-allow-methods", methods.encode()),
        (b"access-control-allow-headers", b"Accept, Content-Type, If-None-Match"),
        (b"access-control-max-age", b"86400"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
