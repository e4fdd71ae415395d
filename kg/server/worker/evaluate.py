"""What a worker does with a job: run a query over a snapshot and write out its answer."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar, cast

import pyoxigraph as ox

from kg.embedded import EmbeddedEngine
from kg.engine import Rows, Triples
from kg.errors import CounterclaimError, FormatError, QueryError
from kg.namespaces import PREFIXES
from kg.query_guard import is_update
from kg.result_syntax import csv_chunks
from kg.results import write_triples
from kg.server.wire.problems import READ_ONLY, sentences
from kg.server.worker.federation import Call, FailedError, inline
from kg.server.worker.output import Output, RowCounter, TooLargeError, XmlGuard
from kg.sparql_text import significant

Job = Mapping[str, Any]
Item = TypeVar("Item")
# Opens the way out for an answer of this head.
Open = Callable[[dict[str, Any]], Output]

_FORMATS = {
    "json": ox.QueryResultsFormat.JSON,
    "xml": ox.QueryResultsFormat.XML,
    "csv": ox.QueryResultsFormat.CSV,
    "tsv": ox.QueryResultsFormat.TSV,
}
# A query with one of these may answer differently the next time; one stands within the last.
_CHANGING = ("RAND", "NOW", "UUID", "STRUUID")


class RefusedError(Exception):
    """A job that ends without an answer: the HTTP status and what to say."""

    def __init__(self, status: int, title: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.told = {"status": status, "title": title, "detail": detail, **more}


@dataclass(frozen=True)
class Bounds:
    """The most rows (or triples) and bytes that one answer may have.

    ``call`` asks another server, for a job that may.
    """

    rows: int
    size: int
    call: Call | None = None


def run(engine: EmbeddedEngine, job: Job, bounds: Bounds, open_output: Open) -> None:
    """Run the query of a job and send its answer, or raise ``RefusedError``.

    The job has ``query``; ``base`` (for relative IRIs and the empty prefix); ``default`` and
    ``named``, the dataset's graphs or ``None``; ``rows`` and ``graph``, each the media type and
    the format that the client would take, or ``None``; ``absent``, a sentence with which an
    answer without triples is 404; ``services``, whether other servers may be asked.
    """
    text = job["query"]
    try:
        inlined = _inlined(text, job, bounds)
        answer = engine.answer(
            text if inlined is None else inlined,
            default_graphs=job.get("default"),
            named_graphs=job.get("named"),
            base=job.get("base"),
            prefixes=PREFIXES,
        )
    except QueryError as error:
        if is_update(text):
            raise RefusedError(403, "Read-only endpoint", READ_ONLY) from None
        raise bad_query(error) from None
    except FailedError as error:
        raise RefusedError(502, "Another server failed", str(error)) from None
    graph = isinstance(answer, ox.QueryTriples)
    choice = job["graph" if graph else "rows"]
    if choice is None:
        raise not_acceptable(graph)
    media, format = choice
    head = {"type": media, "cacheable": inlined is None and not changes(text)}
    try:
        if isinstance(answer, ox.QueryTriples):
            _send_triples(answer, format, job, bounds, open_output(head))
        else:
            _send_rows(answer, format, bounds, open_output(head))
    except TooLargeError as error:
        raise too_large(error) from None
    except FormatError as error:
        raise unfit(error, graph) from None
    except QueryError as error:
        raise bad_query(error) from None


def _inlined(text: str, job: Job, bounds: Bounds) -> str | None:
    """Return the query with other servers' answers in it; ``None`` where none may be asked."""
    if bounds.call is None or not job.get("services"):
        return None
    return inline(text, job.get("base"), bounds.call)


def service_error(address: str, detail: str, forbidden: bool) -> Exception:
    """Return what to raise when another server was not asked, or did not answer."""
    if forbidden:
        return QueryError(
            f"SERVICE <{address}> is refused: {detail}",
            hint="A query may reach the servers that this one was told of, and no other.",
        )
    return FailedError(f"SERVICE <{address}>: {detail}.")


def not_acceptable(graph: bool) -> RefusedError:
    """Say that the client takes none of the formats of an answer of this kind."""
    kind = "a graph" if graph else "rows"
    types = "text/turtle, application/ld+json" if graph else "application/sparql-results+json"
    return RefusedError(
        406,
        "No acceptable format",
        f"The query answers with {kind}, and the Accept header names no format that holds it; "
        f"{types} and others do.",
    )


