"""Small snapshots of one quad, for tests."""

from __future__ import annotations

import pyoxigraph as ox

from kg.dispute import Dispute
from kg.snapshot import Snapshot, open_snapshot
from kg.workshop import workshop

E = "https://example.org/"


def quad(value: str) -> ox.Quad:
    node = ox.NamedNode(E + "x")
    return ox.Quad(node, node, ox.Literal(value), node)


def published(dispute: Dispute, value: str, **inputs: str) -> Snapshot:
    with workshop(dispute) as shop:
        shop.engine.add([quad(value)])
        return shop.publish(inputs, {"triples": 1})


def value_of(snapshot: Snapshot | None) -> str:
    assert snapshot is not None
    (only,) = open_snapshot(snapshot).quads()
    return only.object.value
