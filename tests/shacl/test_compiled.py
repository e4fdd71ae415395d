"""What is compiled and what is left to pySHACL; queries of shapes over all nodes at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.embedded import EmbeddedEngine
from kg.engine import Answer
from kg.errors import SourceError
from kg.shacl import compiled, validate_files
from kg.shacl.engines import Data, EngineName, Judgement, judge
from kg.shacl.shapes import ShapesGraph, UnusableShapesError

PREFIXES = """\
@prefix : <https://example.org/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
: sh:declare [ sh:prefix "" ; sh:namespace "https://example.org/"^^xsd:anyURI ] .
"""


def parsed(text: str) -> list[ox.Quad]:
    text = PREFIXES + text
    return list(ox.parse(text.encode(), format=ox.RdfFormat.TURTLE, rename_blank_nodes=True))


def judged(graph: str, shapes: str, engine: EngineName = "both") -> Judgement:
    quads = parsed(graph)
    return judge(Data(lambda: quads), parsed(shapes), engine)


def found(judgement: Judgement) -> list[str]:
    """The focus nodes and values of results, by the last parts of their names."""
    return sorted(
        f"{str(r.focus).rpartition('/')[2].rstrip('>')}"
        + ("" if r.value is None else f" {str(r.value).rpartition('/')[2].rstrip('>')}")
        for r in judgement.results
    )


def reasons(judgement: Judgement) -> dict[str, str]:
    return {one.shape.rpartition("/")[2]: one.reason for one in judgement.judged if one.reason}


def query(text: str, more: str = "") -> str:
    return f':s sh:targetClass :C ; {more} sh:sparql [ sh:prefixes : ; sh:select """{text}""" ] .'


GRAPH = """
:a a :C ; :p 1, 2 ; :q :b .
:b a :C ; :p 3 .
:c a :D ; :p 4, 5, 6 .
:D rdfs:subClassOf :C .
:d :p 7 .
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT $this ?value WHERE { $this :p ?value FILTER (?value > 2) }", 4),
        # Where the node is only in a filter, of the group, of a group within, of a branch.
        ("SELECT $this WHERE { FILTER ($this = :a) }", 1),
        ("SELECT $this WHERE { { FILTER ($this = :a) } }", 1),
        ("SELECT $this WHERE { { $this :q ?o } UNION { FILTER ($this = :b) } }", 2),
        ("SELECT $this WHERE { BIND ($this AS ?that) FILTER (?that = :b) }", 1),
        ("SELECT $this WHERE { FILTER NOT EXISTS { $this :q ?o } }", 2),
        ("SELECT $this WHERE { FILTER NOT EXISTS { { FILTER ($this = :a) } } }", 2),
        ("SELECT $this WHERE { OPTIONAL { $this :q ?o } FILTER (!BOUND(?o)) }", 2),
        ("SELECT $this WHERE { OPTIONAL { ?x :q ?o FILTER (?x = $this) } FILTER (BOUND(?o)) }", 1),
        ("SELECT $this ?value WHERE { ?value :p 7 }", 3),
        ("SELECT * WHERE { $this :q ?value }", 1),
        # Queries within queries.
        ("SELECT $this ?value WHERE { { SELECT $this ?value WHERE { $this :q ?value } } }", 1),
        ("SELECT $this WHERE { { SELECT $this WHERE { FILTER ($this = :c) } } }", 1),
        (
            "SELECT $this ?value WHERE { { SELECT $this (STR($this) AS ?value) WHERE { } } }",
            3,
        ),
        # Counting by node, which can be done at once, and what must run for each node.
        ("SELECT $this WHERE { $this :p ?v } GROUP BY $this HAVING (COUNT(?v) > 1)", 2),
        ("SELECT $this (COUNT(?v) AS ?value) WHERE { $this :p ?v } GROUP BY $this", 3),
        ("SELECT $this ?value WHERE { $this :p ?value } ORDER BY ?value LIMIT 1", 3),
        (
            "SELECT $this ?value WHERE "
            "{ { SELECT $this ?value WHERE { $this :p ?value } ORDER BY ?value LIMIT 2 } }",
            5,
        ),
    ],
)
def test_a_query_finds_for_all_nodes_what_it_finds_for_each(text: str, expected: int) -> None:
    judgement = judged(GRAPH, query(text))
    assert [str(difference) for difference in judgement.differences] == []
    assert reasons(judgement) == {}
    assert len(judgement.results) == expected


