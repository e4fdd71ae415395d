"""From typed words to terms: every parameter type, and what is said of a bad value."""

from __future__ import annotations

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.embedded import EmbeddedEngine
from kg.errors import ParameterError
from kg.namespaces import ONTOLOGY_GRAPH, PREFIXES
from kg.parameters import (
    EXAMPLES,
    LITERALS,
    example_of,
    needs_engine,
    split_pairs,
    to_term,
    to_terms,
)
from kg.query_header import TYPES, Parameter
from kg.settings import shipped
from kg.stored_query import parse_query

BASE = "https://w3id.org/counterclaim/example/"
XSD = PREFIXES["xsd"]
DATA = f"""
@prefix : <{BASE}> . @prefix kg: <{PREFIXES["kg"]}> . @prefix foaf: <{PREFIXES["foaf"]}> .
:ana a foaf:Person . :someone a kg:Persona . :page a kg:Document . :history a kg:Record .
:page-001 a kg:Assertion ; kg:speaker :someone . :p1 a kg:Proposition .
:pr-1 a kg:PullRequest . :scope-1 a kg:Scope .
"""


@pytest.fixture(scope="module")
def engine() -> EmbeddedEngine:
    engine = EmbeddedEngine.memory()
    engine.load(shipped("ontology") / "kg.ttl", ONTOLOGY_GRAPH)
    engine.load(DATA.encode(), BASE + "graph/data")
    return engine


def parameter(type: str) -> Parameter:
    return Parameter("it", type, "what is asked about")


def test_every_type_has_an_example() -> None:
    assert set(EXAMPLES) == set(TYPES)


@pytest.mark.parametrize(
    ("type", "text", "local"),
    [
        ("agent", "ana", "ana"),
        ("agent", " ana ", "ana"),
        ("agent", f"<{BASE}ana>", "ana"),
        ("agent", BASE + "someone", "someone"),
        ("document", "page", "page"),
        ("document", "history", "history"),
        ("assertion", ":page-001", "page-001"),
        ("proposition", "p1", "p1"),
        ("artifact", "pr-1", "pr-1"),
        ("resource", "scope-1", "scope-1"),
        ("resource", "graph/data", "graph/data"),
        ("resource", f"<{BASE}graph/data>", "graph/data"),
        ("resource", f" {BASE}graph/data", "graph/data"),
    ],
)
def test_things_are_found_by_name(engine: EmbeddedEngine, type: str, text: str, local: str) -> None:
    assert to_term(parameter(type), text, engine, BASE) == ox.NamedNode(BASE + local)


@pytest.mark.parametrize("text", ["kg:authored", "authored", f"<{PREFIXES['kg']}authored>"])
def test_a_relation_needs_no_prefix(engine: EmbeddedEngine, text: str) -> None:
    term = to_term(parameter("relation"), text, engine, BASE)
    assert term == ox.NamedNode(PREFIXES["kg"] + "authored")


