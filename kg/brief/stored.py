"""The stored queries a brief asks, so that it counts what ``kg query`` counts."""

from __future__ import annotations

from kg.dispute import Dispute
from kg.engine import Engine, Term
from kg.rows import select
from kg.stored_query import bind, find_query


def ask(engine: Engine, dispute: Dispute, name: str) -> list[dict[str, Term]]:
    """Return the rows of a stored query without parameters; see ``kg.rows.select``.

    Raises ``QueryError`` if there is no such query.
    """
    return select(engine, bind(find_query(dispute, name), {}))
