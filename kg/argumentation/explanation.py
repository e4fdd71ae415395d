"""An explanation as a page, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from kg.argumentation.explain import Change, Explanation, Withdrawn, falls, rises
from kg.argumentation.grounded import WORDS
from kg.argumentation.moves import Edge
from kg.argumentation.words import Words
from kg.show.page import Line, Page, Section


def explanation_page(found: Explanation, words: Words) -> Page:
    """Return an explanation as a page, to print as text or Markdown."""
    argument = found.frame.number[found.iri]
    words.learn({argument, *found.frame.framework.attackers(argument)})
    chain = words.chain(found.result, argument)
    sections = (
        Section("As things stand", chain.children),
        Section("To hold it", tuple(_to_hold(found, words))),
        Section("If it falls", tuple(_if_it_falls(found, words))),
        Section("Supports, which carry no weight here", tuple(_supports(found, words))),
        Section("Identity judgements it hangs on", tuple(_judgements(found, words))),
        Section("Scopes and times it hangs on", tuple(_scopes(found, words))),
    )
    kind = words.of(found.iri)["kind"]
    return Page(found.iri, words.name(argument), kind, words.says(found.iri), sections)


def _to_hold(found: Explanation, words: Words) -> Iterator[Line]:
    frame = found.frame
    argument = frame.number[found.iri]
    attackers = frame.framework.attackers(argument)
    if not attackers:
        yield Line("nothing need be rejected: nothing attacks it")
        return
    for one in attackers:
        ground = Line(words.grounds(one, argument))
        yield words.line(frame.iris[one], ground, lead="one must reject ")
    if found.defences is None:
        yield Line("which other statements that takes was too much to search")
    elif not found.defences:
        yield Line(
            "no position can hold it: some attack on it is answered by nothing that could be "
            "held with it"
        )
    for number, defence in enumerate(found.defences or (), 1):
        others = sorted(defence - {argument})
        words.learn(others)
        rejected = {
            target for member in defence for target in frame.framework.targets(member)
        } - set(attackers)
        lines = [words.line(frame.iris[one], lead="hold ") for one in others]
        lines += [words.line(frame.iris[one], lead="reject ") for one in sorted(rejected)]
        which = f"the smallest way to hold it, {number} of {len(found.defences or ())}"
        what = "" if lines else ": by itself, since it attacks whatever attacks it"
        yield Line(which + what, None, tuple(lines))


def _if_it_falls(found: Explanation, words: Words) -> Iterator[Line]:
    fallen, risen = falls(found.changes), rises(found.changes)
    words.learn(
        found.frame.number[one.iri] for one in found.changes if one.iri in found.frame.number
    )
    for change in fallen:
        yield words.line(change.iri, lead=f"accepted now, and then {_label(change.after)}: ")
    for change in risen:
        yield words.line(change.iri, lead=f"{_label(change.before)} now, and then accepted: ")
    if not fallen:
        yield Line("nothing else that is accepted now would cease to be")


def _supports(found: Explanation, words: Words) -> Iterator[Line]:
    number = found.frame.number
    for node, supporter, target in found.supports:
        name = words.moves.name(node)
        if supporter == found.iri:
            what = f"by {name} it supports, as the encoder reads it, "
            other = target
        else:
            what = f"by {name} it is supported, as the encoder reads it, by "
            other = supporter
        if other in words.moves.said or other in number:
            mark = _label(found.result.labels[number[other]]) if other in number else ""
            yield words.line(other, lead=what, mark=mark)
        else:
            yield Line(f"{what}{words.thing(other)}", other)


def _judgements(found: Explanation, words: Words) -> Iterator[Line]:
    for one in found.withdrawn:
        children = [Line(f"it is then {_label(one.label)}")]
        children += [Line(f"lost: {_edge(edge, words)}") for edge in one.lost]
        children += [Line(f"gained: {_edge(edge, words)}") for edge in one.gained]
        children += _elsewhere(found, one, words)
        yield Line(
            f"if {words.moves.name(one.judgement)} is withdrawn", one.judgement, tuple(children)
        )


def _elsewhere(found: Explanation, one: Withdrawn, words: Words) -> Iterator[Line]:
    for change in one.changes:
        if change.iri != found.iri:
            name = words.moves.name(change.iri)
            yield Line(
                f"{name}: {_label(change.before)} now, and then {_label(change.after)}", change.iri
            )


def _edge(edge: Edge, words: Words) -> str:
    source, target = words.moves.name(edge.source), words.moves.name(edge.target)
    return f"the attack of {source} on {target}: {words.how(edge)}"


def _scopes(found: Explanation, words: Words) -> Iterator[Line]:
    for one in found.dissolved:
        by = ", ".join(map(words.thing, one.scopes))
        if one.how == "time":
            by = "time: the two are said of different times"
        children = (
            Line(f"kept apart by {by or 'what the two are meant of'}"),
            Line(f"if that is ignored, {words.moves.name(found.iri)} is {_label(one.label)}"),
        )
        yield words.line(one.other, *children, lead="no attack by ")


def _label(label: int | None) -> str:
    return "no argument" if label is None else WORDS[label]


def explanation_json(found: Explanation, words: Words) -> str:
    """Return an explanation as JSON; names are those that ``kg positions`` prints."""
    frame = found.frame
    argument = frame.number[found.iri]
    name = frame.moves.name
    names = frame.framework.names
    words.learn([argument])
    document: dict[str, object] = {
        "assertion": names[argument],
        **words.of(found.iri),
        "label": WORDS[found.result.labels[argument]],
        "why": words.why(found.result, argument),
        "attackers": [
            {"name": names[one], "grounds": words.grounds(one, argument)}
            for one in frame.framework.attackers(argument)
        ],
        "defences": None
        if found.defences is None
        else [
            {
                "hold": _names(defence, names),
                "reject": _names(
                    {hit for one in defence for hit in frame.framework.targets(one)}, names
                ),
            }
            for defence in found.defences
        ],
        "falls": [_change(change, name(change.iri)) for change in falls(found.changes)],
        "rises": [_change(change, name(change.iri)) for change in rises(found.changes)],
        "supports": [
            {"support": name(node), "supporter": name(supporter), "target": name(target)}
            for node, supporter, target in found.supports
        ],
        "judgements": [
            {
                "judgement": name(one.judgement),
                "label": None if one.label is None else WORDS[one.label],
                "attacks_lost": [[name(edge.source), name(edge.target)] for edge in one.lost],
                "attacks_gained": [[name(edge.source), name(edge.target)] for edge in one.gained],
                "changes": [_change(change, name(change.iri)) for change in one.changes],
            }
            for one in found.withdrawn
        ],
        "scopes": [
            {
                "apparent": name(one.node),
                "other": name(one.other),
                "dissolved_by": list(map(name, one.scopes)) or one.how,
                "label": None if one.label is None else WORDS[one.label],
            }
            for one in found.dissolved
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _names(arguments: Iterable[int], names: Sequence[str]) -> list[str]:
    return [names[one] for one in sorted(arguments)]


def _change(change: Change, name: str) -> dict[str, str | None]:
    return {
        "name": name,
        "before": None if change.before is None else WORDS[change.before],
        "after": None if change.after is None else WORDS[change.after],
    }
