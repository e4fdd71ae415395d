"""From a row that a query of the compiled engine gives to a result of a report."""

from __future__ import annotations

import pyoxigraph as ox

from kg.engine import Term
from kg.shacl.constraints import Check, QueryCheck, ValueCheck, filled
from kg.shacl.kept import written
from kg.shacl.paths import Predicate, described, to_text
from kg.shacl.probing import Row
from kg.shacl.report import Result
from kg.shacl.shapes import Shape


def is_true(term: Term | None) -> bool:
    """Say whether a flag of a row is set."""
    return isinstance(term, ox.Literal) and term.value == "true"


def bound_in(row: Row) -> dict[str, Term]:
    """Return what a row binds."""
    return {name: term for name, term in row.items() if term is not None}


def result_of(shape: Shape, check: Check, row: Row) -> Result:
    """Return what a check of a shape found, as a row says."""
    bound = {name: written(term) for name, term in bound_in(row).items()}
    focus = bound["this"]
    path, path_node = shape.path, shape.path_node
    told = bound.get("path")
    if isinstance(told, ox.NamedNode):
        path, path_node = Predicate(told.value), told
    value = bound.get("value")
    if value is None and isinstance(check, ValueCheck | QueryCheck) and shape.path is None:
        value = focus
    source = check.source if isinstance(check, QueryCheck) else None
    messages = _messages(shape, check, bound, value)
    return Result(
        focus=focus,
        shape=shape.name,
        component=check.component,
        severity=shape.severity,
        message=" ".join(sorted({message.value for message in messages})) or check.message,
        messages=messages,
        path=None if path is None else to_text(path),
        value=value,
        constraint=source.value if isinstance(source, ox.NamedNode) else None,
        within=shape.graph.holder(shape.node),
        path_node=path_node,
        path_triples=tuple(described(shape.graph, path_node)),
    )


def _messages(
    shape: Shape, check: Check, bound: dict[str, Term], value: Term | None
) -> tuple[ox.Literal, ...]:
    """Return what the shapes, or a query in them, say of a result; nothing if they do not."""
    if not isinstance(check, QueryCheck | ValueCheck) or (
        isinstance(check, ValueCheck) and not check.messages
    ):
        return shape.messages
    told = dict(bound)
    if value is not None:
        told["value"] = value
    # A query that binds ?message says so instead of the constraint that it stands in.
    own = told.get("message") if isinstance(check, QueryCheck) else None
    more = (own,) if isinstance(own, ox.Literal) else check.messages
    found = {filled(message, told): None for message in (*shape.messages, *more)}
    return tuple(sorted(found, key=str))
