"""A server that can write no file any more: neither its log nor what its workers say."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest

from .conftest import PATIENCE, Serve, alive, numbers, publish, wait_for
from .test_processes import ENDLESS, fresh, send

HUNGRY = "SELECT * { ?a ?p ?x . ?b ?q ?y . ?c ?r ?z . ?d ?t ?w } ORDER BY ?w ?z"


@pytest.mark.skipif(sys.platform != "linux", reason="sets the limit of another process")
def test_it_serves_on_when_no_file_can_be_written(tmp_path: Path, serve_store: Serve) -> None:
    root = publish(tmp_path / "store", numbers(1000))
    server = serve_store(root, timeout=PATIENCE, memory=700 * 1024 * 1024)
    assert fresh(server).status == 200
    before = server.log.stat().st_size
    workers = server.workers()
    # As on a full disk every write to a file fails; the workers that are started from now on
    # inherit it. Unlike a small file system it needs no rights.
    for process in (server.process.pid, *workers):
        resource.prlimit(process, resource.RLIMIT_FSIZE, (0, 0))
    assert fresh(server).status == 200
    # Its last words are lost: what is left to say is that the query failed.
    assert server.query(HUNGRY).status in (422, 500)
    with send(server, ENDLESS):
        wait_for(lambda: server.metric("kg_workers_busy") == 1)
    wait_for(lambda: server.metric("kg_workers_busy") == 0)
    wait_for(lambda: not any(map(alive, workers[:-1])) or len(server.workers()) >= 3)
    assert fresh(server).status == 200
    assert server.request("/ready").status == 200
    assert server.log.stat().st_size == before
    assert server.stop() == 0
