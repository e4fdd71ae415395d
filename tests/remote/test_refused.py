"""Publishing to a server that takes no writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pyoxigraph as ox
import pytest

from kg.dispute import read_dispute
from kg.embedded import EmbeddedEngine
from kg.errors import EngineError
from kg.publish import publish
from kg.remote import RemoteEngine
from kg.settings import shipped
from tests.remote.scripted import Scripted

pytest.importorskip("SPARQLWrapper")


class Empty(RemoteEngine):
    """An engine of a server that holds nothing."""

    def graphs(self, start: str = "") -> list[str]:
        return []

    def count(self, graph: str) -> int:
        return 0

    def triples(self, graph: str) -> list[ox.Triple]:
        return []


@pytest.fixture
def refusing() -> Iterator[Scripted]:
    server = Scripted()
    threading.Thread(target=server.httpd.serve_forever, daemon=True).start()
    server.say(
        403,
        '{"type": "about:blank", "title": "Read-only endpoint", "detail": "Nothing is written."}',
        Content_Type="application/problem+json",
    )
    yield server
    server.httpd.shutdown()
    server.httpd.server_close()


def test_a_refused_first_write_leaves_nothing_to_put_back(refusing: Scripted) -> None:
    dispute = read_dispute(shipped("data") / "tideline")
    node = ox.NamedNode(f"{dispute.base}x")
    source = EmbeddedEngine.memory()
    source.add([ox.Quad(node, node, node, ox.NamedNode(f"{dispute.base}graph/x"))])
    with pytest.raises(EngineError) as caught:
        publish(source, dispute, Empty(refusing.url))
    assert caught.value.message == f"{refusing.url} does not allow this (403): Nothing is written."
    assert len(refusing.seen) == 1