def test_a_query_within_an_inner_shape_is_part_of_the_scan() -> None:
    inner = '[ sh:sparql [ sh:prefixes : ; sh:select "SELECT $this WHERE { $this :p ?value }" ] ]'
    judgement = judged(
        GRAPH, f":s sh:targetClass :C ; sh:property [ sh:path :q ; sh:node {inner} ] ."
    )
    assert judgement.differences == ()
    assert reasons(judgement) == {}
    assert found(judgement) == ["a b"]


def test_a_path_takes_its_place_in_the_query_of_a_property_shape() -> None:
    text = "SELECT $this ?value WHERE { $this $PATH ?value FILTER (?value > 2) }"
    path = "sh:path ( [ sh:zeroOrOnePath :q ] :p ) ;"
    judgement = judged(GRAPH, query(text, path))
    assert judgement.differences == ()
    assert found(judgement) == found(judged(GRAPH, query(text, path), "pyshacl"))
    assert len(judgement.results) == 5


def test_messages_tell_what_a_query_bound() -> None:
    message = 'sh:message "{$this} has {?value}, {?twice} twice, {?nothing}" ;'
    text = "SELECT $this ?value ?twice WHERE { $this :p ?value BIND (2 * ?value AS ?twice) }"
    judgement = judged(":a a :C ; :p 2 .", query(text, message))
    assert judgement.differences == ()
    (result,) = judgement.results
    assert result.message == "https://example.org/a has 2, 4 twice, {?nothing}"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT $this WHERE { $this ?p ?o MINUS { $this :p ?o } }",
        "SELECT $this WHERE { VALUES ?x { 1 } }",
        "SELECT $this WHERE { SERVICE <https://example.org/> { $this ?p ?o } }",
        "SELECT $this WHERE { BIND (:a AS $this) }",
        "SELECT $this WHERE { { SELECT ?o WHERE { $this :p ?o } } }",
        "SELECT $this WHERE { $this $PATH ?o }",
        "SELECT $this WHERE { $this unknown:p ?o }",
        "SELECT $this WHERE { $this :p }",
    ],
)
def test_queries_that_prebinding_does_not_allow_are_refused(text: str) -> None:
    with pytest.raises(UnusableShapesError):
        judged(GRAPH, query(text), "compiled")


def test_words_in_strings_and_comments_are_no_clauses() -> None:
    text = "SELECT $this WHERE { $this :p ?o # MINUS { }\\n FILTER (STR(?o) != 'VALUES ?x { 1 }') }"
    judgement = judged(GRAPH, query(text), "compiled")
    assert reasons(judgement) == {}
    assert len(judgement.results) == 3


CUSTOM = '''
:component a sh:ConstraintComponent ;
    sh:parameter [ sh:path :least ], [ sh:path :most ; sh:optional true ] ;
    sh:nodeValidator [ a sh:SPARQLSelectValidator ; sh:prefixes : ;
        sh:select "SELECT DISTINCT $this WHERE { $this :p ?v FILTER (?v < $least) }" ] ;
    sh:propertyValidator [ a sh:SPARQLSelectValidator ; sh:message "not from {$least}" ;
        sh:select """
            SELECT $this ?value
            WHERE {
                $this $PATH ?value
                FILTER (?value < $least || (BOUND($most) && ?value > $most))
            }""" ] .
'''


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (":s sh:targetClass :C ; :least 2 .", ["a a"]),
        (":s sh:targetClass :C ; :most 2 .", []),
        (":s sh:targetClass :C ; :least 2 ; :most 3 .", ["a a"]),
        (":s sh:targetSubjectsOf :p ; sh:path :p ; :least 6 ; :most 6 .", 6),
        (":s sh:targetSubjectsOf :p ; sh:path :p ; :least 6 .", 5),
    ],
)
def test_components_with_select_validators(shape: str, expected: list[str] | int) -> None:
    judgement = judged(GRAPH, CUSTOM + shape)
    assert judgement.differences == ()
    assert reasons(judgement) == {}
    if isinstance(expected, int):
        assert {result.message for result in judgement.results} == {"not from 6"}
        assert len(judgement.results) == expected
    else:
        assert found(judgement) == expected


