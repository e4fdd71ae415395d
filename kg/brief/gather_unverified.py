"""What rests on voices whose identity nobody verified, and what is known by hearsay only."""

from __future__ import annotations

from kg.brief.dates import spoken
from kg.brief.model import Part, Run, Section, Sentence, sentence
from kg.brief.voices import Voices
from kg.engine import Term
from kg.in_words import counted
from kg.namespaces import expand
from kg.rows import select, string, truth

_PERSONAS = """
SELECT DISTINCT ?persona ?identity ?counted ?git WHERE {
  ?persona a/rdfs:subClassOf* kg:Persona ; kg:claimsToBe ?identity .
  BIND(EXISTS { ?persona kg:identifiedWith ?identity } AS ?counted)
  BIND(EXISTS { ?persona a kg:GitIdentity } AS ?git)
} ORDER BY ?persona ?identity
"""
_JUDGEMENTS = """
SELECT DISTINCT ?judgement ?persona ?verdict ?judge ?grounds ?when WHERE {
  ?judgement a kg:IdentityJudgement ; kg:persona ?persona ; kg:verdict ?verdict .
  OPTIONAL { ?judgement kg:judgedBy ?judge }
  OPTIONAL { ?judgement kg:grounds ?grounds }
  OPTIONAL { ?judgement kg:judgedAt ?when }
} ORDER BY ?persona ?when ?judgement
"""
_CONTESTED = """
SELECT DISTINCT ?assertion WHERE {
  VALUES ?type { kg:DerivedContradiction kg:DeclaredContradiction }
  ?node a ?type ; kg:between ?assertion .
} ORDER BY ?assertion
"""
_NOTE = (
    "Somebody known only by what they call themselves is not thereby that person. Each judgement "
    "is its judge's; only one by an encoder lets rules count the two as one."
)
_SHOWN = 5
_HEARSAY_NOTE = "What somebody is said to have said, and nobody tells the reader first hand."


def unverified(voices: Voices) -> Section:
    """Return the section on personas, names in commits, and hearsay."""
    judgements: dict[str, list[Sentence]] = {}
    runs: dict[str, list[Run]] = {}
    for row in select(voices.engine, _JUDGEMENTS):
        persona = string(row, "persona")
        judgements.setdefault(persona, []).append(_judged(voices, row))
        verdict = string(row, "verdict").removeprefix(expand("kg:")).lower()
        judge = voices.name(string(row, "judge")) if "judge" in row else "somebody unnamed"
        runs.setdefault(persona, []).append(Run(f"{judge}: {verdict}", (string(row, "judgement"),)))
    personas: list[Part] = []
    commits: list[Run] = []
    for row in select(voices.engine, _PERSONAS):
        persona, identity = string(row, "persona"), string(row, "identity")
        same = truth(row, "counted")
        if truth(row, "git"):
            commits.append(Run(f"{'; ' if commits else ''}{voices.name(persona)} as "))
            commits.append(Run(voices.name(identity), (persona,)))
            for run in runs.get(persona, []):
                commits.append(Run(f" ({run.text})", run.links))
            continue
        items = [_persona(voices, persona, identity, same), *judgements.get(persona, [])]
        items += _weight(voices, persona)
        personas.append(Part(_capital(voices.name(persona)), tuple(items)))
    names = Sentence(
        (Run("Names that commits carry, and whom they are taken for: "), *commits, Run("."))
    )
    hearsay = tuple(_hearsay(voices))
    return Section(
        "unverified",
        "What rests on unverified voices",
        f"{_NOTE} {_HEARSAY_NOTE}" if hearsay else _NOTE,
        (
            *personas,
            *((Part("Names in the record", (names,)),) if commits else ()),
            Part("Hearsay only", hearsay),
        ),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _persona(voices: Voices, persona: str, identity: str, same: bool) -> Sentence:
    who = voices.name(identity)
    rule = f"the rules {'' if same else 'do not '}count the two as one"
    text = f"As the encoders read it, {voices.name(persona)} goes by the name of {who}; {rule}."
    return sentence(text, (persona,))


def _judged(voices: Voices, row: dict[str, Term]) -> Sentence:
    judge = voices.name(string(row, "judge")) if "judge" in row else "somebody unnamed"
    when = f" ({spoken(string(row, 'when'))})" if "when" in row else ""
    grounds = string(row, "grounds").rstrip(".")
    ground = f", on the ground: “{grounds}”" if grounds else ""
    verdict = voices.name(string(row, "verdict"))
    text = f"{_capital(judge)}{when}, on whether the two are the same: {verdict}{ground}."
    return sentence(text, (string(row, "judgement"),))


def _weight(voices: Voices, persona: str) -> list[Sentence]:
    """Say how much hangs on a persona: what it says, and how much of that is contradicted."""
    own = [
        one
        for one, statement in voices.reader.statements.items()
        if statement.speaker == persona and not statement.relays
    ]
    if not own:
        return []
    contested = {string(row, "assertion") for row in select(voices.engine, _CONTESTED)}
    disputed = sorted(contested & set(own), key=voices.order)
    verb = "is" if len(own) == 1 else "are"
    first = Run(
        f"{counted(len(own), 'statement')} {verb} this voice's", tuple(voices.carriers(own))
    )
    if not disputed:
        return [Sentence((first, Run(", none of them in a contradiction found.")))]
    text = f", {len(disputed)} of them in a contradiction found."
    return [Sentence((first, Run(text, tuple(disputed))))]


def _hearsay(voices: Voices) -> list[Sentence]:
    statements = voices.reader.statements
    first_hand = {
        (statements[one].proposition, statements[one].stance)
        for one, told in voices.told.items()
        if not told.depth and statements[one].proposition
    }
    groups: dict[str, dict[str, list[str]]] = {}
    for one in sorted(voices.told, key=voices.order):
        statement = statements[one]
        if (
            voices.told[one].depth
            and statement.stance in ("affirms", "denies")
            and (statement.proposition, statement.stance) not in first_hand
        ):
            teller = statements[voices.reader.path(one)[0]].speaker
            groups.setdefault(teller, {}).setdefault(statement.speaker, []).append(one)
    found = []
    for teller in sorted(groups, key=voices.name):
        runs = [Run(f"Only as {voices.name(teller)} reports them: ")]
        speakers = sorted(
            groups[teller].items(), key=lambda pair: (-len(pair[1]), voices.name(pair[0]))
        )
        most = len(speakers) if len(speakers) == _SHOWN + 1 else _SHOWN
        for place, (speaker, ones) in enumerate(speakers[:most]):
            lead = "; " if place else ""
            text = f"{lead}{counted(len(ones), 'statement')} of {voices.name(speaker)}"
            runs.append(Run(text, tuple(voices.carriers(ones))))
        if rest := [one for _, ones in speakers[most:] for one in ones]:
            text = f"; {counted(len(rest), 'statement')} of {len(speakers) - most} others"
            runs.append(Run(text, tuple(voices.carriers(rest))))
        found.append(Sentence((*runs, Run("."))))
    return found
