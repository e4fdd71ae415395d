"""The W3C's test suites of SPARQL 1.1 for protocol, graph store and service description.

All query tests and all reading tests must pass. What writes is refused by design: each such
request is sent, must end in 4xx, and must leave the data as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email import message_from_string
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyoxigraph as ox
import pytest
from rdflib import RDF, Dataset, Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.compare import isomorphic
from rdflib.term import Node

from .conftest import BASE, SHARED, Reply, Serve, Server, publish, wait_for

pytestmark = pytest.mark.shared

MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
HT = Namespace("http://www.w3.org/2011/http#")
CNT = Namespace("http://www.w3.org/2011/content#")
SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
DATA = "http://kasei.us/2009/09/sparql/data/data{}.rdf"
SUITES = SHARED / "w3c" / "sparql11"

# Updates, which this endpoint refuses whatever else is right or wrong with them.
REFUSED = {
    "update_base_uri",
    "update_dataset_default_graph",
    "update_dataset_default_graphs",
    "update_dataset_full",
    "update_dataset_named_graphs",
    "update_post_direct",
    "update_post_form",
}


@dataclass
class Request:
    """A request of a manifest, and what the response must be."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None
    statuses: set[str]
    boolean: bool | None = None
    format: str | None = None
    content: str | None = None
    media: str | None = None


@dataclass
class Case:
    """A test of a manifest."""

    name: str
    requests: list[Request] = field(default_factory=list)


def cases(*path: str) -> list[Case]:
    """The tests of a manifest, in its order; none where the suites are missing."""
    file = SUITES.joinpath(*path)
    if not file.is_file():
        return []
    graph = Graph().parse(file, format="turtle")
    (head,) = graph.objects(None, MF.entries)
    return [
        Case(
            str(entry).rpartition("#")[2],
            [read(graph, request) for request in requests(graph, entry)],
        )
        for entry in Collection(graph, head)
    ]


def requests(graph: Graph, entry: Node) -> list[Node]:
    action = graph.value(entry, MF.action)
    head = graph.value(action, HT.requests) if action else None
    return list(Collection(graph, head)) if head else []


def read(graph: Graph, node: Node) -> Request:
    response = graph.value(node, HT.resp)
    statuses = {str(s).rpartition("#")[2] for s in graph.objects(response, MF.expectedStatus)}
    boolean = graph.value(response, MF.expectedBoolean)
    body = graph.value(node, HT.body)
    data = None
    if body is not None:
        encoding = str(graph.value(body, CNT.characterEncoding))
        data = str(graph.value(body, CNT.chars)).encode(encoding)
    answer = graph.value(response, HT.body)
    return Request(
        method=str(graph.value(node, HT.methodName)),
        path=str(graph.value(node, HT.absolutePath)),
        headers=headers(graph, node),
        body=data,
        statuses=statuses,
        boolean=None if boolean is None else bool(boolean.toPython()),
        format=text(graph.value(response, MF.expectedFormat)),
        content=text(graph.value(answer, CNT.chars)) if answer else None,
        media=headers(graph, response).get("content-type"),
    )


def headers(graph: Graph, node: Node | None) -> dict[str, str]:
    head = graph.value(node, HT.headers)
    found = Collection(graph, head) if head else []
    return {str(graph.value(h, HT.fieldName)): str(graph.value(h, HT.fieldValue)) for h in found}


def text(node: Node | None) -> str | None:
    return None if node is None else str(node)


def send(server: Server, request: Request) -> Reply:
    return server.request(request.path, request.method, request.body, request.headers)


def has_status(reply: Reply, statuses: set[str]) -> bool:
    names = {200: "OK", 201: "Created", 204: "NoContent", 404: "NotFound"}
    return bool({f"StatusCode{reply.status // 100}xx", names.get(reply.status)} & statuses)


