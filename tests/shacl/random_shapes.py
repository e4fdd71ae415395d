"""Random shapes graphs and data, small enough that what they share is likely to meet.

There are two worlds. In the first, literals are of all kinds and nothing is compared by size. In
the second, literals are numbers and shapes compare them: where two literals cannot be compared,
pySHACL goes by their text or gives up, and the standard has a violation
(https://www.w3.org/TR/shacl/#core-components-range and #LessThanConstraintComponent).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from hypothesis import strategies as st

PREFIXES = """\
@prefix : <https://example.org/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""

NODES = [":a", ":b", ":c", "_:d", "_:e"]
NAMED = NODES[:3]
CLASSES = [":A", ":B", ":C"]
PROPERTIES = [":p", ":q", ":r"]
AMOUNTS = [":n", ":m"]  # properties with numbers alone
ALL_KINDS = [
    "1",
    "2",
    '"01"^^xsd:integer',
    "1.5",
    '"2"^^xsd:byte',
    '"300"^^xsd:byte',
    '"one"^^xsd:integer',
    "true",
    '"1"',
    '"ab"',
    '"abc"',
    '"ab"@en',
    '"abc"@en',
    '"ab"@de',
    '"ab"@en-GB',
    '"2020-02-29"^^xsd:date',
    '"2021-02-29"^^xsd:date',
    '"2020-01-01T00:00:00Z"^^xsd:dateTime',
    '"2020-01-01T00:00:00"^^xsd:dateTime',
    '"x"^^:own',
]
NUMBERS = ["1", "2", "3", '"01"^^xsd:integer', "1.5", '"2"^^xsd:byte', "2.0e0", "-1"]

Text = st.SearchStrategy[str]
Parts = st.SearchStrategy[list[str]]

classes = st.sampled_from(CLASSES)
properties = st.sampled_from(PROPERTIES)
amounts = st.sampled_from(AMOUNTS)


@dataclass(frozen=True)
class World:
    """What the literals are, and whether they are compared."""

    literals: tuple[str, ...]
    compares: bool

    @property
    def terms(self) -> Text:
        return st.sampled_from([*NAMED, *self.literals])


EVERYTHING = World(tuple(ALL_KINDS), compares=False)
QUANTITIES = World(tuple(NUMBERS), compares=True)


@cache
def _lines(world: World) -> Parts:
    nodes, literals = st.sampled_from(NODES), st.sampled_from(world.literals)
    statements = [
        st.builds("{} {} {} .".format, nodes, properties, st.one_of(nodes, literals)),
        st.builds("{} a {} .".format, nodes, classes),
    ]
    if world.compares:
        statements.append(st.builds("{} {} {} .".format, nodes, amounts, literals))
    subclasses = st.builds("{} rdfs:subClassOf {} .".format, classes, classes)
    return st.builds(
        lambda some, more: [*some, *more],
        st.lists(st.one_of(statements), min_size=1, max_size=14),
        st.lists(subclasses, max_size=2),
    )


def data(world: World) -> Text:
    """Return a graph in Turtle."""
    return _lines(world).map(lambda lines: PREFIXES + "\n".join(lines))


def _steps(inner: Text) -> list[Text]:
    return [
        st.builds("[ sh:alternativePath ( {} {} ) ]".format, inner, inner),
        st.builds("[ sh:zeroOrMorePath {} ]".format, inner),
        st.builds("[ sh:oneOrMorePath {} ]".format, inner),
        st.builds("[ sh:zeroOrOnePath {} ]".format, inner),
    ]


def _inverse(inner: Text) -> Text:
    return st.builds("[ sh:inversePath {} ]".format, inner)


# The inverse of a sequence is no path here: pySHACL walks its steps in the wrong order.
_without_sequences = st.recursive(
    properties, lambda inner: st.one_of(*_steps(inner), _inverse(inner)), max_leaves=3
)
paths = st.recursive(
    st.one_of(properties, _inverse(_without_sequences)),
    lambda inner: st.one_of(*_steps(inner), st.builds("( {} {} )".format, inner, inner)),
    max_leaves=3,
)

_KINDS = ["IRI", "BlankNode", "Literal", "BlankNodeOrIRI", "BlankNodeOrLiteral", "IRIOrLiteral"]
_DATATYPES = ["integer", "byte", "decimal", "string", "boolean", "date", "dateTime"]

Parameters = dict[str, Text]


def _single(world: World) -> Parameters:
    """What may be said once of any shape."""
    found: Parameters = {
        "datatype": st.sampled_from([f"xsd:{name}" for name in _DATATYPES] + ["rdf:langString"]),
        "nodeKind": st.sampled_from([f"sh:{name}" for name in _KINDS]),
        "minLength": st.sampled_from(["1", "2", "3"]),
        "maxLength": st.sampled_from(["0", "2", "3"]),
        "pattern": st.sampled_from(['"^a"', '"B" ; sh:flags "i"', '"[0-9]"']),
        "languageIn": st.sampled_from(['( "en" )', '( "de" "fr" )', '( "en-GB" )', "()"]),
        "in": st.lists(world.terms, max_size=3).map(lambda members: f"( {' '.join(members)} )"),
    }
    if world.compares:
        for name in ("minInclusive", "maxInclusive", "minExclusive", "maxExclusive"):
            found[name] = st.sampled_from(world.literals)
    return found


def _repeated(world: World) -> Parameters:
    return {
        "class": classes,
        "hasValue": world.terms,
        "equals": properties,
        "disjoint": properties,
    }


