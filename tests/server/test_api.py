"""Stored queries over HTTP, and names that dereference."""

from __future__ import annotations

from html import escape
from urllib.parse import quote, urlencode

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.server.worker.pages import _linked
from kg.show import Line

from .conftest import BASE, Serve, Server, publish

HTML = {"Accept": "text/html"}


def test_the_list_names_every_stored_query(example: Server) -> None:
    listed = example.request("/api/queries").json()["queries"]
    names = [query["name"] for query in listed]
    assert {"contradictions", "claims-by"} <= set(names)
    assert names == sorted(names)
    (claims,) = [query for query in listed if query["name"] == "claims-by"]
    assert claims["parameters"][0]["name"] == "speaker"


def test_a_stored_query_answers_in_every_format(example: Server) -> None:
    path = "/api/queries/claims-by?speaker=bo"
    json = example.request(path)
    assert json.status == 200
    assert json.rows
    for format, start in [
        ("json", b"{"),
        ("xml", b"<?xml"),
        ("csv", b"statement,"),
        ("tsv", b"?statement\t"),
        ("md", b"|"),
        ("table", b"statement"),
        ("spreadsheet", b"statement,"),
    ]:
        reply = example.request(f"{path}&format={format}")
        assert (reply.status, reply.body[: len(start)]) == (200, start), format
    assert example.request(f"{path}&format=turtle").status == 400


def test_pages_follow_each_other(example: Server) -> None:
    whole = example.request("/api/queries/claims-by?speaker=bo").rows
    assert len(whole) > 1
    path, found = "/api/queries/claims-by?speaker=bo&per_page=1", []
    while path:
        reply = example.request(path)
        found += reply.rows
        links = {
            part.partition(">; rel=")[2].strip('"'): part.partition(">")[0].lstrip(" <")
            for part in reply.headers["link"].split(",")
        }
        assert "first" in links
        path = links.get("next", "").removeprefix("http://localhost:1")
    assert found == whole


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ("", "speaker"),
        ("speaker=ana&speaker=bo", "speaker"),
        ("speaker=nobody", "speaker"),
        ("speaker=ana&colour=red", "colour"),
        ("speaker=ana&page=0", "page"),
        ("speaker=ana&page=x", "page"),
        ("speaker=ana&per_page=999999", "per_page"),
        ("speaker=ana&format=exe", "format"),
    ],
)
def test_a_wrong_parameter_is_named(example: Server, asked: str, parameter: str) -> None:
    reply = example.request(f"/api/queries/claims-by?{asked}")
    assert reply.status == 400
    assert parameter in [error["parameter"] for error in reply.json()["errors"]]


