"""From what a person types to the thing it names: an IRI, a prefixed name, a short name, a commit.

A *short name* is what follows the dispute's base in an IRI: ``slaren``, ``jarted-017``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

import pyoxigraph as ox

from kg.engine import Engine, Rows
from kg.errors import QueryError
from kg.namespaces import PREFIXES, shorten

# Git itself takes four digits; six keep words such as 'decade' or 'facade' rare enough to allow.
_COMMIT = re.compile(r"(?:commit-)?([0-9a-f]{6,40})")
_FULL = re.compile(r"(?:https?|urn):\S+")
# In so many names the nearest to one that nothing has is looked for: a mistake must not cost more
# than an answer, however much there is.
_LOOKED_THROUGH = 50_000
_SHORT = re.compile(r"[^\s<>\"{}|^`\\]+")


def resolve(engine: Engine, base: str, text: str) -> ox.NamedNode:
    """Return the named thing that ``text`` means, if the engine knows it.

    ``text`` is an IRI (bare or in ``<>``), a prefixed name with one of the project's prefixes, a
    short name below ``base``, or at least six hexadecimal digits that begin one commit's name.

    Raises ``QueryError`` if it is no name, if nothing has it (suggesting the nearest), or if more
    than one commit begins so.
    """
    text = text.strip()
    node = candidate(base, text)
    if is_known(engine, node):
        return node
    if match := _COMMIT.fullmatch(text.lower()):
        commits = _commits(engine, base, match[1])
        if len(commits) == 1:
            return commits[0]
        if commits:
            names = ", ".join(shorten(commit.value, base) for commit in commits[:5])
            raise QueryError(f"'{text}' begins {len(commits)} commits", hint=f"Such as {names}.")
    near = nearest(text, short_names(engine, base))
    hint = f"Did you mean {_or(near)}?" if near else "Give a short name, a prefixed name or an IRI."
    raise QueryError(f"nothing here is called '{text}'", hint=hint)


def candidate(base: str, text: str) -> ox.NamedNode:
    """Return the IRI that ``text`` stands for, known or not. Raises ``QueryError`` if for none."""
    iri = None
    prefix, colon, local = text.partition(":")
    if text.startswith("<") and text.endswith(">"):
        iri = text[1:-1]
    elif _FULL.fullmatch(text):
        iri = text
    elif colon and prefix in PREFIXES:
        iri = PREFIXES[prefix] + local
    elif _SHORT.fullmatch(text):
        # ':slaren', as the sources write it, is the same short name.
        iri = base + (local if colon and not prefix else text)
    try:
        return ox.NamedNode(iri or "")
    except ValueError:
        raise QueryError(
            f"'{text}' is no name", hint="Give a short name, a prefixed name or an IRI."
        ) from None


def is_known(engine: Engine, node: ox.NamedNode) -> bool:
    """Say whether any statement mentions ``node``, in whatever position."""
    return bool(
        engine.query(
            f"ASK {{ {{ {node} ?p ?o }} UNION {{ ?s ?p {node} }} UNION {{ ?s {node} ?o }} }}"
        )
    )


def is_graph(engine: Engine, node: ox.NamedNode) -> bool:
    """Say whether ``node`` is the name of a graph that is not empty."""
    return bool(engine.query(f"ASK {{ GRAPH {node} {{ ?s ?p ?o }} }}"))


def short_names(engine: Engine, base: str, most: int = _LOOKED_THROUGH) -> list[str]:
    """Return the short names of what is described below ``base``, sorted; no more than ``most``."""
    text = ox.Literal(base)
    # In no order: to put them in order takes the engine ten times as long as to find them.
    answer = engine.query(
        f"SELECT DISTINCT ?s {{ ?s ?p ?o FILTER(STRSTARTS(STR(?s), {text})) }} LIMIT {most}"
    )
    assert isinstance(answer, Rows)
    nodes = (row[0] for row in answer.rows)
    return sorted(shorten(node.value, base) for node in nodes if isinstance(node, ox.NamedNode))


def nearest(text: str, names: Iterable[str], count: int = 3) -> list[str]:
    """Return up to ``count`` of ``names`` that look most like ``text``, the best first."""
    originals = {name.lower(): name for name in names}
    close = difflib.get_close_matches(text.lower(), originals, n=count, cutoff=0.65)
    return [originals[name] for name in close]


def _commits(engine: Engine, base: str, digits: str) -> list[ox.NamedNode]:
    start = ox.Literal(f"{base}commit-{digits}")
    answer = engine.query(
        "PREFIX kg: <https://w3id.org/counterclaim/ns#> "
        f"SELECT ?c {{ ?c a kg:Commit FILTER(STRSTARTS(STR(?c), {start})) }} ORDER BY ?c"
    )
    assert isinstance(answer, Rows)
    return [row[0] for row in answer.rows if isinstance(row[0], ox.NamedNode)]


def _or(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
