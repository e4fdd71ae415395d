"""The prefixes used everywhere: in sources, stored queries, output and Python."""

from __future__ import annotations

KG = "https://w3id.org/counterclaim/ns#"
# The vocabulary's own named graph.
ONTOLOGY_GRAPH = "https://w3id.org/counterclaim/ns"

PREFIXES: dict[str, str] = {
    "kg": KG,
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "sh": "http://www.w3.org/ns/shacl#",
    "prov": "http://www.w3.org/ns/prov#",
    "oa": "http://www.w3.org/ns/oa#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "doap": "http://usefulinc.com/ns/doap#",
    "void": "http://rdfs.org/ns/void#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "edtf": "http://id.loc.gov/datatypes/edtf/",
}


def expand(name: str) -> str:
    """Return the IRI of a prefixed name such as ``kg:Assertion``.

    Raises ``KeyError`` for a prefix that is not in ``PREFIXES``.
    """
    prefix, _, local = name.partition(":")
    return PREFIXES[prefix] + local


def shorten(iri: str, base: str | None = None) -> str:
    """Return the shortest readable name of an IRI: local to ``base``, prefixed, or itself."""
    if base and iri.startswith(base) and len(iri) > len(base):
        return iri[len(base) :]
    for prefix, namespace in PREFIXES.items():
        if iri.startswith(namespace) and len(iri) > len(namespace):
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri
