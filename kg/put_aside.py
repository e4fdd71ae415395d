"""What rules give, put aside until a rule asks for it, so that it is loaded in few goes."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from io import RawIOBase
from pathlib import Path
from typing import IO

import pyoxigraph as ox

from kg.embedded import EmbeddedEngine
from kg.engine import Engine, Triples
from kg.errors import QueryError
from kg.stored_query import StoredQuery

# A line of N-Triples with a blank node outside of a literal.
_BLANK = re.compile(rb"^(?:<[^>\n]*> <[^>\n]*> )?_:", re.MULTILINE)


class PutAside:
    """What rules made and the engine does not hold yet, as N-Triples in files.

    To load a handful of triples in bulk takes as long as to load thousands, so rules of one round
    share a load. What a later round asks for is loaded before it, and what no rule asks for at the
    end: a store on disk, to which much is added, merges all that it holds. ``due`` says before
    which round each rule's triples must be there.
    """

    def __init__(self, engine: Engine, graph: str, due: Mapping[str, int]) -> None:
        self._engine = engine
        self._graph = graph
        self._due = due
        self._files: dict[int, IO[bytes]] = {}

    def __enter__(self) -> PutAside:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def follow(self, rule: StoredQuery) -> int:
        """Put aside what a rule gives, and return how many triples that is.

        Raises ``QueryError``, with the rule's file.
        """
        lines = _Lines(self._file_of(rule.name))
        try:
            if isinstance(self._engine, EmbeddedEngine):
                # The store writes by itself; an object of Python for each term takes longer.
                self._engine.construct(rule.text, lines)
            else:
                answer = self._engine.query(rule.text)
                if not isinstance(answer, Triples):
                    raise QueryError("a derivation must be a CONSTRUCT")
                ox.serialize(answer.triples, lines, ox.RdfFormat.N_TRIPLES)  # type: ignore[arg-type]
            if lines.blank:
                raise QueryError(
                    "a derivation may not make or repeat a blank node",
                    hint="Build an IRI from the premises' names, so that two builds agree.",
                )
        except QueryError as error:
            # Say which file it was; the engine saw only text.
            raise QueryError(
                error.message, path=rule.path, line=error.line, hint=error.hint
            ) from error
        return lines.count

    def write(self, rule: str, triples: Iterator[ox.Triple]) -> int:
        """Put triples aside and return how many there are."""
        lines = _Lines(self._file_of(rule))
        ox.serialize(triples, lines, ox.RdfFormat.N_TRIPLES)  # type: ignore[arg-type]
        return lines.count

    def _file_of(self, rule: str) -> IO[bytes]:
        due = self._due[rule]
        if due not in self._files:
            file = tempfile.NamedTemporaryFile(prefix="kg-derived-", suffix=".nt")  # noqa: SIM115
            self._files[due] = file
        return self._files[due]

    def load(self, round: int) -> None:
        """Give the engine all that is due before a round."""
        for due in sorted(due for due in self._files if due <= round):
            with self._files.pop(due) as file:
                if file.tell():
                    file.flush()
                    self._load(Path(file.name))

    def _load(self, path: Path) -> None:
        if isinstance(self._engine, EmbeddedEngine):
            self._engine.load(path, self._graph, ox.RdfFormat.N_TRIPLES, checked=True)
            self._engine.reopen()
        else:
            name = ox.NamedNode(self._graph)
            triples = ox.parse(path=path, format=ox.RdfFormat.N_TRIPLES)
            self._engine.add(ox.Quad(t.subject, t.predicate, t.object, name) for t in triples)


class _Lines(RawIOBase):
    """A stream of N-Triples into another one, whose lines are counted on the way.

    ``blank`` says whether there was a blank node.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._rest = b""
        self.count = 0
        self.blank = False

    def write(self, part: bytes) -> int:  # type: ignore[override]  # what the store hands over
        text = self._rest + part
        end = text.rfind(b"\n") + 1
        whole, self._rest = text[:end], text[end:]
        self.count += whole.count(b"\n")
        # Most names have no such characters, and those that do are looked at closely.
        if b"_:" in whole and _BLANK.search(whole):
            self.blank = True
        self._stream.write(whole)
        return len(part)
