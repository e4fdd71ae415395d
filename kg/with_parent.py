"""Not outliving the process that started this one."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

# <linux/prctl.h>
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15


def end_with(parent: int, name: str) -> bool:
    """Let the kernel kill this process when its parent ends, and say whether it will.

    Only Linux does. ``name`` is what ``ps`` calls it from now on. Exits if ``parent`` has gone
    already.
    """
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)
    bound = bool(libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0)
    if os.getppid() != parent:  # it went before the line above
        os._exit(0)
    return bound
