"""What a change can affect is judged again, and nothing that it affects is missed."""

from __future__ import annotations

import pyoxigraph as ox
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.embedded import EmbeddedEngine
from kg.shacl import compiled
from kg.shacl.changed import Changed, NotBoundedError, judge_changed
from kg.shacl.report import Result
from kg.shacl.shapes import ShapesGraph, UnusableShapesError
from tests.shacl.random_shapes import EVERYTHING, PREFIXES, QUANTITIES, World, data, shapes

RANDOM = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
GRAPH = ox.NamedNode("https://example.org/graph")

# Queries as shapes have them, of the forms that are followed and of some that are not.
QUERIES = [
    "SELECT $this WHERE { $this :p+ $this }",
    "SELECT $this ?value WHERE { $this :p ?value . FILTER NOT EXISTS { ?value :q ?any } }",
    "SELECT $this ?value WHERE { $this :p/:q ?value . ?other :r ?value ; a ?class }",
    "SELECT $this WHERE { $this a/rdfs:subClassOf* ?class . ?class ^a/:q ?value }",
    "SELECT $this WHERE { $this :p ?x . OPTIONAL { ?x :q ?y } FILTER (!BOUND(?y)) }",
    "SELECT $this ?value WHERE { { $this :p ?value } UNION { ?value :q $this ; :r ?more } }",
    "SELECT $this WHERE { $this :p ?x . FILTER EXISTS { ?y :q ?x . FILTER (?y != $this) } }",
    "SELECT $this ?value WHERE { $this ?any ?value . ?value :p $this }",
    "SELECT $this WHERE { $this :q|^:r ?x . ?x :p ?number . FILTER (?number > 1) }",
    "SELECT $this ?value WHERE { { SELECT DISTINCT $this ?value WHERE { { ?value a ?c } UNION "
    "{ ?s ?value ?o } UNION { ?s ?p ?value } } } FILTER (isIRI(?value)) "
    "FILTER NOT EXISTS { ?value :p ?known } }",
    "SELECT $this WHERE { ?x :p ?y . ?y :q ?z }",
    "SELECT $this WHERE { { SELECT $this (COUNT(DISTINCT ?x) AS ?n) WHERE { $this :p ?x } "
    "GROUP BY $this } FILTER (?n > 1) }",
]
TARGETS = [
    "sh:targetClass :A",
    "sh:targetNode :a",
    "sh:targetSubjectsOf :p",
    "sh:targetObjectsOf :q",
]
# One constraint each, so that few graphs are needed to meet what it looks up.
CONSTRAINTS = [
    "sh:property [ sh:path :p ; sh:class :B ]",
    "sh:property [ sh:path ( :p :q ) ; sh:class :B ]",
    "sh:closed true ; sh:ignoredProperties ( rdf:type :r )",
    "sh:property [ sh:path [ sh:inversePath :p ] ; sh:maxCount 0 ]",
    "sh:property [ sh:path ( [ sh:inversePath :p ] :q ) ; sh:minCount 1 ]",
    "sh:property [ sh:path [ sh:zeroOrMorePath :p ] ; sh:node [ sh:closed true ] ]",
    "sh:property [ sh:path :p ; sh:equals :q ]",
    "sh:property [ sh:path :p ; sh:property [ sh:path :q ; sh:disjoint :r ] ]",
    "sh:property [ sh:path :p ; sh:qualifiedValueShape [ sh:class :B ] ; sh:qualifiedMinCount 1 ]",
    "sh:or ( [ sh:class :B ] [ sh:property [ sh:path :q ; sh:minCount 1 ] ] )",
    "sh:not [ sh:property [ sh:path [ sh:oneOrMorePath :p ] ; sh:hasValue :c ] ]",
    "sh:property [ sh:path ( [ sh:zeroOrOnePath :p ] :q ) ; sh:nodeKind sh:IRI ]",
]
constraints = st.builds(
    lambda target, constraint: f"{PREFIXES}:s a sh:NodeShape ; {target} ; {constraint} .",
    st.sampled_from(TARGETS),
    st.sampled_from(CONSTRAINTS),
)
queries = st.builds(
    lambda target, query: (
        PREFIXES + ":s a sh:NodeShape ; sh:declare "
        '[ sh:prefix "" ; sh:namespace "https://example.org/"^^xsd:anyURI ] ; '
        f'{target} ; sh:sparql [ sh:prefixes :s ; sh:select """{query}""" ] .'
    ),
    st.sampled_from(TARGETS),
    st.sampled_from(QUERIES),
)


