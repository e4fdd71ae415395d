"""What one side says of the other that the other never speaks to, questions included."""

from __future__ import annotations

from kg.brief.model import Claim, Part, Section, Sentence, sentence
from kg.brief.stored import ask
from kg.brief.voices import Voices
from kg.dispute import Dispute
from kg.in_words import counted
from kg.namespaces import expand
from kg.rows import select, string

# Statements that say so of a side, or that ask, by somebody on another side; not in a document of
# the side spoken of.
_SAID = """
SELECT DISTINCT ?proposition ?side ?each ?stance ?type WHERE {
  VALUES (?stance) { (kg:affirms) (kg:denies) (kg:asks) }
  ?proposition rdf:subject|rdf:object ?about .
  ?about kg:onSideOf ?side .
  ?each ?stance ?proposition ; kg:heldBy/kg:onSideOf ?otherSide .
  FILTER(?side != ?otherSide)
  FILTER NOT EXISTS { ?each kg:inDocument/kg:onSideOf ?side }
  OPTIONAL { ?each kg:claimType ?type }
} ORDER BY ?proposition ?each
"""
_QUESTIONS_ANSWERED = """
SELECT DISTINCT ?proposition ?side WHERE {
  ?question kg:asks ?proposition .
  ?answer kg:affirms|kg:denies|kg:doubts|kg:concedes ?proposition ; kg:heldBy/kg:onSideOf ?side .
} ORDER BY ?proposition ?side
"""
_LAST_WORD = """
SELECT DISTINCT ?side ?proposition ?one WHERE {
  ?proposition kg:lastWordOf ?side .
  ?one kg:affirms|kg:denies|kg:doubts|kg:concedes ?proposition ; kg:toldBy ?teller ;
    kg:inDocument/kg:onSideOf ?side .
} ORDER BY ?side ?proposition ?one
"""
_SIDE_OF = "SELECT DISTINCT ?about ?side WHERE { ?about kg:onSideOf ?side }"
# What a repository holds. An account or a blog is an artifact too, and not of this kind.
_CODE = """
SELECT DISTINCT ?proposition WHERE {
  VALUES ?kind {
    kg:Tracked kg:Commit kg:Branch kg:Repository kg:SourceCode kg:FileFormat kg:FileChange
  }
  ?type rdfs:subClassOf* ?kind .
  ?thing a ?type .
  ?proposition rdf:subject|rdf:object|kg:scope ?thing .
} ORDER BY ?proposition
"""
_SHOWN = 8
_TYPES = ("Fact", "Policy", "Value", "Question")
_NOTE = (
    "What one side says of the other, or asks, and no statement of the other speaks to: not by any "
    "stance on it or on something stronger or weaker, by a contradiction found, or by a move "
    "against it (query “unanswered”). Silence grants nothing: a document may be older than what "
    "is said, or never have known of it, and a denial of everything at once names nothing. What "
    "names a pull request, an issue, a commit, a repository, code or a file format comes first; "
    "then what more voices say; then facts; then what is heard over fewer mouths; then the order "
    "of the documents. Of each side as many are shown."
)


def unanswered(voices: Voices, dispute: Dispute) -> Section:
    """Return the section on what nobody of the other side speaks to."""
    open_ = _open(voices, dispute)
    parts = []
    for party in voices.parties:
        groups = sorted(
            (group for side, group in open_ if side == party), key=lambda group: group[0]
        )
        items: list[Sentence | Claim] = [voices.claim(ones) for _, ones in groups[:_SHOWN]]
        if rest := groups[_SHOWN:]:
            more = counted(len(rest), "more thing")
            links = (one for _, ones in rest for one in ones)
            items.append(sentence(f"So it is with {more} said of this side.", links))
        asked = [ones for _, ones in groups if _only_asked(voices, ones)]
        if asked:
            text = f"Of these {len(groups)}, {len(asked)} "
            text += "is only asked" if len(asked) == 1 else "are only asked"
            text += "; the query and “kg report” count those that are said."
            items.append(sentence(text, (one for ones in asked for one in ones)))
        parts.append(Part(f"Said of the side of {voices.name(party)}", tuple(items)))
    return Section(
        "unanswered",
        "What was never answered",
        _NOTE,
        (*parts, Part("Who spoke last", tuple(_last_words(voices)))),
    )


def _only_asked(voices: Voices, ones: list[str]) -> bool:
    return all(voices.reader.statements[one].stance == "asks" for one in ones)


# Whether it names nothing of the code, voices, type, mouths, place; the fewer the earlier.
_Key = tuple[bool, int, int, int, tuple[int, int, int, str]]


def _open(voices: Voices, dispute: Dispute) -> list[tuple[str, tuple[_Key, list[str]]]]:
    """Return each side with what is open about it: a key to sort by, and who says it."""
    side_of = {string(row, "about"): string(row, "side") for row in select(voices.engine, _SIDE_OF)}
    verbs = {"says it is so": "affirms", "says it is not so": "denies"}
    wanted = {
        (string(row, "proposition"), side_of[string(row, "about")], verbs[string(row, "stance")])
        for row in ask(voices.engine, dispute, "unanswered")
    }
    answered = {
        (string(row, "proposition"), string(row, "side"))
        for row in select(voices.engine, _QUESTIONS_ANSWERED)
    }
    said: dict[tuple[str, str, bool], list[str]] = {}
    types: dict[str, int] = {}
    for row in select(voices.engine, _SAID):
        proposition, side, one = (string(row, key) for key in ("proposition", "side", "each"))
        stance = string(row, "stance").removeprefix(expand("kg:"))
        asked = stance == "asks" and (proposition, side) not in answered
        if asked or (proposition, side, stance) in wanted:
            group = said.setdefault((proposition, side, stance == "denies"), [])
            if one not in group:
                group.append(one)
            local = string(row, "type").removeprefix(expand("kg:"))
            types[one] = _TYPES.index(local) if local in _TYPES else len(_TYPES)
    code = {string(row, "proposition") for row in select(voices.engine, _CODE)}
    found = []
    for (proposition, side, _), ones in said.items():
        key = (
            proposition not in code,
            -len({voices.reader.statements[one].speaker for one in ones}),
            min(types[one] for one in ones),
            min(voices.told[one].depth for one in ones),
            min(map(voices.order, ones)),
        )
        found.append((side, (key, ones)))
    return found


def _last_words(voices: Voices) -> list[Sentence]:
    found: dict[str, dict[str, list[str]]] = {}
    for row in select(voices.engine, _LAST_WORD):
        ones = found.setdefault(string(row, "side"), {}).setdefault(string(row, "proposition"), [])
        ones.append(string(row, "one"))
    return [
        sentence(
            f"On {counted(len(matters), 'matter')} to which both sides speak, the younger document "
            f"is the one on the side of {voices.name(side)} (rule “last-word”).",
            (one for ones in matters.values() for one in ones),
        )
        for side, matters in found.items()
    ]
