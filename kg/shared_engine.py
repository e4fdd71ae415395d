"""The embedded engine over a large store, which several processes read at once."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, wait
from io import RawIOBase
from pathlib import Path
from typing import IO

import pyoxigraph as ox

from kg.embedded import EmbeddedEngine
from kg.engine import Answer, Rows, Table, Triples
from kg.errors import CounterclaimError, QueryError
from kg.machine import give_memory_back
from kg.reader import Given
from kg.readers import Readers


class SharedEngine(EmbeddedEngine):
    """An engine in a folder, of which up to ``jobs`` processes answer what it was told to foresee.

    They work while the caller does something else. Their rows are all in memory, and may be
    consumed in any thread. Between two writes the store is open for reading only, also by this
    process: as long as it may write, it merges its files, which takes from whoever reads them.
    What was foreseen before a write, and not asked, is forgotten.
    """

    def __init__(self, folder: Path, jobs: int) -> None:
        super().__init__(ox.Store(), folder=folder)
        self._place = folder
        self._jobs = jobs
        self._may_write = False
        self._finished = False
        self._readers: Readers | None = None
        self._foreseen: dict[str, Future[Given]] = {}

    @classmethod
    def make(cls, folder: Path, jobs: int) -> SharedEngine:
        """Return an engine that keeps its data in ``folder``. Raises ``EngineError``."""
        engine = cls(folder, jobs)
        engine._take(EmbeddedEngine.create(folder), may_write=True)
        return engine

    @classmethod
    def open_read_only(cls, folder: Path, jobs: int = 1) -> SharedEngine:
        """Open a finished store, which is never written. Raises ``EngineError``."""
        engine = cls(folder, jobs)
        engine.reopen()
        engine._finished = True
        return engine

    def _take(self, other: EmbeddedEngine, may_write: bool) -> None:
        self._store = other._store
        self._may_write = may_write

    @property
    def _written(self) -> ox.Store:
        if not self._may_write and not self._finished:
            self.close()
            self._take(EmbeddedEngine.create(self._place), may_write=True)
        return self._store

    def reopen(self) -> None:
        """Open the files for reading; whatever writes next opens them for writing."""
        self.close()
        if self._may_write:
            # To load takes much that is needed no more, while others begin to read.
            give_memory_back()
        self._take(EmbeddedEngine.open_read_only(self._place), may_write=False)

    def close(self) -> None:
        """Let go of the store, and end the processes that read it."""
        if self._readers:
            self._readers.close()
            self._readers = None
        self._foreseen.clear()
        super().close()

    def foresee(self, texts: Iterable[str]) -> None:
        """Begin with what will be asked soon, each once; with one job, nothing happens.

        No answer may be in use: it would keep the store open for writing.
        """
        if self._jobs < 2:
            return
        if self._may_write:
            self.reopen()
        if self._readers is None:
            self._readers = Readers(self._place, self._jobs)
        for text in texts:
            self._foreseen[text] = self._readers.ask(text)

    def query(self, text: str) -> Answer:
        """Answer as any engine does; what was foreseen, when it is there."""
        if text not in self._foreseen:
            return super().query(text)
        given = self._given(text)
        if isinstance(given, Table):
            return Rows(given.columns, iter(given.rows))
        return Triples(_triples(given)) if isinstance(given, Path) else given

    def construct(self, text: str, stream: IO[bytes] | RawIOBase) -> None:
        """Write as any engine does; what was foreseen, when it is there."""
        if text not in self._foreseen:
            super().construct(text, stream)
            return
        given = self._given(text)
        if not isinstance(given, Path):
            raise QueryError("only a CONSTRUCT gives triples")
        with given.open("rb") as file:
            shutil.copyfileobj(file, stream, 1 << 20)
        given.unlink()

    def _given(self, text: str) -> Table | Path | bool:
        asked = self._foreseen.pop(text)
        # For a while only: Ctrl-C just before would have to wait for the answer.
        while not asked.done():
            wait([asked], timeout=0.5)
        given = asked.result()
        if isinstance(given, CounterclaimError):
            raise given
        return given


def _triples(path: Path) -> Iterator[ox.Triple]:
    for quad in ox.parse(path=path, format=ox.RdfFormat.N_TRIPLES):
        yield quad.triple
    path.unlink()
