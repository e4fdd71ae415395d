"""How fast clients take their answers, and when one that takes nothing is given up.

An answer that is not taken holds a worker. As long as nobody needs the worker, that is allowed
for a while; once somebody waits, not for long, and the less the more answers the same client
leaves lying. Whoever keeps taking gets all of its answer, however long that is.
"""

from __future__ import annotations

import asyncio
import fcntl
import struct
import termios
from collections import Counter
from collections.abc import Awaitable, Callable
from types import TracebackType

from kg.server.wire.limits import Limits

# Taking less within the time than this is taking nothing: a byte now and then holds no worker.
_SOME = 16 * 1024
# How many times within its time a client is looked at.
_LOOKS = 8
# A stall may be this much shorter for a client with as many of them, or when many others wait.
_SHORTEST = 4


def unsent(transport: asyncio.Transport) -> int:
    """Return how many of the bytes written to a connection the other end has not taken."""
    waiting = transport.get_write_buffer_size()
    connected = transport.get_extra_info("socket")
    if connected is not None:
        try:
            # What the system holds for it, which may be megabytes: tcp(7), SIOCOUTQ.
            told = fcntl.ioctl(connected.fileno(), termios.TIOCOUTQ, b"\0" * 4)
        except (OSError, ValueError):
            return waiting  # closed, or a system that does not tell
        waiting += struct.unpack("i", told)[0]
    return waiting


class Clients:
    """How many answers each client does not take just now.

    ``wanted`` returns how many others wait for each worker of those that a client holds some of.
    """

    def __init__(self, limits: Limits, wanted: Callable[[str], float]) -> None:
        self.limits = limits
        self.wanted = wanted
        self.stuck: Counter[str] = Counter()


class Pace:
    """A block that ends in ``TimeoutError`` when the client does not take what it is sent.

    ``transport`` is its connection, where it is known. ``holds``: the answer holds a worker.
    """

    def __init__(
        self, clients: Clients, client: str, transport: asyncio.Transport | None, holds: bool
    ) -> None:
        self._clients = clients
        self._client = client
        self._transport = transport
        self._holds = holds
        self._given = 0
        self._taken = 0  # when it was last seen to take something, and when that was
        self._since = 0.0
        self._sending = self._stuck = False

    async def __aenter__(self) -> Pace:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._clock = asyncio.timeout(None)
        await self._clock.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._timer:
            self._timer.cancel()
        self._mark(False)
        await self._clock.__aexit__(kind, error, traceback)

    async def send(self, size: int, sending: Awaitable[None]) -> None:
        """Wait until a message with so many bytes has been sent, or enough of it."""
        self._given += size
        self._sending = True
        self._since = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._pause, self._look)
        try:
            await sending
        finally:
            self._sending = False
            self._mark(False)

    @property
    def _pause(self) -> float:
        limits = self._clients.limits
        return min(limits.stall, limits.patience) / _LOOKS

    def _mark(self, stuck: bool) -> None:
        """Count this answer among those that its client leaves lying, or no more."""
        if stuck != self._stuck:
            self._stuck = stuck
            self._clients.stuck[self._client] += 1 if stuck else -1
            if not self._clients.stuck[self._client]:
                del self._clients.stuck[self._client]

    def _look(self) -> None:
        self._timer = self._loop.call_later(self._pause, self._look)
        if not self._sending:
            return
        now = self._loop.time()
        taken = self._given - (unsent(self._transport) if self._transport else 0)
        if taken >= self._taken + _SOME:
            self._taken, self._since = taken, now
            self._mark(False)
            return
        self._mark(now - self._since >= self._pause)
        limits = self._clients.limits
        allowed = limits.patience
        if self._holds and (wanted := self._clients.wanted(self._client)):
            hurry = max(self._clients.stuck[self._client], 1 + _SHORTEST * wanted)
            allowed = min(allowed, limits.stall / min(hurry, _SHORTEST))
        if now - self._since >= allowed:
            self._clock.reschedule(now)
            if self._transport:
                self._transport.abort()  # to close it would be to wait until all is taken
