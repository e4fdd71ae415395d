"""A worker process: ``python -m kg.server.worker``, one query at a time over a finished snapshot.

It is started by ``kg.server.pool.launcher`` with one end of a socket pair, and it is there to be
killed: nothing it holds outlives it.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

from kg.server.pool import frames
from kg.server.pool.jobs import ELSEWHERE, LONGEST
from kg.server.worker.confine import confine

# What a job may ask for besides a query, and the module that does it.
_OPERATIONS = {
    "describe": "descriptions",
    "stored": "stored",
    "page": "pages",
    "name": "dereference",
}

# How many disputes' stores a worker keeps open; each takes address space.
_STORES = 8


def main() -> None:
    """Serve jobs from standard input's socket until the other end closes.

    The first argument is ``alone``, or ``template`` for the process that copies of it are made of.
    """
    role, told = sys.argv[1], json.loads(sys.argv[2])
    # A duplicate, and nothing on 0: a library that reads standard input must find no requests.
    connection = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    jobs: socket.socket | None = None
    if role == "template":
        from kg.server.worker.template import copies

        for operation in ("evaluate", "output", *_OPERATIONS.values()):
            import_module(f"kg.server.worker.{operation}")
        connection, jobs = copies(connection, told["parent"])  # which returns in each copy
    missing = confine(told["memory"], told["parent"])
    # Either way the parent has gone, or no longer wants the answer.
    with suppress(BrokenPipeError, ConnectionResetError):
        _Worker(connection, jobs, told).serve(missing)
    os._exit(0)  # at once: the store is only read, and its threads have nothing to finish


class _Worker:
    def __init__(
        self, connection: socket.socket, jobs: socket.socket | None, told: dict[str, Any]
    ) -> None:
        # Here, not above: whatever starts threads must come after the namespace.
        from kg.server.worker import evaluate, output

        self._evaluate = evaluate
        self._output_class = output.Output
        self._connection = connection
        self._incoming = frames.Incoming(connection)
        self._jobs = jobs
        self._message = bytearray(LONGEST)
        self._view = memoryview(self._message)
        self._output: Any = None  # of the last job
        self._bounds = evaluate.Bounds(told["rows"], told["answer"], self._call)
        # The folder of a dispute's snapshots -> the store of it that is open, and its engine.
        self._open: dict[str, tuple[str, Any]] = {}
        self._last: tuple[str, Any] = "", None  # of these, the one that was asked last

    def serve(self, missing: list[str]) -> None:
        self._connection.sendall(frames.pack(frames.READY, {"missing": missing}))
        while (request := self._next()) is not None:
            try:
                self._do(*frames.read_request(request))
            except self._evaluate.RefusedError as refused:
                self._fail(refused.told)
            except MemoryError:
                self._fail({"status": 500, "title": "Out of memory", "detail": "memory"})
                os._exit(3)  # what is left of the heap is not to be trusted

    def _next(self) -> bytes | None:
        """Wait for a job, and return its ``REQUEST``; ``None`` if there will be none."""
        if self._jobs is not None:
            if self._output and self._output.streamed and not self._incoming.next():
                return None
            self._output = None
            size = self._jobs.recv_into(self._message)
            if not size:
                return None
            if size > len(ELSEWHERE):
                return frames.payload(self._view[:size])
        frame = self._incoming.next()
        return frame and frame[1]

    def _do(self, store: str, job: dict[str, Any]) -> None:
        engine = self._last[1] if self._last[0] == store else self._engine(store)
        if job["op"] == "query":
            self._evaluate.run(engine, job, self._bounds, self._opener(job))
        else:
            # Imported when first needed: most queries need none of it.
            module = import_module(f"kg.server.worker.{_OPERATIONS[job['op']]}")
            module.run(engine, job, self._bounds, self._opener(job))

    def _engine(self, store: str) -> Any:
        place = store.rsplit("/", 2)[0]
        if self._open.get(place, ("",))[0] != store:
            self._open.pop(place, None)
            while len(self._open) >= _STORES:
                del self._open[next(iter(self._open))]
            self._open[place] = store, self._evaluate.open_store(store)
        self._last = self._open[place]
        return self._last[1]

    def _call(self, address: str, query: str) -> bytes:
        """Let the parent ask another server, if it will."""
        self._connection.sendall(frames.pack(frames.CALL, {"address": address, "query": query}))
        frame = self._incoming.next()
        if frame is None:
            os._exit(0)
        kind, payload = frame
        if kind == frames.BODY:
            return payload
        told = json.loads(payload)
        raise self._evaluate.service_error(address, told["detail"], told["forbidden"])

    def _opener(self, job: dict[str, Any]) -> Any:
        def open_output(head: dict[str, Any]) -> Any:
            encoding, size = job.get("encoding"), self._bounds.size
            self._output = self._output_class(self._connection, head, encoding, size)
            return self._output

        return open_output

    def _fail(self, told: dict[str, Any]) -> None:
        self._connection.sendall(frames.pack(frames.FAIL, told))


if __name__ == "__main__":
    main()
