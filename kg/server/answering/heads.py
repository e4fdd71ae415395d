"""What complete answers begin with, most of it put together once."""

from __future__ import annotations

from collections.abc import Sequence

from kg.server.answering.answers import entry_headers
from kg.server.wire.cache import Entry
from kg.server.wire.headers import EVERYWHERE

_Pairs = Sequence[tuple[bytes, bytes]]
# Media types and content codings are few; what a query chooses is rarely among them.
_MOST = 256
_OF_EACH = frozenset({b"etag", b"content-length"})


class Heads:
    """Status line and headers of answers with status 200."""

    def __init__(self) -> None:
        self._always: _Pairs = ()
        # Media type, coding, link, whether the answer is kept -> all but its length and its tag.
        self._parts: dict[tuple[str, str | None, str | None, bool], bytes] = {}

    def head(self, always: _Pairs, entry: Entry, key: str | None) -> bytes:
        """Return all that goes before the content of an answer, kept as ``key`` or not kept.

        ``always`` are headers of every response: others, such as another date, are another list.
        """
        if always is not self._always or len(self._parts) > _MOST:
            self._always = always
            self._parts.clear()
        kind = entry.media, entry.coding, entry.link, key is None
        part = self._parts.get(kind)
        if part is None:
            pairs = [*always, *entry_headers(entry, key), *EVERYWHERE]
            lines = [b"%b: %b\r\n" % pair for pair in pairs if pair[0] not in _OF_EACH]
            part = self._parts[kind] = b"HTTP/1.1 200 OK\r\n" + b"".join(lines)
        if key is None:
            return b"%bcontent-length: %d\r\n\r\n" % (part, len(entry.body))
        tag = key.encode()
        return b'%betag: W/"%b"\r\ncontent-length: %d\r\n\r\n' % (part, tag, len(entry.body))
