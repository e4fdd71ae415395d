"""From an engine's answer to text: tables for people, the standard formats for programs."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import IO, Generic, TextIO, TypeVar, cast

import pyoxigraph as ox

from kg.engine import Rows, Term, Triples
from kg.errors import FormatError
from kg.namespaces import PREFIXES
from kg.rdf_xml import fitting, unfit
from kg.result_syntax import CHUNKS, NOT_IN_XML, boolean_text, plain

ROW_FORMATS = ("table", "csv", "tsv", "json", "xml", "md")
GRAPH_FORMATS = ("turtle", "trig", "nt", "nq", "jsonld", "rdfxml")

_RDF = {
    "turtle": ox.RdfFormat.TURTLE,
    "trig": ox.RdfFormat.TRIG,
    "nt": ox.RdfFormat.N_TRIPLES,
    "nq": ox.RdfFormat.N_QUADS,
    "jsonld": ox.RdfFormat.JSON_LD,
    "rdfxml": ox.RdfFormat.RDF_XML,
}
Item = TypeVar("Item")

# A graph is put in order if it has fewer triples than this; a larger one streams.
_SORTED_TRIPLES = 50_000


@dataclass(frozen=True)
class Written:
    """How many rows or triples were written, and whether a limit left some out.

    ``unfit`` says where, if the format could not hold some character and U+FFFD was written.
    """

    count: int
    more: bool
    unfit: str | None = None


class _Counted(Generic[Item]):
    """An iterator that counts what passes and stops at a limit."""

    def __init__(self, items: Iterable[Item], limit: int | None) -> None:
        self._items = iter(items)
        self._limit = limit
        self.count = 0
        self.more = False

    def __iter__(self) -> Iterator[Item]:
        for item in self._items:
            if self._limit is not None and self.count >= self._limit:
                self.more = True
                return
            self.count += 1
            yield item


class _Fitting:
    """An iterator of rows that notes what XML 1.0 cannot hold."""

    def __init__(self, columns: Sequence[str], rows: Iterable[tuple[Term | None, ...]]) -> None:
        self._columns = columns
        self._rows = rows
        self._first = ""
        self._others = 0

    def __iter__(self) -> Iterator[tuple[Term | None, ...]]:
        for number, row in enumerate(self._rows, 1):
            for column, term in zip(self._columns, row, strict=True):
                if found := NOT_IN_XML.search(plain(term)):
                    if self._first:
                        self._others += 1
                    else:
                        code = f"U+{ord(found.group()):04X}"
                        self._first = f"{code} in row {number}, column '{column}'"
            yield row

    def unfit(self) -> str | None:
        """Return where the first such character was, and how many other values have one."""
        return f"{self._first}, nor {self._others} more" if self._others else self._first or None


def write_rows(
    rows: Rows, format: str, stream: TextIO, *, base: str | None = None, limit: int | None = None
) -> Written:
    """Write the answer to a SELECT in one of ``ROW_FORMATS``, reading no more than ``limit`` rows.

    ``csv``, ``tsv``, ``json`` and ``xml`` are the SPARQL 1.1 result formats, always in UTF-8.
    XML cannot hold most control characters: U+FFFD is written, and ``Written.unfit`` says so.
    ``table`` and ``md`` shorten IRIs to prefixed names, or to names local to ``base``.
    Raises ``FormatError`` for a format that rows do not have.
    """
    _need(format, ROW_FORMATS, "a table of rows")
    counted = _Counted(rows.rows, limit)
    fitting = _Fitting(rows.columns, counted)
    taken = Rows(rows.columns, iter(fitting if format == "xml" else counted))
    if format in CHUNKS:
        output = _Utf8(stream)
        for chunk in CHUNKS[format](taken):
            output.write(chunk.encode())
    else:
        from kg.result_tables import write_markdown, write_table

        (write_table if format == "table" else write_markdown)(taken, stream, base)
    return Written(counted.count, counted.more, fitting.unfit())


def write_boolean(answer: bool, format: str, stream: TextIO) -> None:
    """Write the answer to an ASK. Raises ``FormatError`` for a format that it does not have."""
    _need(format, ROW_FORMATS, "yes or no")
    _Utf8(stream).write(boolean_text(answer, format).encode())


def write_triples(
    triples: Triples,
    format: str,
    stream: TextIO,
    *,
    base: str | None = None,
    limit: int | None = None,
) -> Written:
    """Write the answer to a CONSTRUCT or DESCRIBE in one of ``GRAPH_FORMATS``, in UTF-8.

    The project's prefixes are declared, and the empty one for ``base``. A graph of fewer than
    50,000 triples is sorted, so that it comes out the same each time and grouped by subject, and
    only the prefixes it uses are declared; a larger one streams. Raises ``FormatError`` for a
    format that a graph does not have, and for what RDF/XML or JSON-LD cannot hold.
    """
    _need(format, GRAPH_FORMATS, "a graph")
    counted = _Counted(triples.triples, limit)
    source = iter(counted)
    sample = sorted(islice(source, _SORTED_TRIPLES), key=_order)

    def quads() -> Iterator[ox.Quad]:
        for triple in chain(sample, source):
            if format == "jsonld" and isinstance(triple.object, ox.Triple):
                raise FormatError(
                    "JSON-LD cannot hold a triple as a term", hint="Choose --format turtle."
                )
            if format == "rdfxml":
                if what := unfit(triple):
                    raise FormatError(f"RDF/XML cannot hold {what}", hint="Choose --format turtle.")
                triple = fitting(triple)
            # As quads of the default graph: two of the formats take nothing else.
            yield ox.Quad(triple.subject, triple.predicate, triple.object)

    prefixes = {"": base, **PREFIXES} if base else PREFIXES
    output = _Utf8(stream)
    if len(sample) == _SORTED_TRIPLES:
        ox.serialize(quads(), cast(IO[bytes], output), _RDF[format], prefixes=prefixes)
    else:
        used = _used(prefixes, sample)
        data = cast(bytes, ox.serialize(quads(), None, _RDF[format], prefixes=used))
        output.write(_prefixes_in_order(data))
    return Written(counted.count, counted.more)


def _order(triple: ox.Triple) -> tuple[str, bool, str, str]:
    # rdf:type first, as people write it.
    is_type = triple.predicate.value == PREFIXES["rdf"] + "type"
    return str(triple.subject), not is_type, str(triple.predicate), str(triple.object)


def _used(prefixes: Mapping[str, str], triples: Iterable[ox.Triple]) -> dict[str, str]:
    text = "\n".join(str(triple) for triple in triples)
    return {name: iri for name, iri in prefixes.items() if f"<{iri}" in text}


def _prefixes_in_order(data: bytes) -> bytes:
    """Sort the declarations that Turtle and TriG begin with; the serialiser has them in none."""
    lines = data.split(b"\n")
    count = next((n for n, line in enumerate(lines) if not line.startswith(b"@prefix ")), 0)
    return b"\n".join([*sorted(lines[:count]), *lines[count:]])


def _need(format: str, formats: Sequence[str], what: str) -> None:
    if format not in formats:
        raise FormatError(
            f"the query answers with {what}, which '{format}' cannot hold",
            hint=f"Choose --format {', '.join(formats[:-1])} or {formats[-1]}.",
        )


class _Utf8:
    """Writes UTF-8 underneath a text stream, which might change line ends or lack letters."""

    def __init__(self, stream: TextIO) -> None:
        stream.flush()
        self._stream = stream
        self._buffer: IO[bytes] | None = getattr(stream, "buffer", None)
        # A stream in memory may have nothing underneath; a chunk may end inside a letter.
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def write(self, data: bytes) -> int:
        if self._buffer is not None:
            self._buffer.write(data)
        else:
            self._stream.write(self._decoder.decode(data))
        return len(data)

    def flush(self) -> None:
        (self._buffer or self._stream).flush()
