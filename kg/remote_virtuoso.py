"""Queries as Virtuoso 7 answers them: what is rewritten, so that it says what others say.

Each change keeps the meaning. Measured with Virtuoso 7.2.5 (Debian ``virtuoso-opensource-7``):

* ``VALUES ?x { UNDEF }`` says nothing, but leaves ``?x`` unbound where it is a key of a group.
* ``?x a/rdfs:subClassOf* C`` is walked once for each class, and then holds for the first only of
  the rows that have an ``?x`` of that class. So the classes below ``C`` are asked for first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from email.message import Message

import pyoxigraph as ox

from kg.namespaces import expand
from kg.sparql_text import Token, significant, values_blocks

_TYPE, _SUBCLASS = expand("rdf:type"), expand("rdfs:subClassOf")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^<>\"{}|^`\\\x00-\x20]*$")
# Of a variable that no query of ours or anybody's is likely to have.
_CLASS = "counterclaim_class_"

# Gives the IRIs of all classes below the one with this IRI.
Below = Callable[[str], Iterable[str]]


def is_virtuoso(headers: Message) -> bool:
    """Say whether an answer comes from Virtuoso, by what it calls itself."""
    return "virtuoso" in str(headers.get("Server", "")).lower()


def may_differ(text: str) -> bool:
    """Say whether ``rewritten`` could change a query; quick, and true more often than not."""
    return "UNDEF" in text.upper() or "subClassOf" in text


def rewritten(text: str, below: Below) -> str:
    """Return a query that has the same answer by the standard, and has it from Virtuoso too.

    ``below`` is asked for the classes below each class that a path ends in. With ``SELECT *``
    such a path is left alone, since the answer would have one more column.
    """
    tokens = significant(text)
    # Each: from where to where of the text, and what stands there instead.
    changes = [
        (block.start, block.inside_end + 1, "")
        for block in values_blocks(tokens)
        if text[block.inside_start : block.inside_end].split() == ["UNDEF"]
    ]
    if not _selects_all(tokens):
        changes += _class_paths(tokens, below)
    for start, end, instead in sorted(changes, reverse=True):
        text = text[:start] + instead + text[end:]
    return text


def _selects_all(tokens: Sequence[Token]) -> bool:
    return any(
        token.is_word("SELECT") and any(one.is_punct("*") for one in tokens[index + 1 : index + 3])
        for index, token in enumerate(tokens)
    )


def _class_paths(tokens: Sequence[Token], below: Below) -> list[tuple[int, int, str]]:
    """Return the changes that give each ``a/rdfs:subClassOf* C`` a variable and its values."""
    prefixes = {
        tokens[index + 1].text[:-1]: tokens[index + 2].text[1:-1]
        for index in range(len(tokens) - 2)
        if tokens[index].is_word("PREFIX") and tokens[index + 2].kind == "iri"
    }

    def iri(token: Token) -> str:
        if token.kind == "pname":
            prefix, _, local = token.text.partition(":")
            return prefixes.get(prefix, "") + local
        return _TYPE if token.text == "a" else token.text[1:-1]

    changes: list[tuple[int, int, str]] = []
    opened: list[Token] = []
    for index, token in enumerate(tokens):
        if token.is_punct("{"):
            opened.append(token)
        elif token.is_punct("}") and opened:
            opened.pop()
        path = tokens[index : index + 5]
        if len(path) < 5 or not opened or tokens[index - 1].is_punct("/", "^", "|", "(", "!"):
            continue
        first, slash, second, star, end = path
        if (
            slash.is_punct("/")
            and star.is_punct("*")
            and end.kind in ("iri", "pname")
            and _ABSOLUTE.match(iri(end))
            and (iri(first), iri(second)) == (_TYPE, _SUBCLASS)
        ):
            name = f"?{_CLASS}{len(changes) // 2}"
            terms = " ".join(str(ox.NamedNode(one)) for one in sorted({iri(end), *below(iri(end))}))
            place = opened[-1].end
            changes.append((place, place, f" VALUES {name} {{ {terms} }} "))
            changes.append((first.start, end.end, f"a {name}"))
    return changes
