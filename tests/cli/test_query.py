"""``kg query`` as a person runs it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kg import pipeline

BASE = "https://w3id.org/counterclaim/example/"
Run = Callable[..., Any]

SAYS = """\
#+ title: Who says what
#+ question: What does someone say, and of what?
#+ params:
#+   speaker: {type: agent, description: who speaks, required: true}
#+   word: {type: string, description: a word of the gloss}
#+ columns:
#+   assertion: the assertion
#+   gloss: what it is about
PREFIX kg: <https://w3id.org/counterclaim/ns#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?assertion ?gloss WHERE {
  VALUES ?speaker { UNDEF }
  VALUES ?word { "" }
  ?assertion kg:speaker ?speaker ; kg:affirms|kg:denies ?proposition .
  ?proposition rdfs:label ?gloss .
  FILTER(CONTAINS(?gloss, ?word))
} ORDER BY ?assertion
"""


@pytest.fixture
def dispute(example_dispute: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example with a stored query of its own; judging it by the shapes is tested elsewhere."""
    monkeypatch.setattr(pipeline, "validate", lambda *_: None)
    monkeypatch.setenv("KG_DISPUTE", str(example_dispute))
    folder = example_dispute / "queries" / "ask"
    folder.mkdir(parents=True)
    (folder / "who-says.rq").write_text(SAYS)
    return example_dispute


def test_a_stored_query_runs_at_once(dispute: Path, kg: Run) -> None:
    result = kg("query", "who-says", "-p", "speaker=bo")
    assert (result.code, result.err) == (0, "2 rows\n")
    assert result.out.splitlines() == [
        "assertion  gloss",
        "a2         Bo wrote the parser",
        "a3         Bo wrote the parser",
    ]


def test_it_rebuilds_when_sources_changed(dispute: Path, kg: Run) -> None:
    kg("query", "who-says", "-p", "speaker=bo")
    source = dispute / "statements" / "doc.ttl"
    source.write_text(source.read_text().replace("Bo wrote the parser", "Bo is its author"))
    old = kg("query", "who-says", "-p", "speaker=bo", "--no-build")
    assert "Bo wrote the parser" in old.out
    assert "Bo is its author" in kg("query", "who-says", "-p", "speaker=bo").out


def test_no_build_without_a_snapshot(dispute: Path, kg: Run) -> None:
    result = kg("query", "who-says", "-p", "speaker=bo", "--no-build")
    assert (result.code, result.out) == (2, "")
    assert "kg build" in result.err


def test_parameters_narrow_the_answer(dispute: Path, kg: Run) -> None:
    assert kg("query", "who-says", "-p", "speaker=bo", "-p", "word=parser").err == "2 rows\n"
    result = kg("query", "who-says", "--param", "speaker=bo", "-p", 'word="} #')
    assert (result.code, result.out, result.err) == (0, "assertion  gloss\n", "no rows\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["who-say"], ["no stored query 'who-say'", "Did you mean 'who-says'?", "kg queries"]),
        (["who-says"], ["needs the parameter 'speaker'", "-p speaker="]),
        (["who-says", "-p", "speker=bo"], ["no parameter 'speker'", "'speaker'"]),
        (["who-says", "-p", "speaker=bob"], ["'bob'", "Did you mean 'bo'?"]),
        (["who-says", "-p", "speaker=parser"], ["'speaker' must be an agent", "for example"]),
        (["who-says", "-p", "speaker"], ["no parameter", "name=value"]),
        (["who-says", "-p", "speaker=bo", "--format", "turtle"], ["a SELECT", "table, csv"]),
        (["missing.rq"], ["missing.rq", "cannot be read"]),
    ],
)
def test_mistakes_are_told_and_mended(
    dispute: Path, kg: Run, arguments: list[str], words: list[str]
) -> None:
    result = kg("query", *arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("kg: ")
    for word in words:
        assert word in result.err
    assert "Traceback" not in result.err


def test_a_mistake_in_a_name_builds_nothing(dispute: Path, kg: Run) -> None:
    kg("query", "who-says", "-p", "speker=bo")
    assert not (dispute / ".kg").exists()


def test_standard_input_with_the_projects_prefixes(dispute: Path, kg: Run) -> None:
    text = b"SELECT ?a { ?a kg:speaker :bo } ORDER BY ?a"
    assert kg("query", "-", stdin=text).out == "a\na2\na3\n"
    assert kg("query", "-", stdin=b"ASK { :a2 a kg:Assertion }").out == "true\n"
    result = kg("query", "-", "-p", "x=1", stdin=text)
    assert result.code == 2
    assert "no parameter 'x'" in result.err


def test_standard_input_with_a_header(dispute: Path, kg: Run) -> None:
    text = (
        b"#+ params: {who: {type: agent, description: who}}\n"
        b"SELECT ?a { VALUES ?who { UNDEF } ?a kg:speaker ?who } ORDER BY ?a"
    )
    assert kg("query", "-", "-p", "who=ana", stdin=text).out == "a\na1\n"
    assert kg("query", "-", stdin=text).err == "4 rows\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"SELECT ?a {\n ?a kg:speaker", "standard input:2: not SPARQL"),
        (b"SELECT ?a {\n ?a nope:speaker ?b }", "standard input:2: the prefix of nope:speaker"),
        (b"\nSELECT * { SERVICE <http://x/> {} }", "standard input:2: SERVICE is refused"),
        (b"INSERT DATA { :a :b :c }", "standard input:1: this is an update"),
        (b"#+ titel: x\nASK {}", "standard input:1: unknown key 'titel'"),
        (b"ASK { '\xe9' }", "standard input: not UTF-8"),
        (b"", "standard input:1: not SPARQL"),
        (b"ASK {" + b"{" * 9000, "standard input:1: nested deeper"),
    ],
)
def test_a_bad_text_is_refused_with_its_line(
    dispute: Path, kg: Run, text: bytes, words: str
) -> None:
    result = kg("query", "-", stdin=text)
    assert (result.code, result.out) == (2, "")
    assert words in result.err


