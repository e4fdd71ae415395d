"""Who asks, what is noted of a request, and its line in the access log."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _text

from starlette.types import Scope

_LOG = logging.getLogger("kg.access")
# Lines are written together, so many or after so long (seconds).
_LINES, _EVERY = 200, 0.1


@dataclass(slots=True)
class Notes:
    """What the access log says of a request beyond its status."""

    outcome: str = "ok"
    rows: int | None = None
    size: int = 0
    cached: bool = False


# Has a request logged and counted that did not come by the application's front: what is known of
# it, its status, its notes, and how many seconds it took.
Note = Callable[[Scope, int, Notes, float], None]


def client_of(scope: Scope, proxied: bool = False) -> str:
    """Return who asks: the address of the other end, or, behind a proxy, the one it names.

    An IPv6 network of 64 bits is one client: it is what one customer usually has.
    """
    address = str((scope.get("client") or ("unknown",))[0])
    if proxied:
        for name, value in scope["headers"]:
            if name == b"x-forwarded-for":
                address = _without_port(value.decode("latin-1").rpartition(",")[2].strip())
    return _network(address) if ":" in address else address


def _without_port(address: str) -> str:
    """Return an address without the port that some proxies add: ``192.0.2.1:80``, ``[::1]:80``."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    host, _, port = address.partition(":")
    return host if port.isdigit() and "." in host else address


@lru_cache(maxsize=1024)
def _network(address: str) -> str:
    import ipaddress

    try:
        return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address


@lru_cache(maxsize=256)
def asked(client: str, method: str, path: str) -> str:
    """Return what a line of the log says of who asks, and for what."""
    return f'"client": {_text(client)}, "method": {_text(method)}, "path": {_text(path)}'


class AccessLog:
    """One JSON object a line for each request, with the path but never a query."""

    def __init__(self, proxied: bool) -> None:
        self._proxied = proxied
        self._lines: list[str] = []
        self._second, self._time = 0, ""
        self._timer: asyncio.TimerHandle | None = None

    def add(self, scope: Scope, status: int, notes: Notes, seconds: float) -> None:
        """Note a request that has ended."""
        client = client_of(scope, self._proxied)
        self.add_asked(asked(client, scope["method"], scope["path"]), status, notes, seconds)

    def add_asked(self, asked: str, status: int, notes: Notes, seconds: float) -> None:
        """Note a request of which it is known who asked, and for what; see ``asked``."""
        if not _LOG.isEnabledFor(logging.INFO):
            return
        rows = "null" if notes.rows is None else notes.rows
        # As json.dumps would write it, which takes three times as long.
        self._lines.append(
            f'{{"time": "{self._now()}", {asked}, '
            f'"status": {status}, "seconds": {seconds:.4f}, "bytes": {notes.size}, '
            f'"rows": {rows}, "cached": {"true" if notes.cached else "false"}, '
            f'"outcome": {_text(notes.outcome)}}}'
        )
        if len(self._lines) >= _LINES:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_EVERY, self.flush)

    def flush(self) -> None:
        """Write what is waiting."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._lines:
            _LOG.info("\n".join(self._lines))
            self._lines.clear()

    def _now(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._time = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))
        return self._time
