"""A server that can write no file any more: neither its log nor what its workers say."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest

from .conftest import PATIENCE, Serve, children, numbers, publish, wait_for
from .test_processes import ENDLESS, fresh, send

HUNGRY = "SELECT * { ?a ?p ?x . ?b ?q ?y . ?c ?r ?z . ?d ?t ?w } ORDER BY ?w ?z"


@pytest.mark.skipif(sys.platform != "linux", reason="sets the limit of another process")
def test_it_serves_on_when_no_file_can_be_written(tmp_path: Path, serve_store: Serve) -> None:
    root = publish(tmp_path / "store", numbers(1000))
    server = serve_store(root, timeout=PATIENCE, memory=700 * 1024 * 1024)
    assert fresh(server).status == 200
    wait_for(lambda: '"/sparql"' in server.log.read_text())
    before = server.log.stat().st_size
    wait_for(lambda: len(server.workers()) == 3)  # two, and one that is ready to replace them
    workers = server.workers()
    # As on a full disk every write to a file fails; the workers that are started from now on
    # inherit it. Unlike a small file system it needs no rights.
    for process in (server.process.pid, *children(server.process.pid)):
        resource.prlimit(process, resource.RLIMIT_FSIZE, (0, 0))
    assert fresh(server).status == 200
    # Its last words are lost: what is left to say is that the query failed.
    assert server.query(HUNGRY).status in (422, 500, 504)
    with send(server, ENDLESS):
        wait_for(lambda: server.metric("kg_workers_busy") == 1)
    wait_for(lambda: server.metric("kg_workers_busy") == 0)
    # Two were killed, and are replaced by workers that cannot write either.
    wait_for(lambda: len(server.workers()) == len(workers) and server.workers() != workers)
    assert fresh(server).status == 200
    assert server.request("/ready").status == 200
    assert server.log.stat().st_size == before
    assert server.stop() == 0