def test_components_with_ask_validators_also_within_shapes() -> None:
    component = """
    :component a sh:ConstraintComponent ; sh:parameter [ sh:path :least ] ;
        sh:validator [ a sh:SPARQLAskValidator ; sh:ask "ASK { FILTER ($value >= $least) }" ] .
    :s sh:targetClass :C ; sh:node [ sh:property [ sh:path :p ; :least 2 ] ] ."""
    judgement = judged(GRAPH, component)
    assert judgement.differences == ()
    assert reasons(judgement) == {}
    assert found(judgement) == ["a a"]


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ('sh:targetClass :C ; sh:path :p ; sh:pattern "(?=1)1"', "the pattern (?=1)1"),
        ('sh:targetClass :C ; sh:path :p ; sh:pattern "[1&&2]"', "the pattern [1&&2]"),
        ("sh:targetNode []", "a target is a blank node"),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_what_is_not_compiled_is_named_and_left_to_pyshacl(shape: str, reason: str) -> None:
    judgement = judged(GRAPH, f":s {shape} . :t sh:targetClass :C ; sh:path :q ; sh:minCount 1 .")
    assert judgement.differences == ()
    assert list(reasons(judgement)) == ["s"]
    assert reason in reasons(judgement)["s"]
    engines = {one.shape.rpartition("/")[2]: one.engine for one in judgement.judged}
    assert engines["t"] == "compiled"


def test_a_query_may_ask_for_its_shape_by_name() -> None:
    text = (
        "SELECT $this WHERE { FILTER (BOUND($currentShape) && $currentShape = :s && $this = :a) }"
    )
    judgement = judged(GRAPH, query(text))
    assert judgement.differences == ()
    assert (reasons(judgement), found(judgement)) == ({}, ["a a"])
    (one,) = judged(GRAPH, query(text).replace(":s ", "[] ", 1), "compiled").judged
    assert (one.engine, "$currentShape" in one.reason) == ("pyshacl", True)


def test_a_shape_that_contains_itself_is_left_by_name() -> None:
    shapes = ":s sh:targetClass :C ; sh:property [ sh:path :q ; sh:node :s ; sh:minCount 1 ] ."
    judgement = judged(":a a :C ; :q :b .", shapes, "compiled")
    (one,) = judgement.judged
    assert one.engine == "pyshacl"
    assert one.reason == "recursion through https://example.org/s"
    assert found(judgement) == ["a b"]


def test_shapes_of_any_depth_and_breadth_are_compiled_or_left() -> None:
    negated = "[ sh:not " * 40 + "[ sh:class :D ]" + " ]" * 40
    judgement = judged(GRAPH, f":s sh:targetClass :C ; sh:not {negated} .", "compiled")
    assert (reasons(judgement), found(judgement)) == ({}, ["c c"])

    # The embedded engine refuses a query with so many operators, and says so.
    alternatives = " ".join(f"[ sh:class :D{number} ]" for number in range(600))
    shapes = f":s sh:targetClass :C ; sh:or ( {alternatives} ) . :t sh:targetClass :C ; sh:in () ."
    judgement = judged(GRAPH, shapes, "compiled")
    assert found(judgement) == ["a a", "a a", "b b", "b b", "c c", "c c"]
    assert list(reasons(judgement)) == ["s"]
    assert "more than 1000 operators" in reasons(judgement)["s"]

    nested = "[ sh:property [ sh:path :q ; sh:node " * 300 + "[ sh:class :D ]" + " ] ]" * 300
    shapes_graph = ShapesGraph(parsed(f":s sh:targetClass :C ; sh:node {nested} ."))
    ((_, reason),) = compiled.judge(EmbeddedEngine.memory(), shapes_graph).left
    assert reason == "shapes are nested too deeply"


