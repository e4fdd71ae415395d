"""Short queries: answered without a task, sent to a worker ahead, taken back if it is slow."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.server.answering.answers import Answers, Asked, Request
from kg.server.pool import frames
from kg.server.pool.jobs import Jobs
from kg.server.pool.places import Place
from kg.server.pool.pool import Pool
from kg.server.pool.queues import Queues
from kg.server.pool.running import KilledError
from kg.server.pool.services import Services
from kg.server.pool.workers import Worker
from kg.server.wire.cache import Cache, Shelf
from kg.server.wire.limits import Limits
from kg.server.wire.notes import AccessLog, Notes
from kg.server.wire.problems import Problem
from kg.server.wire.requests import form_value, pairs

from .conftest import BASE, PATIENCE, Serve, Server, numbers, publish, wait_for

ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"


def job(text: str) -> bytes:
    rows = ("application/sparql-results+json", "json")
    return frames.job({"op": "query", "query": text, "base": BASE, "rows": rows})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = publish(tmp_path_factory.mktemp("quick") / "store", numbers(1000))
    return str((root / "current").resolve() / "store")


class Waiting(Place):
    """Somebody in the queue of a pool, with a job that may be sent ahead."""

    def __init__(self, pool: Pool, client: str, store: str, text: str) -> None:
        super().__init__(client, store, job(text))
        self.pool = pool
        self.workers: list[Worker] = []
        self.ahead: list[bool] = []
        pool.queue(self)

    def given(self, worker: Worker) -> None:
        self.workers.append(worker)
        self.ahead.append(self.worker is worker)
        if self.worker:
            worker.go_ahead(self.store)
        else:
            worker.send(self.store, self.job)

    async def answer(self) -> frames.Frame:
        while not self.workers:
            await asyncio.sleep(0.001)
        found = await self.workers[-1].frame()
        self.pool.back(self.workers[-1], self.client)
        return found


def never_ages(pool: Pool) -> None:
    """Have no query count as slow, however slow the machine is."""
    pool._aging = asyncio.get_running_loop().call_later(3600, lambda: None)


@asynccontextmanager
async def pool_of(workers: int, **limits: Any) -> AsyncIterator[Pool]:
    pool = Pool(Limits(workers=workers, **limits))
    await pool.start()
    try:
        while len(pool._idle) < workers + 1:
            await asyncio.sleep(0.01)
        if not pool._idle[0]._jobs:
            pytest.skip("jobs cannot be sent ahead on this system")
        yield pool
    finally:
        await pool.close()


def running(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    def run(store: str) -> None:
        async def within() -> None:
            async with asyncio.timeout(PATIENCE):
                await test(store)

        asyncio.run(within())

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run


async def begun(pool: Pool, client: str, store: str, text: str) -> Worker:
    """A worker that has taken a query and nothing else."""
    worker = pool.at_once(client, store)
    assert worker
    worker.send(store, job(text))
    await taken(worker)
    return worker


async def taken(worker: Worker) -> None:
    """Wait until a worker has begun all that it was given."""
    assert worker._jobs
    with suppress(BlockingIOError):
        while worker._jobs.theirs.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK):
            await asyncio.sleep(0.001)


async def with_one_ahead(
    pool: Pool, store: str, text: str, then: str = "ASK {}"
) -> tuple[Worker, Waiting]:
    """A worker that is at a query, and another client's query that was sent ahead to it."""
    worker = await begun(pool, "a", store, text)
    waiting = Waiting(pool, "b", store, then)
    assert waiting.worker is worker
    return worker, waiting


@running
async def test_a_job_ahead_is_answered_after_the_one_before(store: str) -> None:
    async with pool_of(2, short=1) as pool:
        never_ages(pool)
        first = Waiting(pool, "a", store, "ASK {}")
        pool._serve_queues()
        second = Waiting(pool, "b", store, "SELECT (2 AS ?n) {}")
        assert second.worker is first.workers[0]
        assert b'"boolean":true' in (await first.answer())[1]
        assert b'"2"' in (await second.answer())[1]
        assert second.ahead == [True]
        assert pool.busy == 0
        assert not pool._held


