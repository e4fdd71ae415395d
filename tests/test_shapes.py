"""Every shape lets its valid graph pass, and each of its constraints catches a graph.

A folder of ``tests/shapes`` belongs to one shape. The first comments of an invalid graph name what
must fire: the shape, alone among all shapes, and the constraint components, alone among all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.namespaces import PREFIXES, expand, shorten
from kg.shacl import engines, shape_files, validate_dispute, validate_files
from kg.shacl.files import read_rdf
from kg.shacl.reference import judge
from kg.sources import ontology_source, read_source

FOLDER = Path(__file__).parent / "shapes"
COMMON = FOLDER / "common.ttl"
INVALID = sorted(FOLDER.glob("*/invalid*.ttl"))
VALID = sorted(FOLDER.glob("*/valid.ttl"))
# What concerns no class: slow on the reference engine, so judged for all graphs at once, below.
GRAPH = "GraphShape"

# Parameters and components: https://www.w3.org/TR/shacl/#core-components
PARAMETERS = [
    "class",
    "datatype",
    "disjoint",
    "in",
    "maxCount",
    "minCount",
    "minInclusive",
    "node",
    "nodeKind",
    "not",
    "or",
    "pattern",
    "qualifiedMaxCount",
    "qualifiedMinCount",
    "sparql",
    "uniqueLang",
    "xone",
]
HARMLESS = [
    "path",
    "severity",
    "message",
    "targetClass",
    "targetSubjectsOf",
    "targetNode",
    "property",
    "declare",
    "qualifiedValueShape",
    "flags",
]


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@cache
def shapes(kind: str) -> tuple[ox.Quad, ...]:
    chosen = {
        "all": shape_files(),
        "of classes": [path for path in shape_files() if path.stem != "Graph"],
        "of the graph": [path for path in shape_files() if path.stem == "Graph"],
    }[kind]
    return tuple(quad for path in chosen for quad in read_rdf(path))


@cache
def ground() -> tuple[ox.Quad, ...]:
    return (*read_source(ontology_source()), *read_rdf(COMMON))


def named_shapes() -> Iterator[ox.NamedNode]:
    """Yield the named shapes that constrain something."""
    constraining = {ox.NamedNode(expand(f"sh:{name}")) for name in PARAMETERS}
    seen = set()
    for quad in shapes("all"):
        if isinstance(quad.subject, ox.NamedNode) and quad.predicate in constraining:
            seen.add(quad.subject)
    yield from sorted(seen, key=str)


def values(subject: object, predicate: str) -> list[object]:
    wanted = ox.NamedNode(expand(predicate))
    return [q.object for q in shapes("all") if q.subject == subject and q.predicate == wanted]


def expected(path: Path) -> tuple[str, set[str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    fires = re.fullmatch(r"# fires: (kg:\S+)", lines[0])
    by = re.fullmatch(r"# by: (sh:\w+(?:, sh:\w+)*)", lines[1])
    assert fires, f"{path} does not say which shape it fires"
    assert by, f"{path} does not say by which component"
    return fires[1], set(by[1].split(", "))


@pytest.mark.parametrize("path", VALID, ids=name)
def test_valid_graph_conforms(path: Path) -> None:
    report = validate_files([COMMON, path], by="both")
    assert [str(result) for result in report.results] == []
    assert report.conforms
    assert report.differences == ()


@pytest.mark.parametrize("path", INVALID, ids=name)
def test_invalid_graph_is_caught_by_its_shape_alone(path: Path) -> None:
    kind = "all" if path.parent.name == GRAPH else "of classes"
    quads = [*ground(), *read_rdf(path)]
    judgement = engines.judge(engines.Data(lambda: quads), shapes(kind), "both")
    assert [str(difference) for difference in judgement.differences] == []
    results = judgement.results
    shape, components = expected(path)
    assert {shorten(result.shape) for result in results} == {shape}
    assert {shorten(result.component) for result in results} == components


def test_invalid_graphs_break_nothing_that_concerns_the_whole_graph() -> None:
    others = [path for path in INVALID if path.parent.name != GRAPH]
    quads = [quad for path in others for quad in read_rdf(path)]
    results = judge([*ground(), *quads], shapes("of the graph"))
    assert [str(result) for result in results] == []


def test_every_constraint_is_fired_by_an_invalid_graph() -> None:
    fired = {(shape, by) for shape, bys in map(expected, INVALID) for by in bys}
    missing = []
    for shape in named_shapes():
        for parameter in PARAMETERS:
            component = parameter if parameter != "sparql" else "SPARQL"
            component = f"sh:{component[0].upper()}{component[1:]}ConstraintComponent"
            if values(shape, f"sh:{parameter}") and (shorten(shape.value), component) not in fired:
                missing.append(f"{shorten(shape.value)} {parameter}")
    assert missing == []


def test_no_constraint_parameter_is_unknown_to_these_tests() -> None:
    sh = PREFIXES["sh"]
    used = {
        quad.predicate.value.removeprefix(sh)
        for quad in shapes("all")
        if isinstance(quad.subject, ox.NamedNode) and quad.predicate.value.startswith(sh)
    }
    assert used <= {*PARAMETERS, *HARMLESS}


@pytest.mark.parametrize("shape", list(named_shapes()), ids=lambda shape: shorten(shape.value))
def test_every_constraint_has_a_severity_and_says_how_to_mend(shape: ox.NamedNode) -> None:
    severities = values(shape, "sh:severity")
    assert severities in (
        [ox.NamedNode(expand("sh:Violation"))],
        [ox.NamedNode(expand("sh:Warning"))],
    )
    (message,) = values(shape, "sh:message")
    assert isinstance(message, ox.Literal)
    assert message.language == "en"
    # What is wrong, then how to mend it.
    assert len(re.findall(r"[.;](?= |$)", message.value)) >= 2, message.value


def test_every_shape_has_its_folder_and_its_file() -> None:
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir()}
    assert folders == {f"{path.stem}Shape" for path in shape_files()}
    assert folders == {path.parent.name for path in VALID} == {path.parent.name for path in INVALID}
    for path in shape_files():
        names = {q.subject.value for q in read_rdf(path) if isinstance(q.subject, ox.NamedNode)}
        prefix = expand(f"kg:{path.stem}Shape")
        assert all(re.fullmatch(re.escape(prefix) + r"(-[a-z-]+)?", iri) for iri in names), path


def test_shapes_are_themselves_valid_shacl(tmp_path: Path) -> None:
    import pyshacl
    import rdflib

    graph = rdflib.Graph()
    for path in shape_files():
        graph.parse(path)
    # Raises if the shapes break the shapes of SHACL itself.
    conforms, _, _ = pyshacl.validate(rdflib.Graph(), shacl_graph=graph, meta_shacl=True)
    assert conforms is True


def test_example_of_the_design_conforms(example_dispute: Path) -> None:
    from kg.dispute import read_dispute
    from kg.preparing import staged

    dispute = read_dispute(example_dispute)
    assert [str(r) for r in validate_dispute(staged(dispute), dispute).results] == []


STANCES = ["affirms", "denies", "doubts", "asks", "concedes"]


@pytest.mark.parametrize(("one", "other"), list(combinations(STANCES, 2)))
def test_two_stances_on_one_proposition_are_two_stances(one: str, other: str) -> None:
    # The shape lists the pairs, so each pair is tried.
    path = FOLDER / "AssertionShape" / "valid.ttl"
    text = path.read_text(encoding="utf-8")
    old = "kg:affirms :wrote ;"
    assert text.count(old) == 1
    text = text.replace(
        old, f"kg:{one} :wrote ; kg:{other} :wrote ; kg:concessionMode kg:Admission ;"
    )
    quads = list(ox.parse(text, format=ox.RdfFormat.TURTLE))
    results = judge([*ground(), *quads], shapes("of classes"))
    assert {shorten(result.shape) for result in results} == {"kg:AssertionShape-one-stance"}
