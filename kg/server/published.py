"""Which snapshot the endpoint answers from, and noticing that a new one has been published."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from kg.errors import CounterclaimError
from kg.snapshot import Snapshot, current

# How often the link is looked at, in seconds; that a reader waits a second at most is promised.
_EVERY = 0.25


class Published:
    """The snapshot below one of ``roots``, followed as it changes.

    It is that of the first root that has one, until another appears elsewhere: whoever builds a
    dispute may not write where somebody else has. ``changed`` is called after every change.
    """

    def __init__(self, roots: Sequence[Path], changed: Callable[[], None]) -> None:
        self._links: dict[Path, _Link | None] = dict.fromkeys(roots)  # the one to prefer first
        self._looked = False
        self.changed = changed
        self.snapshot: Snapshot | None = None
        self.problem: str | None = None

    def look(self) -> None:
        """Read the links; a snapshot that is damaged leaves the one before in place."""
        links = {root: _link(root) for root in self._links}
        if links == self._links and self._looked:
            return
        if self.snapshot:
            # What has changed comes first; sorting leaves all else in its order.
            unchanged = {root: link == self._links[root] for root, link in links.items()}
            links = dict(sorted(links.items(), key=lambda pair: unchanged[pair[0]]))
        self._links, self._looked = links, True
        try:
            found = next(
                filter(None, (current(root) for root, link in links.items() if link)), None
            )
        except CounterclaimError as error:
            self.problem = error.message
            # It may only have been replaced under our eyes: look again, whatever the link says.
            self._looked = False
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


def latest_first(roots: Iterable[Path], inputs: Mapping[str, str]) -> tuple[Path, ...]:
    """Return roots by what they hold: a snapshot of just these files first, then the latest."""
    return tuple(sorted(roots, key=lambda root: _rank(root, inputs), reverse=True))


def _rank(root: Path, inputs: Mapping[str, str]) -> tuple[bool, int]:
    link = _link(root)
    if link is None:
        return False, 0
    try:
        snapshot = current(root)
    except CounterclaimError:
        return False, link.since
    return bool(snapshot and snapshot.is_of(inputs)), link.since


class _Link(NamedTuple):
    target: str
    since: int  # nanoseconds


def _link(root: Path) -> _Link | None:
    link = root / "current"
    try:
        return _Link(str(link.readlink()), link.lstat().st_mtime_ns)
    except OSError:
        return None
