"""Runs a program where no file can be written but below one folder: ``read_only.py FOLDER ARG…``.

As ``docker run --read-only --tmpfs FOLDER`` has it, in a mount namespace of its own. Ends with 125
if the system lets no process have one.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

IMPOSSIBLE = 125
# <sched.h> and <sys/mount.h>
_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 32, 4096, 1 << 14, 1 << 18
# Those that a mount has must be named again, or the kernel takes it for an attempt to lift them.
_KEPT = {
    **{"nosuid": 2, "nodev": 4, "noexec": 8, "noatime": 1 << 10, "nodiratime": 1 << 11},
    "relatime": 1 << 21,
}
# What a container has of its own, and no disk.
_OTHERS = {"proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2", "devtmpfs"}

libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    given = [text.encode() for text in (source, target, kind)]
    if libc.mount(*given, ctypes.c_ulong(flags), data.encode()) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


def unshare() -> None:
    """Move into a mount namespace, as who one is, or as the root of a user namespace."""
    if libc.unshare(_CLONE_NEWNS) == 0:
        return
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "no mount namespace")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def lock(folder: str) -> None:
    mount("none", "/", "", _MS_REC | _MS_PRIVATE)
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, more = line.partition(" - ")
        target, options = fields.split()[4:6]
        if more.split()[0] in _OTHERS or not Path(target).is_dir():
            continue
        kept = sum(flag for name, flag in _KEPT.items() if name in options.split(","))
        mount("none", target, "", _MS_REMOUNT | _MS_BIND | _MS_RDONLY | kept)
    mount("tmpfs", folder, "tmpfs", _KEPT["nosuid"] | _KEPT["nodev"], "size=256m")


if __name__ == "__main__":
    try:
        unshare()
        lock(sys.argv[1])
    except OSError as error:
        print(error, file=sys.stderr)
        sys.exit(IMPOSSIBLE)
    os.chdir("/")
    os.execv(sys.argv[2], sys.argv[2:])