def unfit(error: FormatError, graph: bool) -> RefusedError:
    """Say that the format that was chosen cannot hold an answer of this kind, and which can."""
    types = "application/sparql-results+json, text/csv and text/tab-separated-values"
    if graph:
        types = "text/turtle, application/n-triples, application/trig and application/n-quads"
    return RefusedError(
        406, "No acceptable format", sentences(error.message, f"It can be had as {types}")
    )


def too_large(error: TooLargeError) -> RefusedError:
    """Say which limit an answer went over."""
    return RefusedError(
        422, "Answer too large", f"The answer {error.what}. Add LIMIT, or ask for less at a time."
    )


def bad_query(error: CounterclaimError) -> RefusedError:
    """Say what is wrong with a query."""
    detail = sentences(error.message, error.hint)
    more = {"line": error.line} if error.line is not None else {}
    return RefusedError(400, "Malformed or refused query", detail, **more)


def changes(text: str) -> bool:
    """Say whether a query may answer differently the next time."""
    upper = text.upper()
    if not ("RAND" in upper or "NOW" in upper or "UUID" in upper):
        return False
    return any(token.is_word(*_CHANGING) for token in significant(text))


class _Counted:
    """Stands between the serialiser and the way out: guards XML, counts rows as they pass."""

    def __init__(self, output: Output, format: str, largest: int) -> None:
        self._output = output
        self._guard = XmlGuard() if format == "xml" else None
        self.counter = RowCounter(format)
        self._largest = largest

    def write(self, data: bytes) -> int:
        given = len(data)
        if self._guard:
            data = self._guard.feed(data)
        self.counter.feed(data)
        if self.counter.rows > self._largest:
            self._output.fail(f"has more than {self._largest:,} rows")
        self._output.write(data)
        return given

    def flush(self) -> None:
        pass


def _send_rows(
    answer: ox.QuerySolutions | ox.QueryBoolean, format: str, bounds: Bounds, output: Output
) -> None:
    if isinstance(answer, ox.QueryBoolean):
        answer.serialize(cast(Any, output), _FORMATS[format])
        output.close({"rows": 1})
        return
    counted = _Counted(output, format, bounds.rows)
    if format == "csv":
        # pyoxigraph 0.5 quotes no IRI, and one may hold a comma.
        columns = [variable.value for variable in answer.variables]
        for chunk in csv_chunks(Rows(columns, (tuple(row) for row in answer))):
            counted.write(chunk.encode())
    else:
        answer.serialize(cast(Any, counted), _FORMATS[format])
    output.close({"rows": counted.counter.rows})


def _send_triples(
    answer: ox.QueryTriples, format: str, job: Job, bounds: Bounds, output: Output
) -> None:
    def bounded(items: Iterable[Item]) -> Iterator[Item]:
        for number, item in enumerate(items):
            if number >= bounds.rows:
                output.fail(f"has more than {bounds.rows:,} triples")
            yield item

    stream = cast(TextIO, Binary(output))
    written = write_triples(Triples(bounded(answer)), format, stream, base=job.get("base"))
    if not written.count and (absent := job.get("absent")):
        raise RefusedError(404, "Not Found", absent)
    output.close({"rows": written.count})


def graph_text(
    triples: Triples, format: str, *, base: str | None = None, limit: int | None = None
) -> tuple[str, bool]:
    """Return triples as text, and whether ``limit`` left some out. Raises ``QueryError``."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
    written = write_triples(triples, format, stream, base=base, limit=limit)
    stream.seek(0)
    return stream.read(), written.more


class Binary:
    """As much of a text stream in UTF-8 as the writers of ``kg.results`` ask for."""

    def __init__(self, buffer: Output) -> None:
        self.buffer = buffer

    def write(self, text: str) -> int:
        """Write text."""
        self.buffer.write(text.encode())
        return len(text)

    def isatty(self) -> bool:
        """Say that nobody looks at a terminal."""
        return False

    def flush(self) -> None:
        """Do nothing: what is underneath decides when to send."""


def open_store(folder: str) -> EmbeddedEngine:
    """Open a snapshot's store. Raises ``RefusedError`` (503) if it is gone or damaged."""
    try:
        return EmbeddedEngine.open_read_only(Path(folder))
    except CounterclaimError:
        raise RefusedError(
            503,
            "No snapshot",
            "The published snapshot cannot be opened; 'kg build' writes it anew.",
        ) from None
