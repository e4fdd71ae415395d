"""Which triples matter to a query: what its patterns can match."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kg.shacl.paths import Alternative, Inverse, Path, Predicate, Repeated, Sequence
from kg.shacl.pattern_reader import read_patterns
from kg.shacl.patterns import Group, Pattern
from kg.sparql_text import significant


@dataclass(frozen=True)
class Key:
    """Triples that a pattern can match: by predicate and by object; ``None`` is any."""

    predicate: str | None
    object: str | None


def deciding(text: str) -> Group:
    """Return the WHERE of a query without what cannot decide whether there is any row.

    That is each OPTIONAL whose own variables are spoken of nowhere else in it. Raises
    ``TooRichError``.
    """
    where = read_patterns(text).where
    variables = [
        (token.text[1:], token.start)
        for token in significant(text)
        if token.kind == "var" and where.start <= token.start < where.end
    ]
    for optional in list(where.optional):
        outside = {n for n, place in variables if not optional.start <= place < optional.end}
        inside = {n for n, place in variables if optional.start <= place < optional.end}
        elsewhere = {
            term
            for pattern in where.patterns
            for term in (pattern.subject[1:], pattern.object[1:], pattern.path)
        }
        # A name that the group around it binds is no variable of its own.
        if not (inside - elsewhere) & outside:
            where.optional.remove(optional)
    return where


# The values that a property has anywhere in the data, as in SPARQL.
ObjectsOf = Callable[[str], set[str]]


def keys(
    group: Group,
    objects_of: ObjectsOf | None = None,
    values: Mapping[str, set[str]] | None = None,
) -> set[Key]:
    """Return what a group can match anywhere in it, so that no other triple matters to it.

    With ``objects_of``, a variable predicate that is the value of a property is one of these. Their
    own triples are matched as well, so that a change among them is not missed.
    """
    known = {**(values or {}), **group.values}
    predicates = {**_named_predicates(group, objects_of), **known}
    found = {key for pattern in group.patterns for key in _keys(pattern, known, predicates)}
    inner = [choice for choices in group.alternatives for choice in choices]
    for one in (*inner, *group.exists, *group.optional, *group.minus):
        # A SELECT within may use a name for something else.
        found |= keys(one, objects_of, None if one.select else known)
    return found


def _named_predicates(group: Group, objects_of: ObjectsOf | None) -> dict[str, set[str]]:
    if objects_of is None:
        return {}
    predicates = {f"?{p.path}": p.path for p in group.patterns if isinstance(p.path, str)}
    return {
        predicates[pattern.object]: objects_of(pattern.path.iri)
        for pattern in group.patterns
        if isinstance(pattern.path, Predicate) and pattern.object in predicates
    }


def _keys(
    pattern: Pattern, values: Mapping[str, set[str]], named: Mapping[str, set[str]]
) -> set[Key]:
    objects: set[str | None] = {pattern.object}
    if pattern.object.startswith("?"):
        objects = set(values.get(pattern.object[1:], {None}))
    # Literals may be written in more than one way.
    objects = {one if one and one.startswith("<") else None for one in objects}
    if isinstance(pattern.path, str):
        allowed = named.get(pattern.path)
        predicates: set[str | None] = {None}
        if allowed is not None:
            predicates = {one[1:-1] for one in allowed if one.startswith("<")}
        return {Key(predicate, one) for predicate in predicates for one in objects}
    if isinstance(pattern.path, Predicate):
        return {Key(pattern.path.iri, one) for one in objects}
    return {Key(iri, None) for iri in predicates_of(pattern.path)}


def predicates_of(path: Path) -> set[str]:
    """Return the predicates that a path walks along."""
    match path:
        case Predicate(iri):
            return {iri}
        case Inverse(step) | Repeated(step, _):
            return predicates_of(step)
        case Sequence(steps) | Alternative(steps):
            return {iri for step in steps for iri in predicates_of(step)}
