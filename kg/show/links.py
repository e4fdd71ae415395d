"""What hangs on assertions: contradictions, agreements, moves, record findings."""

from __future__ import annotations

from kg.namespaces import expand
from kg.rows import string
from kg.show.facts import facts_of
from kg.show.page import Line, Section, left_out
from kg.show.reader import Reader

_BETWEEN = """
SELECT ?node ?type ?one ?rule ?kind ?grounds ?judge ?dissolvedBy ?dissolution WHERE {
  VALUES ?about { $about }
  ?node kg:between ?about , ?one ; a ?type .
  OPTIONAL { ?node kg:rule ?rule }
  OPTIONAL { ?node kg:kind ?kind }
  OPTIONAL { ?node kg:grounds ?grounds }
  OPTIONAL { ?node prov:wasGeneratedBy/prov:wasAssociatedWith ?judge }
  OPTIONAL { ?node kg:dissolvedBy ?dissolvedBy }
  OPTIONAL { ?node kg:dissolution ?dissolution }
} ORDER BY ?node ?type ?one ?rule ?kind ?grounds ?judge ?dissolvedBy ?dissolution
"""

_MOVES = """
SELECT ?node ?type ?from ?target ?judge WHERE {
  VALUES ?about { $about }
  VALUES (?type ?by) { (kg:Attack kg:attacker) (kg:Support kg:supporter) }
  ?node a ?type ; ?by ?from ; kg:target ?target .
  FILTER(?from = ?about || ?target = ?about)
  OPTIONAL { ?node prov:wasGeneratedBy/prov:wasAssociatedWith ?judge }
} ORDER BY ?type ?node ?from ?target ?judge
"""

_FINDINGS = """
SELECT DISTINCT ?finding ?assertion ?bearing ?fact WHERE {
  VALUES ?assertion { $about }
  ?finding a kg:RecordFinding ; kg:assertion ?assertion ; kg:bearing ?bearing .
  OPTIONAL { ?finding kg:recordFact ?fact }
} ORDER BY ?finding ?fact
"""

_PREMISES = """
SELECT ?premise WHERE { VALUES ?about { $about } ?about prov:wasDerivedFrom ?premise }
ORDER BY ?premise
"""

# What a record fact does to an assertion.
BEARINGS = {
    "Corroborates": "corroborates",
    "Conflicts": "conflicts with",
    "Measures": "bears on, without settling it,",
}

# The classes of what joins two assertions, but for contradictions, of which there are several.
_FAMILIES = {
    "ApparentContradiction": "apparent contradiction",
    "Agreement": "agreement",
    "Corroboration": "corroboration",
}


class Node:
    """What joins two assertions, such as a contradiction, its rows drawn together."""

    def __init__(self, iri: str) -> None:
        self.iri = iri
        self.types: set[str] = set()
        self.between: list[str] = []
        self.words: dict[str, list[str]] = {}

    def first(self, key: str) -> str:
        """Return the first value found for a column, or nothing."""
        return next(iter(self.words.get(key, [])), "")

    @property
    def family(self) -> str:
        """``contradiction``, ``apparent contradiction``, ``agreement`` or ``corroboration``."""
        for local, word in _FAMILIES.items():
            if expand(f"kg:{local}") in self.types:
                return word
        return "contradiction"

    @property
    def declared(self) -> bool:
        """Whether an encoder stated it, rather than a rule derived it."""
        return expand("kg:DeclaredContradiction") in self.types


def nodes_about(reader: Reader, *assertions: str) -> list[Node]:
    """Return what joins these assertions with others, sorted by IRI."""
    found: dict[str, Node] = {}
    for row in reader.select(_BETWEEN, *assertions):
        iri = string(row, "node")
        node = found.setdefault(iri, Node(iri))
        node.types.add(string(row, "type"))
        if string(row, "one") not in node.between:
            node.between.append(string(row, "one"))
        for key in ("rule", "kind", "grounds", "judge", "dissolvedBy", "dissolution"):
            value = string(row, key)
            if value and value not in node.words.setdefault(key, []):
                node.words[key].append(value)
    reader.learn(one for node in found.values() for one in node.between)
    return list(found.values())


