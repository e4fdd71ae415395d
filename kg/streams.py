"""Bytes that are made as they are read."""

from __future__ import annotations

import io
from collections.abc import Iterable


class Chunks(io.RawIOBase):
    """A stream to read from whose content comes piece by piece, one of which is in memory.

    What making a piece raises, reading raises.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer from its start, as far as the piece at hand goes; 0 is the end."""
        while not self._piece:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._piece = memoryview(piece)
        count = min(len(buffer), len(self._piece))
        buffer[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        return count
