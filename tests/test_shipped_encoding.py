"""What the shipped encodings promise: neutral words, enough statements, sources cited."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest
from better_profanity import profanity

from kg.dispute import Dispute, open_dispute
from kg.namespaces import expand
from kg.sources import read_source

DISPUTES = ["llama-mmap", "tideline"]
STANCES = [expand(f"kg:{name}") for name in ("affirms", "denies", "doubts", "asks", "concedes")]


def stated(name: str) -> ox.Store:
    """A store of the dispute's sources as they stand, nothing derived."""
    store = ox.Store()
    dispute: Dispute = open_dispute(name)
    for source in dispute.sources:
        store.extend(read_source(source))
    return store


def ask(store: ox.Store, query: str) -> list[tuple[str, ...]]:
    prefixes = {
        "kg": expand("kg:"),
        "rdf": expand("rdf:"),
        "rdfs": expand("rdfs:"),
        "oa": expand("oa:"),
    }
    solutions = store.query(query, prefixes=prefixes, use_default_graph_as_union=True)
    return [tuple("" if term is None else term.value for term in row) for row in solutions]


@pytest.mark.parametrize("name", DISPUTES)
def test_no_gloss_holds_an_abusive_word(name: str) -> None:
    profanity.load_censor_words()
    words = [
        quad.object.value
        for quad in stated(name)
        if isinstance(quad.object, ox.Literal) and quad.object.language
    ]
    assert len(words) > 50
    assert [text for text in words if profanity.contains_profanity(text)] == []


def test_the_word_list_knows_abuse() -> None:
    profanity.load_censor_words()
    assert profanity.contains_profanity("what a bastard")


@pytest.mark.parametrize(("document", "least"), [("jarted-page", 70), ("tunney-account", 90)])
def test_both_accounts_are_encoded_to_their_ends(document: str, least: int) -> None:
    store = stated("llama-mmap")
    rows = ask(
        store,
        f"""SELECT DISTINCT ?assertion WHERE {{
          ?assertion a kg:Assertion ; oa:hasTarget/oa:hasSource ?document .
          FILTER(STRENDS(STR(?document), "/{document}"))
        }}""",
    )
    assert len(rows) >= least


def test_most_factual_propositions_join_two_named_things() -> None:
    rows = ask(
        stated("llama-mmap"),
        """SELECT DISTINCT ?proposition (isIRI(?subject) && isIRI(?object) AS ?named) WHERE {
          ?assertion kg:claimType kg:Fact ;
            kg:affirms|kg:denies|kg:doubts|kg:asks|kg:concedes ?proposition .
          ?proposition rdf:subject ?subject ; rdf:object ?object .
        }""",
    )
    named = [row for row in rows if row[1] == "true"]
    assert len(rows) >= 100
    assert len(named) / len(rows) >= 0.8


@pytest.mark.parametrize("name", DISPUTES)
def test_a_claim_is_of_one_kind_whoever_makes_it(name: str) -> None:
    """Else one side's judgements would count as facts where the other's do not."""
    kinds: dict[str, set[str]] = {}
    for proposition, kind in ask(
        stated(name),
        """SELECT DISTINCT ?proposition ?kind WHERE {
          ?assertion kg:affirms|kg:denies|kg:doubts|kg:concedes ?proposition ; kg:claimType ?kind .
        }""",
    ):
        kinds.setdefault(proposition, set()).add(kind)
    assert len(kinds) > 20
    assert {proposition for proposition, found in kinds.items() if len(found) > 1} == set()


def test_sources_are_cited() -> None:
    rows = ask(
        stated("llama-mmap"), "SELECT DISTINCT ?source WHERE { ?assertion kg:cites ?source }"
    )
    assert len(rows) >= 25


@pytest.mark.parametrize(
    "proposition",
    [
        "p-collaborated",
        "p-613-on-586",
        "p-slaren-left",
        "p-tunney-opened-613",
        "p-others-harassed",
        "p-slaren-dissatisfied",
    ],
)
def test_both_accounts_speak_to_the_same_propositions(proposition: str) -> None:
    rows = ask(
        stated("llama-mmap"),
        f"""SELECT DISTINCT ?document WHERE {{
          ?assertion ?stance <{open_dispute("llama-mmap").base}{proposition}> ;
            oa:hasTarget/oa:hasSource ?document .
        }}""",
    )
    assert len(rows) == 2


@pytest.mark.parametrize("name", DISPUTES)
def test_nothing_about_people_stands_outside_statements(name: str) -> None:
    """A relation is never a plain property: that would be the graph's own voice."""
    store = stated(name)
    ontology = ox.Store()
    ontology.load(
        path=Path(__file__).parents[1] / "ontology" / "kg.ttl", format=ox.RdfFormat.TURTLE
    )
    relations = {
        row[0] for row in ask(ontology, "SELECT ?relation WHERE { ?relation a kg:Relation }")
    }
    assert len(relations) > 50
    assert {quad.predicate.value for quad in store} & relations == set()


@pytest.mark.shared
def test_no_words_of_the_documents_are_copied(shared_dir: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(shared_dir / "check" / "own-words")],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
