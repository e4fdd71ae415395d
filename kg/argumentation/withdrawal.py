"""What would be derived if one statement of the sources were not there."""

from __future__ import annotations

import pyoxigraph as ox

from kg.derivation import derive
from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine


def without(engine: EmbeddedEngine, dispute: Dispute, node: str) -> EmbeddedEngine:
    """Return an engine in memory that says nothing of ``node``, with everything derived again.

    ``engine`` is not changed. Raises ``QueryError`` and ``SourceError`` as deriving does.
    """
    withdrawn = ox.NamedNode(node)
    derived = ox.NamedNode(dispute.derived_graph)
    other = EmbeddedEngine.memory()
    other.add(
        quad
        for quad in engine.quads()
        if withdrawn not in (quad.subject, quad.object) and quad.graph_name != derived
    )
    derive(other, dispute)
    return other
