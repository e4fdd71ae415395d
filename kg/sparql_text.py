"""Reading SPARQL as text: tokens, and from them what must be known before a query runs.

No grammar lives here. The engine parses; this module only cuts the text into the terminals of
SPARQL 1.1 (section 19.8 of the recommendation), which is enough to tell a keyword from the same
letters inside a string, an IRI, a comment or a variable's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from kg.errors import QueryError

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

_BASE = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d"
    "\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME = _BASE + "_0-9"
_CHARS = _NAME + "\\-\u00b7\u0300-\u036f\u203f\u2040"
_ESCAPED = r"%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?#@%]"
_IN_IRI = r"(?:[^<>\"{}|^`\\\x00-\x20]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*>"

_TERMINALS = {
    "space": r"[ \t\r\n]+",
    "comment": r"#[^\r\n]*",
    "iri": "<" + _IN_IRI,
    "string": (
        r"'''(?:[^'\\]|\\.|'(?!''))*'''"
        r'|"""(?:[^"\\]|\\.|"(?!""))*"""'
        r"|'(?:[^'\\\r\n]|\\.)*'"
        r'|"(?:[^"\\\r\n]|\\.)*"'
    ),
    "lang": r"@[A-Za-z]+(?:-[A-Za-z0-9]+)*(?:--[A-Za-z]+)?",
    "var": rf"[?$][{_NAME}][{_NAME}\u00b7\u0300-\u036f\u203f\u2040]*",
    "bnode": rf"_:[{_NAME}](?:\.*[{_CHARS}])*",
    "pname": (
        rf"(?:[{_BASE}](?:\.*[{_CHARS}])*)?:"
        rf"(?:(?:[{_NAME}:]|{_ESCAPED})(?:\.*(?:[{_CHARS}:]|{_ESCAPED}))*)?"
    ),
    "number": (
        r"[0-9]+\.[0-9]*[eE][+-]?[0-9]+|(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
    ),
    "word": r"[A-Za-z_][A-Za-z0-9_]*",
    # "<<" opens a triple term, unless the second sign begins an IRI: "?a<<b>" is "?a < <b>".
    "punct": rf"\^\^|\|\||&&|!=|<=|>=|<<(?!{_IN_IRI})|>>|\{{\||\|\}}|[(){{}}\[\],;.|/^*+?!=<>$~-]",
    "other": r".",
}
_TOKEN = re.compile(
    "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _TERMINALS.items()), re.DOTALL
)

_LIKE_IRI = re.compile("<" + _IN_IRI)

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
_SUSPECT = ("SERVICE", "FILE:", *sorted(_UPDATES))
_FORMS = frozenset({"SELECT", "CONSTRUCT", "DESCRIBE", "ASK"})


class Token(NamedTuple):
    """One terminal: its kind, its text as written, and where it starts (code points, 0-based)."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """The position after its last character."""
        return self.start + len(self.text)

    def is_word(self, *words: str) -> bool:
        """Say whether this is one of the keywords (given in upper case)."""
        return self.kind == "word" and self.text.upper() in words

    def is_punct(self, *signs: str) -> bool:
        """Say whether this is one of the punctuation signs."""
        return self.kind == "punct" and self.text in signs


class ValuesBlock(NamedTuple):
    """``VALUES ?name { … }`` of one variable: positions of the keyword, the inside and the end."""

    name: str
    start: int
    inside_start: int
    inside_end: int
    terms: int

    def on_one_line(self, text: str) -> bool:
        """Say whether keyword and closing brace stand on the same line of ``text``."""
        return "\n" not in text[self.start : self.inside_end]


def tokenize(text: str) -> Iterator[Token]:
    """Cut ``text`` into tokens that join back to exactly ``text``.

    A character that no terminal begins with becomes a token of kind ``other``; nothing raises.
    """
    for match in _TOKEN.finditer(text):
        assert match.lastgroup is not None
        yield Token(match.lastgroup, match.group(), match.start())


def significant(text: str) -> list[Token]:
    """Return the tokens of ``text`` without white space and comments."""
    return [token for token in tokenize(text) if token.kind not in ("space", "comment")]


def line_of(text: str, position: int) -> int:
    """Return the 1-based line on which a position of ``text`` lies."""
    return text.count("\n", 0, position) + 1


def _after_prologue(tokens: Sequence[Token]) -> int:
    index = 0
    while index < len(tokens):
        if tokens[index].is_word("PREFIX"):
            index += 3
        elif tokens[index].is_word("BASE", "VERSION"):
            index += 2
        else:
            break
    return index


def prefix_of(token: Token) -> str:
    """Return the prefix of a prefixed name, without its colon."""
    return token.text.partition(":")[0]


def undeclared(tokens: Sequence[Token]) -> list[Token]:
    """Return the prefixed names whose prefix the prologue does not declare."""
    start = _after_prologue(tokens)
    prologue = pairwise(tokens[:start])
    declared = {prefix_of(name) for word, name in prologue if word.is_word("PREFIX")}
    names = (token for token in tokens[start:] if token.kind == "pname")
    return [name for name in names if prefix_of(name) not in declared]


def declare_prefixes(text: str, prefixes: Mapping[str, str]) -> str:
    """Return ``text`` with those of ``prefixes`` declared that it uses and does not declare.

    They are put before the query form on its own line, so that no line gets another number.
    """
    tokens = significant(text)
    start = _after_prologue(tokens)
    missing = sorted({prefix_of(token) for token in undeclared(tokens)})
    added = [f"PREFIX {name}: <{prefixes[name]}> " for name in missing if name in prefixes]
    if not added or start >= len(tokens):
        return text
    at = tokens[start].start
    return text[:at] + "".join(added) + text[at:]


def may_use_prefixes(text: str) -> bool:
    """Say whether a colon stands outside of all IRIs, as far as letters alone tell: a name may."""
    # Between two strings there may be what looks like an IRI and is none: '<', ex:a, '>'.
    return "'" in text or '"' in text or ":" in _LIKE_IRI.sub("", text)


def query_form(tokens: Sequence[Token]) -> str | None:
    """Return ``SELECT``, ``CONSTRUCT``, ``DESCRIBE`` or ``ASK``; ``None`` if it is none of them."""
    index = _after_prologue(tokens)
    if index < len(tokens) and tokens[index].is_word(*_FORMS):
        return tokens[index].text.upper()
    return None


def projection(tokens: Sequence[Token]) -> list[str] | None:
    """Return the variables a SELECT projects, in order; ``None`` for ``SELECT *``.

    Raises ``ValueError`` when the query is not a SELECT.
    """
    if query_form(tokens) != "SELECT":
        raise ValueError("not a SELECT query")
    names: list[str] = []
    depth = 0
    for previous, token in pairwise(tokens[_after_prologue(tokens) :]):
        if token.is_punct("("):
            depth += 1
        elif token.is_punct(")"):
            depth -= 1
        elif token.kind == "var" and (depth == 0 or (depth == 1 and previous.is_word("AS"))):
            names.append(token.text[1:])
        elif depth == 0 and token.is_punct("*"):
            return None
        elif depth == 0 and not token.is_word("DISTINCT", "REDUCED"):
            break
    return names


def names_dataset(text: str) -> bool:
    """Say whether a query names its own dataset (FROM); the word has no other use in SPARQL."""
    if "FROM" not in text.upper():
        return False
    return any(t.kind == "word" and t.text.upper().endswith("FROM") for t in significant(text))


def has_order(tokens: Sequence[Token]) -> bool:
    """Say whether the outermost query has ``ORDER BY`` (one in a sub-select does not count)."""
    depth = 0
    for token, following in pairwise(tokens):
        if token.is_punct("{"):
            depth += 1
        elif token.is_punct("}"):
            depth -= 1
        elif depth == 0 and token.is_word("ORDER") and following.is_word("BY"):
            return True
    return False


def values_blocks(tokens: Sequence[Token]) -> list[ValuesBlock]:
    """Return every ``VALUES ?name { … }`` of a single unparenthesised variable, in order."""
    blocks = []
    for index in range(len(tokens) - 2):
        keyword, variable, brace = tokens[index : index + 3]
        if not (keyword.is_word("VALUES") and variable.kind == "var" and brace.is_punct("{")):
            continue
        for last in range(index + 3, len(tokens)):
            if tokens[last].is_punct("}"):
                inside = tokens[index + 3 : last]
                blocks.append(
                    ValuesBlock(
                        variable.text[1:],
                        keyword.start,
                        brace.end,
                        tokens[last].start,
                        # A literal's language or datatype belongs to the term before it.
                        sum(t.kind in ("iri", "pname", "string", "number", "word") for t in inside)
                        - sum(t.is_punct("^^") for t in inside),
                    )
                )
                break
    return blocks


def is_update(text: str) -> bool:
    """Say whether a text begins as an update does, after its prologue."""
    tokens = significant(text)
    return _is_update(tokens, _after_prologue(tokens))


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

    start = _after_prologue(tokens)
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
    if len(text) > MAX_OPERATORS or sum(map(text.count, _OPENERS)) > MAX_NESTING:
        return False
    upper = text.upper()
    return not any(word in upper for word in _SUSPECT)


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
