"""The parts that can be held to account without a server: negotiation, counting, the cache."""

from __future__ import annotations

import asyncio
import json

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import FormatError
from kg.server.pool import frames, launcher
from kg.server.pool.pool import Pool
from kg.server.wire.cache import Cache, Entry, Shelf
from kg.server.wire.limits import Limits
from kg.server.wire.negotiation import GRAPHS, ROWS, best, coding
from kg.server.wire.problems import sentences
from kg.server.worker.evaluate import bad_query, service_error
from kg.server.worker.output import RowCounter, XmlGuard


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "json"),
        ("", "json"),
        ("*/*", "json"),
        ("application/*", "json"),
        ("text/*", "csv"),
        ("text/csv", "csv"),
        ("TEXT/CSV", "csv"),
        ("text/csv;q=0.5, text/tab-separated-values", "tsv"),
        ("text/csv;q=0.5, */*;q=0.1", "csv"),
        ("*/*, text/csv;q=0", "json"),
        ("application/sparql-results+json;q=0, */*", "xml"),
        ("text/csv; charset=utf-8; q=0.9, application/xml;q=0.8", "csv"),
        ('text/csv;x="a,b;q=0";q=1', "csv"),
        ("text/csv;q=2", None),
        ("image/png", None),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "xml"),
        (";;;,,,", "json"),
        ("text/csv," + "a/b," * 2000, "json"),
    ],
)
def test_types(accept: str | None, expected: str | None) -> None:
    found = best(accept, ROWS)
    assert (found and found[1]) == expected


def test_graphs_prefer_turtle() -> None:
    assert best("*/*", GRAPHS) == ("text/turtle; charset=utf-8", "turtle")
    assert best("application/json", GRAPHS) == ("application/json", "jsonld")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, None),
        ("gzip", "gzip"),
        ("gzip, br", "br"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("br;q=0, *", "zstd"),
        ("identity", None),
        ("identity, gzip;q=0.5", None),
        ("*;q=0", None),
        ("deflate", None),
    ],
)
def test_codings(accept: str | None, expected: str | None) -> None:
    assert coding(accept) == expected


@given(st.text(max_size=200))
def test_no_header_breaks_negotiation(text: str) -> None:
    best(text, ROWS)
    coding(text)


FORMATS = {
    "json": ox.QueryResultsFormat.JSON,
    "xml": ox.QueryResultsFormat.XML,
    "csv": ox.QueryResultsFormat.CSV,
    "tsv": ox.QueryResultsFormat.TSV,
}
_TEXTS = st.text(alphabet=list('a"\\{}[],:\r\n\t<>&\x01\ufffe☃'), max_size=12)


@given(
    st.lists(_TEXTS, max_size=8),
    st.sampled_from(sorted(FORMATS)),
    st.integers(1, 40) | st.just(10_000),  # most come in one piece
)
def test_rows_are_counted_however_the_bytes_are_cut(
    texts: list[str], format: str, size: int
) -> None:
    store = ox.Store()
    p = ox.NamedNode("urn:p")
    store.extend(ox.Quad(ox.NamedNode(f"urn:{n}"), p, ox.Literal(t)) for n, t in enumerate(texts))
    answer = store.query("SELECT ?o ?unbound { ?s ?p ?o }")
    data = answer.serialize(format=FORMATS[format])
    counter = RowCounter(format)
    for start in range(0, len(data), size):
        counter.feed(data[start : start + size])
    assert counter.rows == len(texts)


@given(st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("\r\ufffe\x0b")) | st.text())
def test_xml_is_guarded_however_the_bytes_are_cut(text: str) -> None:
    data = text.encode("utf-8", "ignore")
    forbidden = [c for c in map(chr, range(32)) if c not in "\t\n\r"] + ["\ufffe", "\uffff"]
    for size in range(1, 8):
        guard = XmlGuard()
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        if any(character in data.decode() for character in forbidden):
            with pytest.raises(FormatError, match=r"XML cannot hold the character U\+[0-9A-F]{4}$"):
                [guard.feed(piece) for piece in pieces]
        else:
            kept = b"".join([guard.feed(piece) for piece in pieces]) + guard.flush()
            assert kept.decode() == data.decode().replace("\r", "&#13;")