def parsed(text: str) -> set[ox.Triple]:
    found = ox.parse(text.encode(), format=ox.RdfFormat.TURTLE, rename_blank_nodes=True)
    return {quad.triple for quad in found}


def holding(triples: set[ox.Triple]) -> EmbeddedEngine:
    engine = EmbeddedEngine.memory()
    engine.add(ox.Quad(t.subject, t.predicate, t.object, GRAPH) for t in triples)
    return engine


def stored(engine: EmbeddedEngine) -> set[ox.Triple]:
    return {quad.triple for quad in engine.quads()}


def without_blank_names(results: tuple[Result, ...]) -> set[tuple[str, ...]]:
    def name(term: object) -> str:
        return "_:" if isinstance(term, ox.BlankNode) else str(term)

    return {
        (name(r.focus), r.shape, r.component, r.path or "", name(r.value), r.message)
        for r in results
    }


def check(before: str, now: str, shapes_text: str) -> None:
    shape_quads = list(
        ox.parse(shapes_text.encode(), format=ox.RdfFormat.TURTLE, rename_blank_nodes=True)
    )
    graph = ShapesGraph(shape_quads)
    # Every blank node has another name now, as in a file that was read again.
    old, new = holding(parsed(before)), holding(parsed(now))
    changed = Changed(stored(old) ^ stored(new))
    try:
        was, whole = compiled.judge(old, graph), compiled.judge(new, graph)
    except UnusableShapesError:
        return
    try:
        again = judge_changed(new, graph, changed)
    except NotBoundedError:
        return
    found, wanted = without_blank_names(again.results), without_blank_names(whole.results)
    assert found <= wanted
    # What was not judged again, was found before.
    assert wanted - found <= without_blank_names(was.results)


def edited(world: World) -> st.SearchStrategy[tuple[str, str]]:
    """Two graphs that differ in a few lines."""

    def edit(text: str, more: str, drop: list[int]) -> tuple[str, str]:
        lines = text.removeprefix(PREFIXES).splitlines()
        kept = [line for number, line in enumerate(lines) if number not in drop]
        extra = more.removeprefix(PREFIXES).splitlines()[: len(drop)]
        extra = [line for line in extra if "subClassOf" not in line]
        return text, PREFIXES + "\n".join([*kept, *extra])

    return st.builds(
        edit, data(world), data(world), st.lists(st.integers(0, 6), min_size=1, max_size=2)
    )


@RANDOM
@given(edited(EVERYTHING), shapes(EVERYTHING))
def test_random_shapes(graphs: tuple[str, str], shapes_graph: str) -> None:
    check(*graphs, shapes_graph)


@RANDOM
@given(edited(QUANTITIES), shapes(QUANTITIES))
def test_random_shapes_that_compare_numbers(graphs: tuple[str, str], shapes_graph: str) -> None:
    check(*graphs, shapes_graph)


@RANDOM
@given(edited(EVERYTHING), constraints)
def test_each_kind_of_constraint(graphs: tuple[str, str], shapes_graph: str) -> None:
    check(*graphs, shapes_graph)


@RANDOM
@given(edited(EVERYTHING), queries)
def test_queries_of_shapes(graphs: tuple[str, str], shapes_graph: str) -> None:
    check(*graphs, shapes_graph)
