"""The compiled engine finds what pySHACL finds: on random shapes, and on all that is shipped.

The graphs that test the project's shapes are judged by both in ``tests/test_shapes.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings

from kg.dispute import read_dispute, shipped_disputes
from kg.namespaces import expand
from kg.preparing import staged
from kg.shacl import validate_dispute
from kg.shacl.engines import Data, Judgement, judge
from kg.shacl.shapes import UnusableShapesError
from tests.shacl.random_shapes import EVERYTHING, PREFIXES, QUANTITIES, data, shapes

RANDOM = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def parsed(text: str) -> list[ox.Quad]:
    found = ox.parse(text.encode(), format=ox.RdfFormat.TURTLE, rename_blank_nodes=True)
    return list(found)


def both(graph: str, shapes_graph: str) -> Judgement:
    quads = parsed(graph)
    return judge(Data(lambda: quads), parsed(shapes_graph), "both")


@RANDOM
@given(data(EVERYTHING), shapes(EVERYTHING))
def test_on_random_shapes_over_all_kinds_of_terms(graph: str, shapes_graph: str) -> None:
    judgement = both(graph, shapes_graph)
    assert [str(difference) for difference in judgement.differences] == []
    assert {one.engine for one in judgement.judged} <= {"compiled"}


@RANDOM
@given(data(QUANTITIES), shapes(QUANTITIES))
def test_on_random_shapes_that_compare_numbers(graph: str, shapes_graph: str) -> None:
    judgement = both(graph, shapes_graph)
    assert [str(difference) for difference in judgement.differences] == []
    assert {one.engine for one in judgement.judged} <= {"compiled"}


@pytest.mark.parametrize("name", list(shipped_disputes()))
def test_on_the_shipped_disputes(name: str) -> None:
    dispute = read_dispute(shipped_disputes()[name])
    report = validate_dispute(staged(dispute), dispute, by="both")
    assert report.differences == ()
    assert {one.engine for one in report.judged} == {"compiled"}


def test_on_the_example_of_the_design_with_faults(example_dispute: Path) -> None:
    file = example_dispute / "statements" / "doc.ttl"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("    kg:speaker :ana ;\n", "").replace("oa:end 41", "oa:end 410"),
        encoding="utf-8",
    )
    dispute = read_dispute(example_dispute)
    report = validate_dispute(staged(dispute), dispute, by="both")
    assert len(report.results) >= 2
    assert report.differences == ()


class Deviation(NamedTuple):
    """Where pySHACL does not do what a section of the standard says."""

    section: str
    graph: str
    shapes: str
    compiled: int  # results by the standard
    pyshacl: int | None  # results of pySHACL; none if it gives up


_COMPONENT = """
:component a sh:ConstraintComponent ; sh:parameter [ sh:path :no ] ;
    sh:validator [ a sh:SPARQLAskValidator ; sh:ask "ASK { FILTER ($value != $no) }" ] ."""

# Whoever finds that pySHACL has mended one must take it out.
DEVIATIONS = {
    "the inverse of a sequence keeps its order": Deviation(
        "2.3.1.4",
        ":b :q :x . :x :p :a .",
        ":s sh:targetNode :a ; sh:path [ sh:inversePath ( :q :p ) ] ; sh:minCount 1 .",
        0,
        1,
    ),
    "literals that cannot be compared go by their text": Deviation(
        "4.3",
        ':a :p "x"^^:own .',
        ":s sh:targetNode :a ; sh:path :p ; sh:minInclusive 1 .",
        1,
        0,
    ),
    "a text in a language is compared with one in none": Deviation(
        "4.3", ':a :p "b"@en .', ':s sh:targetNode :a ; sh:path :p ; sh:minInclusive "a" .', 1, 0
    ),
    "IRIs are compared by their text": Deviation(
        "4.5.3", ":a :p :b ; :q :c .", ":s sh:targetNode :a ; sh:path :p ; sh:lessThan :q .", 1, 0
    ),
    "it gives up where blank nodes are to be compared": Deviation(
        "4.5.3", ":a :p [] ; :q 1 .", ":s sh:targetNode :a ; sh:path :p ; sh:lessThan :q .", 1, None
    ),
    "another way to write true counts as true": Deviation(
        "4.4.5",
        ':a :p "a"@en, "b"@en .',
        ':s sh:targetNode :a ; sh:path :p ; sh:uniqueLang "1"^^xsd:boolean .',
        0,
        1,
    ),
    "every node may be a resource": Deviation(
        "4.8.1", ":a a rdfs:Resource .", ":s sh:targetNode :a ; sh:closed true .", 1, 0
    ),
    "what does not conform to a component of one's own has no value": Deviation(
        "6.2.3", ":a :p 1, 2 .", ":s sh:targetNode :a ; sh:path :p ; :no 1 ." + _COMPONENT, 1, 1
    ),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", list(DEVIATIONS))
def test_where_they_differ_the_standard_wins(name: str) -> None:
    case = DEVIATIONS[name]
    quads, shape_quads = parsed(PREFIXES + case.graph), parsed(PREFIXES + case.shapes)
    compiled = judge(Data(lambda: quads), shape_quads, "compiled")
    assert len(compiled.results) == case.compiled
    assert {one.engine for one in compiled.judged} == {"compiled"}
    if case.pyshacl is None:
        with pytest.raises(UnusableShapesError):
            judge(Data(lambda: quads), shape_quads, "pyshacl")
    else:
        assert len(judge(Data(lambda: quads), shape_quads, "pyshacl").results) == case.pyshacl
        assert both(PREFIXES + case.graph, PREFIXES + case.shapes).differences


# Lexical forms by https://www.w3.org/TR/xmlschema11-2/, as section 4.1.2 asks; pySHACL, which goes
# by what Python can read, is wrong about those in the second column of each.
ILL_TYPED = {
    "integer": (["1.0", "", "0x1"], [" 5 ", "1_000"]),
    "decimal": (["."], ["1e3", "NaN", "INF"]),
    "double": (["1e"], ["nan", "Infinity"]),
    "boolean": (["TRUE", "yes"], []),
    "dateTime": (["2020-02-30T00:00:00Z"], ["2020-01-01", "2020-01-01T00:00:00+15:00"]),
    "date": (["2021-02-29", "2100-02-29", "20200101"], []),
    "time": (["12:00:60"], ["12:00"]),
    "gYear": ([], ["20"]),
    "gMonthDay": ([], ["--02-30"]),
    "duration": (["P", "1Y"], ["PT", "P1DT"]),
    "hexBinary": (["a", "zz"], []),
    "base64Binary": (["YQ="], ["!"]),
    "byte": (["128", "-129", "x"], []),
    "unsignedByte": (["256", "-1"], []),
    "long": ([], ["9223372036854775808"]),
    "unsignedLong": ([], ["18446744073709551616"]),
    "positiveInteger": (["0"], []),
    "nonPositiveInteger": (["1"], []),
}
WELL_FORMED = {
    "integer": (["1", "+1", "-0", "99999999999999999999999"], []),
    "decimal": (["1.", ".5", "+1.5"], []),
    "double": (["1e3", "INF", "-INF", "NaN", ".5E2"], []),
    "boolean": (["true", "1", "0"], []),
    "dateTime": (
        ["2020-01-01T00:00:00", "2020-01-01T00:00:00.123+14:00"],
        ["2020-01-01T24:00:00", "-0044-03-15T00:00:00", "12020-01-01T00:00:00"],
    ),
    "date": (["2020-02-29", "2020-01-01Z", "2020-01-01+02:00"], ["-0044-03-15"]),
    "time": (["12:00:00", "12:00:00.5Z"], ["24:00:00"]),
    "gYear": (["2020", "2020Z", "-0044"], []),
    "gMonthDay": (["--02-29"], []),
    "duration": (["P1Y", "PT1.5S", "-P1D"], []),
    "hexBinary": (["AB01", ""], []),
    "base64Binary": (["YQ==", "YWJj", "Y W J j", ""], []),
    "byte": (["127", "-128", "+1"], []),
    "unsignedByte": (["255", "-0"], []),
    "long": (["9223372036854775807"], []),
    "unsignedLong": (["18446744073709551615"], []),
    "positiveInteger": (["+1"], []),
    "nonPositiveInteger": (["-0", "-1"], []),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", list(ILL_TYPED))
def test_literals_must_be_well_formed(name: str) -> None:
    datatype = ox.NamedNode(expand(f"xsd:{name}"))
    node, property = ox.NamedNode("https://example.org/a"), ox.NamedNode("https://example.org/p")

    def found(forms: list[str], engine: str) -> set[str]:
        quads = [ox.Quad(node, property, ox.Literal(form, datatype=datatype)) for form in forms]
        shape = f":s sh:targetNode :a ; sh:path :p ; sh:datatype xsd:{name} ."
        results = judge(Data(lambda: quads), parsed(PREFIXES + shape), engine).results  # type: ignore[arg-type]
        values = [result.value for result in results]
        assert all(isinstance(value, ox.Literal) and value.datatype == datatype for value in values)
        return {value.value for value in values if value is not None}

    (bad, bad_not_seen), (good, good_not_seen) = ILL_TYPED[name], WELL_FORMED[name]
    everything = [*bad, *bad_not_seen, *good, *good_not_seen]
    assert found(everything, "compiled") == {*bad, *bad_not_seen}
    assert found(everything, "pyshacl") == {*bad, *good_not_seen}