def entry(size: int) -> Entry:
    return Entry("text/csv", None, b"x" * size, 1)


def test_the_cache_keeps_what_was_used_last_within_its_bytes() -> None:
    shelf = Shelf(10_000, 5_000)
    cache = Cache(shelf)
    for name in "abcdef":
        cache.put(name, entry(1_500))
        cache.get("a")
        assert shelf.size <= 10_000
    assert cache.get("a") is not None
    assert cache.get("b") is None
    cache.put("long", entry(6_000))
    assert cache.get("long") is None
    cache.clear()
    assert (shelf.size, cache.get("a")) == (0, None)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(0, 5_500))))
def test_caches_on_one_shelf_share_its_bytes_and_nothing_else(
    steps: list[tuple[int, int, int]],
) -> None:
    shelf = Shelf(20_000, 5_000)
    caches = [Cache(shelf) for _ in range(3)]
    for number, name, size in steps:
        if size:
            caches[number].put(f"{number} {name}", entry(size))
        else:
            others = [key for each in caches if each is not caches[number] for key in each.keys]
            caches[number].clear()
            assert not caches[number].keys
            assert all(shelf.get(key) for key in others)
        kept = [key for each in caches for key in each.keys]
        assert all(key.startswith(f"{n} ") for n, each in enumerate(caches) for key in each.keys)
        assert shelf.size == sum(len(shelf.get(key).body) + 600 for key in kept) <= 20_000  # type: ignore[union-attr]


def test_one_client_never_has_all_workers_but_the_only_one() -> None:
    assert [Limits(workers=n).share for n in (1, 2, 3, 4, 8, 16)] == [1, 1, 2, 3, 6, 12]


@given(st.lists(st.tuples(st.sampled_from(b"WBEF"), st.binary(max_size=20))), st.integers(1, 9))
def test_frames_are_read_however_the_bytes_are_cut(
    sent: list[tuple[int, bytes]], size: int
) -> None:
    pairs = [(bytes([kind]), payload) for kind, payload in sent]
    data = b"".join(frames.pack(*pair) for pair in pairs)
    splitter = frames.Splitter()
    found = [f for at in range(0, len(data), size) for f in splitter.feed(data[at : at + size])]
    assert found == pairs
    assert frames.Splitter().feed(data) == pairs


def test_a_frame_that_is_too_long_is_refused() -> None:
    with pytest.raises(frames.MalformedError):
        frames.Splitter().feed(b"B\xff\xff\xff\xff")


@pytest.mark.parametrize("copied", [True, False])
def test_a_pool_prefers_the_worker_that_has_the_store_open(
    monkeypatch: pytest.MonkeyPatch, copied: bool
) -> None:
    """With workers that are copies, and with workers that are started each on its own."""
    if not copied:
        monkeypatch.setattr(launcher, "_adopt", lambda: False)

    async def ask(pool: Pool, store: str) -> int:
        async with pool.lend("somebody", store) as worker:
            worker.send(store, frames.job({"op": "query", "query": "ASK {}"}))
            kind, payload = await worker.frame()
            # There is no such store: what matters is that the worker says so.
            assert (kind, json.loads(payload)["status"]) == (frames.FAIL, 503)
            assert worker.process
            return worker.process.pid

    async def run() -> None:
        pool = Pool(Limits(workers=2))
        await pool.start()
        try:
            while len(pool.pids) < 3:
                await asyncio.sleep(0.05)
            async with pool.lend("another", "") as held:
                one = await ask(pool, "/one/snapshots/a/store")
            assert held.process
            assert one != held.process.pid
            assert [await ask(pool, "/one/snapshots/a/store") for _ in range(3)] == [one] * 3
        finally:
            await pool.close()

    asyncio.run(run())


def test_messages_become_sentences() -> None:
    assert sentences("it is refused", "Mend it") == "it is refused. Mend it."
    assert sentences("It is!", None, " ", "Is it?") == "It is! Is it?"
    assert sentences("", None) == ""
    error = service_error("http://s/", "http://s is not among those it may reach", True)
    told = bad_query(error).told["detail"]  # type: ignore[arg-type]
    assert "may reach. A query may reach" in told