def test_a_file_is_a_path_or_ends_in_rq(
    dispute: Path, kg: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine").write_text("SELECT (1 AS ?n) {}")
    Path("mine.rq").write_text("\ufeffSELECT (2 AS ?n) {}")
    assert kg("query", "mine").out == "n\n1\n"
    assert kg("query", "mine.rq").out == "n\n2\n"
    Path("bad.rq").write_text("SELECT ?n {\n")
    assert "bad.rq:2: not SPARQL" in kg("query", "bad.rq").err


def test_formats_of_rows(dispute: Path, kg: Run) -> None:
    def ask(format: str) -> str:
        result = kg("query", "who-says", "-p", "speaker=bo", "--format", format)
        assert (result.code, result.err) == (0, "")
        return str(result.out)

    assert list(csv.reader(io.StringIO(ask("csv"), newline=""))) == [
        ["assertion", "gloss"],
        [BASE + "a2", "Bo wrote the parser"],
        [BASE + "a3", "Bo wrote the parser"],
    ]
    assert ask("tsv").splitlines()[1] == f'<{BASE}a2>\t"Bo wrote the parser"@en'
    assert len(json.loads(ask("json"))["results"]["bindings"]) == 2
    assert "<uri>" in ask("xml")
    assert ask("md").splitlines()[2] == "| a2 | Bo wrote the parser |"


def test_a_graph(dispute: Path, kg: Run) -> None:
    text = b"CONSTRUCT WHERE { :a2 kg:speaker ?who }"
    result = kg("query", "-", stdin=text)
    assert result.out.splitlines()[-1] == ":a2 kg:speaker :bo ."
    nt = kg("query", "-", "--format", "nt", stdin=text)
    assert nt.out == f"<{BASE}a2> <https://w3id.org/counterclaim/ns#speaker> <{BASE}bo> .\n"
    wrong = kg("query", "-", "--format", "csv", stdin=text)
    assert (wrong.code, wrong.out) == (2, "")
    assert "turtle, trig, nt" in wrong.err


def test_a_limit_leaves_the_query_alone(dispute: Path, kg: Run) -> None:
    result = kg("query", "who-says", "-p", "speaker=bo", "--limit", "1", "--format", "csv")
    assert len(result.out.splitlines()) == 2
    assert result.err == "stopped after 1 row; there are more\n"
    whole = kg("query", "who-says", "-p", "speaker=bo", "--limit", "2")
    assert whole.err == "2 rows\n"
    assert kg("query", "who-says", "-p", "speaker=bo", "--limit", "-1").code == 2


def test_explain_prints_what_would_run(dispute: Path, kg: Run) -> None:
    result = kg("query", "who-says", "-p", "speaker=bo", "-p", 'word=a"b', "--explain")
    assert f"VALUES ?speaker {{ <{BASE}bo> }}" in result.out
    assert 'VALUES ?word { "a\\"b" }' in result.out
    assert result.out.startswith("PREFIX kg:")
    again = kg("query", "-", stdin=result.out.encode())
    assert (again.code, again.err) == (0, "no rows\n")


def test_explain_needs_no_snapshot_for_plain_values(dispute: Path, kg: Run) -> None:
    assert kg("query", "-", "--explain", stdin=b"ASK {}").out == "ASK {}\n"
    assert not (dispute / ".kg").exists()


def test_a_reader_that_goes_is_no_failure(dispute: Path, kg: Run) -> None:
    kg("query", "-", stdin=b"ASK {}")
    many = "SELECT * { ?a ?b ?c . ?d ?e ?f }"
    process = subprocess.Popen(
        [sys.executable, "-m", "kg.cli.main", "query", "-", "--no-build", "--format", "csv"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdin.write(many.encode())
    process.stdin.close()
    assert process.stdout.readline().startswith(b"a,b,c")
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 0


def test_what_xml_cannot_hold_is_said(dispute: Path, kg: Run) -> None:
    result = kg("query", "-", "--format", "xml", stdin=b'SELECT ?x { VALUES ?x { "a\\u0001b" } }')
    assert result.code == 0
    assert "a\ufffdb" in result.out
    assert result.err == (
        "kg: XML cannot hold U+0001 in row 1, column 'x': U+FFFD stands there. "
        "JSON can hold all of it.\n"
    )
