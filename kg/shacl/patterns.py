"""The patterns of a query as a tree: what it looks up, and by which paths it gets there.

No query runs from this tree. It only answers what a change in the data can mean to a query, so it
knows as much of SPARQL (https://www.w3.org/TR/sparql11-query/#sparqlGrammar) as the queries of
shapes, checks and derivations use; for all else ``TooRichError`` says that nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kg.shacl.paths import Path


class TooRichError(Exception):
    """A query says something that is not followed here; the text says what."""


@dataclass(frozen=True)
class Pattern:
    """A triple pattern. Terms are as in SPARQL: ``?name``, ``<iri>``, else a literal.

    ``path`` is the variable's name where a variable stands for the predicate.
    """

    subject: str
    path: Path | str
    object: str


@dataclass(frozen=True)
class Projection:
    """What a SELECT gives: its variables (``None``: all), and whether rows are put together."""

    variables: frozenset[str] | None
    aggregates: bool
    limited: bool

    def shows(self, variable: str) -> bool:
        """Say whether a variable is selected."""
        return self.variables is None or variable in self.variables


@dataclass
class Group:
    """What stands between two braces, at the positions from ``start`` to ``end``.

    ``alternatives`` are groups joined by UNION, a group of its own being the only one. ``values``
    are the terms that VALUES allows for a variable, ``iris`` the variables that a filter requires
    to be IRIs, ``select`` is set for the WHERE of a SELECT.
    """

    start: int
    end: int = 0
    patterns: list[Pattern] = field(default_factory=list)
    exists: list[Group] = field(default_factory=list)
    alternatives: list[list[Group]] = field(default_factory=list)
    optional: list[Group] = field(default_factory=list)
    minus: list[Group] = field(default_factory=list)
    values: dict[str, set[str]] = field(default_factory=dict)
    iris: set[str] = field(default_factory=set)
    select: Projection | None = None


@dataclass(frozen=True)
class Query:
    """A query: its form, its WHERE, and what a CONSTRUCT makes."""

    form: str
    where: Group
    template: tuple[Pattern, ...] = ()
