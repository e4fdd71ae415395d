"""What a worker gives up before it sees a query: memory, the network, outliving its parent.

Linux has all of it; elsewhere what the system lacks is left out, and ``confine`` says so.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress

from kg.with_parent import end_with

# <linux/sched.h> and <linux/prctl.h>
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_NO_NEW_PRIVS = 38


def confine(memory: int, parent: int) -> list[str]:
    """Bind this process and return what could not be done; exits if ``parent`` has gone already.

    ``memory`` bounds the address space in bytes. Call it before anything starts a thread: the
    kernel lets only a process of one thread into a new network namespace.
    """
    missing = []
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash must not fill the disk
    try:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    except (ValueError, OSError):
        missing.append("a limit on memory")
    if not sys.platform.startswith("linux"):
        return [*missing, "no network", "an end with the parent"]
    with suppress(OSError):
        # A worker that gets a job does not interrupt the server, which has more to do: one change
        # between them for several jobs, not for each.
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    libc = ctypes.CDLL(None, use_errno=True)
    if not _without_network(libc):
        missing.append("no network")
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # After the namespace: a change of credentials would clear it.
    if not end_with(parent, "kg-worker"):
        missing.append("an end with the parent")
    return missing


def _without_network(libc: ctypes.CDLL) -> bool:
    """Move into a network namespace that has nothing in it, not even a loopback that is up."""
    if libc.unshare(_CLONE_NEWNET) == 0:  # with the right to do so
        return True
    return bool(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0)
