"""Reading SPARQL as text: tokens, and from them what must be known before a query runs.

No grammar lives here. The engine parses; this module only cuts the text into the terminals of
SPARQL 1.1 (section 19.8 of the recommendation), which is enough to tell a keyword from the same
letters inside a string, an IRI, a comment or a variable's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

_BASE = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d"
    "\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME = _BASE + "_0-9"
_CHARS = _NAME + "\\-\u00b7\u0300-\u036f\u203f\u2040"
_ESCAPED = r"%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?#@%]"
# Possessive, since there is one way to read it: characters are taken many at a time.
_IN_IRI = r"(?:[^<>\"{}|^`\\\x00-\x20]++|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*+>"

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


def after_prologue(tokens: Sequence[Token]) -> int:
    """Return the place of the first token behind PREFIX, BASE and VERSION."""
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
    start = after_prologue(tokens)
    prologue = pairwise(tokens[:start])
    declared = {prefix_of(name) for word, name in prologue if word.is_word("PREFIX")}
    names = (token for token in tokens[start:] if token.kind == "pname")
    return [name for name in names if prefix_of(name) not in declared]


def declare_prefixes(text: str, prefixes: Mapping[str, str]) -> str:
    """Return ``text`` with those of ``prefixes`` declared that it uses and does not declare.

    They are put before the query form on its own line, so that no line gets another number.
    """
    tokens = significant(text)
    start = after_prologue(tokens)
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
    index = after_prologue(tokens)
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
    for previous, token in pairwise(tokens[after_prologue(tokens) :]):
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


def put_values(text: str, values: Mapping[str, str]) -> str:
    """Return ``text`` with other terms, as they are written, in the VALUES of these variables."""
    for block in reversed(values_blocks(significant(text))):
        if block.name in values:
            text = f"{text[: block.inside_start]} {values[block.name]} {text[block.inside_end :]}"
    return text


def prologue(text: str) -> str:
    """Return what stands before the query form: PREFIX, BASE, VERSION and comments."""
    tokens = significant(text)
    start = after_prologue(tokens)
    return text[: tokens[start].start] if start < len(tokens) else text


def without_order(text: str) -> str:
    """Return ``text`` without the outermost ORDER BY, unless it decides which rows there are."""
    tokens = significant(text)
    depth, order = 0, None
    for token in tokens:
        depth += token.is_punct("{", "(") - token.is_punct("}", ")")
        if depth == 0 and token.is_word("ORDER") and order is None:
            order = token.start
        elif depth == 0 and token.is_word("LIMIT", "OFFSET"):
            return text
        elif depth == 0 and order is not None and token.is_word("VALUES"):
            return text[:order] + text[token.start :]
    return text if order is None else text[:order]
