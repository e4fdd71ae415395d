"""One thing of a dispute as a person wants to read it.

``show`` looks at what a thing is and asks the module for its kind; each module asks the engine
and returns a ``Page``, which prints as text, Markdown or JSON.
"""

from __future__ import annotations

from collections.abc import Mapping

from kg.documents import AttachedText
from kg.engine import Engine
from kg.errors import QueryError
from kg.namespaces import expand
from kg.show.agent import agent_page
from kg.show.assertion import assertion_page
from kg.show.page import TO_SHOW_ALL, Line, Page, Section, as_json, as_markdown, as_text
from kg.show.proposition import proposition_page
from kg.show.reader import Reader
from kg.show.record import record_page
from kg.show.resource import node_page, resource_page

__all__ = ["TO_SHOW_ALL", "Line", "Page", "Section", "as_json", "as_markdown", "as_text", "show"]

_TYPES = """
SELECT DISTINCT ?type WHERE {
  VALUES ?about { $about }
  { ?about a ?type } UNION { ?assertion kg:speaker ?about BIND(prov:Agent AS ?type) }
} ORDER BY ?type
"""

# The first kind of which a thing has a type decides.
_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("assertion", ("kg:Assertion",)),
    ("proposition", ("kg:Proposition",)),
    (
        "node",
        (
            "kg:Contradiction",
            "kg:DeclaredContradiction",
            "kg:DerivedContradiction",
            "kg:ApparentContradiction",
            "kg:Agreement",
            "kg:Corroboration",
        ),
    ),
    ("commit", ("kg:Commit",)),
    ("pull request", ("kg:PullRequest",)),
    ("branch", ("kg:Branch",)),
    (
        "agent",
        (
            "prov:Agent",
            "foaf:Agent",
            "foaf:Person",
            "foaf:Organization",
            "foaf:Group",
            "kg:UnnamedAgent",
            "kg:Persona",
            "kg:GitIdentity",
        ),
    ),
)


def show(
    engine: Engine,
    base: str,
    iri: str,
    *,
    texts: Mapping[str, AttachedText] | None = None,
    limit: int | None = 50,
) -> Page:
    """Return the page of one thing.

    ``base`` is the dispute's IRI, ``texts`` what ``kg.documents.texts_of`` found (without it no
    words are quoted, whether or not a text is attached) and ``limit`` how many entries a list
    shows (``None``: all).

    Raises ``QueryError`` if the graph says nothing about ``iri``, and ``EngineError``.
    """
    reader = Reader(engine, base, texts)
    types = set(reader.column(_TYPES, "type", iri))
    kind = next(
        (kind for kind, names in _KINDS if types & {expand(name) for name in names}), "resource"
    )
    if kind == "assertion":
        return assertion_page(reader, iri, limit)
    if kind == "proposition":
        return proposition_page(reader, iri, limit)
    if kind == "node":
        return node_page(reader, iri)
    if kind == "agent":
        return agent_page(reader, iri, limit)
    if kind != "resource":
        return record_page(reader, iri, kind, limit)
    page = resource_page(reader, iri, limit)
    if not any(section.lines for section in page.sections):
        raise QueryError(f"nothing is stated about '{reader.short(iri)}'")
    return page
