"""Property paths of SHACL (https://www.w3.org/TR/shacl/#property-paths) and their SPARQL form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

from kg.namespaces import PREFIXES, shorten

if TYPE_CHECKING:
    from kg.shacl.shapes import ShapesGraph

_SH = PREFIXES["sh"]
# Written after what they repeat; the keys are local names of SHACL's operators.
_SUFFIXES = {"zeroOrMorePath": "*", "oneOrMorePath": "+", "zeroOrOnePath": "?"}


@dataclass(frozen=True)
class Predicate:
    """A path of one step, along a predicate."""

    iri: str


@dataclass(frozen=True)
class Inverse:
    """A path walked backwards."""

    step: Path


@dataclass(frozen=True)
class Repeated:
    """A path walked any number of times: ``*``, ``+`` or ``?``."""

    step: Path
    suffix: str


@dataclass(frozen=True)
class Sequence:
    """Paths walked one after the other."""

    steps: tuple[Path, ...]


@dataclass(frozen=True)
class Alternative:
    """Paths of which any is walked."""

    steps: tuple[Path, ...]


Path = Predicate | Inverse | Repeated | Sequence | Alternative


def read_path(graph: ShapesGraph, node: ox.NamedNode | ox.BlankNode) -> Path:
    """Read the value of ``sh:path``. Raises ``UnusableShapesError`` if it is none."""
    return _read(graph, node, ())


def _read(graph: ShapesGraph, node: object, above: tuple[object, ...]) -> Path:
    if isinstance(node, ox.NamedNode):
        return Predicate(node.value)
    if not isinstance(node, ox.BlankNode) or node in above:
        raise graph.unusable(f"{node} is no property path")
    above = (*above, node)

    def steps(list_node: object) -> tuple[Path, ...]:
        members = graph.members(list_node)
        if len(members) < 2:
            raise graph.unusable("a path of several steps or alternatives needs at least two")
        return tuple(_read(graph, member, above) for member in members)

    if graph.is_list(node):
        return Sequence(steps(node))
    for operator in ("inversePath", "alternativePath", *_SUFFIXES):
        for inner in graph.values(node, _SH + operator):
            if operator == "alternativePath":
                return Alternative(steps(inner))
            step = _read(graph, inner, above)
            return (
                Inverse(step) if operator == "inversePath" else Repeated(step, _SUFFIXES[operator])
            )
    raise graph.unusable(f"{node} is no property path")


def to_sparql(path: Path) -> str:
    """Return a path as SPARQL, IRIs in full."""
    return _write(path, lambda iri: f"<{iri}>")


def to_text(path: Path) -> str:
    """Return a path as a person writes it in SPARQL, with prefixed names where known."""
    return _write(path, lambda iri: f"<{iri}>" if shorten(iri) == iri else shorten(iri))


def _write(path: Path, name: Callable[[str], str]) -> str:
    def part(step: Path) -> str:
        text = _write(step, name)
        return text if isinstance(step, Predicate) else f"({text})"

    match path:
        case Predicate(iri):
            return name(iri)
        case Inverse(step):
            return f"^{part(step)}"
        case Repeated(step, suffix):
            return f"{part(step)}{suffix}"
        case Sequence(steps):
            return "/".join(part(step) for step in steps)
        case Alternative(steps):
            return "|".join(part(step) for step in steps)


def reaches_itself(path: Path) -> bool:
    """Say whether a node is always among its own values, as with ``*`` and ``?``."""
    match path:
        case Predicate():
            return False
        case Inverse(step):
            return reaches_itself(step)
        case Repeated(step, suffix):
            return suffix != "+" or reaches_itself(step)
        case Sequence(steps):
            return all(reaches_itself(step) for step in steps)
        case Alternative(steps):
            return any(reaches_itself(step) for step in steps)


def repeats(path: Path) -> bool:
    """Say whether any part of a path may be walked any number of times."""
    match path:
        case Predicate():
            return False
        case Inverse(step):
            return repeats(step)
        case Repeated(step, suffix):
            return suffix != "?" or repeats(step)
        case Sequence(steps) | Alternative(steps):
            return any(map(repeats, steps))


def without_itself(path: Path) -> Path:
    """Return a path that takes at least one step and reaches whatever else ``path`` does.

    SPARQL lets a path of no steps start only from terms in the data, SHACL from any; so that step
    is written out wherever it is possible, and this is the rest.
    """
    if not reaches_itself(path):
        return path
    match path:
        case Inverse(step):
            return Inverse(without_itself(step))
        case Repeated(step, suffix):
            rest = without_itself(step)
            return rest if suffix == "?" else Repeated(rest, "+")
        case Alternative(steps):
            return Alternative(tuple(without_itself(step) for step in steps))
        case Sequence(steps):
            # At least one of the steps is really walked: the first that is, at each place.
            heads = [
                (without_itself(step), *steps[place + 1 :]) for place, step in enumerate(steps)
            ]
            return Alternative(tuple(Sequence(h) if len(h) > 1 else h[0] for h in heads))
    return path


def described(graph: ShapesGraph, node: object) -> Iterator[ox.Triple]:
    """Yield the triples that make up the node of a path, for a report that contains them."""
    if isinstance(node, ox.BlankNode):
        for predicate, value in graph.properties(node):
            yield ox.Triple(node, predicate, value)
            yield from described(graph, value)
