"""The positions of a dispute as JSON, for other programs."""

from __future__ import annotations

import json

from kg.argumentation.frame import Frame
from kg.argumentation.grounded import ACCEPTED, REJECTED, UNDECIDED, WORDS
from kg.argumentation.semantics import Positions
from kg.argumentation.standing import IN_EVERY, IN_NONE, Standing, standings
from kg.argumentation.words import Words


def as_json(frame: Frame, found: Positions, words: Words, limit: int | None = None) -> str:
    """Return positions as JSON, with at most ``limit`` extensions.

    Under ``grounded`` the names stand in ``accepted``, ``rejected`` and ``undecided``. Under the
    others ``knots`` lists each way to decide each knot, and an extension is what is ``in_every``
    one, with one way from each knot; their number is a product, so only some are written out.
    """
    names = frame.framework.names
    document: dict[str, object] = {
        "dispute": frame.moves.base,
        "semantics": found.semantics,
        "view": {
            "accept": list(frame.view.accept),
            "exclude": list(frame.view.exclude),
            "prefer": [list(pair) for pair in frame.view.prefer],
        },
    }
    if found.semantics == "grounded":
        for label in (ACCEPTED, REJECTED, UNDECIDED):
            document[WORDS[label]] = [names[one] for one in found.grounded.having(label)]
    else:
        standing = standings(frame.framework, found)
        extensions = [[names[one] for one in held] for held in found.extensions(limit)]
        document |= {
            "extensions": extensions,
            "count": found.count,
            "more": found.more or len(extensions) < found.count,
            "knots": [
                {
                    "arguments": [names[one] for one in knot.arguments],
                    "ways": [[names[one] for one in held] for held in knot.extensions],
                    "more": knot.more,
                }
                for knot in found.knots
            ],
            "in_every": [
                n for n, one in zip(names, standing, strict=True) if one.label == IN_EVERY
            ],
            "in_some": [n for n, one in zip(names, standing, strict=True) if one.label != IN_NONE],
        }
    words.learn(range(len(names)))
    document["arguments"] = {names[i]: words.of(iri) for i, iri in enumerate(frame.iris)}
    document["attacks"] = [_attack(frame, pair) for pair in sorted(frame.edges)]
    if found.semantics == "grounded":
        document["why"] = {names[one]: _why(frame, found, words, one) for one in range(len(names))}
    else:
        document["why"] = {
            names[argument]: _among(frame, found, words, argument, one)
            for argument, one in enumerate(standing)
        }
    document["excluded"] = [
        frame.moves.name(iri) for iri in frame.moves.arguments if iri in frame.excluded
    ]
    document["failed"] = [
        {
            "attacker": frame.moves.name(failed.edge.source),
            "target": frame.moves.name(failed.edge.target),
            "choice": failed.choice,
        }
        for failed in frame.failed
    ]
    document["left_out"] = {
        frame.moves.name(iri): reason for iri, reason in sorted(frame.moves.left_out.items())
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _attack(frame: Frame, pair: tuple[int, int]) -> dict[str, object]:
    names = frame.framework.names
    return {
        "attacker": names[pair[0]],
        "target": names[pair[1]],
        "by": [
            {
                "kind": edge.kind,
                "node": frame.moves.name(edge.node),
                "rule": edge.rule or None,
                "premises": [frame.moves.name(one) for one in edge.premises],
                "turned": edge.turned or None,
            }
            for edge in frame.edges[pair]
        ],
    }


def _why(frame: Frame, found: Positions, words: Words, argument: int) -> dict[str, object]:
    step = found.grounded.step(argument)
    return {
        "label": WORDS[step.label],
        "round": step.round or None,
        "by": [frame.framework.names[one] for one in step.by],
        "words": words.why(found.grounded, argument),
    }


def _among(
    frame: Frame, found: Positions, words: Words, argument: int, standing: Standing
) -> dict[str, object]:
    by = standing.by if standing.knot else found.grounded.step(argument).by
    return {
        "label": standing.label,
        "knot": standing.knot or None,
        "held": standing.held if standing.knot else None,
        "attacked": standing.attacked if standing.knot else None,
        "open": standing.open if standing.knot else None,
        "by": [frame.framework.names[one] for one in by],
        "words": words.stands(found, argument, standing),
    }
