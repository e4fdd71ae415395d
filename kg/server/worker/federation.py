"""SERVICE in a worker: the rows of other servers stand in the query as VALUES.

``SERVICE <address> { pattern }`` with a constant address is, by section 2 of
https://www.w3.org/TR/sparql11-federated-query/, the solutions of the pattern there, joined with
the rest: what a VALUES block of these solutions is, too. So the engine never calls anybody, and
the worker needs no network. An address in a variable is refused.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import pyoxigraph as ox

from kg.embedded import EmbeddedEngine
from kg.errors import QueryError
from kg.namespaces import PREFIXES
from kg.query_guard import calls_service
from kg.sparql_text import Token, declare_prefixes, line_of, query_form, significant

# An address and a query to the rows of the answer, or a ``FailedError``.
Call = Callable[[str, str], bytes]
_MOST = 8
# One solution without bindings: what joins with everything.
_NOTHING = "VALUES () { () }"


class FailedError(Exception):
    """Another server failed; the message says how."""


def inline(text: str, base: str | None, call: Call) -> str | None:
    """Return a query with the answers of other servers in the place of its SERVICE clauses.

    ``None`` if it has none. ``base`` is for relative IRIs. Every clause is asked once, wherever it
    stands and whatever the rest finds. Raises ``QueryError`` for one that cannot be asked so, and
    ``FailedError``; a clause with SILENT that fails has one solution without bindings instead.
    """
    tokens = significant(text)
    starts = [n for n in range(len(tokens)) if calls_service(tokens, n)]
    if not starts:
        return None
    if len(starts) > _MOST:
        raise _refused(text, tokens[starts[_MOST]], f"more than {_MOST} SERVICE clauses")
    form = next((t for t in tokens if query_form([t])), None)
    if form is None:
        raise _refused(text, tokens[starts[0]], "SERVICE in what is no query")
    prologue = (f"BASE <{base}>\n" if base else "") + text[: form.start]
    clauses = [_clause(text, prologue, tokens, start) for start in starts]
    # Whoever cannot run the rest asks nobody.
    _parse(f"{prologue}{_replaced(text, clauses, [_NOTHING] * len(clauses))[form.start :]}")
    return _replaced(text, clauses, [_answer(clause, call) for clause in clauses])


@dataclass(frozen=True)
class _Clause:
    start: int  # in the text
    end: int
    silent: bool
    address: str
    query: str


def _replaced(text: str, clauses: Sequence[_Clause], values: Sequence[str]) -> str:
    parts, done = [], 0
    for clause, block in zip(clauses, values, strict=True):
        parts += [text[done : clause.start], " ", block, " "]
        done = clause.end
    return "".join([*parts, text[done:]])


def _answer(clause: _Clause, call: Call) -> str:
    try:
        return _values(call(clause.address, clause.query), clause.address)
    except FailedError:
        if not clause.silent:
            raise
        return _NOTHING


def _clause(text: str, prologue: str, tokens: Sequence[Token], start: int) -> _Clause:
    """Read the clause that begins with a token. Raises ``QueryError``."""
    token = tokens[start]
    if not token.is_word("SERVICE"):
        raise _refused(text, token, "SERVICE run together with another word")
    at = start + 1
    silent = at < len(tokens) and tokens[at].is_word("SILENT")
    at += silent
    if at + 1 >= len(tokens) or tokens[at].kind not in ("iri", "pname"):
        raise _refused(text, token, "SERVICE without a constant address")
    if not tokens[at + 1].is_punct("{"):
        raise _refused(text, token, "SERVICE without a group")
    depth = 0
    for last in range(at + 1, len(tokens)):
        if last > at + 1 and calls_service(tokens, last):
            raise _refused(text, tokens[last], "SERVICE inside SERVICE")
        depth += tokens[last].is_punct("{") - tokens[last].is_punct("}")
        if not depth:
            inside = text[tokens[at + 1].end : tokens[last].start]
            asked = declare_prefixes(f"{prologue}SELECT * WHERE {{{inside}\n}}", PREFIXES)
            try:
                _parse(asked)
                address = _resolved(prologue, tokens[at])
            except QueryError as error:
                line = line_of(text, token.start)
                raise QueryError(f"in SERVICE: {error.message}", line=line) from None
            return _Clause(token.start, tokens[last].end, silent, address, asked)
    raise _refused(text, token, "SERVICE without an end")


def _resolved(prologue: str, address: Token) -> str:
    """Return an address as the engine reads it: escapes, prefixes and base resolved."""
    asked = declare_prefixes(f"{prologue}SELECT ({address.text} AS ?address) {{}}", PREFIXES)
    answer = EmbeddedEngine.memory().answer(asked)
    assert isinstance(answer, ox.QuerySolutions)
    found = next(answer)[0]
    if not isinstance(found, ox.NamedNode):
        raise QueryError("SERVICE needs an address")
    return found.value


def _parse(query: str) -> None:
    """Hold a query to the rules of all queries, and let the engine parse it."""
    EmbeddedEngine.memory().answer(query, prefixes=PREFIXES)


def _values(data: bytes, where: str) -> str:
    """Return rows as a VALUES block. Raises ``FailedError`` for what are none."""
    try:
        answer = ox.parse_query_results(data, format=ox.QueryResultsFormat.JSON)
        if not isinstance(answer, ox.QuerySolutions):
            raise FailedError("it answered with no rows")
        names = answer.variables
        scope = uuid.uuid4().hex
        rows = [" ".join(_written(term, where, scope) for term in row) for row in answer]
    except (ValueError, SyntaxError) as error:
        raise FailedError(f"its answer cannot be read: {error}") from None
    return f"VALUES ({' '.join(map(str, names))}) {{ {' '.join(f'({row})' for row in rows)} }}"


def _written(term: object, where: str, scope: str) -> str:
    if term is None:
        return "UNDEF"
    if isinstance(term, ox.BlankNode):
        # No blank node can stand in VALUES: RDF 1.1 Concepts, section 3.5, has names for them.
        parts = urlsplit(where)
        label = quote(term.value, safe="")
        return f"<{parts.scheme}://{parts.netloc}/.well-known/genid/{scope}-{label}>"
    if isinstance(term, ox.NamedNode | ox.Literal):
        return str(term)
    raise FailedError("its answer has a triple for a term")


def _refused(text: str, token: Token, what: str) -> QueryError:
    return QueryError(
        f"{what} is refused",
        line=line_of(text, token.start),
        hint="Write SERVICE <address> { ... }, with the address itself, not in each other.",
    )
