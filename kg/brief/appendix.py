"""The appendix of a brief: an entry for everything that a sentence stands on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kg.brief.gather_told import told_facts
from kg.brief.model import Entry
from kg.brief.voices import Voices
from kg.namespaces import expand
from kg.rows import select, string

# The first kind of which a thing has a type decides; this is also the order of the appendix.
_KINDS = {
    "dispute": ("kg:Dispute",),
    "record": ("kg:Record",),
    "document": ("kg:Document",),
    "statement": ("kg:Assertion",),
    "what the record shows": ("kg:RecordFact",),
    "commit": ("kg:Commit",),
    "declared contradiction": ("kg:DeclaredContradiction",),
    "identity judgement": ("kg:IdentityJudgement",),
    "withheld passage": ("kg:Withheld",),
    "somebody named": (
        "prov:Agent",
        "foaf:Agent",
        "foaf:Person",
        "foaf:Organization",
        "foaf:Group",
        "kg:UnnamedAgent",
        "kg:Encoder",
        "kg:Persona",
        "kg:GitIdentity",
    ),
    "encoding": ("prov:Activity",),
}
_OTHER = "other"
_TYPES = """
SELECT DISTINCT ?thing ?type WHERE { VALUES ?thing { $about } ?thing a ?type } ORDER BY ?thing ?type
"""
_DOCUMENTS = """
SELECT DISTINCT ?thing ?address ?sha256 WHERE {
  VALUES ?thing { $about }
  OPTIONAL { ?thing kg:url|dcterms:source ?address }
  OPTIONAL { ?thing kg:sha256 ?sha256 }
} ORDER BY ?thing ?address ?sha256
"""
_PASSAGES = """
SELECT DISTINCT ?thing ?document ?start ?end WHERE {
  VALUES ?thing { $about }
  ?thing oa:hasTarget ?passage .
  ?passage oa:hasSource ?document ; oa:hasSelector ?selector .
  ?selector oa:start ?start ; oa:end ?end .
} ORDER BY ?thing ?document ?start ?end
"""
_JUDGEMENTS = """
SELECT DISTINCT ?thing ?persona ?identity ?verdict ?judge WHERE {
  VALUES ?thing { $about }
  ?thing kg:persona ?persona ; kg:identity ?identity ; kg:verdict ?verdict ; kg:judgedBy ?judge .
} ORDER BY ?thing ?persona ?identity ?verdict ?judge
"""
_BETWEEN = """
SELECT DISTINCT ?thing ?one WHERE { VALUES ?thing { $about } ?thing kg:between ?one }
ORDER BY ?thing ?one
"""
_COMMITS = """
SELECT DISTINCT ?thing ?subject ?time WHERE {
  VALUES ?thing { $about } ?thing kg:subjectLine ?subject ; kg:commitTime ?time .
} ORDER BY ?thing ?time ?subject
"""


def entries(voices: Voices, links: Iterable[str]) -> tuple[Entry, ...]:
    """Return an entry for each link, by kind, statements in the order of the documents."""
    wanted = list(dict.fromkeys(links))
    types: dict[str, set[str]] = {}
    for row in select(voices.engine, _TYPES, wanted):
        types.setdefault(string(row, "thing"), set()).add(string(row, "type"))
    kinds: dict[str, list[str]] = {kind: [] for kind in (*_KINDS, _OTHER)}
    for iri in wanted:
        kinds[_kind(types.get(iri, set()))].append(iri)
    voices.reader.learn_names(wanted)
    texts = {
        **told_facts(voices, kinds["what the record shows"]),
        **dict(_judged(voices, kinds["identity judgement"])),
        **dict(_declared(voices, kinds["declared contradiction"])),
        **dict(_subjects(voices, kinds["commit"])),
        **{iri: voices.reader.sentence(iri) for iri in kinds["statement"]},
    }
    places = dict(_places(voices, kinds["withheld passage"]))
    places |= {iri: voices.place(iri) for iri in kinds["statement"]}
    addresses: dict[str, str] = {}
    for row in select(voices.engine, _DOCUMENTS, (*kinds["document"], *kinds["record"])):
        addresses.setdefault(string(row, "thing"), string(row, "address"))
        if "sha256" in row:
            places.setdefault(string(row, "thing"), f"SHA-256 {string(row, 'sha256')}")
    found: list[Entry] = []
    anchors: set[str] = set()
    for kind, iris in kinds.items():
        iris.sort(key=voices.reader.short)
        if kind == "statement":
            iris.sort(key=voices.order)
        for iri in iris:
            name = voices.reader.short(iri) if iri != voices.base else "dispute"
            anchor = _anchor(name, anchors)
            text = texts.get(iri) or ("" if kind == "withheld passage" else voices.name(iri))
            found.append(
                Entry(iri, name, anchor, kind, text, places.get(iri, ""), addresses.get(iri, ""))
            )
    return tuple(found)


def _kind(types: set[str]) -> str:
    for kind, names in _KINDS.items():
        if types & {expand(name) for name in names}:
            return kind
    return _OTHER


def _anchor(name: str, taken: set[str]) -> str:
    """Return a name for within a page: of letters, digits, dots and hyphens, given only once."""
    base = re.sub(r"[^A-Za-z0-9.-]+", "-", name)
    anchor, number = base, 1
    while anchor in taken:
        number += 1
        anchor = f"{base}-{number}"
    taken.add(anchor)
    return anchor


def _judged(voices: Voices, iris: list[str]) -> Iterator[tuple[str, str]]:
    for row in select(voices.engine, _JUDGEMENTS, iris):
        persona, identity, verdict, judge = (
            voices.name(string(row, key)) for key in ("persona", "identity", "verdict", "judge")
        )
        yield string(row, "thing"), f"{judge} on whether {persona} is {identity}: {verdict}"


def _declared(voices: Voices, iris: list[str]) -> Iterator[tuple[str, str]]:
    ends: dict[str, list[str]] = {}
    for row in select(voices.engine, _BETWEEN, iris):
        ends.setdefault(string(row, "thing"), []).append(voices.reader.short(string(row, "one")))
    for iri, names in ends.items():
        yield iri, f"declared by an encoder between {' and '.join(names)}"


def _subjects(voices: Voices, iris: list[str]) -> Iterator[tuple[str, str]]:
    for row in select(voices.engine, _COMMITS, iris):
        yield string(row, "thing"), f"“{string(row, 'subject')}”, {string(row, 'time')}"


def _places(voices: Voices, iris: list[str]) -> Iterator[tuple[str, str]]:
    for row in select(voices.engine, _PASSAGES, iris):
        document = voices.reader.short(string(row, "document"))
        yield string(row, "thing"), f"{document} {string(row, 'start')}-{string(row, 'end')}"
