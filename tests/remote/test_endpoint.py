"""``--endpoint`` as a person uses it: what is asked, of whom, and what is said when it fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kg.dispute import read_dispute
from kg.preparing import staged
from kg.settings import shipped
from tests.remote.real import Server, free_port
from tests.remote.scripted import Scripted

pytest.importorskip("SPARQLWrapper")
Run = Callable[..., Any]

DISPUTE = shipped("data") / "tideline"
JSON = "application/sparql-results+json"
READING = [
    ("query", "speakers"),
    ("show", "pr-4"),
    ("positions",),
    ("explain", "letter-01"),
    ("validate",),
    ("brief",),
    ("report",),
    ("queries", "claims-by"),
    ("documents", "list"),
    ("passages", "check"),
    ("passages", "coverage"),
    ("passages", "find", "--document", "quillfeather-letter", "the solver", "--nth", "1"),
]
# Everything else would speak of what is in files here, or write it.
LOCAL = ("build", "serve", "import", "documents attach")


def name_of(verb: tuple[str, ...]) -> str:
    return "-".join(verb[:2]) if verb[0] in ("documents", "passages") else verb[0]


@pytest.fixture(autouse=True)
def tideline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KG_DISPUTE", str(DISPUTE))
    for name in ("", "_USER", "_PASSWORD", "_AUTH", "_TIMEOUT"):
        monkeypatch.delenv(f"KG_ENDPOINT{name}", raising=False)


@pytest.mark.server
@pytest.mark.parametrize("verb", READING, ids=name_of)
def test_a_server_answers_as_the_snapshot_does(
    server: Server, kg: Run, verb: tuple[str, ...]
) -> None:
    server.engine().add(staged(read_dispute(DISPUTE)).quads())
    here, there = kg(*verb), kg(*verb, "--endpoint", server.query)
    assert (there.code, there.err) == (here.code, here.err)
    assert there.out == here.out


@pytest.mark.parametrize("verb", LOCAL)
def test_what_is_about_files_takes_no_server(kg: Run, verb: str) -> None:
    result = kg(*verb.split(), "--help")
    assert result.code == 0
    assert "--endpoint" not in result.out


@pytest.mark.parametrize("verb", READING, ids=name_of)
def test_a_server_that_is_down(kg: Run, verb: tuple[str, ...]) -> None:
    result = kg(*verb, "--endpoint", f"http://127.0.0.1:{free_port()}/query")
    assert (result.code, result.out) == (2, "")
    assert "nothing listens there\n  Is the server running?\n" in result.err


@pytest.mark.parametrize("verb", READING, ids=name_of)
def test_a_server_without_the_dispute(kg: Run, scripted: Scripted, verb: tuple[str, ...]) -> None:
    body = '{"head": {"vars": ["g"]}, "results": {"bindings": []}}'
    scripted.say(body=body, Content_Type=JSON)
    result = kg(*verb, "--endpoint", scripted.url)
    assert (result.code, result.out) == (2, "")
    assert "holds nothing of 'Who wrote the solver of tideline'" in result.err
    assert "kg publish" in result.err


def test_the_environment_may_say_it_all(
    kg: Run, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.say(body='{"head": {}, "boolean": true}', Content_Type=JSON)
    monkeypatch.setenv("KG_ENDPOINT", scripted.url)
    monkeypatch.setenv("KG_ENDPOINT_USER", "ana")
    monkeypatch.setenv("KG_ENDPOINT_PASSWORD", "pw")
    result = kg("query", "-", "--whole-server", stdin=b"ASK {}")
    assert (result.code, result.out) == (0, "true\n")
    (seen,) = scripted.seen
    assert seen.headers["Authorization"] == "Basic YW5hOnB3"
    assert seen.form == {"query": ["ASK {}"]}


def test_a_name_without_a_password(kg: Run, scripted: Scripted) -> None:
    result = kg("query", "speakers", "--endpoint", scripted.url, "--user", "ana")
    assert (result.code, scripted.seen) == (2, [])
    assert "KG_ENDPOINT_PASSWORD" in result.err


def test_a_query_is_only_explained(kg: Run) -> None:
    result = kg("query", "speakers", "--explain", "--endpoint", "http://127.0.0.1:9/")
    assert result.code == 0
    assert "SELECT" in result.out


@pytest.mark.parametrize("seconds", ["0", "inf", "-inf", "nan", "1e9"])
def test_a_timeout_must_be_positive_and_end(kg: Run, seconds: str) -> None:
    result = kg("query", "speakers", "--endpoint", "http://127.0.0.1:9/", "--timeout", seconds)
    assert result.code == 2
    assert "--timeout" in result.err


def test_the_file_of_a_refused_query_is_named(kg: Run, scripted: Scripted, tmp_path: Path) -> None:
    scripted.say(400, "no such function")
    file = tmp_path / "mine.rq"
    file.write_text("ASK {}")
    result = kg("query", str(file), "--whole-server", "--endpoint", scripted.url)
    assert result.code == 2
    assert f"kg: {file}: {scripted.url} refuses the query: no such function\n" in result.err
