"""``sh:class``, ``sh:datatype``, ``sh:nodeKind`` (https://www.w3.org/TR/shacl/#core-components)."""

from __future__ import annotations

from collections.abc import Iterator

import pyoxigraph as ox

from kg.namespaces import expand, shorten
from kg.shacl.components.datatypes import well_formed
from kg.shacl.conditions import TRUE, all_of, any_of, exists, not_, sure
from kg.shacl.constraints import Check, Compiling, ValueCheck
from kg.shacl.shapes import SH, Shape

_TYPE = f"<{expand('rdf:type')}>"
_SUBCLASS = f"<{expand('rdfs:subClassOf')}>"
# Above this many subclasses, one list of them is quicker than a lookup each.
_FEW = 3

_KINDS = {
    "IRI": "isIRI({0})",
    "BlankNode": "isBlank({0})",
    "Literal": "isLiteral({0})",
    "BlankNodeOrIRI": "!isLiteral({0})",
    "BlankNodeOrLiteral": "!isIRI({0})",
    "IRIOrLiteral": "!isBlank({0})",
}


def class_(compiling: Compiling, shape: Shape) -> Iterator[Check]:
    """Each value is an instance of the class or of a subclass of it."""
    for term in shape.values("class"):

        def bad(_: str, value: str, term: object = term) -> str:
            if not isinstance(term, ox.NamedNode):
                return TRUE  # a blank node of the shapes is nothing in the data
            return not_(instance_of(compiling, value, term))

        yield ValueCheck(
            SH + "ClassConstraintComponent", f"not an instance of {shorten(term.value)}", bad
        )


def instance_of(compiling: Compiling, value: str, name: ox.NamedNode) -> str:
    """Return whether a node is an instance of a class or of one of its subclasses."""
    known = compiling.classes(name)
    if known is None:
        return exists(f"{value} {_TYPE}/{_SUBCLASS}* {name} .")
    if len(known) <= _FEW:
        return any_of(exists(f"{value} {_TYPE} {one} .", about=(value,)) for one in known)
    type = compiling.names.fresh()
    listed = ", ".join(str(one) for one in known)
    return exists(
        f"{value} {_TYPE} {type} .",
        f"{type} IN ({listed})",
        about=(value,),
        scanned=f"VALUES {type} {{ {listed.replace(',', '')} }} {value} {_TYPE} {type} .",
    )


def datatype(compiling: Compiling, shape: Shape) -> Iterator[Check]:
    """Each value is a literal of the datatype, and not ill-typed."""
    name = shape.one("datatype")
    if name is None:
        return
    if not isinstance(name, ox.NamedNode):
        raise shape.graph.unusable("sh:datatype must be an IRI", shape.node)

    def bad(_: str, value: str) -> str:
        stored = compiling.datatypes(name.value)
        listed = ", ".join(f"<{iri}>" for iri in stored)
        test = (
            f"DATATYPE({value}) = {listed}"
            if len(stored) == 1
            else (f"DATATYPE({value}) IN ({listed})")
        )
        lexical = well_formed(name.value, f"STR({value})")
        return not_(sure(all_of([test, lexical])))

    yield ValueCheck(
        SH + "DatatypeConstraintComponent", f"not a literal of {shorten(name.value)}", bad
    )


def node_kind(_: Compiling, shape: Shape) -> Iterator[Check]:
    """Each value is of the kind: IRI, blank node or literal, or one of two."""
    kind = shape.one("nodeKind")
    if kind is None:
        return
    local = kind.value.removeprefix(SH)
    if local not in _KINDS:
        raise shape.graph.unusable(f"{kind} is no sh:nodeKind", shape.node)

    def bad(_: str, value: str) -> str:
        test = _KINDS[local].format(value)
        return test.removeprefix("!") if test.startswith("!") else f"!{test}"

    yield ValueCheck(SH + "NodeKindConstraintComponent", f"not of the kind sh:{local}", bad)
