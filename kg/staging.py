"""A build in memory, which is written to disk in one go.

A store on disk that grows by parts is slower to ask, and merges them meanwhile. To write all of it
at the end costs less than that, as long as it fits in memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import RawIOBase
from pathlib import Path
from typing import IO

import pyoxigraph as ox

from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine
from kg.machine import free_memory

# Bytes of memory that a byte of Turtle takes at most, in the store and while it is written out.
_PER_BYTE = 10
# A build takes no more than this, however much there is.
_MOST_BYTES = 3 * 1024**3
_PIECE = 1 << 20


def fits_in_memory(dispute: Dispute) -> bool:
    """Say whether a dispute is small enough to be built in memory that is free now.

    A source that cannot be read counts for nothing; who loads it says what is wrong with it.
    """
    size = sum(_size(source.path) for source in dispute.sources)
    free = free_memory()
    return _PER_BYTE * size <= (_MOST_BYTES if free is None else min(free, _MOST_BYTES))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


class StagedEngine(EmbeddedEngine):
    """An engine in memory that also keeps what it loads in a file, as N-Quads.

    If it is changed otherwise than by loading a stream of N-Quads first, and then N-Triples
    without blank nodes into graphs, it is written out from memory when it settles.
    """

    def __init__(self, file: Path) -> None:
        super().__init__(ox.Store(), in_memory=True)
        self._file = file
        self._file.touch()
        self._kept = True

    def load(
        self,
        source: Path | bytes | RawIOBase,
        graph: str | None,
        format: ox.RdfFormat = ox.RdfFormat.TURTLE,
        *,
        checked: bool = False,
    ) -> None:
        """Load as any engine does, and keep what was loaded. Raises as that, and ``OSError``."""
        first = self._file.stat().st_size == 0
        if (
            first
            and graph is None
            and format == ox.RdfFormat.N_QUADS
            and isinstance(source, RawIOBase)
        ):
            with self._file.open("ab") as copy:
                super().load(_Copied(source, copy), None, format, checked=checked)
            return
        super().load(source, graph, format, checked=checked)
        if graph and format == ox.RdfFormat.N_TRIPLES and isinstance(source, Path) and checked:
            self._keep_triples(source, graph)
        else:
            self._kept = False

    def _keep_triples(self, path: Path, graph: str) -> None:
        end = f" <{graph}> .\n".encode()
        with path.open("rb") as triples, self._file.open("ab") as copy:
            while piece := triples.read(_PIECE):
                piece += triples.readline()
                # The same name of a blank node in two files means two nodes.
                self._kept = self._kept and b"_:" not in piece
                # No line break stands within a line of N-Triples.
                copy.write(piece.replace(b" .\n", end))

    def settle(self, folder: Path) -> EmbeddedEngine:
        """Let go of the memory and return an engine in a new folder with the same content.

        Raises ``EngineError`` and ``OSError``; this engine must not be used afterwards.
        """
        if not self._kept:
            with self._file.open("wb") as stream:
                self.dump(stream)
        self.close()
        engine = EmbeddedEngine.create(folder)
        engine.load(self._file, None, ox.RdfFormat.N_QUADS, checked=True)
        self._file.unlink()
        return engine

    def add(self, quads: Iterable[ox.Quad]) -> None:
        """Add as any engine does."""
        self._kept = False
        super().add(quads)

    def remove(self, quads: Iterable[ox.Quad]) -> None:
        """Remove as any engine does."""
        self._kept = False
        super().remove(quads)

    def fill(self, quads: Iterable[ox.Quad]) -> None:
        """Fill as any engine does."""
        self._kept = False
        super().fill(quads)

    def drop_graph(self, graph: str) -> None:
        """Drop as any engine does."""
        self._kept = self._kept and graph not in self.graphs()
        super().drop_graph(graph)


class _Copied(RawIOBase):
    """A stream to read from, of which a copy is written on the way."""

    def __init__(self, source: RawIOBase, copy: IO[bytes]) -> None:
        self._source = source
        self._copy = copy

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int | None:  # type: ignore[override]
        count = self._source.readinto(buffer)
        if count:
            self._copy.write(memoryview(buffer)[:count])
        return count
