"""The properties that only derivations give, kept out of the sources.

What is stated and what is derived never mix. A node that a rule makes says so by ``kg:rule``, which
no source may state; but rules also add properties to what a source describes, and by hand such a
property would count as found by a rule.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyoxigraph as ox

from kg.dispute import Dispute
from kg.engine import Engine, Rows
from kg.errors import SourceError
from kg.locations import Locations
from kg.namespaces import KG, expand, shorten
from kg.settings import shipped
from kg.shacl.pattern_reader import read_patterns
from kg.shacl.patterns import TooRichError
from kg.stored_query import StoredQuery
from kg.times import MADE

# An encoder may say it too, where the target leaves it open.
_STATED_TOO = {expand("kg:attackKind")}
_RULE = expand("kg:rule")


def derived_properties(rules: Iterable[StoredQuery]) -> frozenset[str]:
    """Return the properties of the vocabulary that the project's rules add to described things.

    What dates give is among them. A rule of a dispute's own owns nothing.
    """
    found = set(MADE)
    for rule in rules:
        if rule.path is not None and shipped("queries") in rule.path.parents:
            found |= _added_by(rule)
    return frozenset(name for name in found - _STATED_TOO if name.startswith(KG))


def refuse_derived_properties(
    engine: Engine, dispute: Dispute, rules: Iterable[StoredQuery]
) -> None:
    """Refuse sources that state what only a rule may; nothing has been derived yet.

    Raises ``SourceError`` with the file and line of the statement.
    """
    names = sorted(derived_properties(rules))
    listed = " ".join(f"<{name}>" for name in names)
    # An engine looks a property up by its index, so this costs nothing where there is none.
    answer = engine.query(
        f"SELECT ?thing ?property WHERE {{ VALUES ?property {{ {listed} }} "
        "?thing ?property ?value } ORDER BY ?thing ?property LIMIT 1"
    )
    assert isinstance(answer, Rows)
    for thing, property in answer.rows:
        assert isinstance(property, ox.NamedNode)
        name = shorten(property.value)
        place = None
        if isinstance(thing, ox.NamedNode):
            local = property.value.removeprefix(KG)
            place = Locations(dispute).find(thing.value, near=local)
        path, line = place if place else (None, None)
        raise SourceError(
            f"{name} is stated of {shorten(str(thing).strip('<>'), dispute.base)}, but only a "
            "rule may give that",
            path=path,
            line=line,
            hint="Remove it: it follows from what else is stated, and every build derives it anew.",
        )


def _added_by(rule: StoredQuery) -> set[str]:
    """Return what a rule says of things that it does not itself make."""
    try:
        query = read_patterns(rule.text)
    except TooRichError:
        return set()
    made = {p.subject for p in query.template if getattr(p.path, "iri", None) == _RULE}
    found = set()
    for pattern in query.template:
        if pattern.subject in made:
            continue
        if isinstance(pattern.path, str):
            found |= {term.strip("<>") for term in query.where.values.get(pattern.path, ())}
        else:
            found.add(getattr(pattern.path, "iri", ""))
    return found
