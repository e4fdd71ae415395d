"""The test suite of the standard, core and SPARQL, through the compiled engine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox
import pytest

from kg.namespaces import expand
from kg.shacl.engines import Data, judge
from kg.shacl.paths import read_path, to_text
from kg.shacl.report import Result
from kg.shacl.shapes import SH, ShapesGraph, UnusableShapesError

SUITE = Path(__file__).resolve().parents[3] / "shared" / "w3c" / "shacl"
MF = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
SHT = "http://www.w3.org/ns/shacl-test#"

# Tests that do not pass, and why. Whoever makes one pass must take it out.
FAIL = {
    "sparql/pre-binding/shapesGraph-001": (
        "$shapesGraph needs the shapes beside the data, as a graph of the same dataset; the "
        "standard leaves its support open (section 5.3.1), and pySHACL has none either"
    ),
}
# Tests with shapes that are not compiled, and why. Whoever compiles one must take it out.
LEFT_TO_PYSHACL = {"sparql/pre-binding/shapesGraph-001": "a query asks for $shapesGraph"}


class Expected(NamedTuple):
    """A result as a test gives it; it may leave out the message and the constraint."""

    focus: str
    path: str | None
    value: str | None
    component: str
    shape: str
    severity: str


class Case(NamedTuple):
    name: str
    data: list[ox.Quad]
    shapes: list[ox.Quad]
    graph: ShapesGraph
    expected: ox.NamedNode | ox.BlankNode


@cache
def parsed(path: Path) -> list[ox.Quad]:
    data = path.read_bytes()
    return list(
        ox.parse(data, format=ox.RdfFormat.TURTLE, base_iri=path.as_uri(), rename_blank_nodes=True)
    )


@cache
def cases() -> dict[str, Path]:
    """Every test by its name, with its file."""
    if not SUITE.is_dir():
        return {}
    found = {}
    for path in sorted(SUITE.rglob("*.ttl")):
        if f"<{SHT}Validate>" in "".join(str(quad.object) for quad in parsed(path)):
            found[str(path.relative_to(SUITE).with_suffix(""))] = path
    return found


def case(name: str) -> Case:
    path = cases()[name]
    graph = ShapesGraph(parsed(path))
    (entry,) = graph.subjects(expand("rdf:type"), ox.NamedNode(SHT + "Validate"))
    (action,) = graph.values(entry, MF + "action")

    def file(role: str) -> list[ox.Quad]:
        (iri,) = graph.values(action, SHT + role)
        return parsed(Path(iri.value.removeprefix("file://")))

    (expected,) = graph.values(entry, MF + "result")
    assert not isinstance(expected, ox.Literal)
    return Case(name, file("dataGraph"), file("shapesGraph"), graph, expected)


def expected_results(case: Case) -> Iterator[tuple[Expected, set[str], str | None]]:
    """Yield results with their messages and constraint, which a test may leave out."""
    for node in case.graph.values(case.expected, SH + "result"):

        def one(name: str, node: object = node) -> ox.NamedNode | ox.BlankNode | ox.Literal | None:
            return next(iter(case.graph.values(node, SH + name)), None)

        path, value, component = one("resultPath"), one("value"), one("sourceConstraintComponent")
        shape, severity, constraint = (
            one("sourceShape"),
            one("resultSeverity"),
            one("sourceConstraint"),
        )
        assert component is not None
        assert shape is not None
        assert severity is not None
        assert not isinstance(path, ox.Literal)
        yield (
            Expected(
                focus=str(one("focusNode")),
                path=None if path is None else to_text(read_path(case.graph, path)),
                value=None if value is None else str(value),
                component=component.value,
                shape=str(shape) if isinstance(shape, ox.BlankNode) else shape.value,
                severity=severity.value,
            ),
            {message.value for message in case.graph.values(node, SH + "resultMessage")},
            None if constraint is None else constraint.value,
        )


def reported(result: Result) -> Expected:
    return Expected(
        focus=str(result.focus),
        path=result.path,
        value=None if result.value is None else str(result.value),
        component=result.component,
        shape=result.shape,
        severity=result.severity,
    )


def failure(case: Case) -> str | None:
    """Run a test and return what is wrong, if anything is."""
    must_fail = case.expected == ox.NamedNode(SHT + "Failure")
    try:
        results = judge(Data(lambda: case.data), case.shapes, "compiled").results
    except UnusableShapesError as error:
        return None if must_fail else f"the shapes cannot be used: {error}"
    if must_fail:
        return "the shapes should have been refused"
    expected = list(expected_results(case))
    got, wanted = {reported(result) for result in results}, {result for result, *_ in expected}
    if got != wanted:
        return (
            f"missing {sorted(map(str, wanted - got))}, too many {sorted(map(str, got - wanted))}"
        )
    for result, messages, constraint in expected:
        same = [r for r in results if reported(r) == result]
        if messages and not any(r.message == " ".join(sorted(messages)) for r in same):
            return f"the message should be {messages}"
        if constraint and not any(r.constraint == constraint for r in same):
            return f"the constraint should be {constraint}"
    return None


@pytest.mark.shared
def test_the_suite_is_there(shared_dir: Path) -> None:
    assert len(cases()) >= 120
    assert {*FAIL, *LEFT_TO_PYSHACL} <= cases().keys()


@pytest.mark.shared
@pytest.mark.parametrize(
    "name", list(cases()) or [pytest.param("", marks=pytest.mark.skip("no suite"))]
)
def test_case(name: str) -> None:
    found = failure(case(name))
    if name in FAIL:
        assert found, "passes now: take it out of FAIL"
    else:
        assert found is None


@pytest.mark.shared
@pytest.mark.parametrize(
    "name", list(cases()) or [pytest.param("", marks=pytest.mark.skip("no suite"))]
)
def test_which_cases_are_compiled(name: str) -> None:
    loaded = case(name)
    try:
        judged = judge(Data(lambda: loaded.data), loaded.shapes, "compiled").judged
    except UnusableShapesError:
        assert name in FAIL or loaded.expected == ox.NamedNode(SHT + "Failure")
        return
    reasons = {one.reason for one in judged if one.engine != "compiled"}
    assert reasons == ({LEFT_TO_PYSHACL[name]} if name in LEFT_TO_PYSHACL else set())
