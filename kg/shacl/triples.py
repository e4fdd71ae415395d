"""The triples of a query's outermost group, each put into a sub-select of its own.

That changes nothing of what the query means. But where planners look up one triple for each
solution of another, they compare the answers of two sub-selects in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kg.sparql_text import Token

Place = tuple[int, Token]


def triples_apart(tokens: Sequence[Token]) -> dict[int, str]:
    """Return the tokens to change, by their places; none if there is nothing to put apart.

    Only plain triples are: of variables and IRIs, two or more in a row, without paths.
    """
    changed: dict[int, str] = {}
    for run in _runs(tokens):
        triples = _triples([token.text for _, token in run])
        if len(triples) > 1:
            changed |= {place: "" for place, _ in run}
            changed[run[0][0]] = " ".join(map(_apart, triples)) + " "
    return changed


def _runs(tokens: Sequence[Token]) -> Iterator[list[Place]]:
    """Yield the longest runs of terms and their punctuation directly in the outermost group."""
    run: list[Place] = []
    braces = brackets = 0
    for place, token in enumerate(tokens):
        if token.kind == "space":
            continue
        braces += token.is_punct("{") - token.is_punct("}")
        brackets += token.is_punct("(") - token.is_punct(")")
        is_part = token.kind in ("var", "iri") or token.is_punct(".", ";", ",") or token.text == "a"
        if is_part and braces == 1 and not brackets:
            run.append((place, token))
        elif run:
            yield run
            run = []


def _triples(terms: list[str]) -> list[tuple[str, str, str]]:
    """Return the triples that terms and punctuation spell out; none if they are anything else."""
    found: list[tuple[str, str, str]] = []
    subject = predicate = ""
    waiting: list[str] = []
    for term in [*terms, "."]:
        if term not in (".", ";", ","):
            waiting.append(term)
            continue
        known = [part for part in (subject, predicate) if part]
        if not waiting and term == "." and not known:
            continue
        if len(known) + len(waiting) != 3:
            return []
        subject, predicate, value = (*known, *waiting)
        found.append((subject, predicate, value))
        waiting = []
        if term != ",":
            predicate = ""
        if term == ".":
            subject = ""
    return found


def _apart(triple: tuple[str, str, str]) -> str:
    shown = " ".join(dict.fromkeys(term for term in triple if term.startswith("?")))
    return f"{{ SELECT {shown or '*'} WHERE {{ {' '.join(triple)} . }} }}"
