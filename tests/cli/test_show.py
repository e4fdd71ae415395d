from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def show(kg, example_dispute: Path):
    return lambda *arguments: kg("--dispute", example_dispute, "show", *arguments)


def test_shows_an_assertion_with_its_chain_and_its_words(show) -> None:
    done = show("a2")
    assert done.code == 0
    assert done.out.startswith("assertion a2\nauthor of the example says, endorsing it, that Ana")
    assert "-> a2: Bo says that Bo wrote the parser" in done.out
    assert "| Bo told her he wrote the parser" in done.out


def test_a_contradiction_that_was_derived_is_on_both_pages(show) -> None:
    for one, other in (("a2", "a3"), ("a3", "a2")):
        out = show(one).out
        section = out.partition("Cannot both hold\n")[2]
        assert f"\n    {other}: " in section


@pytest.mark.parametrize("name", ["p1", ":p1", "https://w3id.org/counterclaim/example/p1"])
def test_any_form_of_a_name_will_do(show, name: str) -> None:
    assert show(name).out.startswith("proposition p1\n")


def test_prints_markdown_and_json(show) -> None:
    assert show("bo", "--format", "md").out.startswith("# agent bo\n")
    page = json.loads(show("bo", "--format", "json").out)
    assert (page["kind"], page["name"]) == ("agent", "bo")


def test_a_limit_cuts_lists(show) -> None:
    assert "... and 1 more" in show("bo", "--limit", "1").out
    assert "... and" not in show("bo", "--limit", "0").out


def test_a_mistyped_name_suggests_the_nearest(show) -> None:
    done = show("parsr")
    assert (done.code, done.out) == (2, "")
    assert "Did you mean 'parser'?" in done.err
