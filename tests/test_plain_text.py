"""Nothing that others wrote can drive a terminal, whatever prints it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kg.plain_text import clean, one_line


@given(st.text())
def test_nothing_with_power_is_left(text: str) -> None:
    for shown in (clean(text), one_line(text)):
        assert not [c for c in shown if c != "\n" and (ord(c) < 32 or 0x7F <= ord(c) <= 0x9F)]
        assert not set(shown) & set("\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069")
    assert "\n" not in one_line(text)
    assert clean(clean(text)) == clean(text)


def test_what_is_plain_stays() -> None:
    assert clean("été\r\n日本 😀\n[x]") == "été\n日本 😀\n[x]"
    assert clean("a\tb\x1b[31m\rc") == "a b\ufffd[31m\ufffdc"
    assert one_line("a\t\n b\r\nc") == "a  b c"
