"""Results read back by someone else's parsers, and tables for people."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import given
from hypothesis import strategies as st
from rdflib.compare import isomorphic
from rdflib.query import Result

from kg.engine import Rows, Term, Triples
from kg.errors import FormatError
from kg.results import write_boolean, write_rows, write_triples

BASE = "https://example.org/dispute/"
KG = "https://w3id.org/counterclaim/ns#"
XSD = "http://www.w3.org/2001/XMLSchema#"
HOSTILE = "comma, \"quote\" 'single' \ttab <&> ]]> {} \\n | é 日本 \U0001f600 \n line"

TERMS: list[Term | None] = [
    None,
    ox.NamedNode(BASE + "ana"),
    ox.NamedNode("http://example.org/é?a=b&c#d"),
    ox.Literal(""),
    ox.Literal(" spaces "),
    ox.Literal(HOSTILE),
    ox.Literal("bonjour", language="fr"),
    ox.Literal(12),
    ox.Literal("-1.50", datatype=ox.NamedNode(XSD + "decimal")),
    ox.Literal("1e-3", datatype=ox.NamedNode(XSD + "double")),
    ox.Literal(True),
    ox.Literal("not a number", datatype=ox.NamedNode(XSD + "integer")),
    ox.Literal("2023-03-27~", datatype=ox.NamedNode("http://id.loc.gov/datatypes/edtf/EDTF")),
    ox.BlankNode("b0"),
]


def answer(terms: list[Term | None] = TERMS) -> Rows:
    """Each term in the second of three columns; the first numbers the row."""
    rows = ((ox.Literal(n), term, None) for n, term in enumerate(terms))
    return Rows(["row", "term", "none"], rows)


def written(rows: Rows, format: str, **options: Any) -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="\n")
    write_rows(rows, format, stream, **options)
    stream.flush()
    return stream.buffer.getvalue().decode("utf-8")  # type: ignore[attr-defined,no-any-return]


def in_rdflib(term: Term | None) -> rdflib.term.Node | None:
    if term is None:
        return None
    if isinstance(term, ox.NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, ox.BlankNode):
        return rdflib.BNode(term.value)
    plain = term.language or term.datatype.value == XSD + "string"
    datatype = None if plain else rdflib.URIRef(term.datatype.value)
    return rdflib.Literal(term.value, lang=term.language, datatype=datatype, normalize=False)


@pytest.mark.parametrize("format", ["json", "xml", "tsv"])
def test_rdflib_reads_the_same_terms_back(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", False)
    terms = TERMS
    if format == "tsv":
        # rdflib's TSV reader fails on a sign before a number.
        terms = [t for t in TERMS if not (isinstance(t, ox.Literal) and t.value[:1] == "-")]
    text = written(answer(terms), format)
    result = Result.parse(io.BytesIO(text.encode()), format=format)
    assert result.vars is not None
    assert [str(name) for name in result.vars] == ["row", "term", "none"]
    read = [binding.get(rdflib.Variable("term")) for binding in result.bindings]
    for term, back in zip(map(in_rdflib, terms), read, strict=True):
        if isinstance(term, rdflib.BNode):
            assert isinstance(back, rdflib.BNode)
        else:
            assert (back, type(back)) == (term, type(term))
    assert all(rdflib.Variable("none") not in binding for binding in result.bindings)


def test_pyoxigraph_reads_the_same_terms_back() -> None:
    for format, name in (
        ("json", ox.QueryResultsFormat.JSON),
        ("xml", ox.QueryResultsFormat.XML),
        ("tsv", ox.QueryResultsFormat.TSV),
    ):
        text = written(answer(), format)
        read = ox.parse_query_results(text.encode(), name)
        assert isinstance(read, ox.QuerySolutions)
        assert [row["term"] for row in read] == TERMS, format


def test_csv_is_the_formats_own() -> None:
    text = written(answer(), "csv")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == ["row", "term", "none"]
    values = ["_:b0" if isinstance(t, ox.BlankNode) else t.value if t else "" for t in TERMS]
    assert [row[1] for row in rows[1:]] == values
    # Line ends are CRLF, even where a text holds a line feed of its own.
    assert text.endswith("\r\n")
    assert written(answer([ox.Literal("a")]), "csv") == "row,term,none\r\n0,a,\r\n"


def test_tsv_line_by_line() -> None:
    text = written(answer([ox.Literal(7), ox.Literal("a\tb\nc"), ox.NamedNode("urn:x")]), "tsv")
    assert text == '?row\t?term\t?none\n0\t7\t\n1\t"a\\tb\\nc"\t\n2\t<urn:x>\t\n'


def test_a_triple_as_a_term() -> None:
    triple = ox.Triple(ox.NamedNode("urn:a"), ox.NamedNode("urn:b"), ox.Literal("c"))
    rows = Rows(["t"], iter([(triple,)]))  # type: ignore[list-item]
    read = ox.parse_query_results(written(rows, "xml").encode(), ox.QueryResultsFormat.XML)
    assert isinstance(read, ox.QuerySolutions)
    assert [row[0] for row in read] == [triple]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_any_text_survives(texts: list[str]) -> None:
    terms: list[Term | None] = [ox.Literal(text) for text in texts]
    bindings = json.loads(written(answer(terms), "json"))["results"]["bindings"]
    assert [binding["term"]["value"] for binding in bindings] == texts
    read = ox.parse_query_results(written(answer(terms), "tsv").encode(), ox.QueryResultsFormat.TSV)
    assert isinstance(read, ox.QuerySolutions)
    assert [row["term"] for row in read] == terms
    # XML always stays readable; what it cannot hold becomes the replacement character.
    root = ElementTree.fromstring(written(answer(terms), "xml"))
    found = [
        node.text or "" for node in root.iter("{http://www.w3.org/2005/sparql-results#}literal")
    ]
    allowed = [
        "".join(c if c in "\t\n\r" or " " <= c <= "\ufffd" or c > "\uffff" else "\ufffd" for c in t)
        for t in texts
    ]
    assert found[1::2] == allowed


def test_what_xml_cannot_hold_is_told() -> None:
    texts = ("fine", "a\x01b", "c", "\x0bd", "e\uffff")
    rows = Rows(["n", "t"], iter((ox.Literal(n), ox.Literal(t)) for n, t in enumerate(texts)))
    stream = io.StringIO()
    written = write_rows(rows, "xml", stream)
    assert written.unfit == "U+0001 in row 2, column 't', nor 2 more"
    assert stream.getvalue().count("\ufffd") == 3
    for format in ("xml", "json", "csv", "tsv", "table", "md"):
        texts = ("fine",) if format == "xml" else ("a\x01b",)
        rows = Rows(["t"], iter((ox.Literal(text),) for text in texts))
        assert write_rows(rows, format, io.StringIO()).unfit is None


def test_no_rows_still_have_a_heading() -> None:
    empty = {
        "csv": "row,term,none\r\n",
        "tsv": "?row\t?term\t?none\n",
        "table": "row  term  none\n",
        "md": "| row | term | none |\n| --- | --- | --- |\n",
    }
    for format, text in empty.items():
        assert written(answer([]), format) == text
    assert json.loads(written(answer([]), "json")) == {
        "head": {"vars": ["row", "term", "none"]},
        "results": {"bindings": []},
    }


def test_the_answer_to_an_ask() -> None:
    for format, truth in (("json", True), ("xml", False)):
        stream = io.StringIO()
        write_boolean(truth, format, stream)
        data = io.BytesIO(stream.getvalue().encode())
        assert Result.parse(data, format=format).askAnswer is truth
    for format, text in (("table", "true\n"), ("csv", "true\r\n"), ("tsv", "true\n")):
        stream = io.StringIO(newline="")
        write_boolean(True, format, stream)
        assert stream.getvalue() == text


def test_a_limit_stops_reading() -> None:
    read = 0

    def endless() -> Iterator[tuple[Term | None, ...]]:
        nonlocal read
        while True:
            read += 1
            yield (ox.Literal(read),)

    result = None
    for format in ("csv", "json", "table"):
        read = 0
        result = write_rows(Rows(["n"], endless()), format, io.StringIO(), limit=3)
        assert (result.count, result.more) == (3, True)
        assert read <= 4
    exact = write_rows(answer([None, None]), "csv", io.StringIO(), limit=2)
    assert (exact.count, exact.more) == (2, False)


def test_rows_are_written_while_they_come() -> None:
    stream = io.StringIO()

    def watched() -> Iterator[tuple[Term | None, ...]]:
        for n in range(3):
            yield (ox.Literal(n),)
            assert f"\r\n{n}\r\n" in stream.getvalue()

    stream = io.StringIO(newline="")
    write_rows(Rows(["n"], watched()), "csv", stream)
    assert stream.getvalue() == "n\r\n0\r\n1\r\n2\r\n"


def test_a_plain_table_is_aligned_and_harmless() -> None:
    rows = Rows(
        ["who", "count", "text"],
        iter(
            [
                (ox.NamedNode(BASE + "ana"), ox.Literal(5), ox.Literal("one\n two")),
                (ox.NamedNode(KG + "affirms"), ox.Literal(120), ox.Literal("日本 \x1b[31m\u202e")),
                (ox.NamedNode("urn:x"), None, ox.Literal("x", language="en")),
            ]
        ),
    )
    assert written(rows, "table", base=BASE).splitlines()[:2] == [
        "who         count  text",
        "ana             5  one  two",
    ]
    text = io.StringIO()
    write_rows(Rows(["t"], iter([(ox.Literal("日本 \x1b[31m\u202e"),)])), "table", text)
    assert text.getvalue() == "t\n日本 \ufffd[31m\ufffd\n"


def test_rows_too_long_for_a_line_are_blocks_in_a_pipe() -> None:
    long = "x" * 240
    rows = Rows(
        ["who", "gloss", "note"],
        iter(
            [
                (ox.NamedNode(BASE + "ana"), ox.Literal(long), None),
                (ox.NamedNode(BASE + "bo"), ox.Literal("short"), ox.Literal("n")),
            ]
        ),
    )
    assert written(rows, "table", base=BASE).splitlines() == [
        "who    ana",
        f"gloss  {long}",
        "",
        "who    bo",
        "gloss  short",
        "note   n",
    ]


class Terminal(io.StringIO):
    """A stream that says it is a terminal, and forgets what is bold."""

    def isatty(self) -> bool:
        return True

    def lines(self) -> list[str]:
        return re.sub("\x1b\\[[0-9;]*m", "", self.getvalue()).splitlines()


def test_a_table_on_a_terminal_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    gloss = ox.Literal("a gloss of many words that does not fit on a line [b]of[/b] this terminal")
    write_rows(Rows(["who", "gloss"], iter([(ox.Literal("ana"), gloss)])), "table", stream)
    lines = stream.lines()
    assert len(lines) > 3
    assert max(map(len, lines)) <= 60
    assert "[b]of[/b]" in " ".join(line.strip() for line in lines)


def test_columns_that_do_not_fit_become_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    names = [f"column{n}" for n in range(8)]
    row = tuple(ox.Literal(f"a text of column {n}") for n in range(8))
    write_rows(Rows(names, iter([row])), "table", stream)
    assert "column7  a text of column 7" in stream.lines()


def test_markdown_signs_are_escaped() -> None:
    rows = Rows(["a_b"], iter([(ox.Literal("x|y *z* <b> [l](u) _i_ a_b `c` \\"),)]))
    line = written(rows, "md").splitlines()[2]
    assert line == "| x\\|y \\*z\\* &lt;b> \\[l\\](u) \\_i\\_ a_b \\`c\\` \\\\ |"


TURTLE = f"""
@prefix : <{BASE}> . @prefix kg: <{KG}> .
:b kg:affirms :p . :a kg:speaker :ana ; a kg:Assertion ; kg:note "x\\n\\"y\\"", "z"@en .
:a kg:number 4 ; kg:by [ kg:note "inner" ] .
"""


def graph() -> Triples:
    return Triples(q.triple for q in ox.parse(TURTLE, ox.RdfFormat.TURTLE))


@pytest.mark.parametrize(
    ("format", "name"),
    [
        ("turtle", "turtle"),
        ("trig", "trig"),
        ("nt", "nt"),
        ("nq", "nquads"),
        ("jsonld", "json-ld"),
        ("rdfxml", "xml"),
    ],
)
def test_rdflib_reads_the_same_graph_back(format: str, name: str) -> None:
    stream = io.StringIO()
    assert write_triples(graph(), format, stream, base=BASE).count == 8
    dataset = rdflib.Dataset()
    dataset.parse(data=stream.getvalue(), format=name)
    read = rdflib.Graph()
    for s, p, o, _ in dataset.quads():
        read.add((s, p, o))
    expected = rdflib.Graph().parse(data=TURTLE, format="turtle")
    assert isomorphic(read, expected)


def test_a_graph_comes_out_in_order_with_the_prefixes_it_uses() -> None:
    stream = io.StringIO()
    triples = [quad.triple for quad in ox.parse(TURTLE, ox.RdfFormat.TURTLE)]
    named = [t for t in triples if not isinstance(t.subject, ox.BlankNode)]
    kept = [t for t in named if not isinstance(t.object, ox.BlankNode)]
    write_triples(Triples(iter(kept[::-1])), "turtle", stream, base=BASE)
    lines = stream.getvalue().splitlines()
    assert lines[:4] == [
        f"@prefix : <{BASE}> .",
        f"@prefix kg: <{KG}> .",
        "@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .",
        f"@prefix xsd: <{XSD}> .",
    ]
    assert lines[4] == ":a a kg:Assertion ;"
    assert lines[-1] == ":b kg:affirms :p ."


def test_a_graph_has_a_limit_too() -> None:
    stream = io.StringIO()
    result = write_triples(graph(), "nt", stream, limit=2)
    assert (result.count, result.more) == (2, True)
    assert len(stream.getvalue().splitlines()) == 2


RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
A = ox.NamedNode("urn:a")


def rdf_xml(*triples: ox.Triple) -> str:
    stream = io.StringIO()
    write_triples(Triples(iter(triples)), "rdfxml", stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("predicate", "object", "what"),
    [
        ("urn:b", ox.Literal("\x01"), r"U\+0001 in a value of <urn:b>"),
        ("urn:b", ox.Literal("x" * 1000 + "\ufffe"), r"U\+FFFE"),
        *((p, ox.Literal(""), "the predicate") for p in ("urn:1", "http://x/", "http://x/a%20")),
        *((p, ox.Literal(""), "the predicate") for p in ("http://x/a(b)", "http://x/☃")),
        *((RDF + p, ox.Literal(""), "the predicate") for p in ("li", "about", "Description")),
        ("http://www.w3.org/2000/xmlns/a", ox.Literal(""), "the predicate"),
        (RDF + "type", ox.NamedNode("http://x/1"), "the class <http://x/1>"),
        (RDF + "type", ox.NamedNode(RDF + "bagID"), "the class"),
        ("urn:b", ox.Triple(A, A, ox.Literal("\x02")), r"U\+0002"),
    ],
)
def test_rdfxml_refuses_what_it_cannot_hold(
    predicate: str, object: ox.Literal | ox.NamedNode | ox.Triple, what: str
) -> None:
    with pytest.raises(FormatError, match=f"RDF/XML cannot hold.*{what}") as caught:
        rdf_xml(ox.Triple(A, ox.NamedNode(predicate), object))
    assert "turtle" in (caught.value.hint or "")
    assert len(caught.value.message) < 200


@given(st.text(alphabet=list("a1é☃%20-._~:/?#[]@!$&'()*+,;="), max_size=8), st.booleans())
def test_rdfxml_is_refused_or_read_back(end: str, as_class: bool) -> None:
    """By a reader of XML that is strict about names."""
    try:
        made = ox.NamedNode(f"http://x.example/{end}")
    except ValueError:
        return
    type = ox.NamedNode(RDF + "type")
    triple = ox.Triple(A, type, made) if as_class else ox.Triple(A, made, ox.Literal(end))
    try:
        text = rdf_xml(triple)
    except FormatError:
        assert not end or not end[-1].isalpha()
        return
    ElementTree.fromstring(text)
    (read,) = ox.parse(text, format=ox.RdfFormat.RDF_XML)
    assert read.triple == triple


def test_json_ld_holds_no_triple_as_a_term() -> None:
    triple = ox.Triple(A, A, ox.Triple(A, A, A))
    with pytest.raises(FormatError, match="JSON-LD cannot hold"):
        write_triples(Triples(iter([triple])), "jsonld", io.StringIO())


def test_rdfxml_names_blank_nodes_as_xml_takes_them_and_keeps_them_apart() -> None:
    labels = ["1a", "x3161", "x783331", "a:b", "b", "_1", "0", "x"]
    b = ox.NamedNode("urn:b")
    triples = [ox.Triple(ox.BlankNode(x), b, ox.Literal(n)) for n, x in enumerate(labels)]
    triples += [ox.Triple(A, b, ox.BlankNode(label)) for label in labels]
    read = rdflib.Graph().parse(data=rdf_xml(*triples), format="xml")
    lines = "\n".join(f"{triple} ." for triple in triples)
    assert isomorphic(read, rdflib.Graph().parse(data=lines, format="nt"))
    assert len(set(read.objects(rdflib.URIRef("urn:a")))) == len(labels)


def test_a_format_that_does_not_fit_is_refused() -> None:
    with pytest.raises(FormatError, match="'turtle' cannot hold"):
        write_rows(answer(), "turtle", io.StringIO())
    with pytest.raises(FormatError, match="'csv' cannot hold"):
        write_triples(graph(), "csv", io.StringIO())
    with pytest.raises(FormatError, match="'nt' cannot hold"):
        write_boolean(True, "nt", io.StringIO())
