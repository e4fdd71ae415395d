"""What a SPARQL server answered: parsed, held against the question, or said to be no answer."""

from __future__ import annotations

import pyoxigraph as ox

from kg.engine import Answer, Rows, Term, Triples
from kg.errors import EngineError
from kg.remote_http import Reply
from kg.remote_quirks import results
from kg.sparql_text import projection, query_form, significant

TABLES = "application/sparql-results+json, application/sparql-results+xml;q=0.5"
GRAPHS = "application/n-triples, text/turtle;q=0.5"
# What no one sends who knows nothing of SPARQL or RDF.
_SPOKEN = frozenset(
    {
        *("application/sparql-results+json", "application/sparql-results+xml"),
        *("application/n-triples", "text/turtle"),
    }
)


def read(reply: Reply, text: str, url: str) -> Answer:
    """Return what the server at ``url`` answered to the query ``text``.

    Raises ``EngineError`` if it is not SPARQL's, not whole, or answers another question.
    """
    form = query_form(significant(text))
    try:
        if form in ("CONSTRUCT", "DESCRIBE"):
            return Triples(iter(graph(reply)))
        return _asked_for(_table(reply), text, form)
    except _MismatchError:
        raise mismatch(url) from None
    except (SyntaxError, ValueError) as error:
        if reply.media_type in _SPOKEN:
            raise EngineError(
                f"{url} sent an answer that cannot be read, or only a part of it "
                f"({reply.media_type})",
                hint="The server, or what stands before it, may have broken off.",
            ) from error
        raise EngineError(
            f"{url} did not answer as a SPARQL server does"
            + (" but with a web page" if reply.media_type == "text/html" else ""),
            hint="Check that the address is the one for queries, often ending in /sparql or "
            "/query.",
        ) from error


def graph(reply: Reply) -> list[ox.Triple]:
    """Return the triples of a graph. Raises ``SyntaxError`` or ``ValueError`` if it is none."""
    media = ox.RdfFormat.from_media_type(reply.media_type) or ox.RdfFormat.N_TRIPLES
    return [quad.triple for quad in ox.parse(reply.body, format=media)]


def number(rows: Rows, url: str) -> int:
    """Return the count that is all of a table. Raises ``EngineError`` if it is something else."""
    found = [row[0].value for row in rows.rows if isinstance(row[0], ox.Literal)]
    if len(found) != 1 or not found[0].isdecimal():
        raise mismatch(url)
    return int(found[0])


def triples(rows: Rows, url: str) -> list[ox.Triple]:
    """Return rows of three terms as triples. Raises ``EngineError`` if some are none."""
    try:
        return [ox.Triple(*row) for row in rows.rows]  # type: ignore[arg-type]
    except TypeError:  # nothing where something must be, or a literal where none may be
        raise mismatch(url) from None


def mismatch(url: str) -> EngineError:
    """Return the error for an answer to another question."""
    return EngineError(
        f"{url} answered something else than it was asked",
        hint="It may be no SPARQL server, or a cache before it may confuse queries.",
    )


class _MismatchError(Exception):
    """An answer is of another kind than the query."""


def _asked_for(answer: Rows | bool, text: str, form: str | None) -> Rows | bool:
    """Return an answer with its columns in the order of the query, if they are those it asks for.

    Raises ``_MismatchError`` if they are not, or a table stands for yes or no.
    """
    if isinstance(answer, bool) != (form == "ASK"):
        raise _MismatchError
    columns = None if isinstance(answer, bool) else projection(significant(text))
    if isinstance(answer, bool) or columns is None or answer.columns == columns:
        return answer
    if sorted(answer.columns) != sorted(columns):
        raise _MismatchError
    places = [answer.columns.index(name) for name in columns]
    return Rows(columns, (tuple(row[place] for place in places) for row in answer.rows))


def _table(reply: Reply) -> Rows | bool:
    media = ox.QueryResultsFormat.from_media_type(reply.media_type)
    if media is None or media == ox.QueryResultsFormat.JSON:
        answer = ox.parse_query_results(results(reply.body), format=ox.QueryResultsFormat.JSON)
    else:
        answer = ox.parse_query_results(reply.body, format=media)
    if isinstance(answer, ox.QueryBoolean):
        return bool(answer)
    columns = [variable.value for variable in answer.variables]
    # All of it now: what is malformed is then said here, and not in the middle of a table.
    rows: list[tuple[Term | None, ...]] = [tuple(row) for row in answer]
    return Rows(columns, iter(rows))
