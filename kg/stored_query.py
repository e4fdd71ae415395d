"""Stored queries: a SPARQL file whose first comment block says what it asks and what it takes.

::

    #+ title: Claims by a speaker
    #+ question: What does this person say?
    #+ params:
    #+   speaker: {type: agent, description: who speaks}
    #+ columns:
    #+   claim: the statement
    SELECT ?claim WHERE { VALUES ?speaker { UNDEF } ?claim kg:speaker ?speaker } ORDER BY ?claim

The header follows grlc's convention of YAML in ``#+`` comments, with a closed set of keys. It is
the only source of metadata, so everything in it is held against the query when it is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

from kg import query_header, query_rules, sparql_text
from kg.errors import ParameterError, QueryError
from kg.query_guard import guard
from kg.query_header import Parameter
from kg.settings import shipped

if TYPE_CHECKING:
    from kg.dispute import Dispute
    from kg.engine import Term

KINDS = ("ask", "check", "derive")
SUFFIX = ".rq"
_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class StoredQuery:
    """A query and what its header says of it.

    ``kind`` is ``ask``, ``check`` or ``derive``, or ``None`` for a file or text of the user's own,
    which may do without a header. ``form`` is the SPARQL query form in upper case. ``columns``
    maps a column's name to what it means, in the order of the projection; it is empty unless
    ``form`` is ``SELECT`` and the header has them. ``found_by`` is a variable with the pattern
    that finds its values (``kg.as_found``).
    """

    name: str
    text: str
    form: str
    kind: str | None = None
    path: Path | None = None
    title: str = ""
    question: str = ""
    params: Mapping[str, Parameter] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    view: str = "table"
    after: tuple[str, ...] = ()
    mend: str = ""
    found_by: tuple[str, str] | None = None


def load_query(path: Path) -> StoredQuery:
    """Read a stored query; its kind is the name of the folder it lies in.

    Raises ``QueryError`` with file and line if anything about it is not as it must be.
    """
    kind = path.parent.name
    if kind not in KINDS:
        raise QueryError(
            f"a stored query lies in a folder named {', '.join(KINDS)}, not '{kind}'", path=path
        )
    if not _KEBAB.fullmatch(path.stem):
        raise QueryError(
            f"'{path.stem}' is no name for a stored query",
            path=path,
            hint="Use lower-case words joined by hyphens, such as claims-by.rq: the file's name "
            "is what people type.",
        )
    return parse_query(read_text(path), name=path.stem, kind=kind, path=path)


def read_text(path: Path) -> str:
    """Return the text of a query file. Raises ``QueryError`` if it cannot be read as UTF-8."""
    try:
        # A byte order mark is no SPARQL; some editors write one all the same.
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, error.start) + 1
        raise QueryError("not UTF-8 text", path=path, line=line) from error
    except OSError as error:
        raise QueryError(f"cannot be read: {error.strerror}", path=path) from error


def parse_query(
    text: str,
    *,
    name: str,
    kind: str | None = None,
    path: Path | None = None,
    prefixes: Mapping[str, str] | None = None,
) -> StoredQuery:
    """Make a stored query of its text, holding its header against the query.

    With ``kind=None`` (what a user types or keeps in a file) the header is optional, and neither
    ORDER BY nor columns are asked for; a header that is there is checked all the same. Those of
    ``prefixes`` that the text uses without declaring them are declared for it.
    Raises ``QueryError`` with ``path`` and line.
    """
    guard(text, path)
    if prefixes:
        text = sparql_text.declare_prefixes(text, prefixes)
    tokens = sparql_text.significant(text)
    form = query_rules.parsed_form(text, tokens, path)
    header = query_header.read_header(text, path)
    params = query_rules.checked_params(header, text, tokens, path)
    query_rules.check_kind(header, form, kind, path)
    query_rules.check_columns(header, form, text, tokens, path, strict=kind is not None)
    return StoredQuery(
        name=name,
        text=text,
        form=form,
        kind=kind,
        path=path,
        title=header.text("title"),
        question=header.text("question"),
        params=params,
        columns=header.mapping("columns"),
        view=header.text("view") or "table",
        after=header.names("after"),
        mend=header.text("mend"),
        found_by=query_rules.checked_found_by(header, text, tokens, path),
    )


def stored_paths(dispute: Dispute | None, kind: str) -> dict[str, Path]:
    """Return the files of a kind by name: the project's and the dispute's own, sorted.

    Raises ``QueryError`` when both have one of the same name.
    """
    found: dict[str, Path] = {}
    folders = [shipped("queries") / kind]
    if dispute is not None:
        folders.append(dispute.folder / "queries" / kind)
    for folder in folders:
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            if path.stem in found:
                raise QueryError(
                    f"there is already a stored query '{path.stem}'",
                    path=path,
                    hint=f"Rename it; the other is {found[path.stem]}.",
                )
            found[path.stem] = path
    return dict(sorted(found.items()))


def catalogue(dispute: Dispute | None, kind: str) -> dict[str, StoredQuery]:
    """Load every stored query of a kind (``ask``, ``check``, ``derive``), sorted by name.

    Raises ``QueryError`` for a name that clashes or a file that does not load.
    """
    return {name: load_query(path) for name, path in stored_paths(dispute, kind).items()}


def find_query(dispute: Dispute | None, name: str) -> StoredQuery:
    """Load the one stored query of this name, of whatever kind (``ask`` first).

    Only that file is read, so that a broken one elsewhere is in nobody's way.
    Raises ``QueryError`` for an unknown name, suggesting the nearest.
    """
    known: list[str] = []
    for kind in KINDS:
        paths = stored_paths(dispute, kind)
        if name in paths:
            return load_query(paths[name])
        known.extend(paths)
    raise QueryError(
        f"there is no stored query '{name}'",
        hint=query_header.suggestion(name, known) + "See all of them with: kg queries",
    )


def bind(query: StoredQuery, values: Mapping[str, Term]) -> str:
    """Return the query's text with each given parameter's default replaced by a term.

    Only the inside of the parameter's VALUES block changes, found by token; the term is written in
    N-Triples syntax, which SPARQL shares. A parameter that is not given keeps its default.
    Raises ``ParameterError`` for a name the query does not have, a required parameter that is not
    given, or a blank node, which would match anything.
    """
    for name, term in values.items():
        if name not in query.params:
            raise unknown_parameter(query, name)
        if isinstance(term, ox.BlankNode):
            raise ParameterError(f"the parameter '{name}' cannot be a blank node", path=query.path)
    for name, parameter in query.params.items():
        if parameter.required and name not in values:
            raise missing_parameter(query, parameter)
    return sparql_text.put_values(query.text, {name: str(term) for name, term in values.items()})


def unknown_parameter(query: StoredQuery, name: str) -> ParameterError:
    """Say that a query has no such parameter, and which it has."""
    if not query.params:
        hint = "It takes none."
        if query.kind is None:
            hint = "Declare it in a header of '#+ ' lines, with a line VALUES ?name { UNDEF }."
    else:
        hint = query_header.suggestion(name, query.params) + f"It takes: {', '.join(query.params)}."
    return ParameterError(f"the query '{query.name}' has no parameter '{name}'", hint=hint)


def missing_parameter(query: StoredQuery, parameter: Parameter) -> ParameterError:
    """Say that a query cannot do without a parameter."""
    return ParameterError(
        f"the query '{query.name}' needs the parameter '{parameter.name}': {parameter.description}",
        hint=f"Give it with -p {parameter.name}=...",
    )
