"""From the text of a query to the tree of its patterns."""

from __future__ import annotations

from kg.namespaces import expand
from kg.shacl.paths import Alternative, Inverse, Path, Predicate, Repeated, Sequence
from kg.shacl.patterns import Group, Pattern, Projection, Query, TooRichError
from kg.sparql_text import Token, significant

_AGGREGATES = ("COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT")
_RDF_TYPE = expand("rdf:type")


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
