"""Two fingerprints: of the files that go into a snapshot, and of what comes out."""

from __future__ import annotations

import hashlib

import pyoxigraph as ox

from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine
from kg.settings import shipped
from kg.sources import fingerprint, ontology_source


def inputs_of(dispute: Dispute) -> dict[str, str]:
    """Return the SHA-256 of every file that decides what a snapshot holds. Raises ``SourceError``.

    These are the sources, the vocabulary, the shapes, and the derivations and checks of the
    project and of the dispute; not the queries that people ask.
    """
    files = {f"dispute/{source.name}.ttl": source.path for source in dispute.sources}
    files["ontology/kg.ttl"] = ontology_source().path
    for path in shipped("ontology").glob("shapes/*.ttl"):
        files[f"ontology/shapes/{path.name}"] = path
    for owner, folder in (("queries", shipped("queries")), ("own", dispute.folder / "queries")):
        for kind in ("derive", "check"):
            for path in folder.glob(f"{kind}/*.rq"):
                files[f"{owner}/{kind}/{path.name}"] = path
    return {name: fingerprint(files[name]) for name in sorted(files)}


def content_digest(engine: EmbeddedEngine) -> str:
    """Return the SHA-256 of an engine's content, whatever the names of its blank nodes.

    The hash runs over the sorted N-Quads lines of the dataset after RDFC-1.0
    (https://www.w3.org/TR/rdf-canon/). A blank node's canonical name depends on the quads that
    mention it alone, so only those are canonicalized.
    """
    plain: list[ox.Quad] = []
    blank: list[ox.Quad] = []
    for quad in engine.quads():
        has_blank = isinstance(quad.subject, ox.BlankNode) or isinstance(quad.object, ox.BlankNode)
        (blank if has_blank else plain).append(quad)
    dataset = ox.Dataset(blank)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    data = ox.serialize([*plain, *dataset], format=ox.RdfFormat.N_QUADS)
    assert data is not None  # it is, without an output to write to
    return hashlib.sha256(b"\n".join(sorted(data.splitlines()))).hexdigest()
