"""The stored queries that the endpoint offers by name."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kg.errors import CounterclaimError
from kg.stored_query import StoredQuery, catalogue

if TYPE_CHECKING:
    from kg.dispute import Dispute

_KINDS = ("ask", "check")  # derivations are for builds


class Catalogue:
    """The project's stored queries and the dispute's own, read anew when a snapshot changes."""

    def __init__(self, dispute: Dispute | None) -> None:
        self._dispute = dispute
        self.queries: Mapping[str, StoredQuery] = {}

    def load(self) -> None:
        """Read all of them. Raises ``QueryError`` if one does not load; then the old ones stay."""
        found: dict[str, StoredQuery] = {}
        for kind in reversed(_KINDS):
            found |= catalogue(self._dispute, kind)
        self.queries = dict(sorted(found.items()))

    async def reload(self) -> None:
        """Read all of them beside the requests that are served; a failure is only logged."""
        try:
            await asyncio.to_thread(self.load)
        except CounterclaimError as error:
            logging.getLogger("kg.server").warning("stored queries are not read anew: %s", error)
