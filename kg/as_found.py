"""A stored query's rows as they are found, instead of in order: the first come at once.

To put rows in order, all must be known. A query whose header says under ``found_by`` how the values
of one of its variables are found is asked for some of these at a time instead, each value once.
Every row depends on one value, so every row comes once, and those of a value together. Within what
is asked for at a time the rows have the query's order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice

import pyoxigraph as ox

from kg.engine import Engine, Rows, Term
from kg.errors import QueryError
from kg.in_words import counted
from kg.query_header import read_header
from kg.sparql_text import prologue, put_values, without_order
from kg.stored_query import StoredQuery, bind

# How many values are asked for at a time: few at first, so that the first rows come soon, and then
# ever more, since each query costs some milliseconds by itself.
_FIRST, _GROWTH, _MOST = 1, 4, 512


def as_found(engine: Engine, query: StoredQuery, values: Mapping[str, Term]) -> Rows:
    """Ask a SELECT for its rows in the order in which they are found.

    ``values`` are as for ``bind``. With any of them there is little to put in order, and the query
    runs as it is; without ``found_by`` it runs without its ORDER BY. Consume the rows in this
    thread. Raises as ``bind`` and ``Engine.query``, and ``QueryError`` if it is no SELECT.
    """
    if query.form != "SELECT":
        raise QueryError("only the rows of a SELECT have an order", path=query.path)
    text = bind(query, values)
    if query.found_by is None or values:
        return _rows(engine, text if values else without_order(text))
    return Rows(list(query.columns), _in_pieces(engine, query, text))


def check_found_by(engine: Engine, query: StoredQuery) -> None:
    """Hold what a header says under ``found_by`` against the rows that there are.

    A query without it, or with a parameter that it needs, has nothing to be held against. Asks for
    all rows twice. Raises ``QueryError`` with the line of ``found_by`` if rows are lost or come
    more often as they are found than in order; otherwise as ``as_found``.
    """
    if query.found_by is None or any(one.required for one in query.params.values()):
        return
    ordered = Counter(_rows(engine, bind(query, {})).rows)
    found = Counter(as_found(engine, query, {}).rows)
    lost, more = (ordered - found).total(), (found - ordered).total()
    if lost or more:
        header = read_header(query.text, query.path)
        raise header.error(
            f"'{query.name}' has {counted(ordered.total(), 'row')} in order; as they are found "
            f"{lost} of them {'is' if lost == 1 else 'are'} missing, and {more} too many",
            "found_by",
            hint="The pattern of 'found_by' must find every value of its variable that a row "
            "depends on, and no row may depend on two of them.",
        )


def _in_pieces(engine: Engine, query: StoredQuery, text: str) -> Iterator[tuple[Term | None, ...]]:
    assert query.found_by is not None
    name, pattern = query.found_by
    search = f"{prologue(text)}SELECT DISTINCT ?{name} WHERE {{ {pattern} }}"
    found = _rows(engine, search).rows
    # A parameter is made for one value; what is there for this alone takes several.
    most = 1 if name in query.params else _MOST
    size = _FIRST
    while some := [row[0] for row in islice(found, size)]:
        # A blank node would match anything.
        named = " ".join(str(term) for term in some if not isinstance(term, ox.BlankNode | None))
        if named:
            yield from _rows(engine, put_values(text, {name: named})).rows
        size = min(size * _GROWTH, most)


def _rows(engine: Engine, text: str) -> Rows:
    answer = engine.query(text)
    if not isinstance(answer, Rows):
        raise QueryError("expected a SELECT query")
    return answer
