"""From a dispute, or from files, to a report whose results say where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

from kg.engine import Engine, Triples
from kg.errors import SourceError
from kg.namespaces import ONTOLOGY_GRAPH, expand
from kg.settings import shipped
from kg.shacl.files import places, read_rdf
from kg.shacl.report import Judged, Place, Report, Result, in_order, short
from kg.sources import ontology_source, read_source

if TYPE_CHECKING:
    from kg.dispute import Dispute
    from kg.shacl.engines import Data, EngineName, Judgement

_VOCABULARY = ox.NamedNode(ONTOLOGY_GRAPH)
_EVERYTHING = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"

Statements = Iterable[ox.Quad | ox.Triple]
Find = Callable[[ox.NamedNode | ox.BlankNode], Place | None]


def shape_files() -> list[Path]:
    """Return the files of the project's shapes, sorted by name."""
    return sorted((shipped("ontology") / "shapes").glob("*.ttl"))


def validate_dispute(
    engine: Engine | Statements,
    dispute: Dispute,
    shapes: Sequence[Path] = (),
    by: EngineName = "compiled",
) -> Report:
    """Judge a dispute by the project's shapes, or by those in ``shapes``.

    ``engine`` holds what is stated and derived, or is that itself, as quads; the vocabulary is
    added to it. ``by`` says who judges. Raises ``SourceError`` for shapes that cannot be used.
    """
    from kg.shacl.engines import Data

    def statements() -> Statements:
        return [*_statements(engine), *read_source(ontology_source())]

    data = Data(statements, None if isinstance(engine, Iterable) else _with_vocabulary(engine))
    return _placed_report(_judge(data, shapes, by), _find_in(dispute, data))


def _find_in(dispute: Dispute, data: Data) -> Find:
    from kg.locations import Locations

    locations = Locations(dispute)

    def place(node: ox.NamedNode | ox.BlankNode) -> Place | None:
        if isinstance(node, ox.BlankNode):
            quads = [q for q in data.statements if isinstance(q, ox.Quad)]
            return locations.find_blank(node, quads)
        return locations.find(node.value)

    return place


def validate_changed(engine: Engine, dispute: Dispute, changed: Iterable[ox.Triple]) -> Report:
    """Judge by the project's shapes only what changed triples can affect.

    ``engine`` holds what is stated and derived now, with the vocabulary; before the change, nothing
    was wrong. The report is that of ``validate_dispute``. Raises ``NotBoundedError`` if it cannot
    be told what is affected.
    """
    from kg.shacl.changed import Changed, judge_changed
    from kg.shacl.engines import Data, Judgement
    from kg.shacl.shapes import ShapesGraph

    graph = ShapesGraph(quad for path in shape_files() for quad in read_rdf(path))
    found = judge_changed(engine, graph, Changed(changed))
    judged = tuple(Judged(shape.name, "compiled") for shape in graph.roots)
    data = Data(lambda: _statements(engine), engine)
    return _placed_report(Judgement(found.results, tuple(sorted(judged))), _find_in(dispute, data))


def validate_files(
    data: Sequence[Path], shapes: Sequence[Path] = (), by: EngineName = "compiled"
) -> Report:
    """Judge files by the project's shapes, or by those in ``shapes``.

    The files are judged together with the vocabulary, as one graph; ``by`` says who judges.
    Raises ``SourceError`` for a file that is missing, malformed or of no known format, and for
    shapes that cannot be used.
    """
    from kg.shacl.engines import Data

    quads = [quad for path in data for quad in read_rdf(path)]
    statements: list[ox.Quad | ox.Triple] = [*quads, *read_source(ontology_source())]
    return _placed_report(_judge(Data(lambda: statements), shapes, by), _find_among(data, quads))


def _find_among(files: Sequence[Path], quads: Sequence[ox.Quad]) -> Find:
    # The files are read again for it, which is for nothing if all conforms.
    known = cache(lambda: places(files, quads))
    return lambda node: known().get(node)