def has_format(reply: Reply, format: str) -> bool:
    media = reply.headers["content-type"].partition(";")[0]
    if format == "RDF":
        return media in ("text/turtle", "application/rdf+xml", "application/n-triples")
    return media in ("application/sparql-results+json", "application/sparql-results+xml") or (
        format == "tabular" and media in ("text/csv", "text/tab-separated-values")
    )


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory, serve_store: Serve) -> Server:
    """A server over the suite's three data files, each in the graph it is named for."""
    folder = tmp_path_factory.mktemp("w3c")
    quads = [
        ox.Quad(q.subject, q.predicate, q.object, ox.NamedNode(DATA.format(number)))
        for number in (1, 2, 3)
        for q in ox.parse(path=SUITES / "protocol" / f"data{number}.nt")
    ]
    return serve_store(publish(folder / "store", quads))


PROTOCOL = cases("protocol", "manifest.ttl")


def everything(server: Server) -> bytes:
    asked = "SELECT ?g ?s ?p ?o { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g ?s ?p ?o"
    return server.post(asked, Accept="application/sparql-results+json").body


@pytest.mark.parametrize("case", PROTOCOL, ids=lambda case: case.name)
def test_protocol(endpoint: Server, case: Case) -> None:
    before = everything(endpoint)
    for request in case.requests:
        reply = send(endpoint, request)
        if case.name in REFUSED:
            # Reading what was to be written finds nothing of it.
            if request.boolean is None:
                assert reply.status == 403
                assert "kg build" in reply.json()["detail"]
            else:
                assert reply.json()["boolean"] is False
            continue
        assert has_status(reply, request.statuses), (reply.status, request.statuses)
        if request.format:
            assert has_format(reply, request.format), reply.headers["content-type"]
        if request.boolean is not None:
            assert reply.json()["boolean"] is request.boolean
    assert everything(endpoint) == before


def test_the_manifest_was_read() -> None:
    if not SUITES.is_dir():
        pytest.skip(f"no suites at {SUITES}")
    assert len(PROTOCOL) == 34
    assert {case.name for case in PROTOCOL} >= REFUSED
    queries = ("query_", "bad_query_", "bad_multiple_queries")
    assert sum(case.name.startswith(queries) for case in PROTOCOL) == 20


GRAPH_STORE = [
    *cases("graph-store-protocol", "manifest-direct.ttl"),
    *cases("graph-store-protocol", "manifest-indirect.ttl"),
]


@pytest.mark.parametrize("case", GRAPH_STORE, ids=lambda case: case.name)
def test_graph_store(case: Case, tmp_path: Path, serve_store: Serve) -> None:
    """What a test writes is published instead, as a build would; what it reads must then be there.

    The server stands for ``www.example``: its base is ``http://www.example/gsp/``.
    """
    store = Dataset()
    server = serve_store(publish(tmp_path / "store", []), workers=1)
    for request in case.requests:
        path = request.path.replace("/gsp?", "/graphs?")
        name = graph_name(request.path)
        if request.method in ("PUT", "POST", "DELETE"):
            written = store.graph(URIRef(name))
            if request.method != "POST":
                store.remove_graph(written)
                written = store.graph(URIRef(name))
            if request.body and request.method != "DELETE":
                for part in parts_of(request):
                    written.parse(data=part, format=format_of(request))
            publish(tmp_path / "store", quads_of(store))
            refused = server.request(path, request.method, request.body, request.headers)
            assert refused.status == 403
            continue
        await_snapshot(server, tmp_path / "store")
        if "$LOCATION$" in path:
            path = "/graphs?graph=" + BASE + "new"
        reply = server.request(path, request.method, None, request.headers)
        assert has_status(reply, request.statuses), (path, reply.status, reply.text)
        if request.media:
            assert reply.headers["content-type"] == request.media
        if request.content and request.method == "GET":
            expected = Graph().parse(data=request.content, format="turtle")
            assert isomorphic(Graph().parse(data=reply.body, format="turtle"), expected)


