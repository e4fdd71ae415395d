"""The contradictions, claim beside counterclaim, and what only seems to be one."""

from __future__ import annotations

from collections.abc import Sequence

from kg.brief.model import Contrast, Part, Run, Section, Sentence, sentence
from kg.brief.strength import PAIR, Matter, by_matter
from kg.brief.voices import Voices
from kg.in_words import listed
from kg.rows import select, string

_APPARENT = """
SELECT ?node ?one ?scope ?dissolution WHERE {
  ?node a kg:ApparentContradiction ; kg:between ?one .
  OPTIONAL { ?node kg:dissolvedBy ?scope }
  OPTIONAL { ?node kg:dissolution ?dissolution }
} ORDER BY ?node ?one ?scope
"""
_SCOPES = """
SELECT ?proposition ?scope WHERE {
  VALUES ?proposition { $about }
  ?proposition kg:scope ?scope .
} ORDER BY ?proposition ?scope
"""
_SUPERSEDED = """
SELECT ?earlier ?later WHERE { VALUES ?earlier { $about } ?earlier kg:supersededBy ?later }
ORDER BY ?earlier ?later
"""
_IDENTITIES = """
SELECT ?persona ?agent ?judgement WHERE {
  VALUES ?persona { $about }
  ?persona kg:identifiedWith ?agent .
  ?judgement kg:persona ?persona ; kg:identity ?agent ; kg:verdict kg:Same ; kg:judgedBy ?judge .
  ?judge a kg:Encoder .
} ORDER BY ?persona ?agent ?judgement
"""
_NOTE = (
    "Two statements stand here if a named rule finds, or an encoder declares, that not both can "
    "hold. “Contradictory” means that one of the two must, “contrary” that neither need. Of a "
    "claim and its denial the claim stands first, else the older document. The order: between "
    "sides first; then first hand before hearsay; found by a rule before declared; those that a "
    "record speaks to; the encoders' confidence; fewer mouths; by name."
)


def contrast_of(voices: Voices, matter: Matter) -> Contrast:
    """Return a matter as a claim beside a counterclaim."""
    rules = dict.fromkeys(one.rule or "declared" for one in matter.conflicts)
    return contrast(
        voices,
        matter.claim,
        matter.counterclaim,
        tuple(_notes(voices, matter)),
        label=listed(rules),
    )


def contrast(
    voices: Voices,
    claim: Sequence[str],
    counterclaim: Sequence[str],
    notes: tuple[Sentence, ...] = (),
    label: str = "",
) -> Contrast:
    """Return statements beside those that speak against them."""
    propositions = {voices.reader.statements[one].proposition for one in (*claim, *counterclaim)}
    beside = len(propositions) == 1
    return Contrast(
        voices.claim(claim, beside=beside),
        voices.claim(counterclaim, beside=beside),
        notes,
        label,
    )


def contradictions(voices: Voices, matters: list[Matter]) -> Section:
    """Return the section on what cannot both hold, and on what only seems not to."""
    return Section(
        "contradictions",
        "What contradicts what",
        _NOTE,
        (
            Part(
                "Between the sides",
                tuple(contrast_of(voices, one) for one in matters if one.across),
            ),
            Part(
                "Within a side, or with others",
                tuple(contrast_of(voices, one) for one in matters if not one.across),
            ),
            Part("What only seems to contradict", _apparent(voices)),
        ),
    )


def _notes(voices: Voices, matter: Matter) -> list[Sentence]:
    notes = []
    for rule in dict.fromkeys(one.rule for one in matter.conflicts if not one.declared):
        found = [one for one in matter.conflicts if one.rule == rule]
        kind = f" ({found[0].kind})" if found[0].kind else ""
        text = f"By the rule “{rule}” not both can hold{kind}."
        notes.append(sentence(text, (end for one in found for end in one.between)))
    for one in matter.conflicts:
        if one.declared:
            judge = voices.name(one.judge) if one.judge else "an unnamed encoder"
            kind = f" ({one.kind})" if one.kind else ""
            grounds = f", on the ground: “{one.grounds.rstrip('.')}”" if one.grounds else ""
            text = f"Declared by {judge}: not both can hold{kind}{grounds}."
            notes.append(sentence(text, (one.node,)))
    ends = (*matter.claim, *matter.counterclaim)
    selves: dict[str, list[str]] = {}
    for one in matter.conflicts:
        for agent in one.selves:
            selves.setdefault(agent, []).extend(one.between)
    for agent, own in selves.items():
        runs = [Run(f"By the rule “held-by”, {voices.name(agent)} stands behind both", tuple(own))]
        runs += _as_far_as(voices, agent, own)
        notes.append(Sentence((*runs, Run("."))))
    for row in select(voices.engine, _SUPERSEDED, ends):
        earlier, later = string(row, "earlier"), string(row, "later")
        if later in ends:
            speaker = voices.name(voices.reader.statements[later].speaker)
            text = (
                f"By the rule “supersession”, what {speaker} says in {voices.place(later)} "
                f"replaces what {speaker} is said to have said in {voices.place(earlier)}."
            )
            notes.append(sentence(text, (earlier, later)))
    return notes


def _as_far_as(voices: Voices, agent: str, ends: Sequence[str]) -> list[Run]:
    """Return the identity judgements without which somebody would not stand behind both."""
    speakers = {voices.reader.statements[one].speaker for one in ends} - {agent}
    return [
        Run(
            f", if the words of {voices.name(string(row, 'persona'))} count as those of "
            f"{voices.name(agent)}",
            (string(row, "judgement"),),
        )
        for row in select(voices.engine, _IDENTITIES, sorted(filter(None, speakers)))
        if string(row, "agent") == agent
    ]


def _apparent(voices: Voices) -> tuple[Contrast, ...]:
    """Return the apparent contradictions, drawn together by what the two say."""
    between: dict[str, list[str]] = {}
    by_time: set[str] = set()
    for row in select(voices.engine, _APPARENT):
        ends = between.setdefault(string(row, "node"), [])
        if string(row, "one") not in ends:
            ends.append(string(row, "one"))
        if string(row, "dissolution") == "time":
            by_time.add(string(row, "node"))
    pairs = [(node, ends) for node, ends in between.items() if len(ends) == PAIR]
    groups = sorted(by_matter(voices, pairs), key=lambda group: voices.order(group[0][0]))
    return tuple(
        contrast(
            voices,
            first,
            second,
            (_dissolved(voices, first, second, time=not by_time.isdisjoint(nodes)),),
        )
        for first, second, nodes in groups
    )


def _dissolved(
    voices: Voices, first: Sequence[str], second: Sequence[str], *, time: bool
) -> Sentence:
    if time:
        text = "The two are said of different times."
    else:
        ends = [voices.reader.statements[ones[0]].proposition for ones in (first, second)]
        scopes: dict[str, list[str]] = {}
        for row in select(voices.engine, _SCOPES, ends):
            scopes.setdefault(string(row, "proposition"), []).append(string(row, "scope"))
        words = [
            f"within “{voices.names(scopes[end])}”" if end in scopes else "in general"
            for end in ends
        ]
        text = f"As encoded, the first is said {words[0]}, the second {words[1]}."
    return sentence(text, (*first, *second))
