"""``kg validate``: who judges, two engines against each other, and the SPARQL of a shape."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kg.embedded import EmbeddedEngine
from kg.shacl import reference
from kg.sparql_text import query_form, significant

Kg = Callable[..., Any]

SHAPES = """\
@prefix : <https://example.org/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
:s a sh:NodeShape ; sh:targetSubjectsOf :p ; sh:property :s-p .
:s-p a sh:PropertyShape ; sh:path :p ; sh:maxCount 1 ; sh:message "one is enough" .
:t a sh:NodeShape ; sh:targetObjectsOf :p ; sh:pattern "(?=b)" .
"""
DATA = """\
@prefix : <https://example.org/> .
:a :p :b, :c .
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[str | Path, ...]:
    (tmp_path / "shapes.ttl").write_text(SHAPES, encoding="utf-8")
    (tmp_path / "data.ttl").write_text(DATA, encoding="utf-8")
    return "--data", tmp_path / "data.ttl", "--shapes", tmp_path / "shapes.ttl"


@pytest.mark.parametrize("engine", ["compiled", "pyshacl", "both"])
def test_every_engine_finds_the_same(kg: Kg, files: tuple[str | Path, ...], engine: str) -> None:
    done = kg("validate", *files, "--engine", engine, "--format", "json")
    assert done.code == 1
    told = json.loads(done.out)
    assert {result["message"] for result in told["results"] if result["path"]} == {"one is enough"}
    assert {Path(result["file"]).name for result in told["results"]} == {"data.ttl"}
    engines = {one["shape"].rpartition("/")[2]: one["engine"] for one in told["judged"]}
    compiled = "pyshacl" if engine == "pyshacl" else "compiled"
    assert engines == {"s": compiled, "t": "pyshacl"}


def test_what_is_left_to_pyshacl_is_said(kg: Kg, files: tuple[str | Path, ...]) -> None:
    done = kg("validate", *files)
    assert "judged by pySHACL: https://example.org/t: the engine cannot use" in done.err
    assert "judged by" not in done.out


def test_engines_that_differ_are_a_failure_with_a_list(
    kg: Kg, files: tuple[str | Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "judge", lambda *_: [])
    done = kg("validate", *files, "--engine", "both")
    assert done.code == 1
    assert "only compiled: https://example.org/s-p: <https://example.org/a>" in done.err
    assert done.err.endswith("kg: the engines differ in 1 result\n")


@pytest.mark.parametrize("name", ["kg:EncoderShape", "EncoderShape-not-a-party"])
def test_the_sparql_of_a_shape_runs_as_printed(kg: Kg, example_dispute: Path, name: str) -> None:
    done = kg("--dispute", example_dispute, "validate", "--explain", name)
    assert (done.code, done.err) == (0, "")
    queries = done.out.split("\n\n")
    assert all(query.startswith("# ") for query in queries)
    for query in queries:
        assert query_form(significant(query)) == "SELECT"
        EmbeddedEngine.memory().query(query)


def test_every_shape_of_the_project_can_be_explained(kg: Kg) -> None:
    from kg.shacl import shape_files

    for path in shape_files():
        done = kg("validate", "--explain", f"kg:{path.stem}Shape")
        if done.code == 0:  # the parts of some have no common shape
            for query in done.out.split("\n\n"):
                EmbeddedEngine.memory().query(query)


def test_a_shape_that_is_not_compiled_is_explained_as_such(
    kg: Kg, files: tuple[str | Path, ...]
) -> None:
    nested = ":u a sh:NodeShape ; sh:targetNode :a ; sh:node :u .\n"
    shapes = Path(files[3])
    shapes.write_text(SHAPES + nested, encoding="utf-8")
    done = kg("validate", "--shapes", shapes, "--explain", "u")
    assert done.out == "# Left to pySHACL: recursion through https://example.org/u.\n"


def test_an_unknown_shape_is_named(kg: Kg) -> None:
    done = kg("validate", "--explain", "kg:NoShape")
    assert done.code == 2
    assert "'kg:NoShape'" in done.err
