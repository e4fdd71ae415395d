"""The way out of a worker: bytes are mended, counted, compressed and sent in frames."""

from __future__ import annotations

import re
import socket
from typing import Any, Protocol

from kg.errors import FormatError
from kg.server.pool import frames

# Enough that the cost of a frame vanishes, little enough that a first answer comes at once.
_FRAME = 64 * 1024
# One term may be longer than any frame.
_LONGEST = 256 * 1024
# Below this a compressed answer is hardly shorter.
_WORTH_COMPRESSING = 512
# What XML 1.0 cannot hold, as UTF-8.
_NOT_IN_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
_FIRST_ROW, _NO_ROWS = b'"bindings":[{', b'"bindings":[]'
_NEXT_ROW = re.compile(rb'\}\},\{"(?=[^,}:])')
# What stands between two rows, and how many rows there are besides. No text of a term in XML has
# the sign; in TSV it is escaped. The first line of TSV and CSV is the heading.
_BETWEEN = {
    "xml": (b"<result>", 0),
    "tsv": (b"\n", -1),
    "csv": (b"\r\n", -1),
    "json": (b"},{", 0),
}


class TooLargeError(Exception):
    """An answer beyond a limit; ``what`` says which."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Compressor(Protocol):
    """A compressor that takes bytes as they come."""

    def compress(self, data: bytes, /) -> bytes: ...  # noqa: D102
    def flush(self) -> bytes: ...  # noqa: D102


def compressor(encoding: str) -> Compressor:
    """Return a compressor of an HTTP content coding: ``gzip``, ``br`` or ``zstd``.

    The levels favour speed: an answer is compressed while somebody waits for it.
    """
    if encoding == "gzip":
        import zlib

        return zlib.compressobj(5, zlib.DEFLATED, 31)
    if encoding == "zstd":
        import zstandard

        return zstandard.ZstdCompressor(level=3).compressobj()
    import brotli

    class _Brotli:
        def __init__(self) -> None:
            self._inner = brotli.Compressor(quality=4)

        def compress(self, data: bytes, /) -> bytes:
            return bytes(self._inner.process(data))

        def flush(self) -> bytes:
            return bytes(self._inner.finish())

    return _Brotli()


class XmlGuard:
    """Keeps carriage returns in a stream of XML, which a reader would change."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> bytes:
        """Return what is certain; two bytes may wait for their third.

        Raises ``FormatError`` for a character that XML cannot hold.
        """
        data = self._kept + data
        if found := _NOT_IN_XML.search(data):
            raise FormatError(f"XML cannot hold the character U+{ord(found.group().decode()):04X}")
        cut = len(data)
        for length in (1, 2):
            if data[-length:] == b"\xef\xbf"[:length]:
                cut -= length
        self._kept, data = data[cut:], data[:cut]
        return data.replace(b"\r", b"&#13;")

    def flush(self) -> bytes:
        """Return what has waited in vain: a stream that ends within a character is kept so."""
        data, self._kept = self._kept, b""
        return data


class RowCounter:
    """Counts the rows of an answer in one of the four formats by reading its bytes."""

    _quoted = False
    _escape = _tail = b""
    _only: bytes | None = None  # what has come, as long as that is one piece
    _pieces = 0

    def __init__(self, format: str) -> None:
        self._format = format
        self._mark, self._extra = _BETWEEN[format]
        self.rows = self._extra

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._pieces += 1
        if self._pieces == 1 and self._format == "json":
            # Most answers come in one piece, whose rows can be counted in a tenth of the time.
            rows = _rows_of(data)
            if rows is not None:
                self._only, self.rows = data, rows
                return
        elif self._only is not None:
            first, self._only, self.rows = self._only, None, self._extra
            self._read(first)
        self._read(data)

    def _read(self, data: bytes) -> None:
        if self._format in ("csv", "json"):
            data = self._outside_quotes(data)
        if self._format == "json" and self.rows == 0:
            # The first row: in the outermost list, which no other bracket and brace open.
            seen = self._tail + data
            self.rows = 1 if b"[{" in seen else 0
        data = self._tail + data
        self.rows += data.count(self._mark)
        # A mark may be cut in two; what is kept is shorter than one, so none counts twice.
        self._tail = data[-(len(self._mark) - 1) :] if len(self._mark) > 1 else b""

    def _outside_quotes(self, data: bytes) -> bytes:
        data = self._escape + data
        self._escape = b""
        if self._format == "json":
            data = data.replace(b"\\\\", b"")
            if data.endswith(b"\\"):
                data, self._escape = data[:-1], b"\\"
            data = data.replace(b'\\"', b"")
        parts = data.split(b'"')
        outside = parts[1::2] if self._quoted else parts[::2]
        self._quoted ^= len(parts) % 2 == 0
        return b"".join(outside)


