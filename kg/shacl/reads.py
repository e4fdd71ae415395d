"""What judging a node looks up in the data, and by which path it gets there.

A shape, or a query in one, judges a focus node by following paths from it and looking up triples
at the nodes on the way. If none of the triples that were looked up has changed, neither has the
result: so the nodes whose results can have changed are found by walking the same paths backwards
from the triples that did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kg.namespaces import expand
from kg.shacl.components.custom import custom
from kg.shacl.components.logic import siblings
from kg.shacl.constraints import Compiling, QueryCheck
from kg.shacl.paths import Alternative, Inverse, Path, Predicate, Repeated, Sequence
from kg.shacl.pattern_reader import read_patterns
from kg.shacl.patterns import Group, Pattern, TooRichError
from kg.shacl.shapes import Shape

RDF_TYPE = expand("rdf:type")
SUBCLASS_OF = expand("rdfs:subClassOf")

_NESTED = ("not", "node", "property", "qualifiedValueShape")
_LISTS = ("and", "or", "xone")
_COMPARED = ("equals", "disjoint", "lessThan", "lessThanOrEquals")


@dataclass(frozen=True)
class Read:
    """A lookup of triples that have a node as ``end`` (subject, predicate or object).

    The node is where ``way`` leads to from what is judged, which is that itself without a way.
    ``predicate`` is that of the triples; ``None`` is any.
    """

    way: Path | None
    end: str
    predicate: str | None


def shape_reads(shape: Shape, way: Path | None = None) -> Iterator[Read]:
    """Yield what the constraints of a shape look up, without queries and custom components.

    These are for ``query_reads`` and ``has_custom``, at this shape and at those within it.
    """
    if shape.deactivated:
        return
    values = way
    if shape.path is not None:
        yield from path_reads(shape.path, way)
        values = joined(way, shape.path)
    if shape.values("class"):
        yield Read(values, "subject", RDF_TYPE)
    for name in _COMPARED:
        for other in shape.iris(name):
            yield Read(way, "subject", other.value)
    if shape.truth("closed"):
        yield Read(values, "subject", None)
    for inner in within(shape):
        yield from shape_reads(inner, values)


def within(shape: Shape) -> Iterator[Shape]:
    """Yield the shapes that the values of a shape are judged by."""
    for name in _NESTED:
        yield from shape.shapes(name)
    for name in _LISTS:
        for members in shape.shape_lists(name):
            yield from members
    for other in shape.shapes("qualifiedValueShape"):
        yield from siblings(shape, other)


def has_custom(compiling: Compiling, shape: Shape) -> bool:
    """Say whether a shape has a constraint of a component that the shapes graph defines."""
    return any(True for _ in custom(compiling, shape))


def path_reads(path: Path, way: Path | None, backwards: bool = False) -> Iterator[Read]:
    """Yield what walking a path looks up, from where ``way`` leads to."""
    match path:
        case Predicate(iri):
            yield Read(way, "object" if backwards else "subject", iri)
        case Inverse(step):
            yield from path_reads(step, way, not backwards)
        case Repeated(step, suffix):
            turned = Inverse(step) if backwards else step
            again = way if suffix == "?" else joined(way, Repeated(turned, "*"))
            yield from path_reads(step, again, backwards)
        case Alternative(steps):
            for step in steps:
                yield from path_reads(step, way, backwards)
        case Sequence(steps):
            for step in reversed(steps) if backwards else steps:
                yield from path_reads(step, way, backwards)
                way = joined(way, Inverse(step) if backwards else step)


def joined(way: Path | None, path: Path) -> Path:
    """Return one path after another."""
    parts = [
        step
        for one in (way, path)
        if one is not None
        for step in (one.steps if isinstance(one, Sequence) else (one,))
    ]
    return Sequence(tuple(parts)) if len(parts) > 1 else parts[0]


def query_reads(check: QueryCheck, anchor: str = "this", way: Path | None = None) -> Iterator[Read]:
    """Yield what a query looks up for one value of a variable, ``$this`` or another.

    Each triple that matters to rows with that value is among what is yielded. Raises
    ``TooRichError`` if that cannot be said, such as of patterns that hang on no such value.
    """
    text = "".join(token.text for token in check.select.tokens)
    yield from _group_reads(read_patterns(text).where, anchor, {f"?{anchor}": way})


def narrowed(text: str, variable: str, terms: str) -> str:
    """Return a query in which every group that speaks of a variable is told its ``terms``.

    Raises ``TooRichError`` for a query that cannot be read.
    """
    places: set[int] = set()
    _places(read_patterns(text).where, f"?{variable}", places)
    for place in sorted(places, reverse=True):
        text = f"{text[:place]} VALUES ?{variable} {{ {terms} }} {text[place:]}"
    return text


def only_iris(check: QueryCheck, variable: str) -> bool:
    """Say whether a query lets a variable be IRIs only."""
    text = "".join(token.text for token in check.select.tokens)
    return variable in read_patterns(text).where.iris


def _places(group: Group, variable: str, places: set[int]) -> None:
    if any(variable in (p.subject, p.object, f"?{p.path}") for p in group.patterns):
        places.add(group.start)
    for choices in group.alternatives:
        for choice in choices:
            _places(choice, variable, places)


Ways = Mapping[str, Path | None]


def _group_reads(group: Group, anchor: str, ways: Ways) -> Iterator[Read]:
    if group.select is not None:
        _require_rows_of_one(group, anchor)
    ways = dict(ways)
    waiting = list(group.patterns)
    while waiting:
        left = []
        for pattern in waiting:
            found = _followed(pattern, ways, group)
            if found is None:
                left.append(pattern)
            else:
                yield from found
        if len(left) == len(waiting):
            raise TooRichError(f"{left[0].subject} hangs on nothing that is known")
        waiting = left
    # What is alternative or comes from a query within may leave a name without a value, or with
    # another one; only the value that the whole query runs for is sure.
    sure = {f"?{anchor}": ways[f"?{anchor}"]}
    for choices in group.alternatives:
        for choice in choices:
            yield from _group_reads(choice, anchor, sure)
    for inner in group.minus:
        yield from _group_reads(inner, anchor, sure)
    for inner in (*group.exists, *group.optional):
        yield from _group_reads(inner, anchor, sure if inner.select else ways)


def _require_rows_of_one(group: Group, anchor: str) -> None:
    assert group.select is not None
    if not group.select.shows(anchor):
        raise TooRichError(f"a query within does not select ?{anchor}")
    if anchor != "this" and (group.select.aggregates or group.select.limited):
        raise TooRichError("a query counts, or gives some of its rows only")


def _followed(
    pattern: Pattern, ways: dict[str, Path | None], group: Group
) -> Iterator[Read] | None:
    """Return what a pattern looks up if one of its ends is known, and take down the other."""
    subject, path, object = pattern.subject, pattern.path, pattern.object
    if isinstance(path, str):
        for end, term in (("subject", subject), ("object", object), ("predicate", f"?{path}")):
            if term in ways:
                return iter([Read(ways[term], end, None)])
        return None
    if subject in ways:
        reads = path_reads(path, ways[subject])
        if object.startswith("?"):
            ways.setdefault(object, joined(ways[subject], path))
        return reads
    if object in ways:
        reads = path_reads(path, ways[object], backwards=True)
        if subject.startswith("?"):
            ways.setdefault(subject, joined(ways[object], Inverse(path)))
        return reads
    return None