def graph_name(path: str) -> str:
    parts = urlsplit(path)
    if not parts.query:
        # POST to the store itself makes a graph of a new name.
        return f"{BASE}new" if parts.path.rstrip("/") == "/gsp" else f"http://www.example{path}"
    named = parse_qs(parts.query, keep_blank_values=True)
    return named["graph"][0] if "graph" in named else "urn:x-default"


def parts_of(request: Request) -> list[str]:
    """The documents in a request: one, or those of a form with files."""
    assert request.body is not None
    media = request.headers.get("content-type", "")
    if not media.startswith("multipart/"):
        return [request.body.decode()]
    message = message_from_string(f"Content-Type: {media}\n\n{request.body.decode()}")
    return [part.get_payload() for part in message.walk() if not part.is_multipart()]


def format_of(request: Request) -> str:
    return "xml" if "xml" in request.headers.get("content-type", "") else "turtle"


def quads_of(store: Dataset) -> list[ox.Quad]:
    data = store.serialize(format="nquads", encoding="utf-8")
    return list(ox.parse(data, format=ox.RdfFormat.N_QUADS))


def await_snapshot(server: Server, folder: Path) -> None:
    digest = (folder / ".kg" / "current").readlink().name
    wait_for(lambda: server.request("/ready").json().get("snapshot") == digest)


def test_service_description(endpoint: Server) -> None:
    """The three tests: it is RDF, names this endpoint, and keeps to the schema."""
    reply = endpoint.request("/sparql", headers={"Accept": "text/turtle"})
    graph = Graph().parse(data=reply.body, format="turtle")
    service = URIRef(endpoint.sparql)
    assert (service, SD.endpoint, service) in graph
    assert (service, RDF.type, SD.Service) in graph
    (dataset,) = graph.objects(service, SD.defaultDataset)
    assert (dataset, RDF.type, SD.Dataset) in graph
    (union,) = graph.objects(dataset, SD.defaultGraph)
    assert (union, RDF.type, SD.Graph) in graph
    named = list(graph.objects(dataset, SD.namedGraph))
    assert {str(name) for n in named for name in graph.objects(n, SD.name)} == {
        DATA.format(number) for number in (1, 2, 3)
    }
    for node in named:
        assert (node, RDF.type, SD.NamedGraph) in graph
        (inner,) = graph.objects(node, SD.graph)
        assert (inner, RDF.type, SD.Graph) in graph
    for term in graph.objects(service, SD.supportedLanguage):
        assert term == SD.SPARQL11Query
    for property in (SD.feature, SD.resultFormat, SD.defaultEntailmentRegime):
        found = list(graph.objects(service, property))
        assert found
        assert not any(isinstance(term, Literal) for term in found)
    # Nothing but terms that the schema has.
    known = {"endpoint", "supportedLanguage", "feature", "resultFormat", "defaultEntailmentRegime"}
    known |= {"defaultDataset", "defaultGraph", "namedGraph", "name", "graph"}
    used = {str(p)[len(SD) :] for p in graph.predicates() if str(p).startswith(SD)}
    assert used <= known


def test_service_description_in_every_format(endpoint: Server) -> None:
    for media, format in (("application/rdf+xml", "xml"), ("application/ld+json", "json-ld")):
        reply = endpoint.request("/sparql", headers={"Accept": media})
        graph = Graph().parse(data=reply.body, format=format)
        assert (None, SD.endpoint, URIRef(endpoint.sparql)) in graph


def test_void(endpoint: Server) -> None:
    reply = endpoint.request("/.well-known/void")
    graph = Graph().parse(data=reply.body, format="turtle")
    void = Namespace("http://rdfs.org/ns/void#")
    (dataset,) = graph.subjects(RDF.type, void.DatasetDescription)
    assert [int(n.toPython()) for n in graph.objects(None, void.distinctSubjects)] == [3]
    assert (None, void.sparqlEndpoint, URIRef(endpoint.sparql)) in graph
    assert str(dataset).endswith("/.well-known/void")
