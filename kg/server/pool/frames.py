"""What goes between the endpoint and a worker: frames of a kind, a length and that many bytes.

A request is one frame. An answer is ``WHOLE`` if it is short, else ``HEAD BODY* END``, or ``FAIL``
at any point before its end: an answer that stops before that is known to be broken.
"""

from __future__ import annotations

import json
import socket
import struct
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

PID = b"P"  # the worker's process identifier, from the process that started it
READY = b"R"  # the worker can take a request
REQUEST = b"Q"  # the snapshot's store and the job; see ``request`` and ``job``
WHOLE = b"W"  # head, rows and body of an answer; see ``whole``
HEAD = b"H"  # JSON: what kind of answer comes, and in what media type
BODY = b"B"
END = b"E"  # JSON: how many rows
FAIL = b"F"  # JSON: status, title, detail
GO = b"G"  # to a worker whose last answer was not ``WHOLE``: it may take the next job
# JSON: the address of another server and a query for it; a BODY or a FAIL goes back to the worker.
CALL = b"C"

Frame = tuple[bytes, bytes]

_PREFIX = struct.Struct("!cI")
_LENGTHS = struct.Struct("!IQ")
_WHOLE = struct.Struct("!cIIQ")  # both
# No frame is longer: what is read ahead of a slow client is bounded by it.
LARGEST = 4 * 1024 * 1024
# What is said of a query, or of an answer, is remembered if it has so many bytes at most.
_KEPT = 2048
# Most frames come whole in one piece.
_READ = 64 * 1024


class MalformedError(Exception):
    """Bytes that no worker sends."""


def pack(kind: bytes, payload: bytes | dict[str, Any] = b"") -> bytes:
    """Return a frame; a dictionary is written as JSON."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return _PREFIX.pack(kind, len(data)) + data


def payload(data: memoryview) -> bytes:
    """Return the payload of the one frame that these bytes are."""
    return bytes(data[_PREFIX.size :])


def job(told: Mapping[str, Any]) -> bytes:
    """Return a job as it is sent: JSON, and behind it the text of its ``query``, if it has one.

    What is before the text is the same in most jobs, and need not be read again.
    """
    rest = dict(told)
    text = rest.pop("query", None)
    data = json.dumps(rest).encode()
    return data if text is None else data + b"\0" + text.encode()


def request(store: str, job: bytes) -> bytes:
    """Return the frame that asks for a job over a snapshot's store."""
    return pack(REQUEST, store.encode("utf-8", "surrogateescape") + b"\0" + job)


def read_request(payload: bytes) -> tuple[str, dict[str, Any]]:
    """Return the store and the job of a ``REQUEST``."""
    store, told, *texts = payload.split(b"\0", 2)  # neither a path nor JSON has the byte
    job = dict(_head(told) if len(told) <= _KEPT else json.loads(told))
    if texts:
        job["query"] = texts[0].decode()
    return _path(store), job


@lru_cache(maxsize=64)
def _path(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def whole(head: dict[str, Any], rows: int, body: bytes) -> bytes:
    """Return a complete answer as one frame."""
    try:
        told = _written(tuple(head.items()))
    except TypeError:  # what differs from answer to answer, such as other pages, is a mapping
        told = json.dumps(head).encode()
    size = _LENGTHS.size + len(told) + len(body)
    return b"".join((_WHOLE.pack(WHOLE, size, len(told), rows), told, body))


@lru_cache(maxsize=64)
def _written(head: tuple[tuple[str, Any], ...]) -> bytes:
    return json.dumps(dict(head)).encode()


def read_whole(payload: bytes) -> tuple[dict[str, Any], int, bytes]:
    """Return head, rows and body of a ``WHOLE``; the head is shared and must not be changed."""
    length, rows = _LENGTHS.unpack_from(payload)
    start = _LENGTHS.size
    told = payload[start : start + length]
    head = _head(told) if length <= _KEPT else json.loads(told)
    return head, rows, payload[start + length :]


@lru_cache(maxsize=64)
def _head(text: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


class Splitter:
    """Cuts bytes, as they come, into frames."""

    def __init__(self) -> None:
        self._left = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that are complete now. Raises ``MalformedError``."""
        source: bytes | bytearray = data
        if self._left:
            self._left += data
            source = self._left
        found: list[Frame] = []
        at, size = 0, _PREFIX.size
        while len(source) - at >= size:
            kind, length = _PREFIX.unpack_from(source, at)
            if length > LARGEST:
                raise MalformedError("a frame longer than any")
            if len(source) - at - size < length:
                break
            found.append((kind, bytes(source[at + size : at + size + length])))
            at += size + length
        if source is data:
            self._left += data[at:]
        else:
            del self._left[:at]
        return found


class Incoming:
    """The frames that come from a connection, waited for."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray(_READ)
        self._splitter = Splitter()
        self._frames: deque[Frame] = deque()

    def next(self) -> Frame | None:
        """Return the next frame, or ``None`` if the other end has closed."""
        while not self._frames:
            size = self._connection.recv_into(self._buffer)
            if not size:
                return None
            self._frames.extend(self._splitter.feed(bytes(memoryview(self._buffer)[:size])))
        return self._frames.popleft()
