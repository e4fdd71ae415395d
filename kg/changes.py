"""What the sources say differently from the published snapshot, and an engine that says it.

Where the change means nothing to any derivation, the engine is a copy of the snapshot's store, in
which the graphs of files that changed are brought up to date; else everything is loaded and derived
anew. The snapshot itself is not touched.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox

from kg import __version__
from kg.derived_properties import derived_properties
from kg.digests import inputs_of
from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine
from kg.errors import SnapshotError
from kg.namespaces import ONTOLOGY_GRAPH
from kg.preparing import prepared
from kg.shacl.changed import Changed
from kg.shacl.keys import keys
from kg.shacl.pattern_reader import read_patterns
from kg.shacl.patterns import TooRichError
from kg.snapshot import current, open_snapshot, roots
from kg.sources import read_source
from kg.stored_query import catalogue
from kg.times import DATED

# The inputs of a snapshot that are sources of the dispute; the others judge or derive.
_SOURCE = "dispute/"


class NoBaselineError(Exception):
    """There is nothing that the sources can be compared with; the text says why."""


@dataclass(frozen=True)
class Changes:
    """An engine with the sources as they are now, and the quads that came and went since."""

    engine: EmbeddedEngine
    added: frozenset[ox.Quad]
    removed: frozenset[ox.Quad]


@contextmanager
def changes_since_snapshot(dispute: Dispute, jobs: int | None = None) -> Iterator[Changes]:
    """Compare the sources with the published snapshot, and derive anew what follows from them.

    The engine is closed, and its files removed, at the end of the ``with`` block. Raises
    ``NoBaselineError`` if no snapshot was built by this program with the vocabulary, shapes,
    checks and derivations of now, and whatever loading and deriving raise.
    """
    before, files = _baseline(dispute)
    try:
        _require_same_base(before, dispute)
        added, removed = _differences(before, dispute, files)
        if _derives_otherwise(before, dispute, added | removed):
            # Most of the work is to derive, which is several times quicker in memory.
            with prepared(dispute, jobs=jobs) as engine:
                graph = dispute.derived_graph
                now, then = _lines(engine, graph), _lines(before, graph)
                came, went = _quads(now - then, graph), _quads(then - now, graph)
                yield Changes(engine, frozenset(added | came), frozenset(removed | went))
        else:
            with _copy(before) as engine:
                engine.remove(removed)
                engine.add(added)
                yield Changes(engine, frozenset(added), frozenset(removed))
    finally:
        before.close()


@contextmanager
def _copy(engine: EmbeddedEngine) -> Iterator[EmbeddedEngine]:
    # In the folder for temporary files, where a store that was left behind is in nobody's way.
    with tempfile.TemporaryDirectory(prefix="kg-validate-") as folder:
        engine.backup(Path(folder) / "store")
        copy = EmbeddedEngine.create(Path(folder) / "store")
        try:
            yield copy
        finally:
            copy.close()


def _lines(engine: EmbeddedEngine, graph: str) -> set[bytes]:
    """Return a graph without blank nodes as lines of N-Triples.

    These are several times quicker to compare than as many objects.
    """
    answer = engine.answer(f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}")
    assert isinstance(answer, ox.QueryTriples)
    lines = answer.serialize(format=ox.RdfFormat.N_TRIPLES)
    assert lines is not None  # it is, without an output to write to
    return set(lines.splitlines())


def _quads(lines: Iterable[bytes], graph: str) -> set[ox.Quad]:
    name = ox.NamedNode(graph)
    triples = ox.parse(b"\n".join(lines), format=ox.RdfFormat.N_TRIPLES)
    return {ox.Quad(t.subject, t.predicate, t.object, name) for t in triples}


def _derives_otherwise(before: EmbeddedEngine, dispute: Dispute, changed: set[ox.Quad]) -> bool:
    """Say whether a change of what is stated can matter to what derives from it."""
    touched = Changed(quad.triple for quad in changed)
    rules = catalogue(dispute, "derive").values()
    # What no source may state is refused when something is derived.
    for predicate in (*DATED, *derived_properties(rules)):
        if any(True for _ in touched.having(predicate)):
            return True

    def objects_of(predicate: str) -> set[str]:
        found = before.quads(predicate=ox.NamedNode(predicate))
        return {str(quad.object) for quad in found}

    try:
        return any(
            touched.touch(keys(read_patterns(rule.text).where, objects_of)) for rule in rules
        )
    except TooRichError:
        return True


def _baseline(dispute: Dispute) -> tuple[EmbeddedEngine, set[str]]:
    """Open the newest usable snapshot, and return the names of the sources that differ from it."""
    inputs = inputs_of(dispute)
    reason = "nothing has been built yet"
    for root in roots(dispute):
        try:
            snapshot = current(root)
        except SnapshotError as error:
            reason = error.message
            continue
        if snapshot is None:
            continue
        differing = _differing(snapshot.inputs, inputs)
        others = sorted(name for name in differing if not name.startswith(_SOURCE))
        if snapshot.version != __version__:
            reason = f"the last build was made by version {snapshot.version}"
        elif others:
            reason = f"{others[0]} has changed since the last build"
        else:
            try:
                before = open_snapshot(snapshot)
            except SnapshotError as error:
                # The length of each file is as it was, but not what it holds.
                reason = error.message
                continue
            return before, {n.removeprefix(_SOURCE).removesuffix(".ttl") for n in differing}
    raise NoBaselineError(reason)


def _differing(before: Mapping[str, str], now: Mapping[str, str]) -> set[str]:
    return {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}


def _require_same_base(before: EmbeddedEngine, dispute: Dispute) -> None:
    graphs = set(before.graphs()) - {ONTOLOGY_GRAPH}
    if not all(graph.startswith(f"{dispute.iri}graph/") for graph in graphs):
        raise NoBaselineError("the dispute had another IRI when it was last built")


def _differences(
    before: EmbeddedEngine, dispute: Dispute, files: set[str]
) -> tuple[set[ox.Quad], set[ox.Quad]]:
    """Return what came to and what went from the graphs of some source files."""
    sources = {source.name: source for source in dispute.sources}
    added: set[ox.Quad] = set()
    removed: set[ox.Quad] = set()
    # In the order in which a build reads them, so that it is the same fault that is told first.
    for name in sorted(files, key=lambda name: [*sources, name].index(name)):
        now = _as_stored(read_source(sources[name])) if name in sources else set()
        graph = f"{dispute.iri}graph/{quote(name)}"
        came, went = _difference(set(before.quads(graph=graph)), now)
        added |= came
        removed |= went
    return added, removed


def _as_stored(quads: Iterable[ox.Quad]) -> set[ox.Quad]:
    # The store writes some literals in another form.
    engine = EmbeddedEngine.memory()
    engine.fill(quads)
    return set(engine.quads())


def _difference(before: set[ox.Quad], now: set[ox.Quad]) -> tuple[set[ox.Quad], set[ox.Quad]]:
    """Return what came and what went; what is said of a blank node comes and goes as a whole.

    In a source no blank node points to another (``read_source``).
    """
    came, went = now - before, before - now
    old, new = _about_blank_nodes(went), _about_blank_nodes(came)
    common = Counter(old.values()) & Counter(new.values())
    for quads, described in ((went, old), (came, new)):
        left = common.copy()
        same = set()
        for node, description in described.items():
            if left[description] > 0:
                left[description] -= 1
                same.add(node)
        quads -= {quad for quad in quads if quad.subject in same or quad.object in same}
    return came, went


Description = frozenset[tuple[object, object, object]]


def _about_blank_nodes(quads: Iterable[ox.Quad]) -> dict[ox.BlankNode, Description]:
    said: dict[ox.BlankNode, set[tuple[object, object, object]]] = defaultdict(set)
    for quad in quads:
        if isinstance(quad.subject, ox.BlankNode):
            said[quad.subject].add((None, quad.predicate, quad.object))
        if isinstance(quad.object, ox.BlankNode):
            said[quad.object].add((quad.subject, quad.predicate, None))
    return {node: frozenset(lines) for node, lines in said.items()}
