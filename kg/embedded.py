"""The embedded engine: an Oxigraph store in memory or in a folder.

Queries see the union of all named graphs as their default graph, unless they name their dataset
themselves (FROM). An answer must be consumed in the thread that asked for it: the store aborts
the process otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from typing import IO, TypeVar

import pyoxigraph as ox

from kg.engine import Answer, Rows, Term, Triples
from kg.errors import EngineError, QueryError, SourceError
from kg.query_guard import guard
from kg.sparql_text import may_use_prefixes, names_dataset

T = TypeVar("T")


class EmbeddedEngine:
    """An ``Engine`` over a pyoxigraph store."""

    def __init__(
        self, store: ox.Store, in_memory: bool = False, folder: Path | None = None
    ) -> None:
        self._store = store
        self._in_memory = in_memory
        self._folder = folder  # of a store that is written

    @classmethod
    def memory(cls) -> EmbeddedEngine:
        """Return an empty engine that lives in memory."""
        return cls(ox.Store(), in_memory=True)

    @classmethod
    def create(cls, folder: Path) -> EmbeddedEngine:
        """Return an engine that keeps its data in ``folder``. Raises ``EngineError``.

        No other process may open the folder while this one writes; hand out a ``backup``.
        """
        with _failures("cannot create a store", folder):
            return cls(ox.Store(str(folder)), folder=folder)

    @classmethod
    def open_read_only(cls, folder: Path) -> EmbeddedEngine:
        """Open a finished store for reading. Raises ``EngineError`` if it is none, or damaged."""
        with _failures("cannot open the store", folder):
            return cls(ox.Store.read_only(str(folder)))

    @property
    def _written(self) -> ox.Store:
        """The store, for somebody who is going to write to it."""
        return self._store

    def foresee(self, texts: Iterable[str]) -> None:
        """Say what will be asked soon, each once, for an engine that can begin with it."""

    def query(self, text: str) -> Answer:
        """Run a query over the union of all graphs.

        Raises ``QueryError`` for malformed SPARQL, for nesting that would exhaust the stack and
        for clauses that reach outside the store; ``EngineError`` if the store fails.
        """
        return read(self.answer(text))

    def answer(
        self,
        text: str,
        *,
        default_graphs: Sequence[str] | None = None,
        named_graphs: Sequence[str] | None = None,
        base: str | None = None,
        prefixes: Mapping[str, str] | None = None,
    ) -> ox.QuerySolutions | ox.QueryTriples | ox.QueryBoolean:
        """Run a query and return the store's own answer, which it can write out by itself.

        The dataset is the one given, else the query's own (FROM), else the union of all graphs
        and every graph by name. A graph that does not exist is empty. Relative IRIs are resolved
        against ``base``; ``prefixes`` need no declaration. Raises as ``query``.
        """
        guard(text)
        given = default_graphs is not None or named_graphs is not None
        try:
            return self._store.query(
                text,
                base_iri=base,
                # Reading them takes as long as a small query.
                prefixes=dict(prefixes) if prefixes and may_use_prefixes(text) else None,
                use_default_graph_as_union=not given and not names_dataset(text),
                default_graph=[ox.NamedNode(iri) for iri in default_graphs or ()]
                if given
                else None,
                named_graphs=[ox.NamedNode(iri) for iri in named_graphs or ()] if given else None,
            )
        except SyntaxError as error:
            raise _malformed(error) from None
        except _FAILURES as error:
            raise _failure("the query could not be run", error) from error

    def construct(self, text: str, stream: IO[bytes] | RawIOBase) -> None:
        """Write the answer of a CONSTRUCT into a stream, as N-Triples. Raises as ``query``."""
        answer = self.answer(text)
        if not isinstance(answer, ox.QueryTriples):
            raise QueryError("only a CONSTRUCT gives triples")
        write_triples(answer, stream)

    def add(self, quads: Iterable[ox.Quad]) -> None:
        """Add quads, all or none. Raises ``EngineError``."""
        with _failures("cannot write to the store"):
            self._written.extend(quads)

    def remove(self, quads: Iterable[ox.Quad]) -> None:
        """Remove quads, one after the other. Raises ``EngineError``."""
        with _failures("cannot write to the store"):
            for quad in quads:
                self._written.remove(quad)

    def fill(self, quads: Iterable[ox.Quad]) -> None:
        """Add quads as they come, in bounded memory. Raises ``EngineError``.

        Several times quicker than ``add``, but if ``quads`` raises, some may have been added: for
        a store that nobody else sees and that is thrown away on failure.
        """
        with _failures("cannot write to the store"):
            self._written.bulk_extend(quads)

    def load(
        self,
        source: Path | bytes | RawIOBase,
        graph: str | None,
        format: ox.RdfFormat = ox.RdfFormat.TURTLE,
        *,
        checked: bool = False,
    ) -> None:
        """Load a file, bytes or a stream into one graph, without holding its triples in memory.

        With ``graph`` left out, the format names the graphs. ``checked`` says that all names and
        languages are known to be well-formed, which makes reading quicker.

        Raises ``SourceError`` (file and line) for malformed input and ``EngineError``.
        """
        path = source if isinstance(source, Path) else None
        data = None if isinstance(source, Path) else source
        name = ox.NamedNode(graph) if graph else None
        # In memory, quads that are gathered first take longer to load, and lie apart afterwards,
        # so that whoever scans them takes longer, too.
        store = self._written
        load = store.load if self._in_memory else store.bulk_load
        with _failures("cannot load into the store", path):
            try:
                load(data, format, path=path, to_graph=name, lenient=checked)  # type: ignore[arg-type]
            except SyntaxError as error:
                raise SourceError(error.msg, path=path, line=error.lineno) from None

    def drop_graph(self, graph: str) -> None:
        """Remove a named graph if it exists. Raises ``EngineError``."""
        with _failures("cannot write to the store"):
            self._written.remove_graph(ox.NamedNode(graph))

    def graphs(self) -> list[str]:
        """Return the IRIs of the named graphs, sorted."""
        names = self._store.named_graphs()
        return sorted(name.value for name in names if isinstance(name, ox.NamedNode))

    def quads(
        self,
        subject: ox.NamedNode | ox.BlankNode | None = None,
        predicate: ox.NamedNode | None = None,
        object: Term | None = None,
        graph: str | None = None,
    ) -> Iterator[ox.Quad]:
        """Yield the quads that match a pattern (``None`` matches everything), in no order."""
        name = ox.NamedNode(graph) if graph else None
        return _guarded(self._store.quads_for_pattern(subject, predicate, object, name))

    def optimize(self) -> None:
        """Compact the store's files and open them anew, which makes later reads quicker.

        No answer may be in use. Raises ``EngineError``.
        """
        with _failures("cannot compact the store"):
            self._written.optimize()
        self.reopen()

    def reopen(self) -> None:
        """Open the files of a store that is written anew; no answer may be in use.

        After files were added in bulk, or merged, pyoxigraph 0.5 takes up to twice as long for
        whatever it reads, until it opens the store again, which takes some hundredths of a second.
        Raises ``EngineError``.
        """
        if self._folder:
            self.close()
            with _failures("cannot open the store", self._folder):
                self._store = ox.Store(str(self._folder))

    def backup(self, folder: Path) -> None:
        """Write a finished copy that others may open. Raises ``EngineError``.

        ``folder`` must not exist; on the same file system the copy shares its files.
        """
        with _failures("cannot write a copy of the store", folder):
            self._store.backup(str(folder))

    def dump(self, stream: IO[bytes], format: ox.RdfFormat = ox.RdfFormat.N_QUADS) -> None:
        """Write every quad to a stream, in no order. Raises ``EngineError``."""
        with _failures("cannot write out the store"):
            self._store.dump(stream, format)

    def close(self) -> None:
        """Let go of the store; the engine must not be used afterwards.

        Needed where another store will take its folder: references that linger, such as the
        frames of an exception somebody keeps, would hold the folder's lock.
        """
        self._store = ox.Store()

    def __len__(self) -> int:
        """The number of quads."""
        return len(self._store)


def read(answer: ox.QuerySolutions | ox.QueryTriples | ox.QueryBoolean) -> Answer:
    """Return the store's own answer as that of any engine; it fails as ``EngineError`` only."""
    if isinstance(answer, ox.QueryBoolean):
        return bool(answer)
    if isinstance(answer, ox.QueryTriples):
        return Triples(_guarded(answer))
    columns = [variable.value for variable in answer.variables]
    return Rows(columns, (tuple(row) for row in _guarded(answer)))


