"""What a worker does with a stored query: bind its parameters, run it, cut out a page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import TextIO, cast

import pyoxigraph as ox

from kg.as_found import as_found
from kg.embedded import EmbeddedEngine
from kg.engine import Rows, Term
from kg.errors import FormatError, ParameterError, QueryError
from kg.parameters import to_term
from kg.result_syntax import plain
from kg.results import write_boolean, write_rows
from kg.server.wire.problems import sentences
from kg.server.worker.evaluate import (
    Binary,
    Bounds,
    Job,
    Open,
    RefusedError,
    bad_query,
    changes,
    not_acceptable,
    unfit,
)
from kg.server.worker.evaluate import run as run_query
from kg.server.worker.output import TooLargeError
from kg.stored_query import StoredQuery, bind, parse_query, unknown_parameter

# A spreadsheet takes a cell that begins so for a formula, and runs it.
_FORMULA = re.compile(r"[=+\-@\t\r\n]")


def run(engine: EmbeddedEngine, job: Job, bounds: Bounds, open_output: Open) -> None:
    """Bind and run a stored query.

    The job has its ``name``, ``kind`` and ``text``, ``values`` (pairs of a name and what was
    typed), ``page`` (from 1) and ``per_page`` or ``None``, ``as_found``, whether rows may come as
    they are found instead of in order, and what ``evaluate.run`` needs. Raises ``RefusedError``;
    for parameters it names each that is wrong.
    """
    query = _parsed(job["text"], job["name"], job["kind"])
    terms = _terms(query, job, engine)
    simple = job["rows"] is not None and job["rows"][1] in ("json", "xml", "csv", "tsv")
    as_they_are = job["page"] is None and not job["as_found"]
    try:
        if query.form in ("CONSTRUCT", "DESCRIBE") or (simple and as_they_are):
            run_query(engine, {**job, "query": bind(query, terms)}, bounds, open_output)
        elif job["rows"] is None:
            raise not_acceptable(False)
        elif query.form == "ASK":
            _yes_or_no(engine, bind(query, terms), job, open_output)
        else:
            found = as_found if job["as_found"] else _in_order
            rows = found(engine, query, terms)
            # What stands for a parameter is a term, and calls nothing.
            _page(rows, changes(query.text), job, bounds, open_output)
    except TooLargeError as error:
        raise RefusedError(422, "Answer too large", f"The answer {error.what}.") from None
    except ParameterError as error:
        raise RefusedError(400, "Bad parameters", error.message) from None
    except FormatError as error:
        raise unfit(error, False) from None
    except QueryError as error:
        raise bad_query(error) from None


def _in_order(engine: EmbeddedEngine, query: StoredQuery, terms: Mapping[str, Term]) -> Rows:
    answer = engine.query(bind(query, terms))
    assert isinstance(answer, Rows)
    return answer


@lru_cache(maxsize=64)
def _parsed(text: str, name: str, kind: str) -> StoredQuery:
    return parse_query(text, name=name, kind=kind)


def _terms(query: StoredQuery, job: Job, engine: EmbeddedEngine) -> dict[str, Term]:
    terms: dict[str, Term] = {}
    errors: list[dict[str, str]] = []

    def wrong(name: str, detail: str) -> None:
        errors.append({"parameter": name, "detail": detail})

    seen: set[str] = set()
    for name, text in job["values"]:
        try:
            if name in seen:
                wrong(name, "is given twice")
            elif name not in query.params:
                raise unknown_parameter(query, name)
            else:
                terms[name] = to_term(query.params[name], text, engine, job["base"])
        except ParameterError as error:
            wrong(name, sentences(error.message, error.hint))
        seen.add(name)
    for name, parameter in query.params.items():
        if parameter.required and name not in seen:
            wrong(name, f"must be given: {parameter.description}")
    if errors:
        many = "A parameter is" if len(errors) == 1 else f"{len(errors)} parameters are"
        raise RefusedError(400, "Bad parameters", f"{many} not as the query needs.", errors=errors)
    return terms


def _yes_or_no(engine: EmbeddedEngine, text: str, job: Job, open_output: Open) -> None:
    answer = engine.query(text)
    assert isinstance(answer, bool)
    media, format = job["rows"]
    output = open_output({"type": media, "cacheable": not changes(text)})
    kind = "csv" if format == "spreadsheet" else format
    write_boolean(answer, kind, cast(TextIO, Binary(output)))
    output.close({"rows": 1})


def _page(answer: Rows, changing: bool, job: Job, bounds: Bounds, open_output: Open) -> None:
    media, format = job["rows"]
    head = {"type": media, "cacheable": not changing}
    rows = answer.rows
    number, size = job["page"], job["per_page"]
    if number is not None:
        # Read before anything is sent: whether there is a next page stands in the head.
        before = sum(1 for _ in islice(rows, (number - 1) * size))
        page = list(islice(rows, size + 1))
        pages = {"first": 1}
        if number > 1:
            # The last that has rows, for who asked for one far beyond.
            pages["prev"] = max(1, -(-before // size))
        if len(page) > size:
            pages["next"] = number + 1
        head["pages"] = pages
        rows = iter(page[:size])
    output = open_output(head)

    def bounded() -> Iterator[tuple[Term | None, ...]]:
        for count, row in enumerate(rows):
            if count >= bounds.rows:
                output.fail(f"has more than {bounds.rows:,} rows")
            yield tuple(map(_harmless, row)) if format == "spreadsheet" else row

    found = Rows(answer.columns, bounded())
    kind = "csv" if format == "spreadsheet" else format
    written = write_rows(found, kind, cast(TextIO, Binary(output)), base=job["base"])
    if written.unfit:
        raise FormatError(f"XML cannot hold {written.unfit}")
    output.close({"rows": written.count})


def _harmless(term: Term | None) -> Term | None:
    """Return a term that no spreadsheet takes for a formula: an apostrophe goes before it."""
    if term is None or not _FORMULA.match(plain(term)):
        return term
    return ox.Literal("'" + plain(term))
