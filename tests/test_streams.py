"""Streams that are made piece by piece."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import SourceError
from kg.streams import Chunks


@given(st.lists(st.binary(max_size=9)), st.integers(1, 7))
def test_what_is_read_is_what_was_made(pieces: list[bytes], size: int) -> None:
    stream = Chunks(pieces)
    read = list(iter(lambda: stream.read(size), b""))
    assert b"".join(bytes(part or b"") for part in read) == b"".join(pieces)
    assert stream.read(size) == b""


def test_a_piece_is_made_when_it_is_read_and_its_error_is_the_readers() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"ab"
        raise SourceError("no such file")

    stream = Chunks(pieces())
    assert stream.read(9) == b"ab"
    with pytest.raises(SourceError, match="no such file"):
        stream.read(9)