def _placed_report(judgement: Judgement, find: Find) -> Report:
    return Report(
        in_order(tuple(_placed(result, find) for result in judgement.results)),
        judgement.judged,
        tuple(str(difference) for difference in judgement.differences),
    )


def _judge(data: Data, shapes: Sequence[Path], by: EngineName) -> Judgement:
    from kg.shacl.engines import judge

    files = list(shapes) or shape_files()
    statements = [quad for path in files for quad in read_rdf(path)]
    with placed_errors(statements, files):
        if shapes:  # the project's own are known to be well-formed
            _require_shapes(statements, files)
        return judge(data, statements, by)


@contextmanager
def placed_errors(statements: Sequence[ox.Quad], files: Sequence[Path]) -> Iterator[None]:
    """Turn ``UnusableShapesError`` into ``SourceError``, with the file and line of the shape."""
    from kg.shacl.shapes import UnusableShapesError

    try:
        yield
    except UnusableShapesError as error:
        place = places(files, statements).get(error.node) if error.node is not None else None
        path, line = place or (", ".join(map(str, files)), None)
        raise SourceError(
            f"the shapes cannot be used: {error}",
            path=path,
            line=line,
            hint="Mend the shape or the SPARQL that the message speaks of.",
        ) from error


def _require_shapes(statements: list[ox.Quad], files: list[Path]) -> None:
    from kg.shacl.syntax import malformed

    _require_a_shape(statements, files)
    find = _find_among(files, statements)
    faults = in_order(tuple(_placed(fault, find) for fault in malformed(statements)))
    if faults:
        fault = faults[0]
        path, line = fault.place or (", ".join(map(str, files)), None)
        at = f" {fault.path}" if fault.path else ""
        named = f" {short(fault.focus)}" if isinstance(fault.focus, ox.NamedNode) else ""
        raise SourceError(
            f"malformed shape{named}:{at} {fault.message}",
            path=path,
            line=line,
            hint="The rules are those of https://www.w3.org/TR/shacl/#syntax-rules.",
        )


# What makes a node a shape even if it has no type: https://www.w3.org/TR/shacl/#shapes
_SHAPE_CLASSES = {expand("sh:NodeShape"), expand("sh:PropertyShape")}
_SHAPE_PROPERTIES = {
    expand(f"sh:{name}")
    for name in ("targetClass", "targetNode", "targetObjectsOf", "targetSubjectsOf", "property")
}


def _require_a_shape(statements: list[ox.Quad], files: list[Path]) -> None:
    # Without one, everything would conform.
    for quad in statements:
        if quad.predicate.value in _SHAPE_PROPERTIES:
            return
        if isinstance(quad.object, ox.NamedNode) and quad.object.value in _SHAPE_CLASSES:
            return
    raise SourceError(
        "no shape in " + ("this file" if len(files) == 1 else "these files"),
        path=", ".join(map(str, files)),
        hint="A shape is a node 'a sh:NodeShape' with a target, such as sh:targetClass.",
    )


def _with_vocabulary(engine: Engine) -> Engine | None:
    # Without it, what the engine holds must be loaded elsewhere together with it.
    has_it = engine.query(f"ASK {{ GRAPH {_VOCABULARY} {{ ?s ?p ?o }} }}")
    return engine if has_it is True else None


def _statements(engine: Engine | Statements) -> Statements:
    if isinstance(engine, Iterable):
        return engine
    # The embedded engine hands out quads, which a blank node's place needs; others triples.
    quads = getattr(engine, "quads", None)
    if quads is not None:
        found: Iterable[ox.Quad] = quads()
        return found
    answer = engine.query(_EVERYTHING)
    assert isinstance(answer, Triples)
    return answer.triples


def _placed(result: Result, find: Find) -> Result:
    # What is wrong with the graph as a whole is found at the vocabulary, and the value names it.
    nodes = [result.focus]
    if result.focus == _VOCABULARY and result.value is not None:
        nodes.insert(0, result.value)
    for node in nodes:
        if isinstance(node, ox.NamedNode | ox.BlankNode) and (place := find(node)):
            return replace(result, place=place)
    return result
