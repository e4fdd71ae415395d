"""The description of the data at its well-known place: https://www.w3.org/TR/void/, section 7.2."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from kg.server.addresses.reading import OfSite


class Void(OfSite):
    """``/.well-known/void``."""

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the description."""
        job = self._site.description(scope, void=True)
        await self._site.respond(self._site.request(scope, job), receive, send)
