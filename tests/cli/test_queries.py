"""``kg queries`` as a person runs it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kg import pipeline, stored_query

Run = Callable[..., Any]

SAYS = """\
#+ title: Who says what
#+ question: What does someone say?
#+ params:
#+   speaker: {type: agent, description: who speaks, required: true}
#+   word: {type: string, description: a word it holds}
#+ columns:
#+   assertion: the assertion
PREFIX kg: <https://w3id.org/counterclaim/ns#>
SELECT ?assertion WHERE {
  VALUES ?speaker { UNDEF }
  VALUES ?word { "" }
  ?assertion kg:speaker ?speaker FILTER(CONTAINS(STR(?assertion), ?word))
} ORDER BY ?assertion
"""
CHECK = """\
#+ title: Speechless
#+ mend: Let them speak.
#+ columns: {agent: who}
SELECT ?agent { ?agent a <urn:x> } ORDER BY ?agent
"""


@pytest.fixture
def dispute(example_dispute: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The example with two queries of its own, and none of the project's."""
    monkeypatch.setattr(pipeline, "validate", lambda *_: None)
    monkeypatch.setattr(stored_query, "shipped", lambda name: tmp_path / "nothing" / name)
    monkeypatch.setenv("KG_DISPUTE", str(example_dispute))
    for kind, name, text in (("ask", "who-says", SAYS), ("check", "speechless", CHECK)):
        (example_dispute / "queries" / kind).mkdir(parents=True)
        (example_dispute / "queries" / kind / f"{name}.rq").write_text(text)
    return example_dispute


def test_the_list(dispute: Path, kg: Run) -> None:
    result = kg("queries")
    assert result.code == 0
    assert result.out.splitlines() == [
        "name      title          parameters",
        "who-says  Who says what  speaker [word]",
    ]
    assert "kg queries NAME" in result.err
    assert "| speechless | Speechless |" in kg("queries", "--kind", "check", "--format", "md").out
    listed = json.loads(kg("queries", "--format", "json").out)
    assert listed[0]["params"]["speaker"]["required"] is True
    assert json.loads(kg("queries", "--kind", "derive", "--format", "json").out) == []


def test_one_in_full(dispute: Path, kg: Run) -> None:
    result = kg("queries", "who-says")
    assert (result.code, result.err) == (0, "")
    for words in (
        "who-says: Who says what",
        "What does someone say?",
        "speaker  agent   it must be given  who speaks",
        'word     string  ""                a word it holds',
        "assertion  the assertion",
        "Example",
    ):
        assert words in result.out
    assert result.out.endswith("\n")
    assert "Let them speak." in kg("queries", "speechless").out
    assert "## Columns" in kg("queries", "who-says", "--format", "md").out


def test_the_example_runs(dispute: Path, kg: Run) -> None:
    kg("build")
    told = json.loads(kg("queries", "who-says", "--format", "json").out)
    program, *arguments = shlex.split(told["example"])
    assert program == "kg"
    result = kg(*arguments)
    assert (result.code, result.err) == (0, "2 rows\n")


def test_showing_one_builds_nothing(dispute: Path, kg: Run) -> None:
    assert "kg query who-says -p speaker=" in kg("queries", "who-says").out
    assert not (dispute / ".kg").exists()


def test_an_unknown_name(dispute: Path, kg: Run) -> None:
    result = kg("queries", "who-sais")
    assert (result.code, result.out) == (2, "")
    assert "Did you mean 'who-says'?" in result.err


def test_a_broken_file_is_named(dispute: Path, kg: Run) -> None:
    (dispute / "queries" / "ask" / "bad.rq").write_text("#+ title: x\nASK {")
    result = kg("queries")
    assert result.code == 2
    assert "bad.rq:2: not SPARQL" in result.err
    # The others still answer by name.
    assert kg("queries", "who-says").code == 0


def test_the_list_comes_in_every_format_of_rows(dispute: Path, kg: Run) -> None:
    assert kg("queries", "--format", "csv").out.splitlines() == [
        "name,title,parameters",
        "who-says,Who says what,speaker [word]",
    ]
    assert kg("queries", "--format", "tsv").out.startswith("?name\t?title\t?parameters\n")
    assert kg("queries", "--format", "xml").out.count("<result>") == 1


def test_one_query_is_no_table(dispute: Path, kg: Run) -> None:
    done = kg("queries", "who-says", "--format", "csv")
    assert (done.code, done.out) == (2, "")
    assert "Choose table, json or md." in done.err


FOUND = """\
#+ title: Statements
#+ question: What is said?
#+ columns: {statement: what is said}
#+ found_by: {statement: "PATTERN"}
PREFIX kg: <https://w3id.org/counterclaim/ns#>
SELECT ?statement { VALUES ?statement { UNDEF } ?statement a kg:Assertion } ORDER BY ?statement
"""


def test_a_promise_of_rows_as_found_is_checked_against_the_data(dispute: Path, kg: Run) -> None:
    path = dispute / "queries" / "ask" / "statements.rq"
    path.write_text(FOUND.replace("PATTERN", "?statement a kg:Assertion"))
    result = kg("queries", "--check")
    assert (result.code, result.out) == (0, ""), result.err
    assert "checked 1 query with 'found_by'; none differs" in result.err
    path.write_text(FOUND.replace("PATTERN", "?statement kg:noSuchThing ?any"))
    for words in (["queries", "--check"], ["queries", "statements", "--check"]):
        result = kg(*words)
        assert result.code == 1
        assert "statements.rq:4: 'statements' has " in result.out
        assert "1 of them differs" in result.err
    assert kg("queries", "who-says", "--check").code == 0
