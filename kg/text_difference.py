"""Say in what a text differs from the one that was meant; help for a person, never a match."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

_BOM = b"\xef\xbb\xbf"
_INVISIBLE = frozenset("\ufeff\u200b\u200c\u200d\u2060\u00ad")
_TYPOGRAPHY = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201a\u201b\u2032`\u00b4", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
    | {"\u2026": "..."}
)


def explain_file(data: bytes, sha256: str) -> str | None:
    """Say what to change in a file for it to have this SHA-256, if it is one of the usual culprits.

    Those are a byte order mark, line endings, newlines at the end and Unicode normalisation.
    """
    for reasons, variant in _variants(data):
        if hashlib.sha256(variant).hexdigest() == sha256:
            return " and ".join(reasons)
    return None


def _variants(data: bytes) -> Iterator[tuple[list[str], bytes]]:
    """Yield the file as common tools would have stored it, the smallest change first."""
    bare = data.removeprefix(_BOM)
    own_mark = data[: len(data) - len(bare)]
    unix = bare.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    endings = [bare, unix, unix.replace(b"\n", b"\r\n"), unix.replace(b"\n", b"\r")]
    forms: tuple[Literal["NFC", "NFD"] | None, ...] = (None, "NFC", "NFD")
    for form in forms:
        for body in endings:
            for newline in (None, b"", b"\n", b"\r\n"):
                for mark in (own_mark, b"", _BOM):
                    reasons = []
                    changed = body
                    if form is not None:
                        changed = _normalised(changed, form)
                        reasons.append(f"Unicode normalisation (the document is {form})")
                    if body != bare:
                        reasons.append("line endings")
                    if newline is not None:
                        changed = changed.rstrip(b"\r\n") + newline
                        reasons.append("the newlines at its end")
                    if mark != own_mark:
                        reasons.append("a byte order mark")
                    if reasons:
                        yield reasons, mark + changed


def _normalised(data: bytes, form: Literal["NFC", "NFD"]) -> bytes:
    text = data.decode("utf-8", errors="surrogateescape")
    return unicodedata.normalize(form, text).encode("utf-8", errors="surrogateescape")


@dataclass(frozen=True)
class NearText:
    """Where a text is that is almost the wanted one, and in what they differ."""

    start: int
    end: int
    reason: str


def nearest(text: str, wanted: str) -> NearText | None:
    """Find ``wanted`` in ``text`` when one kind of difference, then when all are ignored.

    Offsets are code points of ``text``. ``None`` if no such difference explains it.
    """
    for reason, fold in _FOLDS:
        folded, origin = _fold(text, fold)
        target = _fold(wanted, fold)[0].strip()
        at = folded.find(target) if target else -1
        if at >= 0:
            return NearText(origin[at], origin[at + len(target) - 1] + 1, reason)
    return None


def longest_start(text: str, wanted: str) -> tuple[int, int]:
    """Return how many characters of the start of ``wanted`` occur in ``text``, and where.

    ``(0, -1)`` if not even the first does.
    """
    low, high = 0, len(wanted)
    while low < high:  # if n characters occur, so do n - 1
        middle = (low + high + 1) // 2
        if wanted[:middle] in text:
            low = middle
        else:
            high = middle - 1
    return (low, text.find(wanted[:low])) if low else (0, -1)


def _spacing(character: str) -> str:
    return "" if character in _INVISIBLE else " " if character.isspace() else character


def _typography(character: str) -> str:
    return character.translate(_TYPOGRAPHY)


def _composition(character: str) -> str:
    return unicodedata.normalize("NFKD", character)


def _everything(character: str) -> str:
    plain = _composition(_typography(character))
    return "".join(_spacing(one) for one in plain).casefold()


_FOLDS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("white space or line breaks", _spacing),
    ("quotation marks, dashes or ellipses", _typography),
    ("upper and lower case", str.casefold),
    ("composed and decomposed characters", _composition),
    ("several of: white space, quotation marks, case, composition", _everything),
)


def _fold(text: str, fold: Callable[[str], str]) -> tuple[str, list[int]]:
    """Fold character by character; also return the index each folded character comes from.

    Of a run of spaces only the first stays, where the fold makes every white space one.
    """
    squeeze = fold("\n") == " "
    characters: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        for one in fold(character):
            if squeeze and one == " " and characters[-1:] == [" "]:
                continue
            characters.append(one)
            origin.append(index)
    return "".join(characters), origin
