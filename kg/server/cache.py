"""Answers kept in memory, the ones used last, up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

# What an entry takes besides its body; a fair guess is enough for a bound.
_OVERHEAD = 600


@dataclass(frozen=True)
class Entry:
    """A complete answer as it was sent: its media type, coding, body, and how many rows it has."""

    media: str
    coding: str | None
    body: bytes
    rows: int
    link: str | None = None


class Cache:
    """Keeps at most ``capacity`` bytes of answers, none of them longer than ``largest``."""

    def __init__(self, capacity: int, largest: int) -> None:
        self._capacity = capacity
        self.largest = min(largest, capacity)
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self.size = 0
        self.hits = 0
        self.misses = 0

    def get(self, key: str) -> Entry | None:
        """Return what is kept under a key, and keep it longer."""
        entry = self._entries.get(key)
        if entry is None:
            self.misses += 1
            return None
        self.hits += 1
        self._entries.move_to_end(key)
        return entry

    def put(self, key: str, entry: Entry) -> None:
        """Keep an answer if it is short enough, at the cost of those unused the longest."""
        if len(entry.body) > self.largest:
            return
        self._drop(key)
        self._entries[key] = entry
        self.size += len(entry.body) + _OVERHEAD
        while self.size > self._capacity:
            self._drop(next(iter(self._entries)))

    def clear(self) -> None:
        """Forget everything: a new snapshot has been published."""
        self._entries.clear()
        self.size = 0

    def _drop(self, key: str) -> None:
        if entry := self._entries.pop(key, None):
            self.size -= len(entry.body) + _OVERHEAD