HOSTILE = [
    '"', "'", "\\", "\n", "\r\n", "}", "{", ">", "<", "#", "\x00", "\ud7ff", "🙂", "",
    '" } UNION { ?s ?p ?o } #', "> } } #", "<https://a.example/> <b>", "\\u0022", "'''", '"""',
    "?x", "_:b", "ana bo", "kg:", ":", "UNDEF", "ana } UNION {", "x" * 5000, "<urn:a>", "urn:a b",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_parameter_says_stays_a_value(example: Server, text: str) -> None:
    for name, parameter in [("claims-by", "speaker"), ("claims-about", "thing")]:
        asked = urlencode({parameter: text})
        reply = example.request(f"/api/queries/{name}?{asked}")
        assert reply.status in (200, 400)
        if reply.status == 200:
            assert reply.rows == []


def test_unknown_queries_and_tricks_are_404(example: Server) -> None:
    for name in ("nothing", "..", "../ask/contradictions", "contradictions.rq", "denial", "%2e%2e"):
        assert example.request(f"/api/queries/{name}").status == 404


def test_a_name_redirects_to_the_document_about_it(example: Server) -> None:
    for below in ("/", "/counterclaim/example/"):
        reply = example.request(f"{below}ana")
        assert reply.status == 303
        assert reply.headers["location"] == f"{below}about/ana"
        page = example.request(f"{below}about/ana", headers={"Accept": "text/html"})
        assert page.headers["content-type"].startswith("text/html")
        assert "Ana" in page.text
        data = example.request(f"{below}about/ana", headers={"Accept": "text/turtle"})
        about = ox.NamedNode("https://w3id.org/counterclaim/example/ana")
        triples = list(ox.parse(data.body, format=ox.RdfFormat.TURTLE))
        assert about in [triple.subject for triple in triples]


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("accept", ["text/turtle", "application/ld+json", "text/html", BROWSER])
def test_every_name_of_the_dispute_dereferences(example: Server, accept: str) -> None:
    base = "https://w3id.org/counterclaim/example/"
    text = (
        "SELECT DISTINCT ?x { { ?x ?p ?o } UNION { ?s ?p ?x } UNION { GRAPH ?x { ?s ?p ?o } } "
        f'FILTER(ISIRI(?x) && STRSTARTS(STR(?x), "{base}")) }} ORDER BY ?x'
    )
    names = [row["x"].removeprefix(base) for row in example.query(text).rows]
    assert len(names) > 10
    for name in names:
        reply = example.request(f"/{name}", headers={"Accept": accept})
        if reply.status == 303:
            location = reply.headers["location"]
            reply = example.request(location, headers={"Accept": accept})
        assert reply.status == 200, name
        assert reply.headers["content-type"].partition(";")[0] == accept.partition(",")[0], name


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=12), st.text())
def test_no_name_makes_the_server_fail(example: Server, name: str, text: str) -> None:
    sent = quote(text, safe="", errors="surrogatepass")
    for path in (
        *(f"/{name}", f"/about/{name}", f"/api/queries/{name}", f"/graphs?graph={name}"),
        *(f"/{sent}", f"/about/{sent}", f"/graphs?graph=http://a.example/{sent}"),
        f"/api/queries/claims-by?speaker={sent}",
    ):
        for accept in ("text/html", "text/turtle"):
            assert example.request(path, headers={"Accept": accept}).status < 500, path


def test_an_unknown_name_is_404(example: Server) -> None:
    assert example.request("/nobody").status == 404
    assert example.request("/about/nobody", headers={"Accept": "text/html"}).status == 404


def test_a_page_leads_to_what_it_speaks_of(example: Server) -> None:
    home = example.request("/", headers=HTML).text
    assert '<a href="/api/queries">' in home
    assert '<a href="/about/ana">' in home
    page = example.request("/about/a2", headers=HTML).text
    title = "assertion a2"
    assert f"<title>{title} - " in page
    assert f"<h1>{title}</h1>" in page
    assert "<h2>Who says that who says (hearsay depth 2)</h2>" in page
    assert '<li><a href="/about/n1">n1</a>: author of the example relays' in page
    assert '<a href="/about/a2">' not in page  # it is here


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("ana", "ana"),
        ("été", "%C3%A9t%C3%A9"),
        ("graph/agents", "graph/agents"),
        ("'-x(1)-'", "&#x27;-x(1)-&#x27;"),
        *((name, None) for name in ("a?b", "a#b", "../sparql", "a/./b")),  # a browser reads on
    ],
)
def test_only_names_that_a_browser_keeps_as_they_are_are_links(
    name: str, address: str | None
) -> None:
    base = "https://w3id.org/counterclaim/example/"
    job = {"base": base, "home": "/kg/"}
    shown = escape(name)
    link = f'<a href="/kg/about/{address}">{shown}</a>' if address else shown
    line = Line(f"<b> ({name})", base + name)
    assert _linked(line, base + "bo", job) == f"&lt;b&gt; ({link})"
    assert "<a" not in _linked(line, base + name, job)
    assert "<a" not in _linked(Line(name, "javascript:alert(1)"), base, job)


def test_a_page_does_not_say_that_a_text_is_missing(example: Server) -> None:
    """Its words are not published, attached or not; nor is a reader told what to type."""
    page = example.request("/about/a2", headers=HTML).text
    assert 'Example (<a href="/about/doc">doc</a>), characters 9-40' in page
    assert "(the words are not shown here)" in page
    assert "attach" not in page
    assert "wrote the parser\n" not in page


