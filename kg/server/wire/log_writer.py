"""Writing the log without ever waiting for whoever reads it."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque

# Text that nobody reads is kept up to here, and dropped beyond; characters.
_KEPT = 4 * 1024 * 1024
# What is left gets so long to be written at the end; seconds.
_LAST = 3.0


class LogWriter(logging.Handler):
    """Writes records to a file descriptor in a thread of its own.

    When the other end of a pipe does not read, records are kept up to a limit and then dropped;
    how many lines were is written once there is room again.
    """

    def __init__(self, descriptor: int, kept: int = _KEPT) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._most = kept
        self._texts: deque[str] = deque()
        self._size = 0
        self._dropped = 0
        self._over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record until it is written, or drop it."""
        text = self.format(record) + "\n"
        with self._changed:
            if self._size + len(text) > self._most:
                self._dropped += text.count("\n")
                return
            self._texts.append(text)
            self._size += len(text)
            self._changed.notify()

    def close(self) -> None:
        """Write what is left, unless nobody reads it, and end."""
        with self._changed:
            self._over = True
            self._changed.notify()
        self._thread.join(_LAST)
        super().close()

    def _write_all(self) -> None:
        while data := self._next():
            if not self._write(data):
                with self._changed:
                    self._dropped += data.count(b"\n")

    def _next(self) -> bytes:
        """Wait for text and take all there is; nothing at the end."""
        with self._changed:
            while not self._texts and not self._over:
                self._changed.wait()
            data = "".join(self._texts)
            self._texts.clear()
            self._size = 0
            if self._dropped:
                data += f"{self._dropped} lines of the log were dropped: nobody read it\n"
                self._dropped = 0
            return data.encode(errors="backslashreplace")

    def _write(self, data: bytes) -> bool:
        """Write, however long it takes; ``False`` if nobody will ever read it."""
        # Not through a stream, whose lock the interpreter would wait for at its end.
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                time.sleep(0.05)
            except OSError:
                return False
        return True