@running
async def test_a_job_ahead_of_one_that_is_slow_goes_to_another_worker(store: str) -> None:
    async with pool_of(2, short=1) as pool:
        slow, waiting = await with_one_ahead(pool, store, ENDLESS)
        began = time.monotonic()
        assert b'"boolean":true' in (await waiting.answer())[1]
        assert time.monotonic() - began < 2
        assert waiting.ahead == [False]
        assert waiting.workers != [slow]
        assert slow._jobs
        assert slow._jobs.drain() == []  # it will not do it later
        pool.back(slow, "a")


@running
async def test_a_job_ahead_of_one_that_is_killed_is_done_once(store: str) -> None:
    async with pool_of(2, short=1) as pool:
        never_ages(pool)
        killed, waiting = await with_one_ahead(pool, store, ENDLESS)
        pool.back(killed, "a")  # in the middle of its job, which is what kills it
        assert b'"boolean":true' in (await waiting.answer())[1]
        assert waiting.ahead == [False]
        assert pool.busy == 0
        assert not pool._held


@running
async def test_a_job_ahead_of_one_that_dies_is_done_once(store: str) -> None:
    async with pool_of(2, short=1) as pool:
        never_ages(pool)
        dying, waiting = await with_one_ahead(pool, store, ENDLESS)
        assert dying.process
        os.kill(dying.process.pid, signal.SIGKILL)
        with pytest.raises(EOFError):
            await dying.frame()
        pool.back(dying, "a")
        assert b'"boolean":true' in (await waiting.answer())[1]
        assert waiting.ahead[-1:] == [False]
        assert pool.busy == 0


@running
async def test_a_job_that_its_worker_died_of_is_not_given_to_another(store: str) -> None:
    """Also where it was sent ahead, and begun before the answer to the one before was read."""
    async with pool_of(2, short=1) as pool:
        never_ages(pool)
        worker, waiting = await with_one_ahead(pool, store, "ASK {}", ENDLESS)
        await taken(worker)
        assert worker.process
        os.kill(worker.process.pid, signal.SIGKILL)
        while not worker.gone:
            await asyncio.sleep(0.001)
        assert (await worker.frame())[0] == frames.WHOLE
        pool.back(worker, "a")
        with pytest.raises(EOFError) as died:
            await waiting.answer()
        assert died.type is EOFError  # not UntakenError
        assert waiting.workers == [worker]
        pool.back(worker, "b")
        assert pool.busy == 0
        assert not pool._held


def numbered(pool: Pool, clients: str, store: str) -> list[Waiting]:
    """Have each client, a digit, wait for an answer that holds it."""
    return [Waiting(pool, client, store, f"SELECT ({client} AS ?n) {{}}") for client in clients]


@running
async def test_several_jobs_ahead_are_answered_in_turn(store: str) -> None:
    async with pool_of(2, short=1) as pool:
        never_ages(pool)
        worker = await begun(pool, "z", store, "ASK {}")
        waiting = numbered(pool, "1234", store)
        assert [place.worker for place in waiting] == [worker] * 3 + [None]
        assert pool.waiting == 1
        await worker.frame()
        pool.back(worker, "z")
        assert waiting[3].worker is worker  # there was room for it
        for place in waiting:
            assert f'"{place.client}"'.encode() in (await place.answer())[1]
            assert place.ahead == [True]
        assert pool.busy == pool.waiting == 0
        assert not pool._held


@running
async def test_several_jobs_ahead_of_one_that_is_slow_go_to_other_workers(store: str) -> None:
    async with pool_of(4, short=1) as pool:
        slow = await begun(pool, "z", store, ENDLESS)
        waiting = numbered(pool, "123", store)
        assert [place.worker for place in waiting] == [slow] * 3
        for place in waiting:
            assert f'"{place.client}"'.encode() in (await place.answer())[1]
            assert place.workers != [slow]
        pool.back(slow, "z")
        assert pool.busy == 0
        assert not pool._held


