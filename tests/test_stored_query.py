"""Loading stored queries: the header against the query; names; binding parameters."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyoxigraph as ox
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kg import stored_query
from kg.errors import ParameterError, QueryError
from kg.stored_query import bind, catalogue, find_query, load_query, parse_query

GOOD = """\
# Anything may be noted here.
#+ title: Claims by a speaker
#+ question: What does this person say,
#+   and where?
#+ params:
#+   speaker: {type: agent, description: who speaks, required: true}
#+   word: {type: string, description: a word of the claim}
#+ columns:
#+   claim: the statement
#+   n: how often
#+ view: table
PREFIX ex: <http://example.org/>
SELECT ?claim (COUNT(*) AS ?n) WHERE {
  VALUES ?speaker { ex:ana }
  VALUES ?word { UNDEF }
  ?claim ex:speaker ?speaker ; ex:word ?word .
}
GROUP BY ?claim ORDER BY ?claim
"""


def load(tmp_path: Path, text: str, kind: str = "ask", name: str = "claims-by") -> Any:
    path = tmp_path / kind / f"{name}.rq"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return load_query(path)


def test_a_header_is_read_in_full(tmp_path: Path) -> None:
    query = load(tmp_path, GOOD)
    assert (query.name, query.kind, query.form, query.view) == (
        "claims-by",
        "ask",
        "SELECT",
        "table",
    )
    assert query.title == "Claims by a speaker"
    assert query.question == "What does this person say, and where?"
    assert list(query.columns.items()) == [("claim", "the statement"), ("n", "how often")]
    speaker, word = query.params.values()
    assert (speaker.type, speaker.required, speaker.default) == ("agent", True, "ex:ana")
    assert (word.type, word.required, word.default) == ("string", False, None)


def test_scalars_stay_the_texts_they_are(tmp_path: Path) -> None:
    query = load(tmp_path, GOOD.replace("Claims by a speaker", "No"))
    assert query.title == "No"


BROKEN = {
    "unknown key": ("#+ view: table", "#+ veiw: table", 11, "unknown key 'veiw'", "'view'"),
    "unknown view": ("#+ view: table", "#+ view: pie", 11, "unknown view 'pie'", "table"),
    "repeated key": ("#+ view: table", "#+ title: x", 11, "'title' is repeated", None),
    "broken yaml": ("#+ view: table", "#+ view: [a", 11, "no YAML", None),
    "no mapping of columns": ("#+   claim: the statement\n#+   n: how often\n", "", 8, "map", None),
    "header without space": ("#+ view: table", "#+view: table", 11, r"begins with '#\+ '", None),
    "stray header": ("GROUP BY", "#+ view: table\nGROUP BY", 18, "outside the header", None),
    "no title": ("#+ title: Claims by a speaker\n", "", 1, "no 'title'", "title"),
    "empty title": ("Claims by a speaker", "", 2, "'title' must be a text", None),
    "no question": (
        "#+ question: What does this person say,\n#+   and where?\n",
        "",
        1,
        "no 'question'",
        None,
    ),
    "parameter without type": ("type: agent, ", "", 6, "'speaker' has no type", "for example"),
    "parameter without description": (
        "description: who speaks, ",
        "",
        6,
        "'speaker' has no description",
        None,
    ),
    "unknown type": ("type: agent", "type: agnet", 6, "unknown type 'agnet'", "'agent'"),
    "parameter with unknown key": ("required", "requierd", 6, "'requierd'", "'required'"),
    "required neither true nor false": ("required: true", "required: 1", 6, "true or false", None),
    "unused parameter": ("  VALUES ?word { UNDEF }\n", "", 7, "'word' is not used", "VALUES ?word"),
    "undeclared parameter": (
        "#+   word: {type: string, description: a word of the claim}\n",
        "",
        14,
        "'word' is not declared",
        "BIND",
    ),
    "parameter over two lines": ("{ UNDEF }", "{\n UNDEF }", 15, "on one line", None),
    "two defaults": ("{ UNDEF }", "{ 'a' 'b'@en }", 15, "has 2 terms", None),
    "missing column": ("#+   n: how often\n", "", 8, "lacks 'n'", None),
    "extra column": ("#+   n: how often", "#+   n: x\n#+   m: y", 11, "has 'm'", None),
    "columns in another order": (
        "#+   claim: the statement\n#+   n: how often",
        "#+   n: how often\n#+   claim: the statement",
        8,
        "another order",
        None,
    ),
    "no columns": (
        "#+ columns:\n#+   claim: the statement\n#+   n: how often\n",
        "",
        1,
        "no 'columns'",
        "claim, n",
    ),
    "star": ("?claim (COUNT(*) AS ?n)", "*", 13, "SELECT \\*", None),
    "no order": ("ORDER BY ?claim", "", 13, "no ORDER BY", "same rows"),
    "not parseable": ("GROUP BY", "GROUPED BY", 18, "not SPARQL", None),
    "prefix not declared": ("ex:word", "ey:word", 16, "prefix of ey:word is not", "PREFIX ey:"),
    "key of another kind": ("#+ view: table", "#+ mend: x", 11, "only for .* 'check'", None),
    "service": ("GROUP BY", "SERVICE <x> {} GROUP BY", 18, "SERVICE is refused", None),
}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN.keys())
def test_a_bad_file_is_refused_at_its_line(
    tmp_path: Path, case: tuple[str, str, int, str, str | None]
) -> None:
    old, new, line, message, hint = case
    text = GOOD.replace(old, new, 1)
    if case is BROKEN["star"]:
        text = text.replace("GROUP BY ?claim ", "")
    if case is BROKEN["service"]:
        text = text.replace("}\nSERVICE <x> {} GROUP BY", "\nSERVICE <x> {} } GROUP BY")
    assert text != GOOD
    with pytest.raises(QueryError, match=message) as caught:
        load(tmp_path, text)
    assert caught.value.path == tmp_path / "ask" / "claims-by.rq"
    assert caught.value.line == line
    if hint:
        assert hint.lower() in (caught.value.hint or "").lower()


def test_names_kinds_and_forms(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="'Claims_by' is no name"):
        load(tmp_path, GOOD, name="Claims_by")
    with pytest.raises(QueryError, match="folder named ask, check, derive"):
        load(tmp_path, GOOD, kind="other")
    with pytest.raises(QueryError, match="the header has no 'mend'"):
        load(tmp_path, GOOD, kind="check")
    construct = "#+ title: t\n#+ after: [denial]\nCONSTRUCT WHERE { ?s ?p ?o }"
    assert load(tmp_path, construct, kind="derive").after == ("denial",)
    with pytest.raises(QueryError, match="must be a CONSTRUCT, this is an ASK"):
        load(tmp_path, "#+ title: t\nASK { ?s ?p ?o }", kind="derive")
    with pytest.raises(QueryError, match="an ASK has no columns") as caught:
        load(tmp_path, "#+ title: t\n#+ question: q\n#+ columns: {a: b}\nASK { ?s ?p ?o }")
    assert caught.value.line == 3


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "ask").mkdir()
    path = tmp_path / "ask" / "x.rq"
    path.write_bytes(b"ASK {\n 'caf\xe9' }")
    with pytest.raises(QueryError, match="not UTF-8") as caught:
        load_query(path)
    assert caught.value.line == 2
    with pytest.raises(QueryError, match="cannot be read"):
        load_query(tmp_path / "ask" / "missing.rq")


def test_text_of_ones_own_needs_no_header() -> None:
    query = parse_query("SELECT * { ?s a ex:A }", name="-", prefixes={"ex": "http://example.org/"})
    assert (query.kind, query.form, query.params, query.columns) == (None, "SELECT", {}, {})
    with pytest.raises(QueryError, match="prefix"):
        parse_query("SELECT * { ?s a ex:A }", name="-")
    with pytest.raises(QueryError, match="unknown key"):
        parse_query("#+ titel: x\nASK {}", name="-")


@pytest.fixture
def own_queries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A project's queries folder and a dispute with one of its own."""
    monkeypatch.setattr(stored_query, "shipped", lambda name: tmp_path / "project" / name)
    for folder, kind, name in (
        ("project/queries", "ask", "claims-by"),
        ("project/queries", "ask", "all"),
        ("dispute/queries", "ask", "mine"),
        ("dispute/queries", "check", "orphans"),
    ):
        (tmp_path / folder / kind).mkdir(parents=True, exist_ok=True)
        mend = "#+ mend: m\n" if kind == "check" else ""
        (tmp_path / folder / kind / f"{name}.rq").write_text(
            f"#+ title: {name}\n#+ question: q\n{mend}#+ columns: {{s: s}}\n"
            "SELECT ?s { ?s ?p ?o } ORDER BY ?s"
        )
    return SimpleNamespace(folder=tmp_path / "dispute")