def test_literals_are_judged_as_they_were_written() -> None:
    graph = ':a :p "055"^^xsd:integer, "5"^^xsd:byte, "1"^^xsd:boolean, "1.50"^^xsd:decimal .'
    shapes = """
    :s sh:targetNode :a ; sh:path :p ; sh:in ( "055"^^xsd:integer "1"^^xsd:boolean ) .
    :t sh:targetNode :a ; sh:path :p ; sh:datatype xsd:integer .
    :u sh:targetNode :a ; sh:path :p ; sh:pattern "^0" .
    :v sh:targetNode :a ; sh:path :p ; sh:hasValue 1.5 ."""
    judgement = judged(graph, shapes)
    assert judgement.differences == ()
    written = {str(result.value) for result in judgement.results if result.shape.endswith("s")}
    xsd = "http://www.w3.org/2001/XMLSchema#"
    assert written == {f'"5"^^<{xsd}byte>', f'"1.50"^^<{xsd}decimal>'}


class OnlySparql:
    """An engine that answers queries and can do no more."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        self.engine = engine
        self.asked: list[str] = []

    def query(self, text: str) -> Answer:
        self.asked.append(text)
        return self.engine.query(text)


def test_an_engine_is_only_asked_queries_and_few_of_them() -> None:
    store = EmbeddedEngine.memory()
    store.add(
        ox.Quad(quad.subject, quad.predicate, quad.object, ox.NamedNode(f"urn:{number % 2}"))
        for number, quad in enumerate(parsed(GRAPH))
    )
    engine = OnlySparql(store)
    shapes = "".join(
        f":s{n} sh:targetClass :C ; sh:property [ sh:path :p ; sh:minCount 1 ] ;"
        " sh:property [ sh:path :q ; sh:maxCount 1 ] ."
        for n in range(20)
    )
    judgement = compiled.judge(engine, ShapesGraph(parsed(shapes)))  # type: ignore[arg-type]
    assert judgement.results == ()
    assert len(judgement.judged) == 20
    # One for the subclasses, one that counts the nodes, and one scan for the 20 shapes.
    assert len(engine.asked) == 3


def test_a_triple_in_two_graphs_counts_once() -> None:
    store = EmbeddedEngine.memory()
    for graph in ("urn:1", "urn:2"):
        name = ox.NamedNode(graph)
        quads = parsed(":a a :C ; :p 1 .")
        store.add(ox.Quad(q.subject, q.predicate, q.object, name) for q in quads)
    shapes = ":s sh:targetClass :C ; sh:path :p ; sh:maxCount 1 ; sh:hasValue 2 ."
    (result,) = compiled.judge(store, ShapesGraph(parsed(shapes))).results
    assert result.component.endswith("HasValueConstraintComponent")
    counting = query("SELECT $this WHERE { $this :p ?v } GROUP BY $this HAVING (COUNT(?v) > 1)")
    ((_, reason),) = compiled.judge(store, ShapesGraph(parsed(counting))).left
    assert reason == "a query counts, and triples may be in more than one graph"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, body: str) -> Path:
        path = tmp_path / name
        path.write_text(PREFIXES + body, encoding="utf-8")
        return path

    return write


def test_a_report_says_who_judged(write: Callable[[str, str], Path]) -> None:
    shapes = write("s.ttl", ':s a sh:NodeShape ; sh:targetClass :C ; sh:pattern "(?=a)" .')
    report = validate_files([write("d.ttl", GRAPH)], [shapes])
    ((shape, engine, reason),) = [(j.shape, j.engine, j.reason) for j in report.judged]
    assert (shape, engine) == ("https://example.org/s", "pyshacl")
    assert "(?=a)" in reason


def test_malformed_sparql_is_an_error_of_the_shapes(write: Callable[[str, str], Path]) -> None:
    shapes = write("s.ttl", query("SELECT $this WHERE { $this :p }"))
    with pytest.raises(SourceError, match="malformed"):
        validate_files([write("d.ttl", GRAPH)], [shapes])


def test_a_query_may_name_the_parameters_of_its_component_in_a_select() -> None:
    """Within a query, the standard even demands it."""
    shapes = '''
        :c a sh:ConstraintComponent ; sh:parameter [ sh:path :over ] ; sh:nodeValidator [
          sh:prefixes : ; sh:select """SELECT $this $over ?number WHERE {
            { SELECT $this $over ?number WHERE { $this :p ?number FILTER (?number > $over) } }
          } GROUP BY $this $over ?number""" ] .
        :s sh:targetClass :C ; :over 2 ; sh:sparql [
          sh:prefixes : ; sh:select "SELECT $this $currentShape ?value WHERE { $this :q ?value }"
        ] .
    '''
    judgement = judged(GRAPH, shapes, "compiled")
    assert found(judgement) == ["a b", "b b", "c c"]
    assert not reasons(judgement)


def test_a_message_that_the_query_binds_is_told_instead_of_the_constraint_s() -> None:
    more = 'sh:message "a shape"@en ; '
    text = "SELECT $this ?message WHERE { $this :p 7 BIND (CONCAT('has ', '7') AS ?message) }"
    shapes = query(text, more).replace("sh:select", 'sh:message "a constraint" ; sh:select')
    graph = ":d a :C ; :p 7 ."
    (result,) = judged(graph, shapes, "compiled").results
    assert [str(message) for message in result.messages] == ['"a shape"@en', '"has 7"']


def test_a_prefix_with_two_namespaces_is_an_error() -> None:
    shapes = query("SELECT $this WHERE { $this :p ?o }") + (
        ': sh:declare [ sh:prefix "" ; sh:namespace "urn:other:"^^xsd:anyURI ] .'
    )
    with pytest.raises(UnusableShapesError, match="two namespaces"):
        judged(GRAPH, shapes, "compiled")


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("sh:lessThan :q", ["a", "b"]),
        ("sh:lessThanOrEquals :q", ["a"]),
        ("sh:minInclusive true", ["b"]),
        ("sh:maxExclusive true", ["a", "b"]),
    ],
)
def test_false_comes_before_true(constraint: str, expected: list[str]) -> None:
    graph = ":a a :C ; :p true ; :q false . :b a :C ; :p false, true ; :q true ."
    shapes = f":s sh:targetClass :C ; sh:property [ sh:path :p ; {constraint} ] ."
    judgement = judged(graph, shapes)
    assert not judgement.differences
    assert [one.split()[0] for one in found(judgement)] == expected


def test_truth_values_may_be_written_as_digits_when_compared() -> None:
    graph = ':a a :C ; :p "0"^^xsd:boolean ; :q "1"^^xsd:boolean, false .'
    shapes = ":s sh:targetClass :C ; sh:property [ sh:path :p ; sh:lessThanOrEquals :q ] ."
    assert not judged(graph, shapes).results
    shapes = shapes.replace("sh:lessThanOrEquals", "sh:lessThan")
    assert len(judged(graph, shapes).results) == 1


def test_a_blank_node_has_no_text_even_of_length_zero() -> None:
    shapes = ":s sh:targetClass :C ; sh:property [ sh:path :p ; sh:minLength 0 ] ."
    (result,) = judged(':a a :C ; :p [], "", :b .', shapes, "compiled").results
    assert isinstance(result.value, ox.BlankNode)


def test_shapes_that_are_nested_beyond_both_engines_are_an_error_of_one_line() -> None:
    inner = ":x"
    for _ in range(200):
        inner = f"[ sh:not {inner} ]"
    shapes = f":s sh:targetNode :a ; sh:not {inner} . :x a sh:NodeShape ; sh:in () ."
    with pytest.raises(UnusableShapesError, match=r"too deep!; pySHACL judged <.*/s>") as caught:
        judged(GRAPH, shapes, "compiled")
    assert "\n" not in str(caught.value)