def _rows_of(data: bytes) -> int | None:
    """Count the rows in the beginning of an answer in JSON; ``None`` if that takes a closer look.

    No string has a quotation mark in it that is not escaped. So what looks like the end of a row
    and the name that begins the next is only ever more than that where a string ends so, and
    then there follows no name.
    """
    if _FIRST_ROW not in data:
        return 0 if _NO_ROWS in data else None
    between = len(_NEXT_ROW.findall(data))
    return 1 + between if between == data.count(b"},{") else None


class Output:
    """A file to which a serialiser writes, and which sends what it is given.

    ``head`` goes ahead of the first frame. Raises ``TooLargeError`` from ``write``.
    """

    _compressor: Compressor | None = None
    _pending = size = 0
    _begun = False
    failure: TooLargeError | None = None

    def __init__(
        self, connection: socket.socket, head: dict[str, Any], encoding: str | None, largest: int
    ) -> None:
        self._connection = connection
        self._head = head
        self._encoding = encoding
        self._largest = largest
        self._parts: list[bytes] = []

    @property
    def streamed(self) -> bool:
        """Whether an answer has begun that does not go in one piece."""
        return self._begun

    def write(self, data: bytes) -> int:
        """Take bytes."""
        self.size += len(data)
        if self.size > self._largest:
            self.fail(f"is longer than {self._largest:,} bytes")
        self._parts.append(bytes(data))
        self._pending += len(data)
        if self._pending >= _FRAME:
            whole = b"".join(self._parts)
            self._parts, self._pending = [], 0
            if not self._begun:
                self._compress()
            self._send(self._compressor.compress(whole) if self._compressor else whole)
        return len(data)

    def fail(self, what: str) -> None:
        """Stop here. Raises ``TooLargeError``, and remembers it if a serialiser swallows it."""
        self.failure = TooLargeError(what)
        raise self.failure

    def flush(self) -> None:
        """Do nothing: frames are sent when they are full."""

    def close(self, told: dict[str, Any]) -> None:
        """Send what is left and the end of the answer; a short one goes in one piece."""
        data = self._last()
        if not self._begun and len(data) <= _FRAME:
            self._connection.sendall(frames.whole(self._head, told["rows"], data))
            return
        self._send(data)
        self._connection.sendall(frames.pack(frames.END, told))

    def _last(self) -> bytes:
        """Return what is left, compressed if that is worth it."""
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        if self._compressor is None and not self._begun and len(data) >= _WORTH_COMPRESSING:
            self._compress()
        if self._compressor:
            data = self._compressor.compress(data) + self._compressor.flush()
        return data

    def _compress(self) -> None:
        if self._encoding:
            self._compressor = compressor(self._encoding)
            self._head["encoding"] = self._encoding

    def _send(self, data: bytes) -> None:
        if not self._begun:
            self._connection.sendall(frames.pack(frames.HEAD, self._head))
            self._begun = True
        for start in range(0, len(data), _LONGEST):
            part = data[start : start + _LONGEST]
            self._connection.sendall(frames.pack(frames.BODY, part))
