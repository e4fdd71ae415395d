"""Publishing to a server that takes no writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pyoxigraph as ox
import pytest

from kg.dispute import read_dispute
from kg.embedded import EmbeddedEngine
from kg.errors import CounterclaimError
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


def publish_one_graph(target: RemoteEngine) -> CounterclaimError:
    """Return what is raised."""
    dispute = read_dispute(shipped("data") / "tideline")
    node = ox.NamedNode(f"{dispute.base}x")
    source = EmbeddedEngine.memory()
    source.add([ox.Quad(node, node, node, ox.NamedNode(f"{dispute.base}graph/x"))])
    with pytest.raises(CounterclaimError) as caught:
        publish(source, dispute, target)
    return caught.value


def test_a_refused_first_write_leaves_nothing_to_put_back(refusing: Scripted) -> None:
    error = publish_one_graph(Empty(refusing.url))
    assert error.message == f"{refusing.url} does not allow this (403): Nothing is written."
    assert len(refusing.seen) == 1


def test_what_cannot_be_put_back_is_told_apart_from_what_was_never_touched(
    refusing: Scripted,
) -> None:
    refusing.script.clear()
    refusing.say(500, "out of order")
    aside = publish_one_graph(Empty(refusing.url))
    assert "could not be removed" in aside.message
    assert "untouched; --clean" in str(aside.hint)
    store = publish_one_graph(Empty(refusing.url, store_url=f"{refusing.url}/store"))
    assert "what was there could not be put back" in store.message
    assert "publishing again" in str(store.hint)


def test_an_update_where_only_queries_are_taken(refusing: Scripted) -> None:
    refusing.script.clear()
    refusing.say(400, "no query")
    error = publish_one_graph(Empty(refusing.url))
    assert "no query" in error.message
    assert "--update-to" in str(error.hint)
    other = publish_one_graph(Empty(refusing.url, f"{refusing.url}/update"))
    assert other.hint is None
    assert len(refusing.seen) == 2, "nothing was written, so nothing is put back"