def test_the_catalogue_joins_the_project_and_the_dispute(own_queries: Any) -> None:
    assert list(catalogue(own_queries, "ask")) == ["all", "claims-by", "mine"]
    assert list(catalogue(None, "ask")) == ["all", "claims-by"]
    assert catalogue(own_queries, "derive") == {}
    assert find_query(own_queries, "orphans").kind == "check"


def test_a_name_given_twice_is_an_error(own_queries: Any) -> None:
    twice = own_queries.folder / "queries" / "ask" / "all.rq"
    twice.write_text("ASK {}")
    with pytest.raises(QueryError, match="already a stored query 'all'") as caught:
        catalogue(own_queries, "ask")
    assert caught.value.path == twice


def test_an_unknown_name_suggests_the_nearest(own_queries: Any) -> None:
    with pytest.raises(QueryError, match="no stored query 'clams-by'") as caught:
        find_query(own_queries, "clams-by")
    assert "Did you mean 'claims-by'?" in (caught.value.hint or "")
    assert "kg queries" in (caught.value.hint or "")


# Binding. Every query gives the bound term back, from wherever the parameter stands.
HEADER = "#+ title: t\n#+ params: {x: {type: string, description: d}}\n"
PLACES = {
    "group": "SELECT ?x { VALUES ?x { UNDEF } }",
    "filter": "SELECT ?y { ?s ?p ?y "
    "FILTER EXISTS { VALUES ?x { UNDEF } FILTER(sameTerm(?x, ?y)) } }",
    "sub-select": "SELECT ?x { { SELECT ?x { VALUES ?x { 'default'@en } } } }",
    "graph": "SELECT ?x { GRAPH <urn:g> { VALUES ?x { UNDEF } ?s ?p ?x } }",
    "twice": "SELECT ?x { { VALUES ?x { UNDEF } } VALUES ?x { UNDEF } # ?x { }\n }",
    "construct": "CONSTRUCT { <urn:s> <urn:p> ?x } WHERE { VALUES ?x { 1 } }",
    "at the end": "SELECT ?x { } VALUES ?x { '}'^^<urn:}> }".replace("<urn:}>", "<urn:d>"),
}

