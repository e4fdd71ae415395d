"""Reading a query that a shapes graph holds (https://www.w3.org/TR/shacl/#pre-binding)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from kg.shacl.prebinding import Select
from kg.shacl.shapes import NotCompilableError, UnusableShapesError
from kg.sparql_text import Token, tokenize

_FORBIDDEN = ("MINUS", "VALUES", "SERVICE")
_OPTIONAL_BINDINGS = {"shapesGraph", "currentShape"}
_FORMS = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")
# What follows the variables of SELECT or GROUP BY.
_AFTER_NAMES = ("WHERE", "FROM", "HAVING", "ORDER", "LIMIT", "OFFSET")


def read_query(
    text: str,
    prefixes: Mapping[str, str],
    constants: Mapping[str, str],
    path: str | None,
    bound: frozenset[str] = frozenset({"this"}),
    form: str = "select",
) -> Select:
    """Read a SELECT or ASK of a shapes graph and fill in what is known of it.

    ``constants`` are parameters and the like, by variable; ``bound`` names the variables that will
    have a value. Raises ``UnusableShapesError`` for what pre-binding does not allow, and for a text
    that is no SELECT, or no ASK if ``form`` is that.
    """
    tokens = [token for token in tokenize(text) if token.kind != "comment"]
    _require_form(tokens, form)
    _refuse(tokens, bound | set(constants) | _OPTIONAL_BINDINGS)
    body, prefixes = _without_prologue(tokens, dict(prefixes))
    filled = []
    selected = _only_named(body)
    for token in _decide_bound(body, constants):
        if token.kind == "var":
            name = token.text[1:]
            if name == "shapesGraph":
                raise NotCompilableError("a query asks for $shapesGraph")
            if name == "PATH":
                if path is None:
                    raise UnusableShapesError("$PATH in a constraint of a node shape")
                token = token._replace(kind="path", text=f" {path} ")
            elif name in constants:
                # Where variables are only named, no term may stand; its value is known anyway.
                text = "" if token.start in selected else constants[name]
                token = token._replace(kind="constant", text=text)
            else:
                token = token._replace(text=f"?{name}")
        elif token.kind == "pname":
            token = token._replace(kind="iri", text=_expand(token.text, prefixes))
        filled.append(token)
    return Select(tuple(filled))


def _decide_bound(tokens: list[Token], constants: Mapping[str, str]) -> list[Token]:
    # BOUND takes a variable, and a constant is none.
    decided: list[Token] = []
    found = [token for token in tokens if token.kind != "space"]
    skip = 0
    for token in tokens:
        if skip:
            skip -= token.kind != "space"
            continue
        if token.is_word("BOUND"):
            place = found.index(token)
            variable = found[place + 2] if place + 2 < len(found) else token
            if variable.kind == "var" and variable.text[1:] in constants:
                decided.append(token._replace(text="(true)", kind="constant"))
                skip = 3
                continue
        decided.append(token)
    return decided


def _only_named(tokens: Sequence[Token]) -> set[int]:
    """Return where the variables start that a SELECT or GROUP BY names outside of brackets."""
    named: set[int] = set()
    clause, depth = False, 0
    for before, token in pairwise(token for token in tokens if token.kind != "space"):
        if before.is_word("SELECT") or (before.is_word("GROUP") and token.is_word("BY")):
            clause, depth = True, 0
        elif token.is_punct("{") or token.is_punct("}") or token.is_word(*_AFTER_NAMES):
            clause = False
        depth += token.is_punct("(") - token.is_punct(")")
        if clause and depth == 0 and token.kind == "var":
            named.add(token.start)
    return named


def _require_form(tokens: Sequence[Token], form: str) -> None:
    """Raise ``UnusableShapesError`` unless there is one SELECT or ASK with balanced braces."""
    found = [token for token in tokens if token.kind != "space"]
    word = next((token for token in found if token.is_word(*_FORMS)), None)
    if word is None or not word.is_word(form.upper()):
        raise UnusableShapesError(f"sh:{form} must hold a query of the form {form.upper()}")
    depth = 0
    for token in found:
        depth += token.is_punct("{") - token.is_punct("}")
        if depth < 0:
            break
    if depth or not any(token.is_punct("{") for token in found):
        raise UnusableShapesError(f"the braces of the query in sh:{form} do not match")


def _without_prologue(
    tokens: list[Token], prefixes: dict[str, str]
) -> tuple[list[Token], dict[str, str]]:
    found = [token for token in tokens if token.kind != "space"]
    start = 0
    while start < len(found) and found[start].is_word("PREFIX", "BASE"):
        if found[start].is_word("BASE"):
            raise NotCompilableError("a query has a BASE")
        if [token.kind for token in found[start + 1 : start + 3]] != ["pname", "iri"]:
            raise UnusableShapesError("a PREFIX needs a prefix and an IRI")
        prefixes[found[start + 1].text[:-1]] = found[start + 2].text[1:-1]
        start += 3
    if start >= len(found):
        raise UnusableShapesError("a query is empty")
    first = tokens.index(found[start])
    return tokens[first:], prefixes


def _expand(name: str, prefixes: Mapping[str, str]) -> str:
    prefix, _, local = name.partition(":")
    if prefix not in prefixes:
        raise UnusableShapesError(f"the prefix of {name} is not declared by sh:prefixes")
    return f"<{prefixes[prefix]}{local.replace(chr(92), '')}>"


def _refuse(tokens: list[Token], bound: frozenset[str] | set[str]) -> None:
    found = [token for token in tokens if token.kind != "space"]
    for token in found:
        if token.is_word(*_FORBIDDEN):
            raise UnusableShapesError(f"a query of a shape may not use {token.text.upper()}")
    for previous, variable in pairwise(found):
        if previous.is_word("AS") and variable.kind == "var" and variable.text[1:] in bound:
            raise UnusableShapesError(f"a query of a shape may not assign {variable.text}")
    depth = 0
    for index, token in enumerate(found):
        depth += token.is_punct("{") - token.is_punct("}")
        if token.is_word("SELECT") and depth:
            projected = set()
            for later in found[index + 1 :]:
                if later.is_punct("{") or later.is_word("WHERE"):
                    break
                projected.add(later.text[1:] if later.kind == "var" else "")
            if missing := sorted(bound - _OPTIONAL_BINDINGS - projected):
                raise UnusableShapesError(
                    f"a query within a query must select ${missing[0]}, which is bound from outside"
                )
