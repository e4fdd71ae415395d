"""The page of one assertion: who said it, through whom, where, and what stands against it."""

from __future__ import annotations

from kg.rows import string
from kg.show.links import findings, moves, node_sections
from kg.show.page import Line, Page, Section, left_out
from kg.show.quotes import passages
from kg.show.reader import Reader

_DETAILS = """
SELECT ?property ?value WHERE {
  VALUES ?about { $about }
  VALUES ?property {
    rdfs:label rdfs:comment kg:claimType kg:speakerCertainty kg:encoderConfidence kg:utteredAt
    kg:hearsayDepth kg:heldBy kg:cites kg:concessionMode
  }
  ?about ?property ?value .
} ORDER BY ?property ?value
"""

_ENCODER = """
SELECT ?encoder WHERE {
  VALUES ?about { $about }
  ?about prov:wasGeneratedBy/prov:wasAssociatedWith ?encoder .
} ORDER BY ?encoder
"""

_ADDRESSES = """
SELECT ?source ?address WHERE {
  VALUES ?about { $about }
  ?about kg:cites ?source .
  OPTIONAL { ?source kg:url ?address }
} ORDER BY ?source ?address
"""


def assertion_page(reader: Reader, iri: str, limit: int | None) -> Page:
    """Return the page of an assertion."""
    reader.learn([iri])
    details: dict[str, list[str]] = {}
    for row in reader.select(_DETAILS, iri):
        local = string(row, "property").rpartition("#")[2]
        details.setdefault(local, []).append(string(row, "value"))
    depth = next(iter(details.get("hearsayDepth", [])), "")
    chain_title = "Who says that who says"
    if depth:
        chain_title += f" (hearsay depth {depth})"
    sections = (
        Section("The statement", tuple(_facts(reader, iri, details))),
        Section(chain_title, tuple(_chains(reader, iri, limit))),
        passages(reader, iri),
        *node_sections(reader, iri, leaving_out=iri, limit=limit),
        moves(reader, iri),
        findings(reader, iri, limit=limit),
        _evidence(reader, iri),
    )
    return Page(iri, reader.short(iri), "assertion", reader.sentence(iri), sections)


def _facts(reader: Reader, iri: str, details: dict[str, list[str]]) -> list[Line]:
    """Return the fields; what the speaker says and how the encoder reads it are told apart."""
    statement = reader.statements[iri]
    encoders = reader.column(_ENCODER, "encoder", iri)
    encoder = ", ".join(map(reader.name, encoders)) or "an unnamed encoder"

    def values(key: str) -> str:
        return ", ".join(
            reader.name(value) if value.startswith(("http:", "https:", "urn:")) else value
            for value in details.get(key, [])
        )

    speaker = reader.full_name(statement.speaker) if statement.speaker else "nobody named"
    lines = [Line(f"speaker: {speaker}", statement.speaker or None)]
    if statement.proposition:
        proposition = statement.proposition
        name = f"{reader.name(proposition)} ({reader.short(proposition)})"
        lines.append(Line(f"stance: {statement.stance}: {name}", proposition))
    if statement.presupposed:
        lines.append(Line("the speaker takes it for granted in saying or asking something else"))
    if values("concessionMode"):
        lines.append(Line(f"granted, as read by {encoder}: {values('concessionMode')}"))
    if statement.relays:
        lines.append(Line(f"relays {len(statement.relays)} of others ({_how(reader, iri)})"))
    if values("utteredAt"):
        lines.append(Line(f"said: {values('utteredAt')}"))
    if values("speakerCertainty"):
        lines.append(Line(f"the speaker sounds, to {encoder}: {values('speakerCertainty')}"))
    if values("claimType"):
        lines.append(Line(f"a matter of, as read by {encoder}: {values('claimType')}"))
    if values("heldBy"):
        lines.append(Line(f"behind it stands, by the rules: {values('heldBy')}"))
    if values("encoderConfidence"):
        lines.append(
            Line(f"confidence of {encoder} in this reading: {values('encoderConfidence')}")
        )
    for key, word in (("label", "gloss"), ("comment", "comment")):
        lines += [Line(f"{word} of {encoder}: {note}") for note in details.get(key, [])]
    return lines


def _how(reader: Reader, iri: str) -> str:
    """Return how a relay renders what it relays and where its speaker stands on it."""
    statement = reader.statements[iri]
    stands = {
        "Endorses": "standing behind it",
        "Rejects": "rejecting it",
        "Neutral": "standing neither behind nor against it",
    }
    rendering = {"Verbatim": "word for word", "Paraphrase": "in paraphrase"}
    return (
        f"{rendering.get(statement.rendering, 'rendering not stated')}, "
        f"{stands.get(statement.commitment, 'not saying where they stand')}"
    )


def _chains(reader: Reader, iri: str, limit: int | None) -> list[Line]:
    """Return the tree from each outermost relayer down to the assertion and what it relays."""
    return [
        _branch(reader, outermost, iri, limit, frozenset()) for outermost in _outermost(reader, iri)
    ]


def _above(reader: Reader, iri: str) -> set[str]:
    """Return the assertion and everyone who relays it, at any distance."""
    found, queue = {iri}, [iri]
    while queue:
        for outer in reader.relayers(queue.pop()):
            if outer not in found:
                found.add(outer)
                queue.append(outer)
    return found


def _outermost(reader: Reader, iri: str) -> list[str]:
    tops = sorted(one for one in _above(reader, iri) if not reader.relayers(one))
    return tops or [iri]  # a cycle has no top


def _branch(reader: Reader, iri: str, wanted: str, limit: int | None, seen: frozenset[str]) -> Line:
    statement = reader.statements[iri]
    mark = "-> " if iri == wanted else ""
    seen = seen | {iri}
    relayed = [one for one in statement.relays if one not in seen]
    if wanted not in seen:
        # On the way down only the branches that lead there; the rest of a block is not its chain.
        leading = _above(reader, wanted)
        relayed = [one for one in relayed if one in leading]
        limit_here = None
    else:
        limit_here = limit
    shown = relayed[:limit_here]
    children = [_branch(reader, one, wanted, limit, seen) for one in shown]
    children += left_out(len(relayed) - len(shown))
    if statement.relays:
        who = reader.name(statement.speaker) if statement.speaker else "somebody unnamed"
        text = f"{who} relays ({_how(reader, iri)}):"
    else:
        text = reader.clause(iri)
    return Line(f"{mark}{reader.short(iri)}: {text}", iri, tuple(children))


def _evidence(reader: Reader, iri: str) -> Section:
    statement = reader.statements[iri]
    rows = reader.select(_ADDRESSES, iri)
    reader.learn_names(string(row, "source") for row in rows)
    lines = []
    for row in rows:
        source, address = string(row, "source"), string(row, "address")
        name = reader.full_name(source)
        lines.append(Line(f"{name} <{address}>" if address else name, source))
    speaker = reader.name(statement.speaker) if statement.speaker else "the speaker"
    return Section(f"Cited by {speaker}", tuple(lines))
