"""Answers kept in memory, the ones used last, up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

# What an entry takes besides its body; a fair guess is enough for a bound.
_OVERHEAD = 600


class Entry(NamedTuple):
    """A complete answer as it was sent: its media type, coding, body, and how many rows it has."""

    media: str
    coding: str | None
    body: bytes
    rows: int
    link: str | None = None


class Shelf:
    """Keeps at most ``capacity`` bytes of answers, none of them longer than ``largest``."""

    def __init__(self, capacity: int, largest: int) -> None:
        self._capacity = capacity
        self.largest = min(largest, capacity)
        self._entries: OrderedDict[str, tuple[Entry, Cache]] = OrderedDict()
        self.size = 0
        self.hits = 0
        self.misses = 0

    def get(self, key: str) -> Entry | None:
        """Return what is kept under a key, and keep it longer."""
        found = self._entries.get(key)
        if found is None:
            self.misses += 1
            return None
        self.hits += 1
        self._entries.move_to_end(key)
        return found[0]

    def put(self, key: str, entry: Entry, cache: Cache) -> None:
        """Keep an answer if it is short enough, at the cost of those unused the longest."""
        if len(entry.body) > self.largest:
            return
        if key in self._entries:
            self.drop(key)
        self._entries[key] = entry, cache
        cache.keys.add(key)
        self.size += len(entry.body) + _OVERHEAD
        while self.size > self._capacity:
            self.drop(next(iter(self._entries)))

    def drop(self, key: str) -> None:
        """Forget an answer, if it is kept."""
        if found := self._entries.pop(key, None):
            entry, cache = found
            cache.keys.discard(key)
            self.size -= len(entry.body) + _OVERHEAD


class Cache:
    """The answers of one dispute on a shelf that it may share with others."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self.keys: set[str] = set()  # which of the shelf are its own
        self.largest = shelf.largest
        self.get = shelf.get  # a key names the snapshot, and so the dispute

    def put(self, key: str, entry: Entry) -> None:
        """Keep an answer if it is short enough."""
        self._shelf.put(key, entry, self)

    def clear(self) -> None:
        """Forget all of its answers: a new snapshot has been published."""
        for key in [*self.keys]:
            self._shelf.drop(key)
