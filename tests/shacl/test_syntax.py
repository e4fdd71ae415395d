"""What is wrong with shapes, which the compiled engine finds by the shapes of SHACL itself."""

from __future__ import annotations

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib

from kg.shacl.files import read_rdf
from kg.shacl.syntax import malformed, shapes_of_shapes
from kg.shacl.validation import shape_files

PREFIXES = "@prefix sh: <http://www.w3.org/ns/shacl#> .\n@prefix : <https://example.org/> .\n"

GOOD = [
    ":s a sh:NodeShape ; sh:targetClass :C ; sh:property [ sh:path :p ; sh:minCount 1 ] .",
    ":s sh:targetNode 1 ; sh:or ( [ sh:nodeKind sh:IRI ] [ sh:not [ sh:in ( 1 2 ) ] ] ) .",
    ":s sh:targetSubjectsOf :p ; sh:property [ sh:path ( :p [ sh:inversePath :q ] ) ] .",
    ":s sh:targetClass :C ; sh:closed true ; sh:ignoredProperties ( :p ) ; sh:node :t .",
]
BAD = [
    ":s a sh:NodeShape ; sh:targetClass 'C' .",
    ":s sh:targetClass :C ; sh:property [ sh:path :p , :q ] .",
    ":s sh:targetClass :C ; sh:property [ sh:path :p ; sh:minCount 'one' ] .",
    ":s sh:targetClass :C ; sh:property [ sh:path :p ; sh:minCount 1 , 2 ] .",
    ":s sh:targetClass :C ; sh:or :t .",
    ":s sh:targetClass :C ; sh:in _:l . _:l :first 1 .",
    ":s sh:targetClass :C ; sh:nodeKind :Anything .",
    ":s sh:targetClass :C ; sh:severity 'bad' .",
    ":s sh:targetClass :C ; sh:deactivated 1 .",
    ":s sh:targetClass :C ; sh:closed true ; sh:closed false .",
    ":s sh:targetClass :C ; sh:message 1 .",
    ":s sh:targetClass :C ; sh:property [ sh:path [ sh:inversePath 'p' ] ] .",
]


@pytest.mark.parametrize("body", [*GOOD, *BAD])
def test_what_pyshacl_refuses_is_malformed_and_nothing_else(body: str) -> None:
    text = PREFIXES + body
    found = malformed(ox.parse(text, format=ox.RdfFormat.TURTLE))
    shapes, meta = rdflib.Graph().parse(data=text), rdflib.Graph().parse(shapes_of_shapes())
    conforms, _, _ = pyshacl.validate(shapes, shacl_graph=meta)
    assert conforms is (not found)
    assert conforms is (body in GOOD)


def test_the_shapes_of_the_project_are_well_formed() -> None:
    assert not malformed([quad for path in shape_files() for quad in read_rdf(path)])
