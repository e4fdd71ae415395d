"""The pages of record entries, commits and pull requests: what the record says, what is claimed."""

from __future__ import annotations

import pyoxigraph as ox

from kg.namespaces import ONTOLOGY_GRAPH
from kg.rows import number, string, truth
from kg.show.facts import facts_of
from kg.show.page import Line, Page, Section, left_out
from kg.show.reader import Reader

# Assertions on propositions that have the thing at either end or as their scope.
ABOUT = """
SELECT DISTINCT ?assertion WHERE {
  VALUES ?about { $about }
  VALUES ?end { rdf:subject rdf:object kg:scope }
  VALUES ?stance { kg:affirms kg:denies kg:doubts kg:asks kg:concedes }
  ?proposition ?end ?about .
  ?assertion ?stance ?proposition .
} ORDER BY ?assertion
"""

# Not those that have a section of their own.
_TRIPLES = """
SELECT ?graph ?property ?value ?record WHERE {
  VALUES ?about { $about }
  GRAPH ?graph { ?about ?property ?value }
  FILTER(?property NOT IN (kg:changes, kg:samePatchAs, kg:hasCommit, kg:partOfRecord))
  OPTIONAL { GRAPH ?graph { ?about kg:partOfRecord ?record } }
} ORDER BY ?graph ?property ?value ?record
"""

_RECORDS = """
SELECT ?record WHERE { VALUES ?about { $about } ?about kg:partOfRecord ?record } ORDER BY ?record
"""

_FILES = """
SELECT ?path ?previous ?additions ?deletions ?binary WHERE {
  VALUES ?about { $about }
  ?about kg:changes ?change .
  ?change kg:path ?path .
  OPTIONAL { ?change kg:previousPath ?previous }
  OPTIONAL { ?change kg:additions ?additions }
  OPTIONAL { ?change kg:deletions ?deletions }
  OPTIONAL { ?change kg:binary ?binary }
} ORDER BY ?path ?previous
"""

# A pull request's or branch's own commits, and for a commit the same patch elsewhere and where
# it is listed.
_COMMITS = """
SELECT ?how ?commit ?author ?committer ?time WHERE {
  VALUES ?about { $about }
  { ?about kg:hasCommit ?commit . BIND("its commits" AS ?how) }
  UNION
  { { ?about kg:samePatchAs ?commit } UNION { ?commit kg:samePatchAs ?about }
    BIND("the same patch" AS ?how) }
  OPTIONAL { ?commit kg:author ?author }
  OPTIONAL { ?commit kg:committer ?committer }
  OPTIONAL { ?commit kg:commitTime ?time }
} ORDER BY ?how ?time ?commit ?author ?committer
"""

# What is derived of an entry itself; what of its lines, on their own pages.
_FACTS = """
SELECT DISTINCT ?fact ?rule WHERE {
  VALUES ?about { $about }
  { ?fact rdf:subject ?about } UNION { ?fact rdf:object ?about } UNION { ?fact kg:within ?about }
  ?fact a kg:RecordFact .
  OPTIONAL { ?fact kg:rule ?rule }
} ORDER BY ?rule ?fact
"""

_CONTAINERS = """
SELECT ?container WHERE { VALUES ?about { $about } ?container kg:hasCommit ?about }
ORDER BY ?container
"""


def record_page(reader: Reader, iri: str, kind: str, limit: int | None) -> Page:
    """Return the page of a commit (``kind`` is "commit"), a pull request or a branch."""
    records = reader.column(_RECORDS, "record", iri)
    source = ", ".join(map(reader.name, records)) or "the dispute's own description"
    about = reader.column(ABOUT, "assertion", iri)
    sections = (
        *stated(reader, iri, limit),
        *_commits(reader, iri, limit),
        _containers(reader, iri),
        Section("Files it changes, according to the record", _files(reader, iri, limit)),
        derived(reader, iri, limit),
        Section(f"Claimed about it ({len(about)})", reader.lines(about, limit)),
    )
    lead = f'"{reader.name(iri)}", an entry of {source}; {len(about)} assertions speak of it.'
    return Page(iri, reader.short(iri), kind, lead, sections)


def stated(reader: Reader, iri: str, limit: int | None) -> list[Section]:
    """Return what is stated about a thing, a section for each file, in the name of its record."""
    rows = reader.select(_TRIPLES, iri)
    columns = ("property", "value", "record")
    reader.learn_names(string(row, key) for row in rows for key in columns if key in row)
    sections: dict[str, list[Line]] = {}
    for row in rows:
        name = reader.short(string(row, "graph")).removeprefix("graph/")
        if "record" in row:
            title = f"According to {reader.name(string(row, 'record'))}"
        elif name == ONTOLOGY_GRAPH:
            title = "Stated in the vocabulary"
        else:
            title = "Derived by the rules" if name == "derived" else f"Stated in {name}"
        property_name = reader.name(string(row, "property"))
        value = row["value"]
        named = value.value if isinstance(value, ox.NamedNode) else None
        line = Line(f"{property_name}: {reader.full_name(value.value)}", named)
        sections.setdefault(title, []).append(line)
    return [Section(title, cut(lines, limit)) for title, lines in sections.items()]


def _commits(reader: Reader, iri: str, limit: int | None) -> list[Section]:
    groups: dict[str, dict[str, Line]] = {"its commits": {}, "the same patch": {}}
    rows = reader.select(_COMMITS, iri)
    columns = ("commit", "author", "committer")
    reader.learn_names(string(row, key) for row in rows for key in columns if key in row)
    for row in rows:
        commit = string(row, "commit")
        author, committer = (
            reader.name(string(row, key)) if key in row else "not given"
            for key in ("author", "committer")
        )
        hands = f"author {author}, committer {committer}"
        text = f"{reader.full_name(commit)}: {hands}, {string(row, 'time', 'no time given')}"
        groups[string(row, "how")].setdefault(commit, Line(text, commit))
    titles = {
        "its commits": "Its commits, according to the record",
        "the same patch": "Commits with the same patch, according to the record",
    }
    return [
        Section(f"{titles[how]} ({len(lines)})", cut(list(lines.values()), limit))
        for how, lines in groups.items()
    ]


def _containers(reader: Reader, iri: str) -> Section:
    found = reader.column(_CONTAINERS, "container", iri)
    lines = tuple(Line(reader.full_name(one), one) for one in found)
    return Section("Part of, according to the record", lines)


def derived(reader: Reader, iri: str, limit: int | None) -> Section:
    """Return what the records amount to about a thing, each line with its rule."""
    facts = reader.column(_FACTS, "fact", iri)
    told = facts_of(reader, facts)
    lines = [
        Line(f"{told[one].words()}, by the rule '{told[one].rule}'", one)
        for one in facts
        if one in told
    ]
    return Section(f"What the record amounts to ({len(lines)})", cut(lines, limit))


def _files(reader: Reader, iri: str, limit: int | None) -> tuple[Line, ...]:
    lines = []
    for row in reader.select(_FILES, iri):
        path = string(row, "path")
        if "previous" in row:
            path = f"{string(row, 'previous')} -> {path}"
        if truth(row, "binary"):
            change = "binary"
        else:
            change = f"+{number(row, 'additions') or 0} -{number(row, 'deletions') or 0}"
        lines.append(Line(f"{path} {change}"))
    return cut(lines, limit)


def cut(lines: list[Line], limit: int | None) -> tuple[Line, ...]:
    """Return the first ``limit`` lines and one that says how many were left out."""
    shown = lines[:limit]
    return (*shown, *left_out(len(lines) - len(shown)))
