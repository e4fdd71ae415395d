"""The header of a query file: YAML in its first comment block, with the line of every key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kg.errors import QueryError
from kg.sparql_text import line_of, tokenize

# What each key of the header is for; no other key is known.
MEANING = {
    "title": "title: a few words, as in a list of queries.",
    "question": "question: what the query answers, as a person would ask it.",
    "params": "params: each parameter's name with its type and description.",
    "columns": "columns: each selected variable, in order, with what it means.",
    "view": "view: how the answer is best shown.",
    "after": "after: the derivations that must have run before.",
    "mend": "mend: how to mend what the check finds.",
    "found_by": "found_by: a variable, with a pattern that finds all its values; no two of them "
    "share a row. --as-found asks for some of them at a time.",
}
VIEWS = ("table", "chain", "timeline", "graph", "text")
TYPES = (
    "agent",
    "document",
    "assertion",
    "proposition",
    "artifact",
    "resource",
    "relation",
    "string",
    "integer",
    "date",
)
_PARAMETER_KEYS = ("type", "description", "required")
_VARIABLE = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Parameter:
    """A query's parameter: its ``type`` (one of ``TYPES``) and what it is for.

    ``default`` is the SPARQL term that holds when it is not given; ``None`` means any value.
    """

    name: str
    type: str
    description: str
    required: bool = False
    default: str | None = None

    def with_default(self, default: str | None) -> Parameter:
        """Return the same parameter with another default."""
        return replace(self, default=default)


@dataclass(frozen=True)
class Header:
    """The values of a header, and the line on which each key stands."""

    path: Path | None
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[tuple[str, ...], int] = field(default_factory=dict)
    found: bool = False

    def error(self, message: str, *keys: str, hint: str | None = None) -> QueryError:
        """Build an error at the line of the innermost of ``keys`` that the header has."""
        at = next(
            (self.lines[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in self.lines), 1
        )
        return QueryError(message, path=self.path, line=at, hint=hint)

    def text(self, key: str) -> str:
        """Return the text of a key, or an empty one."""
        value = self.values.get(key, "")
        if not isinstance(value, str) or (key in self.values and not value.strip()):
            raise self.error(f"'{key}' must be a text", key, hint=MEANING[key])
        return " ".join(value.split())

    def mapping(self, key: str) -> dict[str, str]:
        """Return a key's mapping of names to texts, or an empty one."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.error(f"'{key}' must map names to texts", key, hint=MEANING[key])
        for name, text in value.items():
            if not isinstance(text, str) or not text.strip():
                raise self.error(f"'{name}' must have a text", key, name)
        return {name: " ".join(text.split()) for name, text in value.items()}

    def names(self, key: str) -> tuple[str, ...]:
        """Return a key's list of names, or of the one name it has."""
        value = self.values.get(key, [])
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
            raise self.error(f"'{key}' must be a list of names", key, hint=MEANING[key])
        return tuple(listed)

    def parameters(self) -> dict[str, Parameter]:
        """Return the declared parameters, their defaults still unknown."""
        value = self.values.get("params", {})
        if not isinstance(value, dict):
            raise self.error("'params' must map names to types", "params", hint=MEANING["params"])
        return {name: self._parameter(name, told) for name, told in value.items()}

    def _parameter(self, name: str, told: object) -> Parameter:
        if not _VARIABLE.fullmatch(name):
            raise self.error(f"'{name}' is no name of a variable", "params", name)
        example = f"{name}: {{type: agent, description: who speaks}}"
        if not isinstance(told, dict):
            raise self.error(
                f"the parameter '{name}' must have a type and a description",
                "params",
                name,
                hint=f"For example {example}.",
            )
        for key in told:
            if key not in _PARAMETER_KEYS:
                raise self.error(
                    f"unknown key '{key}' of parameter '{name}'",
                    "params",
                    name,
                    key,
                    hint=suggestion(key, _PARAMETER_KEYS) + f"Keys: {', '.join(_PARAMETER_KEYS)}.",
                )
        for key in ("type", "description"):
            if not isinstance(told.get(key), str) or not told[key].strip():
                raise self.error(
                    f"the parameter '{name}' has no {key}",
                    "params",
                    name,
                    hint=f"For example {example}.",
                )
        if told["type"] not in TYPES:
            raise self.error(
                f"unknown type '{told['type']}' of parameter '{name}'",
                "params",
                name,
                "type",
                hint=suggestion(told["type"], TYPES) + f"Types: {', '.join(TYPES)}.",
            )
        required = told.get("required", "false")
        if required not in ("true", "false"):
            raise self.error("'required' is true or false", "params", name, "required")
        return Parameter(
            name, told["type"], " ".join(told["description"].split()), required == "true"
        )


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return ``Did you mean '…'? `` for the nearest known word, or nothing."""
    import difflib

    near = difflib.get_close_matches(word, list(known), n=1)
    return f"Did you mean '{near[0]}'? " if near else ""


def read_header(text: str, path: Path | None) -> Header:
    """Read the header of a query's text; a text without one gives an empty header.

    Raises ``QueryError`` with the line for YAML that cannot be read, an unknown or repeated key, a
    ``view`` that is not known, or header lines after the first comment block.
    """
    lines = text.split("\n")  # not splitlines(), which knows more line ends than SPARQL
    first = next((n for n, line in enumerate(lines) if line.strip()), 0)
    last = first
    while last < len(lines) and lines[last].startswith("#"):
        last += 1
    block = [line if line.startswith("#+") else "" for line in lines[first:last]]
    for number, line in enumerate(block, first + 1):
        if line and not (line == "#+" or line.startswith("#+ ")):
            raise QueryError("a header line begins with '#+ '", path=path, line=number)
    for token in tokenize(text):
        number = line_of(text, token.start)
        if token.kind == "comment" and token.text.startswith("#+ ") and number > last:
            raise QueryError(
                "a header line outside the header",
                path=path,
                line=number,
                hint="The header is the file's first comment block; begin others with '# '.",
            )
    if not any(block):
        return Header(path)
    header = _read_yaml("\n".join(line[3:] for line in block), first + 1, path)
    for key in header.values:
        if key not in MEANING:
            raise header.error(
                f"unknown key '{key}' in the header",
                key,
                hint=suggestion(key, MEANING) + f"Keys: {', '.join(MEANING)}.",
            )
    if "view" in header.values and header.values["view"] not in VIEWS:
        raise header.error(
            f"unknown view '{header.values['view']}'", "view", hint=f"Views: {', '.join(VIEWS)}."
        )
    return header


def without_header(text: str) -> str:
    """Return a query's text without its header's lines, which a bound query no longer needs."""
    lines = text.split("\n")
    first = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    kept = [line for line in lines[:first] if not line.startswith("#+")]
    return "\n".join([*kept, *lines[first:]])


def _read_yaml(yaml_text: str, first_line: int, path: Path | None) -> Header:
    import yaml

    lines: dict[tuple[str, ...], int] = {}

    def note(node: yaml.Node | None, above: tuple[str, ...]) -> None:
        if not isinstance(node, yaml.MappingNode):
            return
        for key, value in node.value:
            at = (*above, str(key.value))
            if at in lines:
                line = first_line + key.start_mark.line
                raise QueryError(f"the key '{key.value}' is repeated", path=path, line=line)
            lines[at] = first_line + key.start_mark.line
            note(value, at)

    try:
        # The base loader makes texts of all scalars: a title may read "No" or "2023-03-13".
        loader = yaml.BaseLoader(yaml_text)
        node = loader.get_single_node()
        note(node, ())
        values = loader.construct_document(node) if node is not None else {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = first_line + (mark.line if mark is not None else 0)
        problem = getattr(error, "problem", None) or str(error)
        raise QueryError(f"the header is no YAML: {problem}", path=path, line=line) from error
    if not isinstance(values, Mapping):
        raise QueryError("the header must be 'key: value' lines", path=path, line=first_line)
    return Header(path, dict(values), lines, found=True)