def test_a_graph_has_a_page_too(example: Server) -> None:
    for path in ("/graph/agents", "/about/graph/agents"):
        reply = example.request(path, headers={"Accept": BROWSER})
        assert reply.headers["content-type"].startswith("text/html")
        assert "foaf:Person" in reply.text
    # Whoever says nothing, or takes anything, gets data.
    for accept in ({}, {"Accept": "*/*"}):
        reply = example.request("/graph/agents", headers=accept)
        assert reply.headers["content-type"].startswith("text/turtle")


def test_the_graph_of_a_file_is_its_triples(example: Server) -> None:
    direct = example.request("/graph/agents", headers={"Accept": "application/n-triples"})
    graph = "https://w3id.org/counterclaim/example/graph/agents"
    indirect = example.request(
        f"/graphs?graph={graph}", headers={"Accept": "application/n-triples"}
    )
    assert direct.status == 200
    assert direct.body == indirect.body


def test_far_beyond_the_last_page_the_one_before_is_the_last(example: Server) -> None:
    every = len(example.request("/api/queries/speakers").rows)
    reply = example.request("/api/queries/speakers?per_page=1&page=99999")
    assert reply.rows == []
    assert f'page={every}>; rel="prev"' in reply.headers["link"]


@pytest.fixture(scope="module")
def escaped(tmp_path_factory: pytest.TempPathFactory, serve_store: Serve) -> Server:
    """A dispute with names that HTTP sends otherwise than they stand there."""
    label = ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
    quads = [
        ox.Quad(ox.NamedNode(BASE + name), label, ox.Literal(name), ox.NamedNode(BASE + graph))
        for name, graph in [
            ("jürgen", "graph/a"),
            ("☃", "graph/übrig"),
            ("z%C3%A9ro", "graph/a"),
            ("a%2Fb", "graph/a"),
            ("x~y", "graph/a"),
        ]
    ]
    return serve_store(publish(tmp_path_factory.mktemp("escaped") / "store", quads))


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        *(("j%C3%BCrgen", "jürgen"), ("j%c3%bcrgen", "jürgen"), ("%6A%C3%BCrgen", "jürgen")),
        *(("%E2%98%83", "☃"), ("z%C3%A9ro", "z%C3%A9ro"), ("a%2Fb", "a%2Fb"), ("x%7Ey", "x~y")),
        *(("jurgen", None), ("j%FCrgen", None), ("a/b", None), ("x%20y", None)),
        *(("j%25C3%25BCrgen", None), ("%2e%2e", None), ("%E2%80%AEx", None)),
    ],
)
def test_a_name_is_found_however_it_is_escaped(
    escaped: Server, sent: str, name: str | None
) -> None:
    moved = escaped.request(f"/{sent}")
    if name is None:
        assert moved.status == 404
        assert escaped.request(f"/about/{sent}").status == 404
        return
    assert (moved.status, moved.headers["location"]) == (303, f"/about/{sent}")
    data = escaped.request(f"/about/{sent}", headers={"Accept": "application/n-triples"})
    (triple,) = ox.parse(data.body, format=ox.RdfFormat.N_TRIPLES)
    assert triple.subject == ox.NamedNode(BASE + name)
    page = escaped.request(f"/about/{sent}", headers=HTML)
    assert page.status == 200
    assert f"&lt;<code>{BASE}{name}</code>" in page.text


def test_a_graph_is_found_however_its_name_is_escaped(escaped: Server) -> None:
    direct = escaped.request("/graph/%C3%BCbrig", headers={"Accept": "application/n-triples"})
    asked = urlencode({"graph": f"{BASE}graph/übrig"})
    indirect = escaped.request(f"/graphs?{asked}", headers={"Accept": "application/n-triples"})
    assert direct.status == indirect.status == 200
    assert direct.body == indirect.body
    assert "übrig" in escaped.request("/graph/%C3%BCbrig", headers=HTML).text