def write_triples(answer: ox.QueryTriples, stream: IO[bytes] | RawIOBase) -> None:
    """Write the store's own answer into a stream, as N-Triples. Raises ``EngineError``."""
    with _failures("the store failed while it answered"):
        answer.serialize(stream, ox.RdfFormat.N_TRIPLES)  # type: ignore[arg-type]


def out_of_space(error: EngineError) -> bool:
    """Say whether a store failed since its disk is full; it says so in words only."""
    return "No space left" in error.message


@contextmanager
def _failures(doing: str, path: Path | None = None) -> Iterator[None]:
    """Turn what pyoxigraph raises into ``EngineError``; the cause keeps its ``errno``."""
    try:
        yield
    except _FAILURES as error:
        raise _failure(doing, error, path) from error


# What pyoxigraph raises: the last for a name that is no IRI, or text that is no Unicode.
_FAILURES = (OSError, RuntimeError, ValueError)


def _failure(doing: str, error: Exception, path: Path | None = None) -> EngineError | QueryError:
    if isinstance(error, ValueError):
        return QueryError(f"{doing}: {error}")
    return EngineError(f"{doing}: {error}", path=path)


def _guarded(answer: Iterable[T]) -> Iterator[T]:
    with _failures("the store failed while it answered"):
        yield from answer


def _malformed(error: SyntaxError) -> QueryError:
    message = error.msg
    if place := re.match(r"error at (\d+):(\d+): ", message):
        line, column = place.groups()
        return QueryError(
            f"malformed SPARQL at line {line}, column {column}: {message[place.end() :]}",
            line=int(line),
        )
    return QueryError(f"malformed SPARQL: {message}")
