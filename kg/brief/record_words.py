"""Record facts as plain sentences, with what each number counts."""

from __future__ import annotations

import re

from kg.namespaces import expand
from kg.show.facts import Fact

# A pull request is told by its number; its title stands in the appendix.
_TITLED = re.compile(r"(pull request \d+): .*", re.I | re.S)

# By relation, or by relation and rule where two rules count differently. ``{s}`` and ``{o}`` are
# the two things; ``{within}``, ``{lines}`` and the like are parts of a ``kg.show.facts.Fact``.
_SENTENCES = {
    "authored": "{s} is named as author or co-author in {o}",
    "committed": "{s} is named as committer in {o}",
    "coAuthored": "{s} is named as co-author in {o}",
    "contributedCodeTo": "{s} is named as author or co-author in {o}",
    "soleAuthorOf": "{s} is the only author that the commits of {o} name",
    "originated": "{s} is the only author that the commits of {o} name, and no earlier commit in "
    "the record has a patch of theirs",
    "precedes": "the earliest commit of {s} is older than that of {o}",
    "succeeds": "the earliest commit of {s} is younger than that of {o}",
    "basedOn": "{s} holds every commit of {o}, or a later copy of it, with commits of its own on "
    "top",
    "commitCount": "{s} holds {o} commits",
    "carriedOver": "{s} carried over the commits of {o}, one by one",
    "squashed": "{s} made one commit of the commits of {o}",
    "keptNameOf": "{commits} of {o} that {s} committed again, one by one or squashed, name {o} as "
    "author or co-author",
    "replacedNameOf": "{commits} of {o} that {s} committed again, one by one or squashed, name {o} "
    "neither as author nor as co-author",
    "removedLinesOf record-rewriting": "within {within}, the commits of {s} removed or changed "
    "{lines} of {o}; counted are the lines that each of its commits adds, added up",
    "removedLinesOf record-lines-removed": "within {within}, the commits of {s} removed or changed "
    "{lines} that commits of {o} had added; counted is every line, each time it goes",
    "firstAddedLinesOf": "{s} was the first to add {lines} that {o} adds; counted are the lines of "
    "blocks, without blocks of few letters",
    "keepsCommitsOf": "{s} holds {commitsKept} of {o} with the same patches, and with them "
    "{linesKept}; counted is what the patches add as they landed, before any later change",
    "standsAgainIn": "{commitsKept} of {s} stand again in {o}, {seconds}",
    "startedBefore": "the first commit of {s} is older than that of {o} {seconds}",
    "authoredOver": "from the first to the last author time in {s} it is {o}",
    "committedOver": "from the first to the last commit time in {s} it is {o}",
}
# What stands between what a sentence says and what its number counts.
_COUNTED = "; counted "
_SPANS = {
    "authoredOver": "from the first to the last author time {o}",
    "committedOver": "from the first to the last commit time {o}",
}
# As what the record names somebody in a relation of which it names everybody.
_ROLES = {
    "authored": "author or co-author",
    "contributedCodeTo": "author or co-author",
    "committed": "committer",
    "soleAuthorOf": "its one author",
}


def plain(name: str) -> str:
    """Return a name as it is spoken of: a pull request without its title."""
    return _TITLED.sub(r"\1", name)


def in_words(fact: Fact) -> str:
    """Return what a record fact says, told by its record under its rule, without a full stop."""
    how = f"; {counted_how(fact)}" if counted_how(fact) else ""
    return f"{by_rule(fact)}: {what(fact)}{how}"


def what(fact: Fact) -> str:
    """Return what a record fact says, without its record and without what its number counts."""
    words = _words(fact).partition(_COUNTED)[0]
    return words or fact.words("“", "”")


def counted_how(fact: Fact) -> str:
    """Return what the number in a record fact counts, if that has to be said."""
    _, counted, how = _words(fact).partition(_COUNTED)
    return f"{counted.removeprefix('; ')}{how}"


def span(fact: Fact) -> str:
    """Return how long something took, beside another span of the same thing."""
    relation = fact.predicate.removeprefix(expand("kg:"))
    return _SPANS[relation].format(o=fact.object) if relation in _SPANS else what(fact)


def _words(fact: Fact) -> str:
    relation = fact.predicate.removeprefix(expand("kg:"))
    pattern = _SENTENCES.get(f"{relation} {fact.rule}", _SENTENCES.get(relation, ""))
    try:
        return pattern.format(s=plain(fact.subject), o=plain(fact.object), **_parts(fact))
    except KeyError:  # a rule of the dispute's own, with other numbers
        return ""


def names_only(facts: list[Fact], asked: str) -> str:
    """Return that a record names the subjects of some facts and not ``asked``, as one sentence.

    The facts are of one relation and one object, and are all of these that the record holds.
    """
    first = facts[0]
    role = _ROLES.get(first.predicate.removeprefix(expand("kg:")), f"who {first.relation} it")
    names = dict.fromkeys(plain(fact.subject) for fact in facts)
    every = ", ".join(names)
    return f"{by_rule(first)}: {plain(first.object)} names only {every} as {role}, and not {asked}"


def by_rule(fact: Fact) -> str:
    """Return which record a fact is read off, and by which rule."""
    rule = f", by the rule “{fact.rule}”" if fact.rule else ""
    return f"{fact.record or 'the record'}{rule}"


def _parts(fact: Fact) -> dict[str, str]:
    return {key: plain(words) for key, words in fact.parts.items()}