@running
async def test_of_several_jobs_ahead_only_the_one_it_died_of_is_lost(store: str) -> None:
    async with pool_of(2, short=1) as pool:
        never_ages(pool)
        worker = await begun(pool, "z", store, "ASK {}")
        deadly, other = (
            Waiting(pool, *each) for each in (("a", store, ENDLESS), ("b", store, "ASK {}"))
        )
        assert worker._jobs
        while worker._jobs.theirs.recv(1000, socket.MSG_DONTWAIT | socket.MSG_PEEK).find(b"?j") > 0:
            await asyncio.sleep(0.001)
        assert worker.process
        os.kill(worker.process.pid, signal.SIGKILL)
        while not worker.gone:
            await asyncio.sleep(0.001)
        assert (await worker.frame())[0] == frames.WHOLE
        pool.back(worker, "z")
        with pytest.raises(EOFError) as died:
            await deadly.answer()
        assert died.type is EOFError
        assert deadly.workers == [worker]
        pool.back(worker, "a")
        assert b'"boolean":true' in (await other.answer())[1]
        assert worker not in other.workers
        assert pool.busy == pool.waiting == 0
        assert not pool._held


@running
async def test_a_worker_that_has_begun_nothing_keeps_the_first_of_its_jobs(store: str) -> None:
    async with pool_of(2, short=1) as pool:
        never_ages(pool)
        worker = pool.at_once("z", store)
        assert worker
        assert worker.process
        os.kill(worker.process.pid, signal.SIGSTOP)
        try:
            worker.send(store, job("SELECT (1 AS ?n) {}"))
            waiting = [Waiting(pool, client, store, "ASK {}") for client in "ab"]
            assert [place.worker for place in waiting] == [worker] * 2
            assert worker.take_back() == waiting
            assert worker.take_back() == []
        finally:
            os.kill(worker.process.pid, signal.SIGCONT)
        assert b'"1"' in (await worker.frame())[1]
        pool.back(worker, "z")


def test_clients_take_turns() -> None:
    queues = Queues()
    places = [Place(client) for client in "aaabbc"]
    for place in places:
        queues.add(place)
    assert (queues.waiting, len(queues), queues.of("a")) == (6, 3, 3)
    assert queues.next(lambda place: place.client == "b") is places[3]
    queues.put_back(places[3])
    gone = [queues.next(lambda _: True) for _ in range(2)]
    queues.leave(places[2])
    queues.leave(places[2])  # which changes nothing
    gone += [queues.next(lambda _: True) for _ in range(4)]
    assert gone == [places[n] for n in (0, 5, 3, 1, 4)] + [None]
    assert queues.waiting == len(queues) == 0


@running
async def test_a_job_ahead_waits_for_an_answer_that_is_streamed(store: str) -> None:
    """Its reader may be slow, and its frames come before those of the next."""
    async with pool_of(2, short=1) as pool:
        never_ages(pool)
        worker, waiting = await with_one_ahead(pool, store, "SELECT ?a ?c { ?a ?b ?c }")
        await asyncio.sleep(1)  # by now it has sent all of its answer
        assert worker._frames
        assert worker._frames[-1][0] == frames.END
        assert worker._jobs
        assert worker._jobs.theirs.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK)  # not taken
        while (await worker.frame())[0] != frames.END:
            pass
        pool.back(worker, "a")
        assert b'"boolean":true' in (await waiting.answer())[1]
        pool._aging = None
        # The worker itself goes on too, once it may.
        for _ in range(3):
            again = Waiting(pool, "c", store, "ASK {}")
            pool._serve_queues()
            assert b'"boolean":true' in (await again.answer())[1]


@running
async def test_a_job_ahead_follows_an_answer_that_was_streamed(store: str) -> None:
    async with pool_of(2, short=1) as pool:
        worker = await begun(pool, "a", store, "SELECT ?a ?c { ?a ?b ?c }")
        never_ages(pool)
        waiting = Waiting(pool, "b", store, "ASK {}")
        while (await worker.frame())[0] != frames.END:
            pass
        pool.back(worker, "a")
        assert b'"boolean":true' in (await waiting.answer())[1]
        assert waiting.ahead == [True]


@running
async def test_a_job_ahead_counts_among_those_of_its_client(store: str) -> None:
    async with pool_of(2, short=1) as pool:  # a client may hold one of two
        never_ages(pool)
        slow = await begun(pool, "a", store, "ASK {}")
        other = Waiting(pool, "a", store, "ASK {}")
        assert other.worker is None
        waiting = Waiting(pool, "b", store, "ASK {}")
        assert waiting.worker is slow
        assert pool._held == {"a": 1, "b": 1}
        await slow.frame()
        pool.back(slow, "a")
        assert pool._held["b"] == 1
        await waiting.answer()
        await other.answer()
        assert not pool._held


