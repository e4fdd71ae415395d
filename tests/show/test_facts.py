"""Record facts in words: times in two units, numbers beside what they are of."""

from __future__ import annotations

import pyoxigraph as ox
import pytest

from kg.embedded import EmbeddedEngine
from kg.namespaces import ONTOLOGY_GRAPH, PREFIXES
from kg.settings import shipped
from kg.show.facts import duration, facts_of
from kg.show.reader import Reader

BASE = "https://w3id.org/counterclaim/example/"
FACTS = """
:ana foaf:name "Ana" . :bo foaf:name "Bo" . :pr-1 rdfs:label "pull request 1"@en .
:record rdfs:label "the log"@en . :pr-1 kg:partOfRecord :record .
:change kg:addsLines :lines ; kg:path "solver.py" . :lines kg:firstLine 12 .
:wrote rdf:subject :ana ; rdf:predicate kg:authored ; rdf:object :pr-1 ; kg:rule "record-names" ;
  prov:wasDerivedFrom :pr-1 .
:span rdf:subject :pr-1 ; rdf:predicate kg:authoredOver ; rdf:object 90060 ; kg:seconds 90060 .
:before rdf:subject :pr-1 ; rdf:predicate kg:startedBefore ; rdf:object :pr-2 ; kg:seconds 60 .
:again rdf:subject :pr-1 ; rdf:predicate kg:standsAgainIn ; rdf:object :main ;
  kg:leastSeconds 3600 ; kg:mostSeconds 7260 ; kg:commitsKept 2 .
:once rdf:subject :pr-1 ; rdf:predicate kg:standsAgainIn ; rdf:object :main ;
  kg:leastSeconds -5 ; kg:mostSeconds -5 ; kg:commitsKept 1 .
:kept rdf:subject :main ; rdf:predicate kg:keepsCommitsOf ; rdf:object :pr-1 ;
  kg:commitsKept 1 ; kg:linesKept 0.75 .
:all rdf:subject :main ; rdf:predicate kg:keepsCommitsOf ; rdf:object :pr-1 ;
  kg:commitsKept 1 ; kg:linesKept 1.0 .
:share rdf:subject :ana ; rdf:predicate kg:firstAddedLinesOf ; rdf:object :pr-1 ;
  kg:lines 1 ; kg:ofLines 1200 .
:gone rdf:subject :bo ; rdf:predicate kg:removedLinesOf ; rdf:object :ana ; kg:lines 1 ;
  kg:within :pr-1 .
:name rdf:subject :bo ; rdf:predicate kg:keptNameOf ; rdf:object :ana ;
  kg:commits 6 ; kg:ofCommits 6 .
:lost rdf:subject :bo ; rdf:predicate kg:replacedNameOf ; rdf:object :ana ; kg:commits 1 .
:first rdf:subject :ana ; rdf:predicate kg:firstAdded ; rdf:object :lines ; kg:lines 3 .
"""
WORDS = {
    "wrote": "Ana authored pull request 1",
    "span": "pull request 1 authored over 1 day and 1 hour",
    "before": "pull request 1 started before pr-2: by 1 minute",
    "again": "pull request 1 stands again in main: 2 commits, 1 hour to 2 hours and 1 minute after "
    "being written",
    "once": "pull request 1 stands again in main: 1 commit, minus 5 seconds after being written",
    "kept": "main keeps commits of pull request 1: 1 commit, 75 in 100 of its added lines",
    "all": "main keeps commits of pull request 1: 1 commit, all of its added lines",
    "share": "Ana first added lines of pull request 1: 1 of 1,200 lines",
    "gone": "Bo removed or changed lines of Ana: 1 line, within pull request 1",
    "name": "Bo kept the name of Ana: 6 of 6 commits",
    "lost": "Bo replaced the name of Ana: 1 commit",
    "first": "Ana first added lines: 3 lines, from line 12 of solver.py",
}


@pytest.fixture
def reader() -> Reader:
    engine = EmbeddedEngine.memory()
    engine.load(shipped("ontology") / "kg.ttl", ONTOLOGY_GRAPH)
    prologue = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())
    text = f"{prologue}@prefix : <{BASE}> .\n{FACTS}"
    engine.add(
        ox.Quad(t.subject, t.predicate, t.object, ox.NamedNode(BASE + "graph/derived"))
        for t in ox.parse(text, format=ox.RdfFormat.TURTLE)
    )
    return Reader(engine, BASE, {})


def test_facts_in_words(reader: Reader) -> None:
    facts = facts_of(reader, [BASE + name for name in WORDS])
    assert {iri.removeprefix(BASE): fact.words() for iri, fact in facts.items()} == WORDS
    assert facts[BASE + "wrote"].words("«", "»") == "«Ana» authored «pull request 1»"
    assert (facts[BASE + "wrote"].rule, facts[BASE + "wrote"].record) == ("record-names", "the log")
    assert (facts[BASE + "gone"].rule, facts[BASE + "gone"].record) == ("", "")
    assert facts_of(reader, []) == {}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "no time"),
        (1, "1 second"),
        (61, "1 minute and 1 second"),
        (3600, "1 hour"),
        (3601, "1 hour"),
        (86_400 + 3_599, "1 day"),
        (3_324_000, "38 days and 11 hours"),
        (-7_260, "minus 2 hours and 1 minute"),
        (1_000 * 86_400, "1,000 days"),
    ],
)
def test_times_in_their_two_largest_units(seconds: int, words: str) -> None:
    assert duration(seconds) == words
