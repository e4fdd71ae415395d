"""A connection on which a response's head and content go out in one piece."""

from __future__ import annotations

import asyncio
from typing import Any

# More is not held back to be sent in one piece.
_AT_ONCE = 16 * 1024


class Joined:
    """A transport that sends in one piece what is written to it within one turn of the loop.

    A response's head and its content come as two writes, and would go as two packets.
    """

    def __init__(self, inner: asyncio.Transport) -> None:
        self._inner = inner
        self._loop = asyncio.get_running_loop()
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        """Send bytes, soon."""
        self._parts.append(data)
        self._size += len(data)
        if self._size > _AT_ONCE:
            self._flush()
        elif len(self._parts) == 1:
            self._loop.call_soon(self._flush)

    def write_now(self, data: bytes) -> None:
        """Send bytes, and whatever waits."""
        self._parts.append(data)
        self._flush()

    def _flush(self) -> None:
        if self._parts and not self._inner.is_closing():
            data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            self._inner.write(data)
        self._parts.clear()
        self._size = 0

    def close(self) -> None:
        """Close once everything has been sent."""
        self._flush()
        self._inner.close()

    def is_closing(self) -> bool:
        """Say whether it is closed, or about to be."""
        return self._inner.is_closing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
