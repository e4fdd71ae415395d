"""The page of a contradiction or agreement, and the page of anything that has none of its own."""

from __future__ import annotations

from kg.namespaces import expand
from kg.rows import string
from kg.show.facts import facts_of
from kg.show.links import by_whom, dissolution, nodes_about, premises
from kg.show.page import Line, Page, Section
from kg.show.quotes import passages
from kg.show.reader import Reader
from kg.show.record import ABOUT, cut, stated

_BETWEEN = """
SELECT ?assertion WHERE { VALUES ?about { $about } ?about kg:between ?assertion }
ORDER BY ?assertion
"""

_TYPES = """
SELECT ?type WHERE { VALUES ?about { $about } ?about a ?type } ORDER BY ?type
"""

_REFERENCES = """
SELECT ?graph ?from ?property WHERE {
  VALUES ?about { $about }
  GRAPH ?graph { ?from ?property ?about }
} ORDER BY ?graph ?property ?from
"""


def node_page(reader: Reader, iri: str) -> Page:
    """Return the page of a contradiction, apparent contradiction, agreement or corroboration."""
    between = reader.column(_BETWEEN, "assertion", iri)
    node = next((one for one in nodes_about(reader, *between) if one.iri == iri), None)
    if node is None:
        return resource_page(reader, iri, None)
    kind = f"; {reader.name(node.first('kind'))}" if node.first("kind") else ""
    grounds = f"; on the grounds: {node.first('grounds')}" if node.first("grounds") else ""
    word = by_whom(reader, node)
    # Not 'capitalize', which takes the capitals of the names in it away.
    lead = f"{word[:1].upper()}{word[1:]}{kind}{grounds}".removesuffix(".") + "."
    sections = [
        Section(
            f"Side {number}",
            (reader.line(one), *passages(reader, one).lines),
        )
        for number, one in enumerate(node.between, 1)
    ]
    sections += [Section("Why it only seems so", dissolution(reader, node)), premises(reader, iri)]
    return Page(iri, reader.short(iri), node.family, lead, tuple(sections))


def resource_page(reader: Reader, iri: str, limit: int | None) -> Page:
    """Return what is stated about a thing, file by file, what refers to it and what is claimed."""
    references = reader.select(_REFERENCES, iri)
    reader.learn_names(string(row, key) for row in references for key in ("property", "from"))
    incoming = [
        Line(
            f"{reader.full_name(string(row, 'from'))}: {reader.name(string(row, 'property'))}",
            string(row, "from"),
        )
        for row in references
    ]
    about = reader.column(ABOUT, "assertion", iri)
    sections = [
        *stated(reader, iri, limit),
        Section(f"Claimed about it ({len(about)})", reader.lines(about, limit)),
        Section(f"Referred to by ({len(incoming)})", cut(incoming, limit)),
    ]
    lead = f"{reader.name(iri)}, as the files of the dispute describe it."
    types = reader.column(_TYPES, "type", iri)
    if expand("kg:RecordFact") in types and (fact := facts_of(reader, [iri]).get(iri)):
        lead = f"The record amounts, by the rule '{fact.rule}', to: {fact.words()}."
        sections.append(premises(reader, iri))
    kind = reader.name(types[0]) if types else "resource"
    return Page(iri, reader.short(iri), kind, lead, tuple(sections))