@running
async def test_a_job_too_long_for_a_message_goes_by_the_connection(store: str) -> None:
    async with pool_of(2, short=1) as pool:
        long = Waiting(pool, "a", store, "ASK {} #" + "x" * 100_000)
        pool._serve_queues()
        other = Waiting(pool, "b", store, "ASK {} #" + "x" * 100_000)
        assert other.worker is None  # such a one is not sent ahead
        assert b'"boolean":true' in (await long.answer())[1]
        assert b'"boolean":true' in (await other.answer())[1]


def test_a_message_is_taken_by_one_side_only() -> None:
    jobs = Jobs()
    assert jobs.give(b"one")
    assert jobs.give(b"two")
    assert jobs.give(b"three")
    assert jobs.theirs.recv(10) == b"one"
    assert jobs.drain() == [b"two", b"three"]
    assert jobs.drain() == []
    with pytest.raises(BlockingIOError):
        jobs.theirs.recv(10, socket.MSG_DONTWAIT)
    jobs.close()
    assert not jobs.give(b"four")


@pytest.mark.parametrize("killed", [1, 2])
def test_a_query_whose_worker_is_killed_at_once_is_tried_once_more(killed: int) -> None:
    limits = Limits()
    snapshot = SimpleNamespace(digest="d", store=Path("/nowhere"))
    published: Any = SimpleNamespace(snapshot=snapshot, look=lambda: None)
    pool: Any = SimpleNamespace(wanted=lambda _: 0.0, lend=lambda *_: None)
    answers = Answers(published, pool, Cache(Shelf(1, 1)), limits, Services((), 1, 1))
    asked: list[Asked] = []

    async def run(_: Request, given: Asked, *__: Any) -> None:
        asked.append(given)
        if len(asked) <= killed:
            raise KilledError(Problem(500, "Query failed"))

    answers._run = run  # type: ignore[method-assign]
    request = Request(b"{}", "a", "GET")
    work = answers._work(request, answers.asked(request.job), None, None)  # type: ignore[arg-type]
    if killed == 1:
        asyncio.run(work)
    else:
        with pytest.raises(Problem):
            asyncio.run(work)
    assert len(asked) == 2


@pytest.fixture
def server(tmp_path: Path, serve_store: Serve) -> Server:
    return serve_store(publish(tmp_path / "store", numbers(1000)), workers=8, timeout=PATIENCE)


def target(text: str) -> str:
    return f"/sparql?query={quote(text, safe='')}"


def test_short_queries_pass_queries_without_end(tmp_path: Path, serve_store: Serve) -> None:
    root = publish(tmp_path / "store", numbers(1000))
    server = serve_store(root, workers=8, short=1, timeout=PATIENCE)
    endless = []
    with ThreadPoolExecutor(4) as threads:
        for n in range(5):
            connection = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
            head = f"GET {target(f'{ENDLESS} #{n}')} HTTP/1.1\r\nHost: x\r\n\r\n"
            connection.sendall(head.encode())
            endless.append(connection)
            began = time.monotonic()
            texts = [f"SELECT ({random.getrandbits(60)} AS ?x) {{}}" for _ in range(20)]
            assert {reply.status for reply in threads.map(server.query, texts)} == {200}
            assert time.monotonic() - began < PATIENCE / 4
    assert server.metric("kg_workers_busy") == 5
    for connection in endless:
        connection.close()
    wait_for(lambda: server.metric("kg_workers_busy") == 0)


def test_what_is_answered_without_a_task_is_what_a_task_answers(server: Server) -> None:
    for text in (
        "ASK {}",
        "SELECT ?a ?c { ?a ?b ?c } ORDER BY ?c LIMIT 3",
        "SELECT ?a ?c { ?a ?b ?c }",  # longer than one piece
        "SELECT (NOW() AS ?n) { FILTER(false) }",  # not kept
        "SELECT * { ?a ?b 'é\"\\\\ %+&=#\\u00e9' }",
        "CONSTRUCT { ?a ?b ?c } { ?a ?b ?c FILTER(?c < 3) }",
        "SELECT nonsense",
    ):
        # With another parameter it is not plain; the job is the same.
        for first, second in ((target(text), target(text) + "&x=1"), (target(text),) * 2):
            one, two = server.request(first), server.request(second)
            headers = [{**reply.headers, "date": ""} for reply in (one, two)]
            if "transfer-encoding" in headers[0] and "content-length" in headers[1]:
                headers[1]["transfer-encoding"] = headers[0]["transfer-encoding"]
                del headers[1]["content-length"]
            assert headers[0] == headers[1]
            assert (one.status, one.body) == (two.status, two.body)


