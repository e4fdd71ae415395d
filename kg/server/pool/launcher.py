"""Starting worker processes quickly: a process that has loaded everything makes copies of itself.

On Linux a copy takes some milliseconds where a start takes some hundred, and shares its memory
with the others until it writes to it. The copies become children of the endpoint, which adopts
what its children leave behind. Elsewhere each worker is started on its own.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

from kg.server.pool.jobs import Jobs

# Where this package was imported from; a worker must not find another.
_PACKAGES = str(Path(__file__).resolve().parents[3])
_ENVIRONMENT = {
    "PYTHONPATH": _PACKAGES,
    # Fewer arenas: each reserves address space, which the limit counts.
    "MALLOC_ARENA_MAX": "2",
    # A query takes and gives back some hundred small pieces of memory; as long as all of them are
    # kept at hand, that takes a tenth of its time less.
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=500",
}
_PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>


class Process(Protocol):
    """As much of ``subprocess.Popen`` as a pool needs."""

    pid: int

    def poll(self) -> int | None: ...  # noqa: D102
    def kill(self) -> None: ...  # noqa: D102


class Adopted:
    """A process that another started and that is our child all the same."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        """Return its exit status once it has ended, and bury it."""
        if self._status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                self._status = -signal.SIGKILL  # its number may be another's by now
            else:
                if pid:
                    self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def kill(self) -> None:
        """Kill it, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


class Launcher:
    """Starts workers. ``told`` is what each is told at its start; see ``kg.server.worker``."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = {**told, "parent": os.getpid()}
        self._template: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._copies: bool | None = None  # not known before the first start

    def launch(self, stderr: IO[bytes]) -> tuple[socket.socket, Process | None, Jobs | None]:
        """Start a worker and return its connection, the process and its way for jobs.

        No process: it is a copy, and its process identifier comes as the first frame. No way for
        jobs: they go by the connection. Raises ``OSError``.
        """
        if self._copies is None:
            self._copies = _adopt()
        ours, theirs = socket.socketpair()
        jobs: Jobs | None = None
        try:
            with theirs:
                if not self._copies:
                    return ours, self._start("alone", theirs, stderr), None
                if self._template is None or self._template.poll() is not None:
                    self._renew()
                assert self._control is not None
                jobs = Jobs()
                files = [theirs.fileno(), jobs.theirs.fileno(), stderr.fileno()]
                socket.send_fds(self._control, [b"."], files)
                return ours, None, jobs
        except BaseException:
            ours.close()
            if jobs:
                jobs.close()
            raise

    def _renew(self) -> None:
        """Start the process that is copied."""
        self.close()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._template = self._start("template", theirs, subprocess.DEVNULL)

    def _start(
        self, role: str, connection: socket.socket, stderr: IO[bytes] | int
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            # -P: the folder one happens to stand in is no place to import from.
            [sys.executable, "-P", "-m", "kg.server.worker", role, json.dumps(self._told)],
            env=os.environ | _ENVIRONMENT,
            stdin=connection.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            process_group=0,
        )

    def close(self) -> None:
        """End the process that is copied; the copies live on."""
        if self._control:
            self._control.close()
            self._control = None
        if self._template:
            self._template.kill()
            self._template.wait()
            self._template = None


def _adopt() -> bool:
    """Become the parent of what the children of this process leave behind, if Linux lets us."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
