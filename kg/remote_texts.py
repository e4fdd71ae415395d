"""Updates that write a graph: few enough statements in each for every server's parser."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyoxigraph as ox

# Virtuoso 7 takes some thousands in one update; others more.
AT_ONCE = 1000


def inserts(
    graph: str, triples: Iterable[ox.Triple], at_once: int = AT_ONCE
) -> Iterator[tuple[str, int]]:
    """Yield updates that together add ``triples`` to ``graph``, each with how many it adds.

    A blank node's name means something within one request only, so statements that blank nodes
    join stay together, however many they are. ``INSERT DATA`` may hold blank nodes by the
    standard, but not with Virtuoso; a template may everywhere.
    """
    name = ox.NamedNode(graph)
    for chunk in _chunks(triples, at_once):
        lines = "\n".join(f"{triple} ." for triple in chunk)
        if any(_blanks(triple) for triple in chunk):
            yield f"INSERT {{ GRAPH {name} {{\n{lines}\n}} }} WHERE {{}}", len(chunk)
        else:
            yield f"INSERT DATA {{ GRAPH {name} {{\n{lines}\n}} }}", len(chunk)


def n_triples(triples: Iterable[ox.Triple]) -> bytes:
    """Return triples as N-Triples, which are also Turtle."""
    data = ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES)
    assert data is not None  # it is, without an output to write to
    return data


def _chunks(triples: Iterable[ox.Triple], at_once: int) -> Iterator[Sequence[ox.Triple]]:
    chunk: list[ox.Triple] = []
    for group in _joined(triples):
        if chunk and len(chunk) + len(group) > at_once:
            yield chunk
            chunk = []
        chunk.extend(group)
    if chunk:
        yield chunk


def _joined(triples: Iterable[ox.Triple]) -> Iterator[Sequence[ox.Triple]]:
    """Yield the statements in groups that share no blank node; one without any is alone."""
    above: dict[ox.BlankNode, ox.BlankNode] = {}

    def root(node: ox.BlankNode) -> ox.BlankNode:
        while above.setdefault(node, node) != node:
            above[node] = above[above[node]]
            node = above[node]
        return node

    blank: list[ox.Triple] = []
    for triple in triples:
        nodes = _blanks(triple)
        if not nodes:
            yield [triple]
            continue
        blank.append(triple)
        for node in nodes[1:]:
            above[root(node)] = root(nodes[0])
    groups: dict[ox.BlankNode, list[ox.Triple]] = {}
    for triple in blank:
        groups.setdefault(root(_blanks(triple)[0]), []).append(triple)
    yield from groups.values()


def _blanks(triple: ox.Triple) -> list[ox.BlankNode]:
    return [t for t in (triple.subject, triple.object) if isinstance(t, ox.BlankNode)]
