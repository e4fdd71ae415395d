"""The patterns of a query as a tree: what it looks up, and by which paths it gets there.

No query runs from this tree. It only answers what a change in the data can mean to a query, so it
knows as much of SPARQL (https://www.w3.org/TR/sparql11-query/#sparqlGrammar) as the queries of
shapes, checks and derivations use; for all else ``TooRichError`` says that nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kg.namespaces import expand
from kg.shacl.paths import Alternative, Inverse, Path, Predicate, Repeated, Sequence
from kg.sparql_text import Token, significant

_AGGREGATES = ("COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT")
_RDF_TYPE = expand("rdf:type")


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


def read_patterns(text: str) -> Query:
    """Read a SELECT, ASK or CONSTRUCT. Raises ``TooRichError``."""
    return _Reader(significant(text)).query()


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._prefixes: dict[str, str] = {}
        self._unnamed = 0

    def query(self) -> Query:
        while self._next_is_word("PREFIX", "BASE"):
            if self._take().is_word("BASE"):
                raise TooRichError("a BASE")
            name = self._take().text
            self._prefixes[name[:-1]] = self._take().text[1:-1]
        form = self._take().text.upper()
        if form == "SELECT":
            return Query(form, self._select())
        template: tuple[Pattern, ...] = ()
        if form == "CONSTRUCT":
            made = self._group()
            template = tuple(made.patterns)
        elif form != "ASK":
            raise TooRichError(f"a query of the form {form}")
        if self._next_is_word("WHERE"):
            self._take()
        where = self._group()
        self._modifiers()
        return Query(form, where, template)

    # SELECT, its variables and what follows its WHERE

    def _select(self) -> Group:
        shown: set[str] = set()
        everything = aggregates = False
        depth = 0
        while not (self._peek().is_punct("{") and depth == 0) and not self._next_is_word("WHERE"):
            token = self._take()
            depth += token.is_punct("(") - token.is_punct(")")
            if token.is_punct("{") or token.is_word("FROM"):
                raise TooRichError("a pattern or a dataset before WHERE")
            everything |= token.is_punct("*") and depth == 0
            aggregates |= token.is_word(*_AGGREGATES)
            if token.kind == "var" and (depth == 0 or self._tokens[self._at - 2].is_word("AS")):
                shown.add(token.text[1:])
        if self._next_is_word("WHERE"):
            self._take()
        group = self._group()
        grouped, limited = self._modifiers()
        group.select = Projection(
            None if everything else frozenset(shown), aggregates or grouped, limited
        )
        return group

    def _modifiers(self) -> tuple[bool, bool]:
        grouped = limited = False
        while self._at < len(self._tokens) and not self._peek().is_punct("}"):
            token = self._take()
            if token.is_punct("{") or token.is_word("VALUES"):
                raise TooRichError("a pattern behind WHERE")
            grouped |= token.is_word("GROUP", "HAVING")
            limited |= token.is_word("LIMIT", "OFFSET")
        return grouped, limited

    # Groups

    def _group(self) -> Group:
        opening = self._expect("{")
        if self._next_is_word("SELECT"):
            self._take()
            group = self._select()
            self._expect("}")
            return group
        group = Group(opening.end)
        while not self._peek().is_punct("}"):
            self._element(group)
        group.end = self._take().start
        return group

    def _element(self, group: Group) -> None:
        token = self._peek()
        if token.is_punct("."):
            self._take()
        elif token.is_punct("{"):
            choices = [self._group()]
            while self._next_is_word("UNION"):
                self._take()
                choices.append(self._group())
            group.alternatives.append(choices)
        elif token.is_word("OPTIONAL", "MINUS"):
            self._take()
            (group.optional if token.is_word("OPTIONAL") else group.minus).append(self._group())
        elif token.is_word("FILTER"):
            self._take()
            self._filter(group)
        elif token.is_word("BIND"):
            self._take()
            self._brackets(group)
        elif token.is_word("VALUES"):
            self._take()
            self._values(group)
        elif token.is_word("GRAPH", "SERVICE"):
            raise TooRichError(f"the clause {token.text.upper()}")
        else:
            self._triples(group)

    def _filter(self, group: Group) -> None:
        texts = [t.text.upper() for t in self._tokens[self._at : self._at + 6]]
        inside = texts[1:] if texts[0] == "(" else texts
        if inside[0] == "ISIRI" and (texts[0] != "(" or texts[5] == ")"):
            variable = self._tokens[self._at + (4 if texts[0] == "(" else 3) - 1]
            if variable.kind == "var":
                group.iris.add(variable.text[1:])
        if self._next_is_word("NOT"):
            self._take()
        if self._next_is_word("EXISTS"):
            self._take()
            group.exists.append(self._group())
            return
        if not self._peek().is_punct("("):
            self._take()  # the name of a function
        self._brackets(group)

    def _brackets(self, group: Group) -> None:
        self._expect("(")
        depth = 1
        while depth:
            if self._peek().is_punct("{"):
                group.exists.append(self._group())
                continue
            token = self._take()
            depth += token.is_punct("(") - token.is_punct(")")

    def _values(self, group: Group) -> None:
        names = []
        several = self._peek().is_punct("(")
        if several:
            self._take()
        while self._peek().kind == "var":
            names.append(self._take().text[1:])
        if several:
            self._expect(")")
        self._expect("{")
        columns: list[set[str]] = [set() for _ in names]
        place = 0
        while not self._peek().is_punct("}"):
            if self._peek().is_punct("(", ")"):
                self._take()
                continue
            if self._next_is_word("UNDEF"):
                raise TooRichError("UNDEF")
            columns[place % len(names)].add(self._term(group))
            place += 1
        self._take()
        group.values.update(zip(names, columns, strict=True))

    # Triples

    def _triples(self, group: Group) -> None:
        blank = self._peek().is_punct("[")
        subject = self._term(group)
        if not (blank and self._peek().is_punct(".", "}")):
            self._properties(group, subject)

    def _properties(self, group: Group, subject: str) -> None:
        while True:
            path = self._take().text[1:] if self._peek().kind == "var" else self._path()
            while True:
                group.patterns.append(Pattern(subject, path, self._term(group)))
                if not self._peek().is_punct(","):
                    break
                self._take()
            if not self._peek().is_punct(";"):
                return
            while self._peek().is_punct(";"):
                self._take()
            if self._peek().is_punct(".", "}", "]"):
                return

    def _term(self, group: Group) -> str:
        token = self._take()
        if token.kind == "var":
            return f"?{token.text[1:]}"
        if token.kind == "bnode":
            return f"?{token.text}"
        if token.kind in ("iri", "pname"):
            return self._iri(token)
        if token.kind == "string":
            return token.text + self._suffix()
        if token.kind == "number" or token.is_word("TRUE", "FALSE"):
            return token.text
        if token.is_punct("+", "-"):
            return token.text + self._take().text
        if token.is_punct("["):
            self._unnamed += 1
            name = f"?_:{self._unnamed}"
            if not self._peek().is_punct("]"):
                self._properties(group, name)
            self._expect("]")
            return name
        raise TooRichError(f"'{token.text}' where a term should be")

    def _suffix(self) -> str:
        if self._peek().kind == "lang":
            return self._take().text
        if self._peek().is_punct("^^"):
            self._take()
            return f"^^{self._iri(self._take())}"
        return ""

    def _iri(self, token: Token) -> str:
        if token.kind == "iri":
            return token.text
        prefix, _, local = token.text.partition(":")
        if token.kind != "pname" or prefix not in self._prefixes:
            raise TooRichError(f"'{token.text}' where an IRI should be")
        return f"<{self._prefixes[prefix]}{local.replace(chr(92), '')}>"

    # Paths

    def _path(self) -> Path:
        steps = [self._sequence()]
        while self._peek().is_punct("|"):
            self._take()
            steps.append(self._sequence())
        return Alternative(tuple(steps)) if len(steps) > 1 else steps[0]

    def _sequence(self) -> Path:
        steps = [self._step()]
        while self._peek().is_punct("/"):
            self._take()
            steps.append(self._step())
        return Sequence(tuple(steps)) if len(steps) > 1 else steps[0]

    def _step(self) -> Path:
        if self._peek().is_punct("^"):
            self._take()
            return Inverse(self._step())
        token = self._take()
        step: Path
        if token.is_punct("("):
            step = self._path()
            self._expect(")")
        elif token.kind == "word" and token.text == "a":
            step = Predicate(_RDF_TYPE)
        elif token.kind in ("iri", "pname"):
            step = Predicate(self._iri(token)[1:-1])
        else:
            raise TooRichError(f"'{token.text}' where a path should be")
        while self._peek().is_punct("*", "+", "?"):
            step = Repeated(step, self._take().text)
        return step

    # Tokens

    def _peek(self) -> Token:
        if self._at >= len(self._tokens):
            raise TooRichError("a query that ends too early")
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._peek()
        self._at += 1
        return token

    def _expect(self, sign: str) -> Token:
        token = self._take()
        if not token.is_punct(sign):
            raise TooRichError(f"'{token.text}' where '{sign}' should be")
        return token

    def _next_is_word(self, *words: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at].is_word(*words)


@dataclass(frozen=True)
class Key:
    """Triples that a pattern can match: by predicate and by object; ``None`` is any."""

    predicate: str | None
    object: str | None


def deciding(text: str) -> Group:
    """Return the WHERE of a query without what cannot decide whether there is any row.

    That is each OPTIONAL whose own variables are spoken of nowhere else in it. Raises
    ``TooRichError``.
    """
    where = read_patterns(text).where
    variables = [
        (token.text[1:], token.start)
        for token in significant(text)
        if token.kind == "var" and where.start <= token.start < where.end
    ]
    for optional in list(where.optional):
        outside = {n for n, place in variables if not optional.start <= place < optional.end}
        inside = {n for n, place in variables if optional.start <= place < optional.end}
        elsewhere = {
            term
            for pattern in where.patterns
            for term in (pattern.subject[1:], pattern.object[1:], pattern.path)
        }
        # A name that the group around it binds is no variable of its own.
        if not (inside - elsewhere) & outside:
            where.optional.remove(optional)
    return where


# The values that a property has anywhere in the data, as in SPARQL.
ObjectsOf = Callable[[str], set[str]]


def keys(
    group: Group,
    objects_of: ObjectsOf | None = None,
    values: Mapping[str, set[str]] | None = None,
) -> set[Key]:
    """Return what a group can match anywhere in it, so that no other triple matters to it.

    With ``objects_of``, a variable predicate that is the value of a property is one of these. Their
    own triples are matched as well, so that a change among them is not missed.
    """
    known = {**(values or {}), **group.values}
    predicates = {**_named_predicates(group, objects_of), **known}
    found = {key for pattern in group.patterns for key in _keys(pattern, known, predicates)}
    inner = [choice for choices in group.alternatives for choice in choices]
    for one in (*inner, *group.exists, *group.optional, *group.minus):
        # A SELECT within may use a name for something else.
        found |= keys(one, objects_of, None if one.select else known)
    return found


def _named_predicates(group: Group, objects_of: ObjectsOf | None) -> dict[str, set[str]]:
    if objects_of is None:
        return {}
    predicates = {f"?{p.path}": p.path for p in group.patterns if isinstance(p.path, str)}
    return {
        predicates[pattern.object]: objects_of(pattern.path.iri)
        for pattern in group.patterns
        if isinstance(pattern.path, Predicate) and pattern.object in predicates
    }


def _keys(
    pattern: Pattern, values: Mapping[str, set[str]], named: Mapping[str, set[str]]
) -> set[Key]:
    objects: set[str | None] = {pattern.object}
    if pattern.object.startswith("?"):
        objects = set(values.get(pattern.object[1:], {None}))
    # Literals may be written in more than one way.
    objects = {one if one and one.startswith("<") else None for one in objects}
    if isinstance(pattern.path, str):
        allowed = named.get(pattern.path)
        predicates: set[str | None] = {None}
        if allowed is not None:
            predicates = {one[1:-1] for one in allowed if one.startswith("<")}
        return {Key(predicate, one) for predicate in predicates for one in objects}
    if isinstance(pattern.path, Predicate):
        return {Key(pattern.path.iri, one) for one in objects}
    return {Key(iri, None) for iri in predicates_of(pattern.path)}


def predicates_of(path: Path) -> set[str]:
    """Return the predicates that a path walks along."""
    match path:
        case Predicate(iri):
            return {iri}
        case Inverse(step) | Repeated(step, _):
            return predicates_of(step)
        case Sequence(steps) | Alternative(steps):
            return {iri for step in steps for iri in predicates_of(step)}
