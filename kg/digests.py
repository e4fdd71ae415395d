"""Fingerprints: of the files that go into a snapshot, of what they state, of what comes out."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.metadata import version

import pyoxigraph as ox

from kg import __version__
from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine
from kg.settings import shipped
from kg.sources import Statements, fingerprint, ontology_source
from kg.stored_query import read_text, stored_paths


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
    return quads_digest(engine.quads())


def quads_digest(quads: Iterable[ox.Quad]) -> str:
    """Return the SHA-256 of quads, as ``content_digest`` does."""
    plain: list[ox.Quad] = []
    blank: list[ox.Quad] = []
    for quad in quads:
        has_blank = isinstance(quad.subject, ox.BlankNode) or isinstance(quad.object, ox.BlankNode)
        (blank if has_blank else plain).append(quad)
    dataset = ox.Dataset(blank)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    data = ox.serialize([*plain, *dataset], format=ox.RdfFormat.N_QUADS)
    assert data is not None  # it is, without an output to write to
    return hashlib.sha256(b"\n".join(sorted(data.splitlines()))).hexdigest()


class StatedDigest:
    """The SHA-256 of what sources state, taken while they are loaded.

    To read a large store back costs as much as to fill it. What is derived follows from what is
    stated, the rules and the program, so these name the whole.
    """

    def __init__(self) -> None:
        self.graphs: dict[str, str] = {}

    def add(self, graph: str, stated: Statements) -> None:
        """Count in all that one graph states.

        The order of lines, and the names of blank nodes, make no difference.
        """
        self.graphs[graph] = _of_lines(stated)

    def with_rules(self, dispute: Dispute, derived: Mapping[str, int]) -> str:
        """Return the digest of the graphs so far and of what a dispute's rules make of them.

        ``derived`` gives the triples of each rule; should the program change without its version,
        other numbers will mostly show it. Raises ``QueryError``.
        """
        parts = [f"counterclaim {__version__}"]
        parts += [f"{name} {version(name)}" for name in ("pyoxigraph", "edtf")]
        parts += [f"graph {name} {value}" for name, value in sorted(self.graphs.items())]
        # They have been loaded, and so are well-formed.
        rules = stored_paths(dispute, "derive").items()
        parts += [f"rule {name} {_sha256(read_text(path))}" for name, path in rules]
        parts += [f"derived {name} {count}" for name, count in sorted(derived.items())]
        return _sha256("\n".join(parts))


def _of_lines(stated: Statements) -> str:
    """Hash sorted lines; those of a blank node together, with one name for all blank nodes.

    This tells graphs apart exactly when no blank node points to another; where one does, the
    lines with blank nodes are canonicalized by RDFC-1.0.
    """
    # In their order, in which they are nearly sorted, and what follows the last line break.
    plain = dict.fromkeys(stated.lines.split(b"\n"))
    for line in (*stated.blank, b""):
        plain.pop(line, None)
    whole = [*sorted(plain), b"", *_blank_lines(stated.blank)]
    return hashlib.sha256(b"\n".join(whole)).hexdigest()


def _blank_lines(lines: list[bytes]) -> list[bytes]:
    about: dict[bytes, set[bytes]] = defaultdict(set)
    for line in lines:
        subject, predicate, object = line.split(b" ", 2)
        if object.startswith(b"_:"):
            if subject.startswith(b"_:"):
                return _canonical(lines)
            about[object.removesuffix(b" .")].add(b"%b %b _:" % (subject, predicate))
        else:
            about[subject].add(b"_: %b %b" % (predicate, object))
    return sorted(b"\t".join(sorted(said)) for said in about.values())


def _canonical(lines: list[bytes]) -> list[bytes]:
    triples = ox.parse(b"\n".join(lines), format=ox.RdfFormat.N_TRIPLES)
    dataset = ox.Dataset(ox.Quad(t.subject, t.predicate, t.object) for t in triples)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(str(quad).encode("utf-8", "surrogatepass") for quad in dataset)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