def test_requests_sent_together_are_answered_in_turn(server: Server) -> None:
    texts = ["ASK {}"] * 300  # from the cache, most of them
    texts += [f"SELECT ({n} AS ?x) {{}}" for n in range(20)] + ["nonsense"] + texts[:5]
    random.Random(1).shuffle(texts)
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
        heads = [f"GET {target(text)} HTTP/1.1\r\nHost: x\r\n" for text in texts]
        heads[-1] += "Connection: close\r\n"
        connection.sendall("".join(f"{head}\r\n" for head in heads).encode())
        stream = connection.makefile("rb")
        for text in texts:
            status = stream.readline().split()[1]
            length = 0
            while (line := stream.readline().strip().lower()) != b"":
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            told = json.loads(stream.read(length))
            if text == "nonsense":
                assert status == b"400"
            elif text == "ASK {}":
                assert told["boolean"] is True
            else:
                value = told["results"]["bindings"][0]["x"]["value"]
                assert text == f"SELECT ({value} AS ?x) {{}}"
        assert stream.read() == b""


def test_short_queries_are_counted_and_logged(server: Server) -> None:
    before = server.metric("kg_requests_total")
    for _ in range(2):
        server.query("SELECT (1 AS ?x) {}")
    assert server.metric("kg_requests_total") - before == 3  # and the page of the figures

    def lines() -> list[dict[str, Any]]:
        text = server.log.read_text()
        told = [json.loads(line) for line in text.splitlines() if line[:1] == "{"]
        return [line for line in told if line["path"] == "/sparql" and line["rows"] == 1]

    wait_for(lambda: len(lines()) >= 2)
    assert [line["cached"] for line in lines()[-2:]] == [False, True]
    assert {line["outcome"] for line in lines()[-2:]} == {"ok"}


def test_an_answer_of_some_megabytes_is_kept(server: Server) -> None:
    text = "SELECT ?a ?f { ?a ?b ?c . ?d ?e ?f FILTER(?c < 20) }"
    first = server.query(text)
    assert 2**20 < len(first.body) < 4 * 2**20
    hits = server.metric("kg_cache_hits_total")
    assert server.query(text).body == first.body
    assert server.metric("kg_cache_hits_total") == hits + 1


@given(st.binary(max_size=40), st.integers(0, 3))
def test_a_query_is_decoded_as_any_other_parameter(data: bytes, plain: int) -> None:
    encoded = quote(data, safe="%="[:plain]).encode()
    try:
        ((_, expected),) = pairs(b"query=" + encoded, "form")
    except Problem:
        assert form_value(encoded) is None
    else:
        assert form_value(encoded) == expected.encode()


@given(st.text(alphabet="%=a4\n\r+_\u00e9", max_size=12))
def test_what_is_not_well_encoded_stays_as_it_is(text: str) -> None:
    found = form_value(text.encode())
    expected = unquote_to_bytes(text.replace("+", " "))
    if text.isascii() and "\ufffd" not in expected.decode("utf-8", "replace"):
        assert found == expected
    else:
        assert found is None


@given(st.text(max_size=20), st.text(max_size=20), st.none() | st.integers())
def test_a_line_of_the_log_is_json(path: str, outcome: str, rows: int | None) -> None:
    logging.getLogger("kg.access").setLevel(logging.INFO)

    async def line() -> str:
        log = AccessLog(False)
        scope = {"client": ("::1", 1), "headers": [], "method": 'G"T', "path": path}
        log.add(scope, 200, Notes(outcome, rows, 5, True), 0.123456)
        assert log._timer
        log._timer.cancel()
        return log._lines[0]

    told = json.loads(asyncio.run(line()))
    assert told.pop("time")
    assert told == {
        "client": "::/64",
        "method": 'G"T',
        "path": path,
        "status": 200,
        "seconds": 0.1235,
        "bytes": 5,
        "rows": rows,
        "cached": True,
        "outcome": outcome,
    }
