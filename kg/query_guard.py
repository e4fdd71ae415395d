"""What a query must not hold, told by its tokens before any engine parses it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from kg.errors import QueryError
from kg.sparql_text import Token, after_prologue, line_of, prefix_of, significant

# A parser that recurses on the C stack dies of deep input, and takes the process with it. With
# pyoxigraph 0.5.13 and the usual 8 MiB stack the shallowest crash came at 800 brackets
# (FILTER EXISTS { ... }), and at 2,600 chained operators (MINUS, BIND, AS, groups side by side).
# Triples are chained just so, but use less of it: 8,250 of them crash it, 4,250 members of a
# collection, less than 5,000 names behind DESCRIBE, 6,700 data blocks. So a triple counts as a
# third of an operator, a member and a name as two thirds, a group as a whole one. Rows of a data
# block, lists behind IN and arguments are not chained, and 32,000 do no harm. The stack is shared
# by brackets and chains, so the limits are set to leave about a third of it free when a query
# reaches those of brackets and operators, and a quarter when it reaches them all.
MAX_NESTING = 200
MAX_OPERATORS = 1000
MAX_CHAINED = 4000  # in thirds of an operator
_OPERATOR, _MEMBER, _TRIPLE = 3, 2, 1

_CLOSER = {"(": ")", "{": "}", "[": "]", "<<": ">>", "{|": "|}"}
_CLOSERS = frozenset(_CLOSER.values())
_OPENERS = ("(", "{", "[", "<<")  # "{|" among the second
_OPERATORS = frozenset({"||", "&&", "|", "/", "^", "*", "+", "-", "!"})
_OPERATOR_WORDS = frozenset({"UNION", "OPTIONAL", "MINUS", "BIND", "AS", "FILTER", "EXISTS"})
_LINK_WORDS = _OPERATOR_WORDS | {"VALUES"}
_LINKS = frozenset({".", "[", "<<", "{|", "~"})
_TERMS = frozenset({"iri", "pname", "var", "bnode", "number", "string"})
_UPDATES = frozenset(
    {"LOAD", "INSERT", "DELETE", "CLEAR", "DROP", "CREATE", "COPY", "MOVE", "ADD", "WITH"}
)
_REACHING = ("SERVICE", "FILE:")
_SUSPECT = (*_REACHING, *sorted(_UPDATES))
# No update begins so, whatever words come later.
_BEGINS_AS_QUERY = re.compile(r"\s*(?:SELECT|ASK|CONSTRUCT|DESCRIBE)", re.IGNORECASE)


def is_update(text: str) -> bool:
    """Say whether a text begins as an update does, after its prologue."""
    tokens = significant(text)
    return _is_update(tokens, after_prologue(tokens))


def _is_update(tokens: Sequence[Token], start: int) -> bool:
    return start < len(tokens) and tokens[start].is_word(*_UPDATES)


def guard(text: str, path: Path | str | None = None) -> None:
    """Refuse a query that would crash the engine, reach out of it, or change what it holds.

    That is: nesting deeper than ``MAX_NESTING``; more than ``MAX_OPERATORS`` operators, or
    ``MAX_CHAINED`` of them, groups, triples and members of collections; SERVICE; a dataset clause
    that names a file; and any update. ``path`` is only for the message. Text that passes need not
    be valid SPARQL. Raises ``QueryError`` with the line and how to mend it.
    """
    if _is_harmless(text):
        return
    tokens = significant(text)

    def refuse(token: Token, message: str, hint: str) -> QueryError:
        return QueryError(message, path=path, line=line_of(text, token.start), hint=hint)

    start = after_prologue(tokens)
    if _is_update(tokens, start):
        raise refuse(
            tokens[start],
            f"this is an update ({tokens[start].text.upper()}), not a query",
            "Start with SELECT, CONSTRUCT, DESCRIBE or ASK; the graph changes only when its "
            "source files do.",
        )

    closers: list[str] = []
    collections: list[bool] = []  # whether each open bracket may be that of a collection
    chained = operators = 0
    values_depth: int | None = None  # the rows of a data block are no chain
    for index, token in enumerate(tokens):
        previous = tokens[index - 1] if index else None
        if values_depth is None:
            weight = _weight(token, previous, closers, collections)
            chained += weight
            operators += weight == _OPERATOR and token.text != "{"
            if operators > MAX_OPERATORS or chained > MAX_CHAINED:
                raise refuse(
                    token,
                    f"more than {MAX_OPERATORS} operators (||, &&, !, UNION, BIND, ...), or too "
                    "many of them, groups and triples together",
                    "List the alternatives in VALUES or IN (...), or ask in several queries.",
                )
        if token.kind == "punct":
            if token.text in _CLOSER:
                collections.append(_may_be_collection(token, previous, collections))
                closers.append(_CLOSER[token.text])
                if len(closers) > MAX_NESTING:
                    raise refuse(
                        token,
                        f"nested deeper than {MAX_NESTING} brackets",
                        "Write the inner patterns side by side, or ask in several queries.",
                    )
            elif token.text in _CLOSERS and closers and closers[-1] == token.text:
                closers.pop()
                collections.pop()
                # The variables of a data block stand in ( ), so only a brace can end it.
                if values_depth and token.text == "}" and len(closers) < values_depth:
                    values_depth = None
        elif token.is_word("VALUES"):
            values_depth = len(closers) + 1
        elif calls_service(tokens, index):
            raise refuse(
                token,
                "SERVICE is refused: a query may not reach other servers",
                "Ask the other server yourself and bring its answer in with VALUES.",
            )
        elif (
            token.kind == "iri"
            and token.text[1:6].lower() == "file:"
            and tokens[index - 1].is_word("FROM", "NAMED")
        ):
            raise refuse(
                token,
                "FROM a file is refused: a query may not read files",
                "Leave the FROM clause out; every source file is already a named graph.",
            )


def _is_harmless(text: str) -> bool:
    """Say whether a short text holds, letters alone, nothing that ``guard`` could refuse.

    It saves cutting most queries into tokens, which would take as long as answering them.
    """
    if len(text) > MAX_NESTING and (
        len(text) > MAX_OPERATORS or sum(map(text.count, _OPENERS)) > MAX_NESTING
    ):
        return False
    upper = text.upper()
    for word in _REACHING if _BEGINS_AS_QUERY.match(text) else _SUSPECT:
        if word in upper:
            return False
    return True


def _weight(
    token: Token, previous: Token | None, closers: Sequence[str], collections: Sequence[bool]
) -> int:
    """Return by how much a token makes the engine's chains longer: see ``MAX_OPERATORS``."""
    if token.kind == "word" and token.text.upper() in _LINK_WORDS:
        return _OPERATOR
    if token.kind == "punct":
        if token.text in _OPERATORS:
            return _OPERATOR
        if token.text in _LINKS:
            return _TRIPLE
        if token.text in ";,":  # between triples, not between arguments
            return _TRIPLE if closers and closers[-1] != ")" else 0
        if token.text == "{":  # a group of its own; an operator before it counts already
            alone = previous is None or not previous.is_word(*_OPERATOR_WORDS)
            return _OPERATOR if alone else 0
        opens = token.text == "(" and _may_be_collection(token, previous, collections)
        return _MEMBER if opens else 0
    if token.kind not in _TERMS and not token.is_word("TRUE", "FALSE"):
        return 0
    if closers:
        return _MEMBER if closers[-1] == ")" and collections[-1] else 0
    # DESCRIBE <a> <b>
    named = previous is not None and (previous.kind in _TERMS or previous.is_word("DESCRIBE"))
    return _MEMBER if named else 0


def _may_be_collection(token: Token, previous: Token | None, collections: Sequence[bool]) -> bool:
    """Say whether a bracket that opens may be that of a collection, not of an expression."""
    if token.text != "(":
        return True  # within it there may be one
    if previous and previous.kind == "word" and not previous.is_word("A", "TRUE", "FALSE"):
        return False  # FILTER (, STR (, IN (
    return not collections or collections[-1]


def calls_service(tokens: Sequence[Token], index: int) -> bool:
    """Say whether a token is SERVICE, also run together with its neighbours.

    The engine's grammar asks for no space between keywords and names: ``1SERVICE<x>{}`` and
    ``SERVICE:x{}`` are calls too. No other keyword contains the word, so it is looked for inside
    words; a name such as ``service:x`` calls only where a group follows and no clause takes it.
    """
    token = tokens[index]
    if token.kind == "word":
        return "SERVICE" in token.text.upper()
    if token.kind != "pname" or "SERVICE" not in prefix_of(token).upper():
        return False
    followed = index + 1 < len(tokens) and tokens[index + 1].is_punct("{")
    return followed and not tokens[index - 1].is_word("GRAPH", "FROM", "NAMED", "DESCRIBE")
