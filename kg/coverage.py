"""How much of each document its passages account for, and what they leave out.

It needs only the lengths of the documents, not their texts. Two questions are asked of every
character: does any passage cover it, and does any passage other than a relay's cover it? A relay
of a quoted block covers all of the block, so only what stands inside shows that each part of it
was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from kg.documents import AttachedText, Document
from kg.errors import PassageError
from kg.passages import Kind, Passage

Run = tuple[int, int, frozenset[Kind]]


@dataclass(frozen=True)
class Gap:
    """A stretch that nothing covers, or (``relay_only``) nothing but a relay."""

    start: int
    end: int
    relay_only: bool


@dataclass(frozen=True)
class Coverage:
    """One document's characters as maximal runs of the same kinds; every number is in characters.

    Kinds overlap: a character may be part of a statement and of the relay around it.
    """

    document: Document
    length: int
    runs: tuple[Run, ...]

    def covered_by(self, *kinds: Kind) -> int:
        """Return how many characters a passage of one of these kinds covers."""
        return sum(end - start for start, end, found in self.runs if found & set(kinds))

    @property
    def accounted(self) -> int:
        """Characters under any passage."""
        return self.covered_by(*Kind)

    @property
    def relay_only(self) -> int:
        """Characters under a relay and under nothing else."""
        return self.accounted - self.read

    @property
    def read(self) -> int:
        """Characters under a passage that is not merely a relay's."""
        return self.covered_by(Kind.STATEMENT, Kind.WITHHELD, Kind.NON_STATEMENT)

    @property
    def gaps(self) -> list[Gap]:
        """The stretches nothing covers and those only a relay covers, in reading order."""
        return [
            Gap(start, end, relay_only=bool(found))
            for start, end, found in self.runs
            if found <= {Kind.RELAY}
        ]


def coverage(
    documents: Iterable[Document],
    passages: Iterable[Passage],
    texts: Mapping[str, AttachedText] | None = None,
) -> list[Coverage]:
    """Count every document's characters by what covers them.

    The part of a passage beyond the end of its document does not count. A document without a
    stated length is measured by its text; without either, raises ``PassageError``.
    """
    by_document: dict[str, list[Passage]] = {}
    for passage in passages:
        by_document.setdefault(passage.document, []).append(passage)
    counted = []
    for document in documents:
        length = document.length
        if length is None and texts and document.iri in texts:
            length = len(texts[document.iri].text)
        if length is None:
            raise PassageError(
                f"the length of '{document.name}' is not stated",
                hint="State kg:length in code points, or attach the text.",
            )
        runs = tuple(_runs(by_document.get(document.iri, []), length))
        counted.append(Coverage(document, length, runs))
    return counted


def picture(coverage: Coverage, width: int) -> list[Kind | None]:
    """Return what to draw in each of ``width`` equal parts of the document; ``None`` is a gap.

    The worst kind in a part wins, so that the smallest gap shows.
    """
    cells: list[Kind | None] = []
    width = min(width, coverage.length)
    for cell in range(width):
        start = cell * coverage.length // width
        end = (cell + 1) * coverage.length // width
        inside = [found for a, b, found in coverage.runs if a < end and b > start]
        cells.append(None if frozenset() in inside else _plainest(inside))
    return cells


def _plainest(inside: list[frozenset[Kind]]) -> Kind:
    """Choose between kinds: what is only relayed first, then withheld, statements, the rest."""
    if any(found == {Kind.RELAY} for found in inside):
        return Kind.RELAY
    together = frozenset().union(*inside)
    order = (Kind.WITHHELD, Kind.STATEMENT, Kind.NON_STATEMENT)
    return next(kind for kind in order if kind in together)


def _runs(passages: Iterable[Passage], length: int) -> Iterator[Run]:
    """Sweep over the boundaries once and merge neighbours of the same kinds."""
    changes: list[tuple[int, int, Kind]] = []
    for passage in passages:
        start, end = max(passage.start, 0), min(passage.end, length)
        if start < end:
            changes += [(start, 1, passage.kind), (end, -1, passage.kind)]
    changes.sort(key=lambda change: change[0])
    depth = dict.fromkeys(Kind, 0)
    pieces: list[Run] = []
    at = 0
    for position, group in groupby(changes, key=lambda change: change[0]):
        if position > at:
            pieces.append((at, position, _present(depth)))
            at = position
        for _, step, kind in group:
            depth[kind] += step
    if at < length:
        pieces.append((at, length, _present(depth)))
    for kinds, same in groupby(pieces, key=lambda piece: piece[2]):
        members = list(same)
        yield members[0][0], members[-1][1], kinds


def _present(depth: Mapping[Kind, int]) -> frozenset[Kind]:
    return frozenset(kind for kind, count in depth.items() if count)
