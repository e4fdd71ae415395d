"""What a place where SPARQL runs must be able to do; the rest of the package asks for no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyoxigraph as ox

Term = ox.NamedNode | ox.BlankNode | ox.Literal


@dataclass(frozen=True)
class Rows:
    """The answer to a SELECT: column names and an iterator of rows (``None`` is unbound).

    Consume it in the thread that asked: an Oxigraph iterator must not cross threads.
    """

    columns: Sequence[str]
    rows: Iterator[tuple[Term | None, ...]]


@dataclass(frozen=True)
class Table:
    """All rows of a SELECT, in memory."""

    columns: Sequence[str]
    rows: Sequence[tuple[Term | None, ...]]


@dataclass(frozen=True)
class Triples:
    """The answer to a CONSTRUCT or DESCRIBE."""

    triples: Iterator[ox.Triple]


Answer = Rows | Triples | bool


class Engine(Protocol):
    """Somewhere SPARQL 1.1 runs: the embedded store or a remote server.

    The default graph of a query is the union of all named graphs.
    """

    def query(self, text: str) -> Answer:
        """Run a query. Raises ``QueryError`` (bad query) or ``EngineError`` (bad engine)."""
        ...

    def add(self, quads: Iterable[ox.Quad]) -> None:
        """Add quads. Raises ``EngineError``."""
        ...

    def drop_graph(self, graph: str) -> None:
        """Remove a named graph if it exists. Raises ``EngineError``."""
        ...

    def graphs(self) -> list[str]:
        """Return the IRIs of the named graphs, sorted."""
        ...


def foresee(engine: Engine, texts: Iterable[str]) -> None:
    """Tell an engine what it will be asked soon, each once, if it can begin with it."""
    begin = getattr(engine, "foresee", None)
    if begin is not None:
        begin(texts)
