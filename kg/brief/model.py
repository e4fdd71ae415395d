"""What a brief is made of: sentences with what they stand on, in sections, and an appendix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """A part of a sentence, and the IRIs of what this part stands on; may be none."""

    text: str
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sentence:
    """Something a brief says. At least one of its runs has links."""

    runs: tuple[Run, ...]

    @property
    def text(self) -> str:
        """The sentence without its references."""
        return "".join(run.text for run in self.runs)

    @property
    def links(self) -> tuple[str, ...]:
        """The IRIs of everything the sentence stands on, each once, in order."""
        return tuple(dict.fromkeys(link for run in self.runs for link in run.links))


def sentence(text: str, links: Iterable[str]) -> Sentence:
    """Return a sentence that stands on the same things from end to end."""
    return Sentence((Run(text, tuple(links)),))


@dataclass(frozen=True)
class Claim:
    """What is said, quoted, and one sentence for each voice that takes a stance on it.

    ``who`` names the voices and not who reports them, only that somebody does, for a picture.
    """

    words: str
    voices: tuple[Sentence, ...]
    who: tuple[str, ...] = ()

    @property
    def heading(self) -> Sentence:
        """What is said, with the first statement that says so."""
        links = (voice.links[:1] for voice in self.voices if voice.links)
        return sentence(self.words, next(links, ()))


@dataclass(frozen=True)
class Contrast:
    """A claim beside a counterclaim, with what is to be said about the two.

    ``label`` says in a word or two what sets them against each other, for a picture.
    """

    claim: Claim
    counterclaim: Claim
    notes: tuple[Sentence, ...] = ()
    label: str = ""


@dataclass(frozen=True)
class Told:
    """What a record holds under one rule: the rule and how it counts, and a sentence for each."""

    words: str
    facts: tuple[Sentence, ...]

    @property
    def heading(self) -> Sentence:
        """The rule, with the first of what it found."""
        return sentence(self.words, next((one.links[:1] for one in self.facts if one.links), ()))


@dataclass(frozen=True)
class Moment:
    """A line of the timeline.

    ``when`` is the date as people read it; ``start`` and ``end`` are days (``2024-03-01``) that
    bound it; ``lane`` is ``said``, ``record`` or ``document``.
    """

    when: str
    start: str
    end: str
    lane: str
    what: Sentence


Item = Sentence | Claim | Contrast | Told | Moment


@dataclass(frozen=True)
class Part:
    """Some items of a section under a heading of their own, or under none."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Section:
    """A section of a brief.

    ``note`` says by which rule the section was gathered and nothing about the dispute;
    ``nothing`` is printed if there is no item.
    """

    key: str
    title: str
    note: str
    parts: tuple[Part, ...]
    nothing: str = "Nothing was found."

    @property
    def filled(self) -> tuple[Item, ...]:
        """The items of all parts."""
        return tuple(item for part in self.parts for item in part.items)


@dataclass(frozen=True)
class Entry:
    """What a reference leads to: a thing of the graph, and what the graph holds about it.

    ``name`` is its short name and ``anchor`` its name within the page; ``address`` is where a
    document was published, if an address is given.
    """

    iri: str
    name: str
    anchor: str
    kind: str
    text: str
    place: str = ""
    address: str = ""


@dataclass(frozen=True)
class Brief:
    """A brief: ``conflicts`` are its strongest contrasts, ``entries`` its appendix, in order."""

    title: str
    iri: str
    lead: Sentence
    sections: tuple[Section, ...]
    timeline: tuple[Moment, ...]
    conflicts: tuple[Contrast, ...]
    entries: tuple[Entry, ...]

    @property
    def base(self) -> str:
        """What the IRIs of most entries begin with, before their names."""
        return self.iri

    def about(self, text: str) -> Sentence:
        """Return a sentence on how the brief was made, which stands on the dispute as encoded."""
        return sentence(text, (self.iri,))

    def sentences(self) -> Iterator[Sentence]:
        """Yield every sentence of the brief."""
        yield self.lead
        for section in self.sections:
            yield self.about(section.note)
            for item in section.filled:
                yield from sentences_of(item)
        for moment in self.timeline:
            yield moment.what
        for contrast in self.conflicts:
            yield from sentences_of(contrast)


def sentences_of(item: Item) -> Iterator[Sentence]:
    """Yield the sentences of an item."""
    if isinstance(item, Sentence):
        yield item
    elif isinstance(item, Claim):
        yield from (item.heading, *item.voices)
    elif isinstance(item, Told):
        yield from (item.heading, *item.facts)
    elif isinstance(item, Moment):
        yield item.what
    else:
        yield from (*sentences_of(item.claim), *sentences_of(item.counterclaim), *item.notes)
