"""What judging a graph by shapes gives: results, each with its place and how to mend it.

Fields are named after the validation report of SHACL
(https://www.w3.org/TR/shacl/#validation-report).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import pyoxigraph as ox

from kg.engine import Term
from kg.namespaces import PREFIXES, shorten

SH = PREFIXES["sh"]
INFO = f"{SH}Info"

Place = tuple[Path, int | None]


@dataclass(frozen=True)
class Result:
    """One thing that a shape, or a check, found.

    ``focus`` is the node that was judged, ``path`` where from there (as a SPARQL property path
    with prefixed names), ``value`` the term that is wrong, if one is. ``component``, ``shape`` and
    ``severity`` are IRIs; a shape without a name is ``_:`` and something, and ``within`` the
    nearest shape with a name. ``constraint`` is the SPARQL constraint, if it has a name.
    ``message`` says what is wrong and how to mend it. ``place`` is the file and line (1-based) of
    the focus node. ``path_triples`` describe the path's node in RDF, and ``messages`` are those
    that the shapes state, each in its language.
    """

    focus: Term
    shape: str
    component: str
    severity: str
    message: str
    path: str | None = None
    value: Term | None = None
    constraint: str | None = None
    within: str | None = None
    place: Place | None = None
    path_node: ox.NamedNode | ox.BlankNode | None = None
    path_triples: tuple[ox.Triple, ...] = field(default=(), repr=False)
    messages: tuple[ox.Literal, ...] = field(default=(), repr=False, compare=False)

    @property
    def source(self) -> str:
        """The IRI of what fired: the constraint, the shape, or the shape that it is part of."""
        if self.constraint:
            return self.constraint
        return (self.within or "a shape without a name") if self.shape[:2] == "_:" else self.shape

    @property
    def where(self) -> str | None:
        """``file:line`` of the focus node, ``file``, or nothing."""
        if self.place is None:
            return None
        path, line = self.place
        shown = _relative(path)
        return f"{shown}:{line}" if line is not None else shown

    def __str__(self) -> str:
        kind = re.split(r"[#/]", self.severity)[-1].lower()
        head = f"{self.where}: " if self.where else ""
        focus, source = short(self.focus), shorten(self.source)
        return f"{head}{kind}: {focus}: {self.message} [{source}]"


@dataclass(frozen=True, order=True)
class Judged:
    """Who judged by a shape: ``compiled`` or ``pyshacl``, and why it was left to pySHACL."""

    shape: str
    engine: str
    reason: str = ""


@dataclass(frozen=True)
class Report:
    """All results, in the order of the files and lines they point to.

    ``judged`` says which engine judged by which shape; ``differences`` is where two engines that
    were to judge the same did not find the same, one line each.
    """

    results: tuple[Result, ...] = ()
    judged: tuple[Judged, ...] = ()
    differences: tuple[str, ...] = ()

    @cached_property
    def conforms(self) -> bool:
        """Whether nothing is wrong: no result but, perhaps, of severity ``sh:Info``."""
        return all(result.severity == INFO for result in self.results)

    def joined(self, more: tuple[Result, ...]) -> Report:
        """Return a report with more results, in order."""
        return replace(self, results=in_order((*self.results, *more)))


def in_order(results: tuple[Result, ...]) -> tuple[Result, ...]:
    """Return results without repetitions, by file, line, node, source, value and message."""

    def key(result: Result) -> tuple[str, int, str, str, str, str]:
        path, line = result.place or (Path("~"), None)
        value = "" if result.value is None else str(result.value)
        return (str(path), line or 0, str(result.focus), result.source, value, result.message)

    return tuple({key(result): result for result in sorted(results, key=key)}.values())


def short(term: Term) -> str:
    """Return a term as a person writes it: prefixed names, numbers and truth values as such."""
    if isinstance(term, ox.NamedNode):
        name = shorten(term.value)
        return f"<{name}>" if name == term.value else name
    if isinstance(term, ox.Literal) and not term.language:
        datatype = shorten(term.datatype.value)
        if datatype in ("xsd:integer", "xsd:decimal", "xsd:boolean"):
            return term.value
        if datatype != "xsd:string":
            return f'"{term.value}"^^{datatype}'
    return str(term)


def _relative(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
