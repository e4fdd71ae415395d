"""Processes that read one finished store side by side."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from kg.errors import EngineError
from kg.reader import Given

# Where this package was imported from; a process must not find another.
_PACKAGES = str(Path(__file__).resolve().parents[1])


class Readers:
    """Up to ``count`` processes that answer queries, each over the same store in a folder.

    Nobody may write to the store meanwhile. A process is started when there is work for it. What a
    CONSTRUCT gives is a file, which the caller removes, or ``close``.
    """

    def __init__(self, store: Path, count: int) -> None:
        self._store = store
        self._place = tempfile.TemporaryDirectory(prefix="kg-read-")
        self._threads = ThreadPoolExecutor(count, "kg-readers")
        # A thread for each process, which waits for it and does nothing else.
        self._own = threading.local()
        self._started: list[subprocess.Popen[bytes]] = []
        self._closed = False

    def ask(self, text: str) -> Future[Given]:
        """Have a query answered by the next process that is free; first come, first served.

        What the query raises is given, not raised; the result raises ``EngineError`` if the process
        ended before it had an answer.
        """
        return self._threads.submit(self._answer, text)

    def _answer(self, text: str) -> Given:
        if not hasattr(self._own, "process"):
            self._own.process = self._start()
        process: subprocess.Popen[bytes] = self._own.process
        assert process.stdin
        assert process.stdout
        try:
            pickle.dump(text, process.stdin)
            process.stdin.flush()
            given: Given = pickle.load(process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise EngineError(
                f"a process that read the store ended with status {process.wait()}",
                path=self._store,
                hint="If memory ran out, let fewer work at once: --jobs 1.",
            ) from error
        return given

    def _start(self) -> subprocess.Popen[bytes]:
        told = [str(self._store), self._place.name, str(os.getpid())]
        path = [_PACKAGES, os.environ.get("PYTHONPATH")]
        process = subprocess.Popen(
            # -P: the folder one happens to stand in is no place to import from.
            [sys.executable, "-P", "-m", "kg.reader", *told],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._started.append(process)
        if self._closed:  # meanwhile
            process.kill()
        return process

    def close(self) -> None:
        """End all processes, whatever they do, and remove the files that they made."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in list(self._started):
            process.kill()
        self._threads.shutdown()
        for process in self._started:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    with suppress(OSError):  # what was to be written goes nowhere
                        pipe.close()
        self._place.cleanup()
