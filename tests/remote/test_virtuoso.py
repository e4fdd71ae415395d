"""What is rewritten for Virtuoso means the same, and nothing else is touched."""

from __future__ import annotations

from email.message import Message

import pyoxigraph as ox
import pytest

from kg.dispute import read_dispute, shipped_disputes
from kg.embedded import EmbeddedEngine
from kg.engine import Engine, Rows
from kg.errors import EngineError
from kg.namespaces import PREFIXES
from kg.preparing import staged
from kg.remote import RemoteEngine
from kg.remote_dispute import see_dispute, to_judge
from kg.remote_virtuoso import is_virtuoso, may_differ, rewritten
from kg.stored_query import catalogue
from tests.remote.real import Server
from tests.remote.scripted import Scripted

pytest.importorskip("SPARQLWrapper")

JSON = "application/sparql-results+json"
PROLOGUE = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in PREFIXES.items())
BELOW = {PREFIXES["kg"] + "Persona": [PREFIXES["kg"] + "GitIdentity"]}


def rewrite(text: str) -> str:
    return rewritten(PROLOGUE + text, lambda iri: BELOW.get(iri, [])).removeprefix(PROLOGUE)


def test_values_that_say_nothing_are_left_out() -> None:
    text = "SELECT ?x WHERE { VALUES ?x { UNDEF } ?x ?p ?o }"
    assert rewrite(text) == "SELECT ?x WHERE {  ?x ?p ?o }"


@pytest.mark.parametrize(
    "path", ["a/rdfs:subClassOf*", "rdf:type / rdfs:subClassOf *", "a/rdfs:subClassOf* # why\n"]
)
def test_classes_are_named(path: str) -> None:
    text = f"SELECT ?x WHERE {{ ?y ?p ?x . OPTIONAL {{ ?x {path} kg:Persona ; ?q ?z }} }}"
    kg = PREFIXES["kg"]
    values = f"VALUES ?counterclaim_class_0 {{ <{kg}GitIdentity> <{kg}Persona> }}"
    assert rewrite(text) == (
        f"SELECT ?x WHERE {{ ?y ?p ?x . OPTIONAL {{ {values}  "
        "?x a ?counterclaim_class_0 ; ?q ?z } }"
    )


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * WHERE { ?x a/rdfs:subClassOf* kg:Persona }",
        "SELECT ?x WHERE { ?x a/rdfs:subClassOf* ?class }",
        "SELECT ?x WHERE { ?x kg:speaker/a/rdfs:subClassOf* kg:Persona }",
        "SELECT ?x WHERE { ?x a/rdfs:subClassOf+ kg:Persona }",
        "SELECT ?x WHERE { ?x rdfs:subClassOf* kg:Persona }",
        "SELECT ?x WHERE { ?x ?p 'VALUES ?x { UNDEF }' } # a/rdfs:subClassOf* kg:Persona",
        "SELECT ?x WHERE { VALUES ?x { UNDEF kg:a } }",
        "SELECT ?x WHERE { VALUES (?x ?y) { (UNDEF 1) } }",
        "SELECT ?x WHERE { ?x a/rdfs:subClassOf* <Persona> }",
        "SELECT ?x WHERE { ?x a/rdfs:subClassOf* nobody:Persona }",
        "a/rdfs:subClassOf* kg:Persona }",
    ],
)
def test_all_else_is_left_alone(text: str) -> None:
    assert rewrite(text) == text


@pytest.mark.parametrize("name", shipped_disputes())
def test_stored_questions_keep_their_answers(name: str) -> None:
    dispute = read_dispute(shipped_disputes()[name])
    engine = staged(dispute)
    changed = 0
    for query in [*catalogue(dispute, "ask").values(), *catalogue(dispute, "check").values()]:
        text = rewritten(query.text, lambda iri: classes_below(engine, iri))
        changed += text != query.text
        assert rows(engine, text) == rows(engine, query.text), query.name
    assert changed > 5


def classes_below(engine: EmbeddedEngine, iri: str) -> list[str]:
    found = rows(engine, f"SELECT ?c {{ ?c <{PREFIXES['rdfs']}subClassOf>+ <{iri}> }}")
    return [row[0].value for row in found if isinstance(row[0], ox.NamedNode)]


def rows(engine: Engine, text: str) -> list[tuple[object, ...]]:
    answer = engine.query(text)
    assert isinstance(answer, Rows)
    return list(answer.rows)


@pytest.mark.parametrize(
    ("name", "is_one"), [("Virtuoso/07.20.3229 (Linux) x86_64", True), ("oxigraph", False)]
)
def test_it_is_known_by_its_name(name: str, is_one: bool) -> None:
    headers = Message()
    assert not is_virtuoso(headers)
    headers["Server"] = name
    assert is_virtuoso(headers) is is_one


def test_nobody_is_asked_who_they_are_for_a_query_that_cannot_differ(scripted: Scripted) -> None:
    scripted.say(body='{"head": {}, "boolean": true}', Content_Type=JSON)
    assert not may_differ("ASK {}")
    engine = RemoteEngine(scripted.url)
    engine.query("ASK {}")
    engine.query("ASK { VALUES ?x { UNDEF } }")
    sent = [seen.form["query"][0] for seen in scripted.seen]
    assert sent == ["ASK {}", "ASK { VALUES ?x { UNDEF } }"]


# Why each is needed: it does not get the rows that all others get from the text as it is.
NEEDED = {
    "a group's key that VALUES leaves open": (
        "SELECT ?about (COUNT(*) AS ?n) WHERE { VALUES ?about { UNDEF } "
        "{ SELECT ?about WHERE { ?x rdf:subject ?about } } } GROUP BY ?about ORDER BY ?about"
    ),
    "a path up the classes": (
        "SELECT DISTINCT ?x ?agent WHERE { ?x rdf:subject ?agent ; "
        "rdf:object <https://w3id.org/counterclaim/tideline/pr-4> . "
        "?agent a/rdfs:subClassOf* prov:Agent } ORDER BY ?x ?agent"
    ),
}


@pytest.mark.server
def test_without_being_rewritten_they_go_wrong(server: Server) -> None:
    dispute = read_dispute(shipped_disputes()["tideline"])
    embedded = staged(dispute)
    engine = server.engine()
    engine.add(embedded.quads())
    see_dispute(engine, dispute)
    for why, text in NEEDED.items():
        expected = rows(embedded, PROLOGUE + text)
        assert rows(engine, PROLOGUE + text) == expected, why
        as_it_is = engine._query(PROLOGUE + text)
        assert isinstance(as_it_is, Rows)
        assert (list(as_it_is.rows) == expected) is (server.name != "virtuoso"), why


@pytest.mark.server
def test_why_shapes_are_judged_here(server: Server) -> None:
    """The compiled shapes tell by several EXISTS within one BIND what a node fails."""
    engine = server.engine()
    text = "SELECT ?x WHERE { ?x ?p ?o BIND(EXISTS { ?x ?p 1 } || EXISTS { ?x ?p 2 } AS ?y) }"
    if server.name == "virtuoso":
        with pytest.raises(EngineError, match="SQ074"):
            engine.query(text)
        assert to_judge(engine) is not engine
    else:
        engine.query(text)
        assert to_judge(engine) is engine
