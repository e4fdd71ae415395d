"""The answer to a SELECT as Python values: for modules that ask an engine a fixed question."""

from __future__ import annotations

from collections.abc import Iterable

import pyoxigraph as ox

from kg.engine import Engine, Rows, Term
from kg.errors import QueryError
from kg.namespaces import PREFIXES

_PROLOGUE = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in PREFIXES.items())


def select(
    engine: Engine, pattern: str, about: Iterable[str] | None = None
) -> list[dict[str, Term]]:
    """Run a SELECT and return its rows; an unbound column is absent from its row.

    Every prefix of ``kg.namespaces`` may be used. ``$about`` in ``pattern`` stands for the terms
    of a VALUES block and is replaced by the IRIs ``about``, each checked to be an IRI. An empty
    ``about`` has no rows and does not ask.

    Raises ``QueryError`` for a query that is not a SELECT or cannot be run, ``EngineError``.
    """
    if about is not None:
        terms = " ".join(str(ox.NamedNode(iri)) for iri in about)
        if not terms:
            return []
        pattern = pattern.replace("$about", terms)
    answer = engine.query(_PROLOGUE + pattern)
    if not isinstance(answer, Rows):
        raise QueryError("expected a SELECT query")
    return [
        {name: term for name, term in zip(answer.columns, row, strict=True) if term is not None}
        for row in answer.rows
    ]


def string(row: dict[str, Term], column: str, default: str = "") -> str:
    """Return a column's literal text or IRI, or ``default`` if it is unbound."""
    term = row.get(column)
    return default if term is None else str(term.value)


def truth(row: dict[str, Term], column: str) -> bool:
    """Say whether a column holds ``true``, which some servers write as 1; unbound is false."""
    return string(row, column) in ("true", "1")


def number(row: dict[str, Term], column: str) -> int | None:
    """Return a column's whole number, or ``None`` if it is unbound or not one."""
    try:
        return int(string(row, column))
    except ValueError:
        return None