def by_whom(reader: Reader, node: Node) -> str:
    """Say on whose or which rule's word a node stands."""
    if node.declared or not node.first("rule"):
        judge = node.first("judge")
        return f"declared by {reader.name(judge) if judge else 'an unnamed encoder'}"
    return f"derived by the rule '{node.first('rule')}'"


def node_line(reader: Reader, node: Node, *, leaving_out: str = "") -> Line:
    """Return a node as a line: on whose word, of which kind, and its assertions below."""
    kind = f", {reader.name(node.first('kind'))}" if node.first("kind") else ""
    grounds = f", on the grounds: {node.first('grounds')}" if node.first("grounds") else ""
    children = [reader.line(one) for one in node.between if one != leaving_out]
    children += dissolution(reader, node)
    text = f"{reader.short(node.iri)}: {by_whom(reader, node)}{kind}{grounds}"
    return Line(text, node.iri, tuple(children))


def dissolution(reader: Reader, node: Node) -> tuple[Line, ...]:
    """Return what keeps an apparent contradiction from being one: scopes, or times that differ."""
    scopes = node.words.get("dissolvedBy", [])
    lines = [Line(f"dissolved by the scope {reader.full_name(one)}", one) for one in scopes]
    if node.family == "apparent contradiction" and node.first("dissolution") == "time":
        lines.append(Line("dissolved by time: the two are said of different times"))
    return tuple(lines)


def node_sections(
    reader: Reader, *assertions: str, leaving_out: str = "", limit: int | None = None
) -> list[Section]:
    """Return the sections on what joins some assertions with others, contradictions first."""
    nodes = nodes_about(reader, *assertions)
    titles = {
        "contradiction": "Cannot both hold",
        "apparent contradiction": "Only seems to contradict",
        "agreement": "Agrees",
        "corroboration": "Says the same independently",
    }
    sections = []
    for family, title in titles.items():
        chosen = [node for node in nodes if node.family == family]
        lines = [node_line(reader, node, leaving_out=leaving_out) for node in chosen[:limit]]
        lines += left_out(len(chosen) - len(lines))
        sections.append(Section(title, tuple(lines)))
    return sections


def moves(reader: Reader, iri: str) -> Section:
    """Return the attacks and supports an encoder read between this and other assertions."""
    lines = []
    for row in reader.select(_MOVES, iri):
        attack = string(row, "type") == expand("kg:Attack")
        source, target = string(row, "from"), string(row, "target")
        judge = reader.name(string(row, "judge")) if "judge" in row else "an unnamed encoder"
        verb = "attacks" if attack else "supports"
        text = f"{reader.short(source)} {verb} {reader.short(target)}, as read by {judge}"
        other = target if source == iri else source
        lines.append(Line(text, string(row, "node"), (_statement_or_thing(reader, other),)))
    return Section("Supports and attacks", tuple(lines))


def _statement_or_thing(reader: Reader, iri: str) -> Line:
    reader.learn([iri])
    statement = reader.statements[iri]
    return reader.line(iri) if statement.speaker else Line(reader.full_name(iri), iri)


def findings(reader: Reader, *assertions: str, limit: int | None = None) -> Section:
    """Return what a record shows for or against these assertions, and by which rule."""
    rows = reader.select(_FINDINGS, *assertions)
    facts = facts_of(reader, (string(row, "fact") for row in rows[:limit] if "fact" in row))
    lines = []
    for row in rows[:limit]:
        about = string(row, "assertion")
        bearing = BEARINGS.get(string(row, "bearing").removeprefix(expand("kg:")), "bears on")
        fact = facts.get(string(row, "fact"))
        shows = "the record"
        if fact is not None:
            rule = f"by the rule '{fact.rule}'" if fact.rule else "by no named rule"
            name = reader.short(string(row, "fact"))
            shows = f"the record amounts, {rule}, to: {fact.words()} ({name})"
        lines.append(
            Line(
                f"{shows}; it {bearing} {reader.short(about)}",
                string(row, "finding"),
                (reader.line(about),) if len(assertions) > 1 else (),
            )
        )
    lines += left_out(len(rows) - len(lines))
    return Section("What the record shows", tuple(lines))


def premises(reader: Reader, iri: str) -> Section:
    """Return what a derived node was derived from."""
    found = reader.column(_PREMISES, "premise", iri)
    return Section("Derived from", tuple(_statement_or_thing(reader, one) for one in found))
