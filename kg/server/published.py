"""Which snapshot the endpoint answers from, and noticing that a new one has been published."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from kg.errors import CounterclaimError
from kg.snapshot import Snapshot, current

# How often the link is looked at, in seconds; that a reader waits a second at most is promised.
_EVERY = 0.25


class Published:
    """The snapshot below the first of ``roots`` that has one, followed as it changes.

    ``changed`` is called after every change.
    """

    def __init__(self, roots: tuple[Path, ...], changed: Callable[[], None]) -> None:
        self._roots = roots
        self.changed = changed
        self._links: tuple[str, ...] = ()
        self.snapshot: Snapshot | None = None
        self.problem: str | None = None

    def look(self) -> None:
        """Read the links; a snapshot that is damaged leaves the one before in place."""
        links = tuple(_target(root / "current") for root in self._roots)
        if links == self._links:
            return
        self._links = links
        try:
            found = next(filter(None, map(current, self._roots)), None)
        except CounterclaimError as error:
            self.problem = error.message
            # It may only have been replaced under our eyes: look again, whatever the link says.
            self._links = ()
            return
        self.problem = None if found else "no snapshot has been published"
        if found and (self.snapshot is None or found.folder != self.snapshot.folder):
            self.snapshot = found
            self.changed()

    async def follow(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await asyncio.sleep(_EVERY)
            self.look()


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""
