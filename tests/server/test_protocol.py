"""The SPARQL protocol as clients use it, against the running command."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
from pathlib import Path
from urllib.parse import urlencode

import brotli
import pyoxigraph as ox
import pytest
import zstandard

from .conftest import PATIENCE, Serve, Server, numbers, publish

SELECT = "SELECT ?s ?p ?o { ?s ?p ?o } ORDER BY ?s ?p ?o LIMIT 20"
CONSTRUCT = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"


def test_get_post_form_and_query_give_the_same(example: Server) -> None:
    by_get = example.query(SELECT)
    assert by_get.status == 200
    assert len(by_get.rows) == 20
    assert example.post(SELECT).body == by_get.body
    assert example.form(query=SELECT).body == by_get.body
    by_query = example.request(
        "/sparql", "QUERY", SELECT.encode(), {"Content-Type": "application/sparql-query"}
    )
    assert by_query.body == by_get.body
    assert example.request("/sparql/?query=ASK%7B%7D").json()["boolean"] is True


@pytest.mark.parametrize(
    ("accept", "format"),
    [
        ("application/sparql-results+json", ox.QueryResultsFormat.JSON),
        ("application/sparql-results+xml", ox.QueryResultsFormat.XML),
        ("text/csv", None),
        ("text/tab-separated-values", ox.QueryResultsFormat.TSV),
    ],
)
def test_rows_come_in_the_format_that_is_asked_for(
    example: Server, accept: str, format: ox.QueryResultsFormat | None
) -> None:
    reply = example.query(SELECT, Accept=accept)
    assert reply.headers["content-type"].partition(";")[0] == accept
    if format is None:  # which no parser reads back
        assert len(reply.text.split("\r\n")) == 22
        return
    answer = ox.parse_query_results(reply.body, format=format)
    assert isinstance(answer, ox.QuerySolutions)
    assert len(list(answer)) == 20


@pytest.mark.parametrize(
    ("accept", "format"),
    [
        ("text/turtle", ox.RdfFormat.TURTLE),
        ("application/trig", ox.RdfFormat.TRIG),
        ("application/n-triples", ox.RdfFormat.N_TRIPLES),
        ("application/n-quads", ox.RdfFormat.N_QUADS),
        ("application/ld+json", ox.RdfFormat.JSON_LD),
        ("application/rdf+xml", ox.RdfFormat.RDF_XML),
    ],
)
def test_graphs_come_in_the_format_that_is_asked_for(
    example: Server, accept: str, format: ox.RdfFormat
) -> None:
    expected = len(set(ox.parse(example.query(CONSTRUCT).body, format=ox.RdfFormat.TURTLE)))
    reply = example.query(CONSTRUCT, Accept=accept)
    assert reply.headers["content-type"].partition(";")[0] == accept
    assert len(set(ox.parse(reply.body, format=format))) == expected > 100


def test_csv_is_exact(example: Server) -> None:
    cells = ["http://a.example/x,_y", "a,b", 'q"q', " a ", "a\r\nb", "a\nb", "", "é☃", "_:x", "=1"]
    iri, *texts = cells
    rest = " ".join(f"({ox.Literal(text)} AS ?c{n})" for n, text in enumerate(texts))
    asked = f"SELECT (<{iri}> AS ?iri) {rest} ?unbound (BNODE() AS ?blank) {{}}"
    text = example.query(asked, Accept="text/csv").text
    head, row = csv.reader(io.StringIO(text, newline=""))
    assert head == ["iri", *(f"c{n}" for n in range(len(texts))), "unbound", "blank"]
    assert row[:-2] == cells
    assert row[-2] == ""
    assert row[-1].startswith("_:")
    assert text.endswith("\r\n")
    # No row, and one without anything in it.
    assert example.query("SELECT ?a ?b { FILTER(false) }", Accept="text/csv").text == "a,b\r\n"
    assert example.query("SELECT ?a {}", Accept="text/csv").text == "a\r\n\r\n"


def test_what_cannot_be_had_is_406(example: Server) -> None:
    assert example.query(SELECT, Accept="image/png").status == 406
    assert example.query(SELECT, Accept="text/turtle").status == 406
    assert example.query(CONSTRUCT, Accept="text/csv").status == 406
    assert example.query(SELECT, Accept="text/csv;q=0").status == 406


def test_weights_decide(example: Server) -> None:
    reply = example.query(SELECT, Accept="text/csv;q=0.1, application/sparql-results+xml;q=0.9")
    assert reply.headers["content-type"] == "application/sparql-results+xml"
    reply = example.query(SELECT, Accept="*/*;q=0.1, text/csv")
    assert reply.headers["content-type"].startswith("text/csv")


def test_head_has_the_headers_of_get(example: Server) -> None:
    got = example.query(SELECT)
    head = example.request("/sparql?query=" + "ASK%20%7B%7D", "HEAD")
    assert (head.status, head.body) == (200, b"")
    path = "/sparql?query=" + SELECT.replace(" ", "%20").replace("{", "%7B").replace("}", "%7D")
    head = example.request(path, "HEAD")
    assert head.headers["content-length"] == got.headers["content-length"]
    assert head.headers["etag"] == got.headers["etag"]


READABLE = [
    *("/sparql", "/graphs?default", "/graph/agents", "/about/ana", "/", "/.well-known/void"),
    *("/api/queries", "/api/queries/contradictions", "/openapi.json"),
    *("/health", "/ready", "/metrics", "/nothing", "/ana"),
    *("/sparql?query=ASK", "/api/queries/claims-by", "/api/queries/nothing", "/graphs"),
    *("/api/queries/speakers?per_page=1", "/api/queries/speakers?page=0", "/api/queries/%0A"),
]


@pytest.mark.parametrize("path", READABLE)
def test_head_is_get_without_its_content(example: Server, path: str) -> None:
    got, head = example.request(path), example.request(path, "HEAD")
    assert (head.status, head.body) == (got.status, b"")
    changing = {"date", "content-length"} if path == "/metrics" else {"date"}
    for name in set(got.headers) - changing:
        assert head.headers[name] == got.headers[name], name


@pytest.mark.parametrize("path", READABLE[:9])
def test_a_page_elsewhere_may_read_it(example: Server, path: str) -> None:
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    before = example.request(path, "OPTIONS", None, asked)
    assert before.status == 204
    assert "GET" in before.headers["access-control-allow-methods"]
    reply = example.request(path, headers={"Origin": "https://a.example"})
    for told in (before, reply):
        assert told.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in told.headers


def test_what_an_answer_depends_on_is_told(example: Server) -> None:
    first = example.query(SELECT)
    for reply in (
        first,
        example.query(SELECT, If_None_Match=first.headers["etag"]),
        example.query(CONSTRUCT, Accept_Encoding="gzip"),
        example.query("SELECT (RAND() AS ?x) {}"),
        example.post(SELECT),
        example.request("/about/ana"),
        example.request("/graph/agents"),
        example.request("/.well-known/void"),
        example.request("/api/queries/contradictions"),
    ):
        assert reply.headers["vary"] == "Accept, Accept-Encoding"
        assert "cache-control" in reply.headers
    assert example.request("/ana").headers["vary"] == "Accept"
    assert first.headers["cache-control"] == "public, max-age=0, must-revalidate"


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_codings(example: Server, coding: str) -> None:
    plain = example.query(CONSTRUCT)
    packed = example.query(CONSTRUCT, Accept_Encoding=coding)
    assert packed.headers["content-encoding"] == coding
    assert len(packed.body) < len(plain.body) / 2
    unpack = {
        "gzip": gzip.decompress,
        "br": brotli.decompress,
        "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    }
    assert unpack[coding](packed.body) == plain.body
    assert "accept-encoding" in packed.headers["vary"].lower()


def test_an_answer_that_has_not_changed_is_304(example: Server) -> None:
    first = example.query(SELECT)
    again = example.query(SELECT, If_None_Match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert example.query(SELECT, If_None_Match='W/"other"').status == 200
    other = example.query(SELECT, Accept="text/csv", If_None_Match=first.headers["etag"])
    assert other.status == 200, "another format is another answer"


def test_what_changes_by_itself_is_not_kept(example: Server) -> None:
    asked = "SELECT (STRUUID() AS ?x) {}"
    first, second = example.query(asked), example.query(asked)
    assert first.body != second.body
    assert "etag" not in first.headers
    assert first.headers["cache-control"] == "no-store"


def test_an_answer_is_cached(example: Server) -> None:
    asked = "SELECT (1 AS ?cached) {}"
    example.query(asked)
    before = example.metric("kg_cache_hits_total")
    assert example.query(asked).status == 200
    assert example.metric("kg_cache_hits_total") == before + 1


def test_the_dataset(example: Server) -> None:
    everything = example.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }").rows[0]["n"]
    graphs = [row["g"] for row in example.query("SELECT DISTINCT ?g { GRAPH ?g {} }").rows]
    assert len(graphs) > 3
    counts = [
        int(example.query(f"SELECT (COUNT(*) AS ?n) FROM <{g}> {{ ?s ?p ?o }}").rows[0]["n"])
        for g in graphs
    ]
    assert all(counts)
    assert max(counts) < int(everything)
    count = {"query": "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "default-graph-uri": graphs[0]}
    assert int(example.form(**count).rows[0]["n"]) == counts[0]
    listed = {"query": "SELECT DISTINCT ?g { GRAPH ?g {} }", "named-graph-uri": graphs[1]}
    assert example.form(**listed).rows == [{"g": graphs[1]}]


@pytest.mark.parametrize("iri", ["", "x", "//x/y", "#x", "graph/agents", "_:b", "<urn:x>", "a b:"])
def test_a_graph_that_is_named_by_no_absolute_iri(example: Server, iri: str) -> None:
    for name in ("default-graph-uri", "named-graph-uri"):
        text = "SELECT * { ?s ?p ?o }"
        by_form = example.form(**{"query": text, name: iri})
        by_get = example.request("/sparql?" + urlencode({"query": text, name: iri}))
        for reply in (by_form, by_get):
            assert reply.status == 400
            assert name in [one["parameter"] for one in reply.json()["errors"]]
    reply = example.request("/graphs?" + urlencode({"graph": iri}))
    assert (reply.status, reply.json()["errors"][0]["parameter"]) == (400, "graph")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/sparql?query=ASK%7B", {}, 400),
        ("GET", "/sparql?query=ASK%7B%7D&query=ASK%7B%7D", {}, 400),
        ("GET", "/sparql?nothing=1", {}, 400),
        ("GET", "/sparql?query=%FF", {}, 400),
        ("GET", "/sparql?query=ASK%7B%7D&default-graph-uri=no%20iri", {}, 400),
        ("POST", "/sparql", {"Content-Type": "text/plain"}, 415),
        ("POST", "/sparql", {}, 415),
        ("POST", "/sparql", {"Content-Type": "application/sparql-query; charset=utf-16"}, 415),
        ("POST", "/sparql", {"Content-Type": "application/sparql-update"}, 403),
        ("PUT", "/sparql", {}, 403),
        ("DELETE", "/sparql", {}, 403),
        ("PATCH", "/graphs?default", {}, 403),
        ("POST", "/graphs?default", {}, 403),
        ("PUT", "/graphs?graph=http://a.example/", {}, 403),
        ("DELETE", "/api/queries/contradictions", {}, 403),
        ("GET", "/sparql?update=DROP%20ALL", {}, 403),
        ("GET", "/sparql?query=DROP%20ALL", {}, 403),
        ("TRACE", "/sparql", {}, 405),
        ("GET", "/graphs", {}, 400),
        ("GET", "/graphs?graph=relative", {}, 400),
        ("GET", "/graphs?graph=http://a.example/none", {}, 404),
        ("GET", "/nowhere\\..", {}, 400),
        ("GET", "/a%0Ab", {}, 404),
        ("GET", "/a%0D%0ASet-Cookie:%20a", {}, 404),
        ("GET", "*", {}, 404),
    ],
)
def test_refusals_have_one_shape(
    example: Server, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    reply = example.request(path, method, b"query=ASK{}" if method == "POST" else None, headers)
    assert reply.status == status
    assert reply.headers["content-type"] == "application/problem+json"
    told = reply.json()
    assert set(told) == {"type", "title", "status", "detail", "errors"}
    assert told["status"] == status
    if status == 404:
        assert told["title"] == "Not Found", "the same for all errors of the kind"
    if status == 403:
        assert "kg build" in told["detail"]


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/sparql%0A?query=ASK%7B%7D",
            "/sparql/%0A?query=ASK%7B%7D",
            "/sparql%0d%0A",
            "/%0Asparql",
        ),
        *("/sparql%2F?query=ASK%7B%7D", "/sparql%00?query=ASK%7B%7D", "/sparql%7F?query=ASK%7B%7D"),
        *("/graphs%0A?default", "/.well-known/void%0A", "/.well-known%2fvoid", "/openapi.json%0A"),
        *("/api/queries%0A", "/api%2Fqueries", "/api/queries/contradictions%0A"),
        *("/health%0A", "/ready%0a", "/metrics%0A", "/%0A", "/about/ana%0A", "/graph/agents%0A"),
    ],
)
def test_an_address_is_no_other_with_an_escaped_line_end_or_slash(
    example: Server, path: str
) -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        reply = example.request(path, method)
        assert reply.status == (204 if method == "OPTIONS" else 404), method
    assert example.request(path).headers["content-type"] == "application/problem+json"
    for method in ("POST", "PUT", "DELETE"):
        assert example.request(path, method).status == 403, method
    assert example.request("/sp%61rql?query=ASK%7B%7D").json()["boolean"] is True


def test_every_response_forbids_sniffing_and_scripts(example: Server) -> None:
    paths = ["/sparql", "/sparql?query=ASK%7B", "/health", "/about/ana", "/ana", "/api/queries"]
    for path in [*paths, "/openapi.json", "/metrics", "/graphs?default", "/%00", "/<script>"]:
        reply = example.request(path)
        assert reply.headers["x-content-type-options"] == "nosniff", path
        assert "default-src 'none'" in reply.headers["content-security-policy"], path
        assert reply.headers["access-control-allow-origin"] == "*", path
        assert b"<script" not in reply.body, path


def test_options_and_cors(example: Server) -> None:
    assert example.request("*", "OPTIONS").status == 204
    reply = example.request("/sparql", "OPTIONS", None, {"Origin": "https://a.example"})
    assert reply.status == 204
    assert "QUERY" in reply.headers["allow"]
    assert "PUT" not in reply.headers["access-control-allow-methods"]


def test_curl_reads_it(example: Server) -> None:
    done = subprocess.run(
        [
            *("curl", "-sf", "--compressed", "-H", "Accept: text/csv", "--data-urlencode"),
            *("query=SELECT ?s { ?s a foaf:Person } ORDER BY ?s", example.sparql),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[0] == "s"
    assert "/ana" in done.stdout


def test_curl_sees_that_an_answer_broke_off(tmp_path: Path, serve_store: Serve) -> None:
    root = publish(tmp_path / "store", numbers(3000))
    server = serve_store(root, workers=1, rows=50_000, timeout=PATIENCE)
    asked = "query=SELECT * { ?a ?b ?c . ?d ?e ?f }"
    for more in ([], ["--compressed"], ["--http1.0"]):
        command = ["curl", "-sf", *more, "-o", "/dev/null", "--data-urlencode", asked]
        done = subprocess.run([*command, server.sparql], check=False)
        # A part of a file; or, where nothing had been sent, an error.
        assert done.returncode in ({18, 22} if more else {18})


def test_sparqlwrapper_reads_it(example: Server) -> None:
    wrapper = pytest.importorskip("SPARQLWrapper")
    asked = wrapper.SPARQLWrapper(example.sparql)
    asked.setReturnFormat(wrapper.JSON)
    asked.setQuery(SELECT)
    assert len(asked.queryAndConvert()["results"]["bindings"]) == 20
    asked.setMethod(wrapper.POST)
    assert len(asked.queryAndConvert()["results"]["bindings"]) == 20
    asked.setQuery(CONSTRUCT)
    asked.setReturnFormat(wrapper.TURTLE)
    assert b"@prefix" in asked.queryAndConvert()


def test_rdflib_reads_it(example: Server) -> None:
    from rdflib import Graph
    from rdflib.plugins.stores.sparqlstore import SPARQLStore

    graph = Graph(SPARQLStore(example.sparql, returnFormat="json"))
    assert len(list(graph.query(SELECT))) == 20
    assert (None, None, None) in graph


def test_the_remote_engine_reads_it(example: Server) -> None:
    from kg.engine import Rows
    from kg.remote import RemoteEngine

    pytest.importorskip("SPARQLWrapper")
    answer = RemoteEngine(example.sparql).query(SELECT)
    assert isinstance(answer, Rows)
    assert len(list(answer.rows)) == 20


def test_health_and_readiness(example: Server) -> None:
    assert example.request("/health").json() == {"status": "ok"}
    assert example.request("/ready").json()["status"] == "ready"


def test_no_query_is_told_by_metrics_or_log(example: Server) -> None:
    assert example.query("SELECT (1 AS ?telltale) {}").status == 200
    assert "telltale" not in example.metrics()
    assert "telltale" not in example.log.read_text()
    lines = [json.loads(line) for line in example.log.read_text().splitlines() if line[:1] == "{"]
    asked = [line for line in lines if line["path"] == "/sparql"]
    assert {"seconds", "rows", "outcome", "status"} <= set(asked[-1])


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_options_of_what_those_look_at_who_run_it(example: Server, path: str) -> None:
    reply = example.request(path, "OPTIONS")
    assert reply.status == 204
    assert reply.headers["allow"] == "GET, HEAD, OPTIONS"
    assert example.request(path, "HEAD").status == 200
    assert example.request(path, "PUT").status == 403
    assert example.request(path, "PURGE").status in (400, 405)


def test_any_answer_at_all_is_not_wanted(example: Server) -> None:
    for text in ("ASK {}", "SELECT (RAND() AS ?x) {}", "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }"):
        for _ in range(2):  # the second may come from the cache
            reply = example.query(text, If_None_Match="*")
            assert (reply.status, reply.body) == (304, b"")
        assert example.query(text).headers.get("etag") == reply.headers.get("etag")
        assert example.post(text, If_None_Match="*").status == 200
    # Where there is no answer there is nothing to leave out.
    assert example.query("ASK {", If_None_Match="*").status == 400


@pytest.mark.parametrize(
    "text", ["ASK { SERVICE <http://s.example/> { ?s ?p ?o } }", "SELECT ?x { FILTER(", "ASK {}}"]
)
def test_what_is_wrong_and_how_to_mend_it_are_sentences(example: Server, text: str) -> None:
    detail = example.query(text).json()["detail"]
    assert detail.endswith(".")
