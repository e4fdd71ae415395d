"""Other servers that queries may ask: which they are, and asking one of them.

The process that speaks HTTP does it on a worker's behalf, since a worker has no network. What is
compared with the list, and what is connected to, is one parsed origin: no text is read twice.
"""

from __future__ import annotations

import asyncio
import http.client
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from kg import __version__

RESULTS = "application/sparql-results+json"
_PORTS = {"http": 80, "https": 443}
# Characters that no IRI has and that readers of addresses disagree about.
_NEVER = re.compile(r"[\x00-\x20\x7f<>\"{}|\\^`]")
# What stands for itself in a path; whatever is escaped already stays so.
_PLAIN = "/%:@!$&'()*+,;=~-._"
_PIECE = 64 * 1024
# Of an address with a query in it: what most servers take.
_LONGEST = 8000


class Origin(NamedTuple):
    """Scheme, host and port: what RFC 6454 compares."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


class ServiceError(Exception):
    """Another server did not answer as it should; the message says how."""


class ForbiddenError(Exception):
    """Another server that may not be asked, or not so; the message says why."""


def origin_of(address: str) -> Origin:
    """Return the origin of an address; the host in lower case and ASCII, the port always there.

    Raises ``ValueError`` for what is no http address, or has a user or a password in it.
    """
    if _NEVER.search(address):
        raise ValueError("has a character that no address has")
    try:
        parts = urlsplit(address)
        given = parts.port
    except ValueError:
        raise ValueError("has no host and port that can be read") from None
    if parts.scheme not in _PORTS:
        raise ValueError("is neither http nor https")
    if "@" in parts.netloc or "%" in parts.netloc:
        raise ValueError("has more than a host and a port")
    port = _PORTS[parts.scheme] if given is None else given
    host = _host(parts.hostname or "", "[" in parts.netloc)
    if not port:
        raise ValueError("has the port 0")
    return Origin(parts.scheme, host, port)


def _host(text: str, bracketed: bool) -> str:
    if bracketed:
        try:
            return ipaddress.IPv6Address(text).compressed
        except ValueError:
            raise ValueError("has a host that is no IPv6 address") from None
    try:
        host = text.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise ValueError("has a host that is no name") from None
    if not re.fullmatch(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", host):
        raise ValueError("has a host that is no name")
    return host


def listed(text: str) -> Origin:
    """Return an origin as a person lists it: without a path. Raises ``ValueError``."""
    origin = origin_of(text)
    if urlsplit(text).path not in ("", "/") or "?" in text or "#" in text:
        raise ValueError("is more than an origin")
    return origin


class Services:
    """The servers that may be asked; none unless they are listed.

    ``most`` bounds the bytes of an answer, ``at_once`` how many are asked at a time.
    """

    def __init__(self, origins: Iterable[Origin], most: int, at_once: int) -> None:
        self.origins = frozenset(origins)
        self._most = most
        self._threads = ThreadPoolExecutor(at_once, "service") if self.origins else None

    def close(self) -> None:
        """Ask nobody any more."""
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def ask(self, address: str, query: str, seconds: float) -> bytes:
        """Send a query to the server at an address and return its rows, as JSON that nobody read.

        No redirect is followed, to wherever it leads. Raises ``ForbiddenError`` for an origin that
        is not listed, an address with parameters and a query that is too long for one;
        ``ServiceError`` for every failure, and for an answer that takes longer than ``seconds``.
        """
        try:
            origin = origin_of(address)
        except ValueError as error:
            raise ForbiddenError(f"it {error}") from None
        if origin not in self.origins or self._threads is None:
            raise ForbiddenError(f"{origin} is not among those it may reach")
        if "?" in address:
            # Another query, or an update, which the server might take for the one that is sent.
            raise ForbiddenError("its address has parameters")
        path = quote(urlsplit(address).path or "/", safe=_PLAIN)
        # By GET: whatever else is at that origin, and takes a path for an order, takes none so.
        target = f"{path}?{urlencode({'query': query})}"
        if len(target) > _LONGEST:
            raise ForbiddenError(f"what would be sent is longer than {_LONGEST:,} bytes")
        call = _Call(origin, target, self._most, time.monotonic() + seconds)
        running = asyncio.get_running_loop().run_in_executor(self._threads, call.run)
        try:
            # The call's own clock runs between pieces only: neither a head that drips nor a name
            # that takes long to resolve is one.
            async with asyncio.timeout(seconds):
                return await running
        except TimeoutError:
            call.cut()
            raise ServiceError("it took too long") from None
        except asyncio.CancelledError:
            call.cut()
            raise


class _Call:
    def __init__(self, origin: Origin, target: str, most: int, deadline: float) -> None:
        self._most = most
        self._deadline = deadline
        self._target = target
        self._socket: socket.socket | None = None
        timeout = max(0.01, deadline - time.monotonic())
        if origin.scheme == "https":
            self._connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                origin.host, origin.port, timeout=timeout, context=ssl.create_default_context()
            )
        else:
            self._connection = http.client.HTTPConnection(origin.host, origin.port, timeout=timeout)

    def run(self) -> bytes:
        try:
            return self._answer()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ServiceError(f"it cannot be asked: {error}") from error
        finally:
            self._connection.close()

    def cut(self) -> None:
        """End it from another thread: whoever asked has gone."""
        self._deadline = 0.0
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _answer(self) -> bytes:
        self._hurry()
        headers = {
            "Accept": RESULTS,
            "Accept-Encoding": "identity",
            "User-Agent": f"counterclaim/{__version__}",
            "Connection": "close",
        }
        self._connection.connect()
        self._socket = self._connection.sock  # which the connection forgets after the head
        self._hurry()
        self._connection.request("GET", self._target, headers=headers)
        self._hurry()
        response = self._connection.getresponse()
        if 300 <= response.status < 400:
            raise ServiceError("it redirects, and redirects are not followed")
        if response.status != 200:
            raise ServiceError(f"it answered {response.status}")
        media = response.headers.get_content_type()
        coding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if media not in (RESULTS, "application/json") or coding != "identity":
            raise ServiceError(f"it answered with {media}, not with {RESULTS}")
        parts, size = [], 0
        while piece := response.read1(_PIECE):
            size += len(piece)
            if size > self._most:
                raise ServiceError(f"its answer is longer than {self._most:,} bytes")
            parts.append(piece)
            self._hurry()
        if response.length:
            raise ServiceError("its answer broke off")
        return b"".join(parts)

    def _hurry(self) -> None:
        """Wait for the next piece no longer than there is time left for all."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("it took too long")
        if self._socket is not None:
            with suppress(OSError):  # closed: all of the answer has been read
                self._socket.settimeout(left)
