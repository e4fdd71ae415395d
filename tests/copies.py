"""A dispute many times over, for tests of how the work grows with the data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyoxigraph as ox


def copies(quads: Iterable[ox.Quad], base: str, count: int) -> Iterator[ox.Quad]:
    """Yield a dispute ``count`` times, every name of its own set apart in each copy but the first.

    What has no name below ``base``, such as the vocabulary, is shared and comes once.
    """
    stated = list(quads)
    yield from stated
    own = [quad for quad in stated if quad.graph_name.value.startswith(base)]
    for number in range(1, count):
        for quad in own:
            subject, object = (_apart(term, base, number) for term in (quad.subject, quad.object))
            yield ox.Quad(subject, quad.predicate, object, quad.graph_name)


def _apart(term: Any, base: str, number: int) -> Any:
    if isinstance(term, ox.NamedNode) and term.value.startswith(base):
        return ox.NamedNode(f"{base}copy-{number}-{term.value[len(base) :]}")
    if isinstance(term, ox.BlankNode):
        return ox.BlankNode(f"{term.value}x{number}")
    return term
