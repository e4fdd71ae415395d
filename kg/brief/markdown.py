"""A brief as Markdown, with footnotes as GitHub, Pandoc and others read them."""

from __future__ import annotations

from collections.abc import Iterator

from kg.brief.model import (
    Brief,
    Claim,
    Contrast,
    Entry,
    Item,
    Moment,
    Part,
    Section,
    Sentence,
    Told,
)
from kg.brief.wording import APPENDIX, HOW_TO_READ, TIMELINE, TIMELINE_NOTE
from kg.plain_text import clean


def as_markdown(brief: Brief) -> str:
    """Return the brief as Markdown."""
    return "\n".join(_Writer(brief).lines()) + "\n"


class _Writer:
    def __init__(self, brief: Brief) -> None:
        self.brief = brief
        self.anchors = {entry.iri: entry.anchor for entry in brief.entries}

    def lines(self) -> Iterator[str]:
        yield f"# {escape(self.brief.title)}"
        yield ""
        yield self.sentence(self.brief.lead)
        yield ""
        yield self.note(HOW_TO_READ)
        for section in self.brief.sections:
            yield from self.section(section)
            if section.key == "parties":
                yield from self.timeline()
        yield ""
        yield f"## {APPENDIX}"
        yield ""
        for entry in self.brief.entries:
            yield self.entry(entry)

    def section(self, section: Section) -> Iterator[str]:
        yield ""
        yield f"## {escape(section.title)}"
        yield ""
        yield self.note(section.note)
        if not section.filled:
            yield ""
            yield self.sentence(self.brief.about(section.nothing))
        for part in section.parts:
            if part.items:
                yield from self.part(part)

    def part(self, part: Part) -> Iterator[str]:
        yield ""
        if part.title:
            yield f"### {escape(part.title)}"
            yield ""
        for place, item in enumerate(part.items):
            if isinstance(item, Contrast) and place:
                yield ""
            yield from self.item(item)

    def item(self, item: Item) -> Iterator[str]:
        if isinstance(item, Claim):
            yield f"- {self.sentence(item.heading)}"
            for voice in item.voices:
                yield f"  - {self.sentence(voice)}"
        elif isinstance(item, Contrast):
            heads = (self.sentence(side.heading) for side in (item.claim, item.counterclaim))
            yield f"| {' | '.join(heads)} |"
            yield "| --- | --- |"
            cells = (self.cell(side) for side in (item.claim, item.counterclaim))
            yield f"| {' | '.join(cells)} |"
            if item.notes:
                yield ""
                yield " ".join(map(self.sentence, item.notes))
        elif isinstance(item, Told):
            yield f"- {self.sentence(item.heading)}"
            for fact in item.facts:
                yield f"  - {self.sentence(fact)}"
        elif isinstance(item, Moment):
            yield f"- {escape(item.when)}: {self.sentence(item.what)}"
        else:
            yield f"- {self.sentence(item)}"

    def cell(self, claim: Claim) -> str:
        return "<br>".join(self.sentence(voice) for voice in claim.voices)

    def timeline(self) -> Iterator[str]:
        if self.brief.timeline:
            yield from ("", f"## {TIMELINE}", "", self.note(TIMELINE_NOTE), "")
            for moment in self.brief.timeline:
                yield from self.item(moment)

    def note(self, text: str) -> str:
        return f"*{escape(text)}*{self.references((self.brief.iri,))}"

    def sentence(self, sentence: Sentence) -> str:
        return "".join(escape(run.text) + self.references(run.links) for run in sentence.runs)

    def references(self, links: tuple[str, ...]) -> str:
        return "".join(f"[^{self.anchors[link]}]" for link in dict.fromkeys(links))

    def entry(self, entry: Entry) -> str:
        parts = [escape(one) for one in (entry.text, entry.place, entry.address) if one]
        name = f"{entry.kind} {entry.name}" if entry.kind != "dispute" else entry.name
        return f"[^{entry.anchor}]: {escape(name)}: {'; '.join(parts)}; {escape(entry.iri)}"


def escape(text: str) -> str:
    """Return a text in which nothing is markup, as one line."""
    marked = "".join("\\" + c if c in "\\`*_[]<>#|~$" else c for c in clean(text))
    return marked.replace("&", "&amp;").replace("\n", " ")
