"""What goes between the endpoint and a worker: frames of a kind, a length and that many bytes.

A request is one frame. An answer is ``TAKEN HEAD BODY* END``, or ``FAIL`` at any point before
``END``: an answer that stops without ``END`` is known to be broken.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import Any

READY = b"R"  # the worker can take a request
REQUEST = b"Q"
TAKEN = b"T"  # the request has been read: from here on, a death may be its fault
HEAD = b"H"  # JSON: what kind of answer comes, and in what media type
BODY = b"B"
END = b"E"  # JSON: how many rows
FAIL = b"F"  # JSON: status, title, detail
# JSON: the address of another server and a query for it; a BODY or a FAIL goes back to the worker.
CALL = b"C"

_PREFIX = struct.Struct("!cI")
# No frame is longer: what is read ahead of a slow client is bounded by it.
LARGEST = 4 * 1024 * 1024


def pack(kind: bytes, payload: bytes | dict[str, Any] = b"") -> bytes:
    """Return a frame; a dictionary is written as JSON."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return _PREFIX.pack(kind, len(data)) + data


def receive(connection: socket.socket) -> tuple[bytes, bytes] | None:
    """Read a frame, waiting for it; ``None`` if the other end has closed."""
    prefix = _exactly(connection, _PREFIX.size)
    if prefix is None:
        return None
    kind, length = _PREFIX.unpack(prefix)
    payload = _exactly(connection, length)
    return None if payload is None else (kind, payload)


def _exactly(connection: socket.socket, length: int) -> bytes | None:
    parts = []
    while length:
        part = connection.recv(min(length, 1 << 20))
        if not part:
            return None
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


async def read(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Read a frame. Raises ``EOFError`` if the worker has gone, in the middle of one or not."""
    try:
        kind, length = _PREFIX.unpack(await reader.readexactly(_PREFIX.size))
        if length > LARGEST:
            raise EOFError("a frame longer than any")
        return kind, await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise EOFError("the worker has gone") from error
