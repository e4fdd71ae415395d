from __future__ import annotations

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.text_difference import explain_file, longest_start, nearest

DOCUMENT = "Zoë said:\n“no”, twice.\nAnd left."


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (DOCUMENT.replace("\n", "\r\n").encode(), ["line endings"]),
        (DOCUMENT.replace("\n", "\r").encode(), ["line endings"]),
        ((DOCUMENT + "\n").encode(), ["newlines at its end"]),
        (("\ufeff" + DOCUMENT).encode(), ["byte order mark"]),
        (unicodedata.normalize("NFD", DOCUMENT).encode(), ["normalisation"]),
        (
            ("\ufeff" + DOCUMENT.replace("\n", "\r\n") + "\r\n").encode(),
            ["byte order mark", "line endings", "newlines at its end"],
        ),
    ],
)
def test_names_each_usual_difference_of_a_file(data: bytes, words: list[str]) -> None:
    reason = explain_file(data, sha(DOCUMENT.encode()))
    assert reason is not None
    for word in words:
        assert word in reason
    assert len(reason.split(" and ")) == len(words)


def test_a_document_with_a_mark_of_its_own_misses_it_in_a_file_without() -> None:
    assert explain_file(b"text", sha(b"\xef\xbb\xbftext")) == "a byte order mark"


def test_does_not_explain_another_text() -> None:
    assert explain_file(b"Something else", sha(DOCUMENT.encode())) is None


def test_does_not_explain_the_same_text() -> None:
    assert explain_file(b"same", sha(b"changed")) is None


@pytest.mark.parametrize(
    ("wanted", "reason", "found"),
    [
        ("said: “no”", "white space", "said:\n“no”"),
        ('"no", twice', "quotation marks", "“no”, twice"),
        ("and LEFT", "case", "And left"),
        ("Zoe\u0308 said", "composed", "Zoë said"),
        ('SAID: "no"', "several", "said:\n“no”"),
    ],
)
def test_finds_the_nearest_text_and_says_what_differs(wanted: str, reason: str, found: str) -> None:
    near = nearest(DOCUMENT, wanted)
    assert near is not None
    assert reason in near.reason
    assert DOCUMENT[near.start : near.end] == found


def test_an_invisible_character_is_a_difference_of_white_space() -> None:
    near = nearest("soft\u00adhyphen", "softhyphen")
    assert near is not None
    assert (near.start, near.end) == (0, 11)
    assert "white space" in near.reason


@pytest.mark.parametrize("wanted", ["maybe", " ", "\n\n"])
def test_says_nothing_is_near_when_nothing_is(wanted: str) -> None:
    assert nearest("nothing\there", wanted) is None


@given(st.text(max_size=60), st.data())
def test_whatever_is_near_lies_inside_the_text(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    near = nearest(text, text[start:end].upper())
    if near is not None:
        assert 0 <= near.start < near.end <= len(text)


@given(st.text(max_size=40), st.text(max_size=20))
def test_the_longest_start_occurs_and_no_longer_one_does(text: str, wanted: str) -> None:
    length, at = longest_start(text, wanted)
    if length:
        assert text[at : at + length] == wanted[:length]
    else:
        assert at == -1
    assert length == len(wanted) or wanted[: length + 1] not in text
