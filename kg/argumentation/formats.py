"""Frameworks as other tools write them: ``apx`` and ``af``.

``apx`` is the input of ASPARTIX (U. Egly, S. A. Gaggl and S. Woltran, "Answer-set programming
encodings for argumentation frameworks", Argument & Computation 1, 2010): ``arg(x). att(x,y).``
``af`` is the input of the International Competition on Computational Models of Argumentation
since 2023: ``p af 3`` and a line ``1 2`` for each attack of the first on the second.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from kg.argumentation.framework import Framework, Numbered
from kg.errors import SourceError

_CONSTANT = re.compile(r"[a-z][A-Za-z0-9_]*")
_NAME = r'([a-z_][A-Za-z0-9_]*|[0-9]+|"(?:[^"\\\n]|\\["\\n])*")'
_FACT = re.compile(rf"\s*(?:arg\(\s*{_NAME}\s*\)|att\(\s*{_NAME}\s*,\s*{_NAME}\s*\))\s*\.\s*")


def asp_term(name: str) -> str:
    """Return a name as answer-set programs read it.

    A name that is a constant (a small letter, then letters, digits, underscores) stands as it
    is; any other, such as ``jarted-144``, whose hyphen would be a minus, stands in double quotes.
    """
    if _CONSTANT.fullmatch(name) and name != "not":
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _name(term: str) -> str:
    if not term.startswith('"'):
        return term
    plain = {"n": "\n", "\\": "\\", '"': '"'}
    return re.sub(r"\\(.)", lambda match: plain[match[1]], term[1:-1])


def to_apx(framework: Framework) -> Iterator[str]:
    """Yield the lines of a framework as ``apx``, arguments first."""
    terms = [asp_term(name) for name in framework.names]
    for term in terms:
        yield f"arg({term})."
    for source, target in framework.attacks():
        yield f"att({terms[source]},{terms[target]})."


def to_af(framework: Framework) -> Iterator[str]:
    """Yield the lines of a framework as ``af``; comments tell which number is which argument."""
    yield f"p af {len(framework)}"
    if not isinstance(framework.names, Numbered):
        for number, name in enumerate(framework.names, 1):
            yield f"# {number} {name}".replace("\n", " ")
    for source, target in framework.attacks():
        yield f"{source + 1} {target + 1}"


def read_apx(lines: Iterable[str], path: Path | None = None) -> Framework:
    """Read ``apx``. Raises ``SourceError`` with the line of what is no fact of this format.

    ``%`` begins a comment, and facts may share a line. An attack may stand before its arguments,
    but may not name one that no ``arg`` introduces.
    """
    names: dict[str, int] = {}
    attacks: list[tuple[str, str, int]] = []
    for number, line in enumerate(lines, 1):
        place = 0
        text = line.strip()
        while place < len(text) and text[place] != "%":
            match = _FACT.match(text, place)
            if not match:
                raise SourceError(
                    f"neither arg(x). nor att(x,y).: {text[place : place + 40]}",
                    path=path,
                    line=number,
                    hint="A name is a constant, a number, or stands in double quotes.",
                )
            place = match.end()
            if match[1]:
                names.setdefault(_name(match[1]), len(names))
            else:
                attacks.append((_name(match[2]), _name(match[3]), number))
    for *ends, number in attacks:
        for end in ends:
            if end not in names:
                raise SourceError(f"no argument '{end}' is introduced", path=path, line=number)
    return Framework(list(names), ((names[a], names[b]) for a, b, _ in attacks))


def read_af(lines: Iterable[str], path: Path | None = None) -> Framework:
    """Read ``af``. Raises ``SourceError`` with file and line.

    The lines are read once and not kept, so that files of millions of attacks fit.
    """
    numbered = iter(enumerate(lines, 1))
    count = None
    for number, line in numbered:
        if _is_content(line):
            match = re.fullmatch(r"p af ([0-9]+)", line.strip())
            if not match:
                raise SourceError("does not begin with 'p af N'", path=path, line=number)
            count = int(match[1])
            break
    if count is None:
        raise SourceError("no line 'p af N'", path=path)
    return Framework(Numbered(count), _pairs(numbered, count, path))


def _pairs(
    lines: Iterator[tuple[int, str]], count: int, path: Path | None
) -> Iterator[tuple[int, int]]:
    for number, line in lines:
        if not _is_content(line):
            continue
        words = line.split()
        if len(words) != 2 or not all(word.isascii() and word.isdigit() for word in words):
            raise SourceError(f"not two numbers: {line.strip()[:40]}", path=path, line=number)
        source, target = int(words[0]), int(words[1])
        if not (1 <= source <= count and 1 <= target <= count):
            raise SourceError(f"no such argument; there are {count}", path=path, line=number)
        yield source - 1, target - 1


def _is_content(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")
