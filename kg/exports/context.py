"""The JSON-LD context of the vocabulary, made from ``ontology/kg.ttl``.

``python -m kg.exports.context`` writes ``ontology/context.jsonld`` anew. With it, a JSON document
may say ``speaker`` for ``kg:speaker``; what points to a thing is read as an IRI, and what has a
datatype gets it (https://www.w3.org/TR/json-ld11/#type-coercion).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from kg.namespaces import KG, PREFIXES, expand, shorten
from kg.settings import shipped
from kg.shacl import shape_files
from kg.shacl.files import read_rdf
from kg.sources import ontology_source, read_source
from kg.whole_file import write_whole

_LANGUAGE = {"@container": "@language"}

# Terms of other vocabularies that statements are made of, and how their values are read.
BORROWED: dict[str, str | dict[str, str]] = {
    "id": "@id",
    "type": "@type",
    "label": {"@id": "rdfs:label", **_LANGUAGE},
    "name": "foaf:name",
    "title": "dcterms:title",
    "creator": {"@id": "dcterms:creator", "@type": "@id"},
    "subject": {"@id": "rdf:subject", "@type": "@id"},
    "predicate": {"@id": "rdf:predicate", "@type": "@vocab"},
    "object": "rdf:object",
    "hasTarget": {"@id": "oa:hasTarget", "@type": "@id"},
    "hasSource": {"@id": "oa:hasSource", "@type": "@id"},
    # A selector has no name: it stands inside the passage, so no IRI is ever read here.
    "hasSelector": "oa:hasSelector",
    "TextPositionSelector": "oa:TextPositionSelector",
    "SpecificResource": "oa:SpecificResource",
    "start": {"@id": "oa:start", "@type": "xsd:integer"},
    "end": {"@id": "oa:end", "@type": "xsd:integer"},
    "wasGeneratedBy": {"@id": "prov:wasGeneratedBy", "@type": "@id"},
    "wasDerivedFrom": {"@id": "prov:wasDerivedFrom", "@type": "@id"},
    "wasAssociatedWith": {"@id": "prov:wasAssociatedWith", "@type": "@id"},
}


def context(vocabulary: Iterable[ox.Quad], shapes: Iterable[ox.Quad]) -> dict[str, Any]:
    """Return the context document: prefixes, borrowed terms, then the vocabulary's own by name.

    ``shapes`` tell which properties have a list of values to choose from.
    """
    chosen = _chosen(shapes)
    statements: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for quad in vocabulary:
        if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.NamedNode):
            statements[quad.subject.value][quad.predicate.value].append(quad.object.value)
    terms: dict[str, Any] = {}
    for iri, said in sorted(statements.items()):
        name = iri.removeprefix(KG)
        if name == iri or not said[expand("rdf:type")]:
            continue
        assert name not in BORROWED, f"kg:{name} and a borrowed term have one name"
        terms[name] = _definition(name, said, iri in chosen)
    prefixes = {prefix: PREFIXES[prefix] for prefix in sorted(PREFIXES)}
    return {"@context": {"@version": 1.1, **prefixes, **BORROWED, **terms}}


def text(document: dict[str, Any]) -> str:
    """Return a context document as it is written to the file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def generated() -> str:
    """Return what the file should hold."""
    shapes = [quad for path in shape_files() for quad in read_rdf(path)]
    return text(context(read_source(ontology_source()), shapes))


def main() -> None:
    """Write ``ontology/context.jsonld``."""
    write_whole([generated().encode("utf-8")], context_file())


def context_file() -> Path:
    """Return where the context lies."""
    return shipped("ontology") / "context.jsonld"


def _definition(name: str, said: dict[str, list[str]], chosen: bool) -> str | dict[str, str]:
    prefixed = f"kg:{name}"
    kinds, ranges = said[expand("rdf:type")], said[expand("rdfs:range")]
    if expand("owl:ObjectProperty") in kinds:
        # A value to choose may be written by its name, such as "Fact"; a thing's name must not be
        # taken for a term, so it is an IRI.
        return {"@id": prefixed, "@type": "@vocab" if chosen else "@id"}
    if expand("owl:DatatypeProperty") in kinds and ranges != [expand("xsd:string")]:
        # What has no datatype is text for readers: {"en": "…"}.
        return {"@id": prefixed, **({"@type": shorten(ranges[0])} if ranges else _LANGUAGE)}
    return prefixed  # a JSON string is an xsd:string already


def _chosen(shapes: Iterable[ox.Quad]) -> set[str]:
    """Return the properties whose values a shape lists (``sh:in``) and are IRIs."""
    objects = {(quad.subject, quad.predicate.value): quad.object for quad in shapes}
    found = set()
    for (shape, predicate), values in objects.items():
        if predicate == expand("sh:in") and isinstance(values, ox.BlankNode):
            path = objects.get((shape, expand("sh:path")))
            first = objects.get((values, expand("rdf:first")))
            if isinstance(path, ox.NamedNode) and isinstance(first, ox.NamedNode):
                found.add(path.value)
    return found


if __name__ == "__main__":
    main()
