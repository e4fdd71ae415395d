"""The process that workers are copies of: everything is loaded, and nothing has been done yet.

It has seen no query and opened no store, and runs no thread, so that a copy has nothing of
another's: no key, no random number, no lock.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import time
from contextlib import suppress

from kg.server.pool import frames
from kg.with_parent import end_with


def copies(control: socket.socket, parent: int) -> tuple[socket.socket, socket.socket]:
    """Make a copy for every message on ``control``, and return in each its connection and its jobs.

    A message brings three files: one end of each, and where the copy writes its errors.
    Exits when ``control`` closes. The copies become children of ``parent``, which must be this
    process's parent and adopt what its children leave behind.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    end_with(parent, "kg-template")
    gc.collect()
    gc.freeze()  # what is here stays, and stays shared
    while True:
        _, files, _, _ = socket.recv_fds(control, 1, 3)
        if len(files) != 3:
            os._exit(0)
        between = _forked()
        if between is None:
            control.close()
            return _copy(*files)
        for file in files:
            os.close(file)
        if between:
            os.waitpid(between, 0)


def _copy(connection: int, jobs: int, errors: int) -> tuple[socket.socket, socket.socket]:
    """Make the worker and leave it behind; return in it when it has been adopted."""
    between = os.getpid()
    worker = _forked()
    if worker is not None:
        if worker:
            with suppress(OSError):
                os.write(connection, frames.pack(frames.PID, b"%d" % worker))
        os._exit(0)
    while os.getppid() == between:
        time.sleep(0.0002)
    # Out of reach of signals to the endpoint's group, such as Ctrl-C, but in its session: where the
    # system shares processors among sessions, giving way would else mean nothing.
    os.setpgid(0, 0)
    os.dup2(errors, 2)
    os.close(errors)
    return socket.socket(fileno=connection), socket.socket(fileno=jobs)


def _forked() -> int | None:
    """Return the new process's identifier, ``None`` in it, and 0 if there can be none now."""
    try:
        return os.fork() or None
    except OSError:
        return 0  # the connection closes, by which the parent knows