# Numbers and booleans are left out: the engine keeps their value, not how they were written.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
LITERALS = st.one_of(
    TEXTS.map(ox.Literal),
    st.builds(
        lambda text, language: ox.Literal(text, language=language),
        TEXTS,
        st.sampled_from(["en", "en-gb", "de-1996"]),
    ),
    TEXTS.map(lambda text: ox.Literal(text, datatype=ox.NamedNode("urn:datatype"))),
)
IRIS = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters='<>"{}|\\^`[]%/?#:@')
).map(lambda text: ox.NamedNode("http://example.org/" + text))


@given(st.one_of(LITERALS, IRIS), st.sampled_from(sorted(PLACES)))
@example(ox.Literal("} UNION { ?s ?p ?x } #"), "group")
@example(ox.Literal("\\\"'}\n\r\t> ^^<urn:x>\x00\x7f\ufffe"), "filter")
@example(ox.Literal("\\u0022 }"), "sub-select")
@example(ox.Literal("'''\"\"\""), "construct")
@example(ox.Literal("{0} %s ${x} VALUES ?x { UNDEF }"), "twice")
@example(ox.NamedNode("http://example.org/a?b=c#d%20(e)'f'"), "graph")
def test_a_bound_term_comes_back_exactly(term: ox.Literal | ox.NamedNode, place: str) -> None:
    query = parse_query(HEADER + PLACES[place], name="q")
    store = ox.Store()
    node = ox.NamedNode("urn:s")
    store.add(ox.Quad(node, ox.NamedNode("urn:p"), term, ox.NamedNode("urn:g")))
    store.add(ox.Quad(node, ox.NamedNode("urn:p"), ox.Literal("other"), ox.NamedNode("urn:g")))
    if place == "filter" and term == ox.Literal("other"):
        return
    answer = store.query(bind(query, {"x": term}), use_default_graph_as_union=True)
    if isinstance(answer, ox.QueryTriples):
        assert [triple.object for triple in answer] == [term]
    else:
        assert isinstance(answer, ox.QuerySolutions)
        assert [row[0] for row in answer] == [term]


def test_what_is_not_given_keeps_its_default() -> None:
    query = parse_query(HEADER + PLACES["sub-select"], name="q")
    assert bind(query, {}) == query.text


def test_binding_minds_names_and_blank_nodes(tmp_path: Path) -> None:
    query = load(tmp_path, GOOD)
    ana = ox.NamedNode("http://example.org/ana")
    with pytest.raises(ParameterError, match="needs the parameter 'speaker'") as caught:
        bind(query, {})
    assert "-p speaker=" in (caught.value.hint or "")
    with pytest.raises(ParameterError, match="has no parameter 'speeker'") as caught:
        bind(query, {"speeker": ana})
    assert "Did you mean 'speaker'?" in (caught.value.hint or "")
    with pytest.raises(ParameterError, match="blank node"):
        bind(query, {"speaker": ox.BlankNode()})
    bound = bind(query, {"speaker": ana, "word": ox.Literal("ex:ana } {")})
    assert "VALUES ?speaker { <http://example.org/ana> }" in bound
    assert 'VALUES ?word { "ex:ana } {" }' in bound