@pytest.mark.parametrize(
    ("type", "text", "what"),
    [
        ("agent", "page", "must be an agent, which 'page' is not"),
        ("document", "ana", "must be a document"),
        ("assertion", "p1", "must be an assertion"),
        ("proposition", "page-001", "must be a proposition"),
        ("artifact", "ana", "must be an artifact"),
        ("relation", "kg:Assertion", "must be a relation"),
        ("relation", "ana", "must be a relation"),
        ("resource", "nobody-at-all", "nothing here is called 'nobody-at-all'"),
        ("resource", "graph/nothing", "nothing here is called 'graph/nothing'"),
        ("agent", "graph/data", "nothing here is called 'graph/data'"),
        ("agent", "no name", "'no name' is no name"),
        ("agent", "", "is no name"),
        ("integer", "ten", "must be a whole number, not 'ten'"),
        ("integer", "1.5", "must be a whole number"),
        ("integer", "9223372036854775808", "must be a whole number"),
        ("integer", "9" * 5000, "must be a whole number"),
        ("date", "yesterday", "must be a date, not 'yesterday'"),
        ("date", "2023-02-30", "must be a date"),
        ("date", "2023-13", "must be a date"),
        ("date", "2023-03-13T25:00", "must be a date"),
        ("string", "caf\udce9", "must be text in UTF-8"),
    ],
)
def test_a_bad_value_names_the_parameter_and_the_mend(
    engine: EmbeddedEngine, type: str, text: str, what: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        to_term(parameter(type), text, engine, BASE)
    assert "parameter 'it'" in caught.value.message
    assert what in caught.value.message
    assert caught.value.hint


def test_a_bad_value_shows_a_good_one(engine: EmbeddedEngine) -> None:
    with pytest.raises(ParameterError) as caught:
        to_term(parameter("integer"), "x", engine, BASE)
    assert caught.value.hint == "It is what is asked about; for example it=10."
    with pytest.raises(ParameterError) as caught:
        to_term(parameter("agent"), "anna", engine, BASE)
    assert caught.value.hint == "Did you mean 'ana'?"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2023", "2023-01-01T00:00:00Z"),
        ("2023-03", "2023-03-01T00:00:00Z"),
        ("2023-03-27", "2023-03-27T00:00:00Z"),
        ("2023-03-27T10:20:30Z", "2023-03-27T10:20:30Z"),
        ("2023-03-27T10:20", "2023-03-27T10:20:00Z"),
        ("2023-03-27T10:20:30+02:00", "2023-03-27T10:20:30+02:00"),
    ],
)
def test_a_date_is_its_first_moment(text: str, moment: str) -> None:
    expected = ox.Literal(moment, datatype=ox.NamedNode(XSD + "dateTime"))
    assert to_term(parameter("date"), text, None, BASE) == expected


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_integers(number: int) -> None:
    expected = ox.Literal(str(number), datatype=ox.NamedNode(XSD + "integer"))
    assert to_term(parameter("integer"), f" {number:+} ", None, BASE) == expected


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_string_is_kept_as_typed(text: str) -> None:
    assert to_term(parameter("string"), text, None, BASE) == ox.Literal(text)


QUERY = parse_query(
    "#+ params:\n"
    "#+   speaker: {type: agent, description: who speaks, required: true}\n"
    "#+   word: {type: string, description: a word}\n"
    "SELECT * { VALUES ?speaker { UNDEF } VALUES ?word { UNDEF } }",
    name="q",
)


def test_pairs_become_terms(engine: EmbeddedEngine) -> None:
    given = split_pairs(QUERY, ["speaker=ana", "word=a = b"])
    assert needs_engine(QUERY, given)
    assert to_terms(QUERY, given, engine, BASE) == {
        "speaker": ox.NamedNode(BASE + "ana"),
        "word": ox.Literal("a = b"),
    }
    assert not needs_engine(QUERY, {"word": "x"})
    with pytest.raises(ValueError, match="needs an engine"):
        to_terms(QUERY, given, None, BASE)


@pytest.mark.parametrize(
    ("pairs", "message", "hint"),
    [
        (["speaker"], "'speaker' is no parameter", "name=value"),
        (["=ana"], "'=ana' is no parameter", "name=value"),
        (["speeker=ana"], "no parameter 'speeker'", "Did you mean 'speaker'? It takes: speaker"),
        (["speaker=ana", "speaker=bo"], "'speaker' is given twice", "once"),
        (["word=x"], "needs the parameter 'speaker': who speaks", "-p speaker="),
    ],
)
def test_bad_pairs(pairs: list[str], message: str, hint: str) -> None:
    with pytest.raises(ParameterError, match=message.replace("?", r"\?")) as caught:
        split_pairs(QUERY, pairs)
    assert hint in (caught.value.hint or "")


def test_a_text_without_a_header_takes_none() -> None:
    with pytest.raises(ParameterError, match="no parameter 'x'") as caught:
        split_pairs(parse_query("ASK {}", name="-"), ["x=1"])
    assert "header" in (caught.value.hint or "")


def test_an_example_is_one_that_works(engine: EmbeddedEngine) -> None:
    assert example_of(parameter("agent"), engine, BASE) == "someone"
    assert example_of(parameter("agent"), None, BASE) == EXAMPLES["agent"]
    for type in set(TYPES) - set(LITERALS) - {"resource", "assertion", "document"}:
        if type in ("proposition", "artifact"):
            continue  # nothing in the data mentions one
        text = example_of(parameter(type), engine, BASE)
        assert isinstance(to_term(parameter(type), text, engine, BASE), ox.NamedNode)
