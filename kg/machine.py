"""What the machine has to give: processors, and memory that is free; and what it gets back."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

# More would wait for each other: a build has a few long questions and many short ones.
_MOST_JOBS = 4
# Bytes that a process which reads a large store may take.
_PER_JOB = 1024**3


def free_memory() -> int | None:
    """Return the bytes that may be taken now, or nothing if the system does not tell.

    That is what the system could give, or what a container may have as a whole if that is less.
    """
    free = []
    for path, pattern in (
        ("/proc/meminfo", rb"MemAvailable:\s*([0-9]+) kB"),
        ("/sys/fs/cgroup/memory.max", rb"([0-9]+)"),
    ):
        try:
            found = re.search(pattern, Path(path).read_bytes())
        except OSError:
            continue
        if found:
            free.append(int(found[1]) * (1024 if found[0].endswith(b"kB") else 1))
    return min(free, default=None)


def processors() -> int:
    """Return how many processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def usual_jobs() -> int:
    """Return how many processes may read a large store at once, unless somebody says otherwise.

    At least one, and at most four, as far as there are processors and memory.
    """
    free = free_memory()
    room = _MOST_JOBS if free is None else free // _PER_JOB
    return max(1, min(_MOST_JOBS, processors(), room))


def give_memory_back() -> None:
    """Give memory that is free in this process back to the system.

    Else a process keeps what its largest work took. Only the GNU C library has it.
    """
    if trim := _trimming():
        trim(0)


@cache
def _trimming() -> Callable[[int], int] | None:
    import ctypes  # whoever works on little never needs it

    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return None
    return trim
