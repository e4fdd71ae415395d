"""A stored query's rows as they are found, instead of in order: the first come at once.

To put rows in order, all must be known. A query whose header says under ``found_by`` how the values
of one of its variables are found is asked for some of these at a time instead, each value once.
Every row depends on one value, so every row comes once, and those of a value together. Within what
is asked for at a time the rows have the query's order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

import pyoxigraph as ox

from kg.engine import Engine, Rows, Term
from kg.errors import QueryError
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
