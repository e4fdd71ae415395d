"""The way by which a worker gets its jobs, and by which those that it has not begun are taken back.

On Linux it is a pair of sockets that keep messages whole. The worker takes one message when it is
ready for it, so that others may lie there for it meanwhile; and as this side holds the worker's
end too, it can take what lies there for another worker. Each message is received once, by
whoever comes first. Nothing is ever sent the other way on it: who waits on a socket that is sent
to both ways is also woken when the other end has read. What is too long for a message goes by the
worker's other connection, and so does everything where there are no such sockets.
"""

from __future__ import annotations

import socket
from contextlib import suppress

# Well below what a socket holds by default: some of them may lie there.
LONGEST = 32 * 1024
# Says that the job comes by the other connection.
ELSEWHERE = b"+"


class Jobs:
    """This side's hold on both ends of a worker's way. Raises ``OSError`` where there is none."""

    def __init__(self) -> None:
        self._ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.setblocking(False)

    def give(self, message: bytes) -> bool:
        """Lay a message there, if there is room."""
        try:
            self._ours.send(message)
        except OSError:
            return False
        return True

    def drain(self) -> list[bytes]:
        """Take whatever still lies there."""
        found = []
        with suppress(OSError):
            while message := self.theirs.recv(LONGEST, socket.MSG_DONTWAIT):
                found.append(message)
        return found

    def close(self) -> None:
        """Let go of both ends."""
        self._ours.close()
        self.theirs.close()
