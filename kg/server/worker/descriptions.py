"""What the endpoint says of itself in RDF, counted from the snapshot it answers from.

The service description follows https://www.w3.org/TR/sparql11-service-description/, the
description of the data https://www.w3.org/TR/void/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TextIO, cast

import pyoxigraph as ox

from kg.embedded import EmbeddedEngine
from kg.engine import Rows, Triples
from kg.errors import FormatError
from kg.namespaces import PREFIXES, expand
from kg.results import write_triples
from kg.server.worker.evaluate import Binary, Bounds, Job, Open, not_acceptable, unfit

_SD = "http://www.w3.org/ns/sparql-service-description#"
_FORMATS = "http://www.w3.org/ns/formats/"
_RESULTS = ("SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV")
_GRAPHS = ("Turtle", "TriG", "N-Triples", "N-Quads", "JSON-LD", "RDF_XML")
_WELL_KNOWN = ".well-known/void"

Node = ox.NamedNode | ox.Literal


def run(engine: EmbeddedEngine, job: Job, bounds: Bounds, open_output: Open) -> None:
    """Send a description: the service's, or with ``void`` in the job the data's.

    The job has ``endpoint``, the address that queries go to, ``home``, the address of the server,
    ``base`` and ``title``. Raises ``RefusedError`` (406).
    """
    if job["graph"] is None:
        raise not_acceptable(True)
    media, format = job["graph"]
    output = open_output({"type": media, "cacheable": True})
    triples = Triples(_void(engine, job) if job.get("void") else _service(engine, job))
    try:
        written = write_triples(triples, format, cast(TextIO, Binary(output)))
    except FormatError as error:
        raise unfit(error, True) from None
    output.close({"rows": written.count})


def _service(engine: EmbeddedEngine, job: Job) -> Iterator[ox.Triple]:
    service = ox.NamedNode(job["endpoint"])
    dataset, union = _part(service, "dataset"), _part(service, "union")
    yield _say(service, "rdf:type", _sd("Service"))
    yield _say(service, _sd("endpoint"), service)
    yield _say(service, _sd("supportedLanguage"), _sd("SPARQL11Query"))
    yield _say(service, _sd("feature"), _sd("UnionDefaultGraph"))
    if job.get("services"):
        yield _say(service, _sd("feature"), _sd("BasicFederatedQuery"))
    # What was derived is in a graph of its own; nothing is inferred while a query runs.
    yield _say(
        service,
        _sd("defaultEntailmentRegime"),
        ox.NamedNode("http://www.w3.org/ns/entailment/Simple"),
    )
    for format in _RESULTS + _GRAPHS:
        yield _say(service, _sd("resultFormat"), ox.NamedNode(_FORMATS + format))
    yield _say(service, _sd("defaultDataset"), dataset)
    yield _say(dataset, "rdf:type", _sd("Dataset"))
    yield _say(dataset, "dcterms:title", ox.Literal(job["title"]))
    yield _say(dataset, _sd("defaultGraph"), union)
    yield _say(union, "rdf:type", _sd("Graph"))
    yield _say(union, "void:triples", _count(engine, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"))
    for number, (name, count) in enumerate(_graphs(engine), start=1):
        named, graph = _part(service, f"named-{number}"), _part(service, f"graph-{number}")
        yield _say(dataset, _sd("namedGraph"), named)
        yield _say(named, "rdf:type", _sd("NamedGraph"))
        yield _say(named, _sd("name"), name)
        yield _say(named, _sd("graph"), graph)
        yield _say(graph, "rdf:type", _sd("Graph"))
        yield _say(graph, "void:triples", count)


def datasets(home: str, disputes: Iterable[tuple[str, str, str]]) -> Iterator[ox.Triple]:
    """Describe the data of several disputes on the server at ``home``, each in a few words.

    A dispute is given by its address there, the base of its names, and its title; what is counted
    stands in its own description.
    """
    about = ox.NamedNode(home + _WELL_KNOWN)
    yield _say(about, "rdf:type", ox.NamedNode(expand("void:DatasetDescription")))
    for address, base, title in disputes:
        own = ox.NamedNode(address + _WELL_KNOWN)
        dataset = _part(own, "dataset")
        yield _say(about, "foaf:topic", dataset)
        yield from _dataset(dataset, base, title, address + "sparql")
        yield _say(dataset, "rdfs:seeAlso", own)


def _dataset(dataset: ox.NamedNode, base: str, title: str, endpoint: str) -> Iterator[ox.Triple]:
    yield _say(dataset, "rdf:type", ox.NamedNode(expand("void:Dataset")))
    yield _say(dataset, "dcterms:title", ox.Literal(title))
    yield _say(dataset, "void:sparqlEndpoint", ox.NamedNode(endpoint))
    yield _say(dataset, "void:uriSpace", ox.Literal(base))
    yield _say(dataset, "void:rootResource", ox.NamedNode(base))


def _void(engine: EmbeddedEngine, job: Job) -> Iterator[ox.Triple]:
    about = ox.NamedNode(job["home"] + _WELL_KNOWN)
    dataset = _part(about, "dataset")
    yield _say(about, "rdf:type", ox.NamedNode(expand("void:DatasetDescription")))
    yield _say(about, "foaf:primaryTopic", dataset)
    yield from _dataset(dataset, job["base"], job["title"], job["endpoint"])
    for format in _GRAPHS:
        yield _say(dataset, "void:feature", ox.NamedNode(_FORMATS + format))
    for term, query in (
        ("void:triples", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"),
        ("void:distinctSubjects", "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s ?p ?o }"),
        ("void:distinctObjects", "SELECT (COUNT(DISTINCT ?o) AS ?n) { ?s ?p ?o }"),
        ("void:properties", "SELECT (COUNT(DISTINCT ?p) AS ?n) { ?s ?p ?o }"),
        ("void:classes", "SELECT (COUNT(DISTINCT ?c) AS ?n) { ?s a ?c }"),
    ):
        yield _say(dataset, term, _count(engine, query))
    for namespace in sorted(PREFIXES.values()):
        if _uses(engine, namespace):
            yield _say(dataset, "void:vocabulary", ox.NamedNode(namespace))
    for name, count in _graphs(engine):
        yield _say(dataset, "void:subset", name)
        yield _say(name, "rdf:type", ox.NamedNode(expand("void:Dataset")))
        yield _say(name, "void:triples", count)


def _graphs(engine: EmbeddedEngine) -> Iterator[tuple[ox.NamedNode, ox.Literal]]:
    answer = engine.query(
        "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g ORDER BY ?g"
    )
    assert isinstance(answer, Rows)
    for name, count in answer.rows:
        if isinstance(name, ox.NamedNode) and isinstance(count, ox.Literal):
            yield name, count


def _count(engine: EmbeddedEngine, query: str) -> ox.Literal:
    answer = engine.query(query)
    assert isinstance(answer, Rows)
    count = next(answer.rows)[0]
    assert isinstance(count, ox.Literal)
    return count


def _uses(engine: EmbeddedEngine, namespace: str) -> bool:
    return bool(
        engine.query(
            "ASK { { SELECT DISTINCT ?p { ?s ?p ?o } }"
            f' FILTER(STRSTARTS(STR(?p), "{namespace}")) }}'
        )
    )


def _say(subject: ox.NamedNode, predicate: str | ox.NamedNode, object: Node) -> ox.Triple:
    name = ox.NamedNode(expand(predicate)) if isinstance(predicate, str) else predicate
    return ox.Triple(subject, name, object)


def _sd(name: str) -> ox.NamedNode:
    return ox.NamedNode(_SD + name)


def _part(whole: ox.NamedNode, name: str) -> ox.NamedNode:
    return ox.NamedNode(f"{whole.value}#{name}")