_OF_PROPERTY_SHAPES: Parameters = {
    "minCount": st.sampled_from(["0", "1", "2", "3", "4"]),
    "maxCount": st.sampled_from(["0", "1", "2", "3"]),
    "uniqueLang": st.sampled_from(["true", "false"]),
}
_OF_AMOUNTS: Parameters = {"lessThan": amounts, "lessThanOrEquals": amounts}
_COMMON: Parameters = {
    "severity": st.sampled_from(["sh:Warning", "sh:Info"]),
    "message": st.sampled_from(['"said"', '"said"@en, "gesagt"@de']),
    "deactivated": st.sampled_from(["true", "false"]),
}


def _some(parameters: Parameters, most: int) -> Parts:
    one = st.sampled_from(sorted(parameters)).flatmap(
        lambda name: parameters[name].map(lambda value: (name, value))
    )
    # Each once: most parameters may have one value only.
    chosen = st.lists(one, max_size=most, unique_by=lambda entry: entry[0])
    return chosen.map(lambda entries: [f"sh:{name} {value}" for name, value in entries])


def _simple(world: World, most: int) -> Parts:
    return st.builds(
        lambda single, repeated, common: single + repeated + common,
        _some(_single(world), most),
        _some(_repeated(world), 1),
        _some(_COMMON, 1),
    )


def _property_parts(world: World) -> Parts:
    some_path = st.builds(
        lambda path, simple, own: [f"sh:path {path}", *simple, *own],
        paths,
        _simple(world, 2),
        _some(_OF_PROPERTY_SHAPES, 2),
    )
    if not world.compares:
        return some_path
    amount = st.builds(
        lambda path, simple, own: [f"sh:path {path}", *simple, *own],
        amounts,
        _simple(world, 1),
        _some(_OF_AMOUNTS, 2),
    )
    return st.one_of(some_path, amount)


# A shape as the parameter that may point to it, sh:node or sh:property, and its text.
Shape = st.SearchStrategy[tuple[str, str]]


def _written(parts: list[str]) -> str:
    return f"[ {' ; '.join(parts)} ]" if parts else "[ a sh:NodeShape ]"


def _node(world: World, inner: Shape) -> Shape:
    return st.builds(
        lambda simple, nested: ("node", _written([*simple, *nested])),
        _simple(world, 2),
        st.lists(_nested(inner), max_size=2).map(_each_once),
    )


def _property(world: World, inner: Shape) -> Shape:
    return st.builds(
        lambda parts, nested: ("property", _written([*parts, *nested])),
        _property_parts(world),
        st.lists(st.one_of(_nested(inner), _qualified(inner)), max_size=2).map(_each_once),
    )


def _each_once(parts: list[str]) -> list[str]:
    return list({part.split()[0]: part for part in parts}.values())


def _nested(inner: Shape) -> Text:
    any_shape = inner.map(lambda shape: shape[1])
    members = st.lists(any_shape, min_size=1, max_size=3).map(" ".join)
    return st.one_of(
        inner.map(lambda shape: f"sh:{shape[0]} {shape[1]}"),
        inner.map(lambda shape: f"sh:{shape[0]} {shape[1]}"),
        any_shape.map("sh:not {}".format),
        members.map("sh:and ( {} )".format),
        members.map("sh:or ( {} )".format),
        members.map("sh:xone ( {} )".format),
    )


def _qualified(inner: Shape) -> Text:
    return st.builds(
        lambda shape, low, high, disjoint: (
            f"sh:qualifiedValueShape {shape[1]} ; sh:qualifiedMinCount {low} ; "
            f"sh:qualifiedMaxCount {high} ; sh:qualifiedValueShapesDisjoint {disjoint}"
        ),
        inner,
        st.integers(0, 3),
        st.integers(0, 3),
        st.sampled_from(["true", "false"]),
    )


@cache
def _shape(world: World) -> Shape:
    leaves = st.one_of(
        _simple(world, 3).map(lambda parts: ("node", _written(parts))),
        _property_parts(world).map(lambda parts: ("property", _written(parts))),
    )
    return st.recursive(
        leaves, lambda inner: st.one_of(_node(world, inner), _property(world, inner)), max_leaves=4
    )


_CLOSED = st.sampled_from(
    [
        [],
        [],
        ["sh:closed true"],
        ["sh:closed true", "sh:ignoredProperties ( rdf:type :r )"],
    ]
)


@cache
def _targets(world: World) -> Parts:
    one = st.one_of(
        st.builds("sh:targetClass {}".format, classes),
        st.builds("sh:targetNode {}".format, world.terms),
        st.builds("sh:targetSubjectsOf {}".format, properties),
        st.builds("sh:targetObjectsOf {}".format, properties),
    )
    return st.lists(one, min_size=1, max_size=2)


@st.composite
def shapes(draw: st.DrawFn, world: World) -> str:
    """Return a shapes graph in Turtle: one to three shapes with targets."""
    written = {}
    for number in range(draw(st.integers(1, 3))):
        # A shape may also be a class, and then has its instances as targets.
        name = draw(st.sampled_from([f":s{number}", f":s{number}", ":A"]))
        kind, body = draw(_shape(world))
        inside = body.removeprefix("[").removesuffix("]").strip()
        parts = [*draw(_targets(world)), *draw(_CLOSED), inside]
        if name == ":A":
            parts.append(f"a sh:{kind.capitalize()}Shape, rdfs:Class")
        written[name] = f"{name} {' ; '.join(parts)} ."
    return PREFIXES + "\n".join(written.values())
