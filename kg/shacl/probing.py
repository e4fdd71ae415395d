"""What the compiler must know of an engine before it writes queries for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pyoxigraph as ox

from kg.engine import Engine, Rows, Term
from kg.namespaces import expand
from kg.shacl.compiler import Surroundings
from kg.shacl.kept import keep_term

_SUBCLASS = f"<{expand('rdfs:subClassOf')}>"
# A class with more subclasses is not written out.
_MOST_CLASSES = 500
# The character classes of a regular expression; and what, within one, XPath and the libraries of
# engines read differently.
_CLASS = re.compile(r"\\.|\[\^?\]?((?:\\.|[^\]\\])*)\]", re.DOTALL)
_UNLIKE = re.compile(r"\\.|(\[|&&|--|~~)", re.DOTALL)

Row = Mapping[str, Term | None]


def surroundings(engine: Engine, kept: bool = False, one_graph: bool = False) -> Surroundings:
    """Return what the compiler must know of an engine; what it asks is asked once."""
    classes: dict[str, tuple[ox.NamedNode, ...] | None] = {}
    patterns: dict[tuple[str, str], bool] = {}

    def subclasses(name: ox.NamedNode) -> tuple[ox.NamedNode, ...] | None:
        if name.value not in classes:
            text = f"SELECT DISTINCT ?class WHERE {{ ?class {_SUBCLASS}+ {name} }}"
            found = [row["class"] for row in rows_of(engine, text)]
            iris = sorted({c for c in found if isinstance(c, ox.NamedNode)} - {name}, key=str)
            named = all(isinstance(c, ox.NamedNode) for c in found)
            few = named and len(iris) < _MOST_CLASSES
            classes[name.value] = (name, *iris) if few else None
        return classes[name.value]

    def regex(pattern: str, flags: str) -> bool:
        key = (pattern, flags)
        if key not in patterns:
            call = f'REGEX("", {ox.Literal(pattern)}, {ox.Literal(flags)})'
            (row,) = rows_of(engine, f"SELECT ({call} AS ?answer) WHERE {{}}")
            patterns[key] = row["answer"] is not None and ("q" in flags or _portable(pattern))
        return patterns[key]

    def rewrites(literal: ox.Literal) -> bool:
        if keep_term(literal) == literal:
            return False
        (row,) = rows_of(engine, f"SELECT ({literal} AS ?answer) WHERE {{}}")
        return row["answer"] != literal

    return Surroundings(subclasses, regex, rewrites, kept, one_graph)


def rows_of(engine: Engine, text: str) -> Iterator[Row]:
    """Run a SELECT and yield its rows by the names of their columns."""
    answer = engine.query(text)
    assert isinstance(answer, Rows)
    for row in answer.rows:
        yield dict(zip(answer.columns, row, strict=True))


def _portable(pattern: str) -> bool:
    inside = (match[1] for match in _CLASS.finditer(pattern) if match[1])
    return not any(match[1] for text in inside for match in _UNLIKE.finditer(text))
