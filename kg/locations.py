"""Where a name is described: file and line, found by a light scan of the Turtle sources.

The parser gives no positions, and messages about data are only useful with them. The scan knows
comments, strings, IRIs, prefixes and where a statement begins; it trusts that the file parses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

import pyoxigraph as ox

from kg.dispute import Dispute
from kg.sources import SourceFile, ontology_source

Place = tuple[Path, int]

# The tokens that matter; longest strings first. Prefixed names follow PN_LOCAL of Turtle 1.1
# (https://www.w3.org/TR/turtle/#sec-grammar): an inner dot belongs to the name, a last one not.
_TOKEN = re.compile(
    r'''(?P<skip>\#[^\n\r]*|\s+)
      | (?P<string>"""(?:\\.|[^\\])*?"""|\'\'\'(?:\\.|[^\\])*?\'\'\'
                  |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
      | (?P<iri><[^<>"{}|^`\\\x00-\x20]*>)
      | (?P<directive>@prefix\b|@base\b|(?i:prefix|base)(?=\s))
      | (?P<blank>_:[\w.\-]*[\w\-])
      | (?P<name>[\w\-.]*:(?:(?:[\w\-:]|%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?\#@%]
                              |\.(?=[\w\-:.%\\]))*))
      | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<word>@?\w[\w\-]*)
      | (?P<mark>[.;,\[\]()]|\^\^)
      | (?P<other>.)''',
    re.VERBOSE | re.DOTALL,
)


class Locations:
    """The places of the names in a dispute's sources and in the vocabulary.

    Files are scanned when the first name is asked for. A file that cannot be read is passed over.
    """

    def __init__(self, dispute: Dispute) -> None:
        self._sources: tuple[SourceFile, ...] = (*dispute.sources, ontology_source())

    def find(self, iri: str, near: str | None = None) -> Place | None:
        """Return the file and line (1-based) where an IRI is first the subject of a statement.

        Without such a place, the first one where it is mentioned; else ``None``. With ``near``,
        the line of that exact text at or after the place in the same file, if it is there.
        """
        place = self._subjects.get(iri) or self._mentions.get(iri)
        if place is None or near is None:
            return place
        path, line = place
        for number, text in enumerate(_read(path).splitlines()[line - 1 :], start=line):
            if near in text:
                return path, number
        return place

    def find_blank(self, node: ox.BlankNode, quads: Iterable[ox.Quad]) -> Place | None:
        """Return the place of the nearest named subject that points to a blank node."""
        pointers = {q.object: q.subject for q in quads if isinstance(q.object, ox.BlankNode)}
        while node in pointers:
            subject = pointers.pop(node)  # popped, because blank nodes may form a circle
            if isinstance(subject, ox.NamedNode):
                return self.find(subject.value)
            assert isinstance(subject, ox.BlankNode)
            node = subject
        return None

    @cached_property
    def _subjects(self) -> dict[str, Place]:
        return self._scanned[0]

    @cached_property
    def _mentions(self) -> dict[str, Place]:
        return self._scanned[1]

    @cached_property
    def _scanned(self) -> tuple[dict[str, Place], dict[str, Place]]:
        subjects: dict[str, Place] = {}
        mentions: dict[str, Place] = {}
        for source in self._sources:
            for iri, line, is_subject in scan(_read(source.path)):
                place = (source.path, line)
                mentions.setdefault(iri, place)
                if is_subject:
                    subjects.setdefault(iri, place)
        return subjects, mentions


def scan(text: str) -> Iterator[tuple[str, int, bool]]:
    """Yield every IRI of a Turtle text with its line and whether it opens a statement."""
    prefixes: dict[str, str] = {}
    base = ""
    directive: list[str] | None = None  # the tokens of an open directive
    opening = True  # the next token opens a statement
    line = 1
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup, match.group()
        here, line = line, line + token.count("\n")
        if kind == "skip":
            continue
        if kind == "directive" and opening:
            directive, opening = [token], False
        elif directive is not None:
            directive.append(token)
            if kind == "iri":
                if directive[0].lower().endswith("base"):
                    base = token[1:-1]
                else:
                    prefixes[directive[1][:-1]] = token[1:-1]
                # '@prefix' ends with a dot, 'PREFIX' does not.
                if not directive[0].startswith("@"):
                    directive, opening = None, True
            elif token == ".":
                directive, opening = None, True
        elif kind == "iri":
            yield base + token[1:-1] if ":" not in token else token[1:-1], here, opening
            opening = False
        elif kind == "name":
            prefix, _, local = token.partition(":")
            if prefix in prefixes:
                yield prefixes[prefix] + re.sub(r"\\(.)", r"\1", local), here, opening
            opening = False
        else:
            opening = kind == "mark" and token == "."


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return ""
