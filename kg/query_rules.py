"""What must hold between a query and its header, and between both and the query's kind."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pyoxigraph as ox

from kg import sparql_text
from kg.errors import QueryError
from kg.namespaces import PREFIXES
from kg.query_guard import guard
from kg.query_header import MEANING, Header, Parameter

_FORMS_OF_KIND = {"check": ("SELECT",), "derive": ("CONSTRUCT",)}
_NEEDED_KEYS = {
    "ask": ("title", "question"),
    "check": ("title", "mend"),
    "derive": ("title",),
}


def a(form: str) -> str:
    """Return a query form with its article."""
    return f"an {form}" if form == "ASK" else f"a {form}"


def check_kind(header: Header, form: str, kind: str | None, path: Path | None) -> None:
    """Hold a query against what its kind asks for; ``None`` asks for nothing.

    Raises ``QueryError`` for a key that is missing or not the kind's, or another query form.
    """
    for key in _NEEDED_KEYS.get(kind or "", ()):
        if key not in header.values:
            raise header.error(f"the header has no '{key}'", hint=MEANING[key])
    for key, only in (("after", "derive"), ("mend", "check")):
        if key in header.values and kind not in (only, None):
            raise header.error(f"'{key}' is only for queries of the kind '{only}'", key)
    allowed = _FORMS_OF_KIND.get(kind or "")
    if allowed and form not in allowed:
        raise QueryError(
            f"a query in '{kind}' must be a {allowed[0]}, this is {a(form)}", path=path
        )


@functools.cache
def _empty_store() -> ox.Store:
    return ox.Store()


def parsed_form(text: str, tokens: list[sparql_text.Token], path: Path | None) -> str:
    """Return the form of a query that parses. Raises ``QueryError`` for one that does not."""
    try:
        # The engine has no way to parse without running; on an empty store that costs nothing.
        _empty_store().query(text)
    except SyntaxError as error:
        if missing := sparql_text.undeclared(tokens):
            prefix = sparql_text.prefix_of(missing[0])
            raise QueryError(
                f"the prefix of {missing[0].text} is not declared",
                path=path,
                line=sparql_text.line_of(text, missing[0].start),
                hint=f"Add a line PREFIX {prefix}: <{PREFIXES.get(prefix, '...')}>.",
            ) from error
        raise syntax_error(error, path) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise QueryError(f"the query cannot be run: {error}", path=path) from error
    form = sparql_text.query_form(tokens)
    if form is None:
        raise QueryError(
            "the query form cannot be told", path=path, hint="Put a space after SELECT or ASK."
        )
    return form


def syntax_error(error: SyntaxError, path: Path | None = None) -> QueryError:
    """Turn the engine's complaint about a query's syntax into one with a line of the file."""
    match = re.match(r"error at (\d+):(\d+): (.*)", str(error), re.DOTALL)
    if match is None:
        return QueryError(f"not SPARQL: {error}", path=path)
    line, column, expected = int(match[1]), int(match[2]), match[3]
    # The engine lists every terminal it could have gone on with; a few help, sixty do not.
    listed = expected.removeprefix("expected ").removeprefix("one of ").split(", ")
    words = [word.strip() for word in listed if not word.startswith("[")]
    more = ", ..." if len(words) > 8 else ""
    wanted = f", expected {', '.join(words[:8])}{more}" if words else ""
    return QueryError(f"not SPARQL at column {column}{wanted}", path=path, line=line)


def checked_params(
    header: Header, text: str, tokens: list[sparql_text.Token], path: Path | None
) -> dict[str, Parameter]:
    """Return the header's parameters with the defaults that the query gives them.

    Raises ``QueryError`` for one without a VALUES line of one term, or the other way round.
    """
    blocks = sparql_text.values_blocks(tokens)
    params = {}
    for name, parameter in header.parameters().items():
        own = [block for block in blocks if block.name == name]
        if not own:
            raise header.error(
                f"the parameter '{name}' is not used",
                "params",
                name,
                hint=f"Give the query a line VALUES ?{name} {{ UNDEF }}, or remove it here.",
            )
        for block in own:
            line = sparql_text.line_of(text, block.start)
            if not block.on_one_line(text):
                raise QueryError(
                    f"the VALUES of parameter '{name}' must stand on one line",
                    path=path,
                    line=line,
                    hint=f"Write it as VALUES ?{name} {{ <default> }}.",
                )
            if block.terms != 1:
                raise QueryError(
                    f"the VALUES of parameter '{name}' has {block.terms} terms, not one",
                    path=path,
                    line=line,
                    hint="Give it one default, or UNDEF for 'any'.",
                )
        default = text[own[0].inside_start : own[0].inside_end].strip()
        params[name] = parameter.with_default(None if default.upper() == "UNDEF" else default)
    if header.found:
        for block in blocks:
            if block.terms == 1 and block.name not in {*params, *header.mapping("found_by")}:
                raise QueryError(
                    f"the parameter '{block.name}' is not declared",
                    path=path,
                    line=sparql_text.line_of(text, block.start),
                    hint=f"Add '{block.name}' under params in the header; a constant is written "
                    f"BIND(... AS ?{block.name}).",
                )
    return params


def check_columns(
    header: Header,
    form: str,
    text: str,
    tokens: list[sparql_text.Token],
    path: Path | None,
    *,
    strict: bool,
) -> None:
    """Hold the header's columns against what the query selects, names and order.

    ``strict`` (stored queries) also asks for columns and ORDER BY. Raises ``QueryError``.
    """
    if form != "SELECT":
        if "columns" in header.values:
            raise header.error(f"{a(form)} has no columns", "columns")
        return
    names = sparql_text.projection(tokens)
    select = next(token for token in tokens if token.is_word("SELECT"))
    line = sparql_text.line_of(text, select.start)
    if strict:
        if names is None:
            raise QueryError("SELECT * leaves the columns open", path=path, line=line)
        if not sparql_text.has_order(tokens):
            raise QueryError(
                "the SELECT has no ORDER BY",
                path=path,
                line=line,
                hint="Order by enough columns that the same graph always gives the same rows.",
            )
        if "columns" not in header.values:
            raise header.error(
                "the header has no 'columns'", hint=f"Describe each of: {', '.join(names)}."
            )
    if "columns" not in header.values or names is None:
        return
    told = list(header.mapping("columns"))
    if told == names:
        return
    missing = [name for name in names if name not in told]
    extra = [name for name in told if name not in names]
    if missing:
        raise header.error(f"columns lacks '{missing[0]}', which the query selects", "columns")
    if extra:
        raise header.error(
            f"columns has '{extra[0]}', which the query does not select", "columns", extra[0]
        )
    raise header.error(
        f"columns are in another order than the query's: {', '.join(names)}", "columns"
    )


def checked_found_by(
    header: Header, text: str, tokens: list[sparql_text.Token], path: Path | None
) -> tuple[str, str] | None:
    """Return the variable whose values are asked for some at a time, and the pattern of its values.

    Raises ``QueryError`` if there are several, if the query has no line ``VALUES ?name { UNDEF }``
    for it, or if the pattern is no SPARQL.
    """
    found = header.mapping("found_by")
    if not found:
        return None
    if len(found) != 1:
        raise header.error("'found_by' must have one variable", "found_by")
    ((name, pattern),) = found.items()
    blocks = [block for block in sparql_text.values_blocks(tokens) if block.name == name]
    inside = [text[block.inside_start : block.inside_end].strip().upper() for block in blocks]
    if not inside or any(term != "UNDEF" for term in inside):
        raise header.error(
            f"the query has no line VALUES ?{name} {{ UNDEF }}, or another default",
            "found_by",
            name,
            hint="Put the line where the values are to be searched from.",
        )
    search = f"SELECT ?{name} WHERE {{ {pattern} }}"
    guard(search, path)
    try:
        _empty_store().query(sparql_text.prologue(text) + search)
    except SyntaxError as error:
        raise header.error(f"the pattern is no SPARQL: {error}", "found_by", name) from None
    return name, pattern
