"""The pages a brief becomes: every reference resolves, nothing is fetched, nothing runs."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.brief.gather import make_brief
from kg.brief.html import as_html
from kg.brief.markdown import as_markdown, escape
from kg.brief.model import Section
from kg.brief.wording import APPENDIX
from kg.dispute import read_dispute
from kg.errors import RenderError
from kg.preparing import staged
from kg.settings import shipped
from tests.brief.conftest import Made


class Page(HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "rect", "path", "circle"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def values(self, name: str) -> list[str]:
        return [attrs[name] or "" for _, attrs in self.tags if name in attrs]


class Blocks(HTMLParser):
    """The paragraphs, list items, cells and captions of a page: their words, where they lead."""

    NAMES = ("p", "li", "td", "th", "figcaption")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []
        self.open: list[tuple[list[str], list[str]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.NAMES:
            self.open.append(([], []))
        if tag == "a" and self.open:
            self.open[-1][1].append(dict(attrs)["href"] or "")

    def handle_data(self, data: str) -> None:
        if self.open:
            self.open[-1][0].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.NAMES:
            words, links = self.open.pop()
            self.found.append(("".join(words).strip(), links))


def test_every_sentence_of_the_html_has_a_link(shipped_brief: Made) -> None:
    # The appendix is what the links lead to.
    page = as_html(shipped_brief.brief).partition('<ol class="entries">')[0]
    found = Blocks(page).found
    assert len(found) > 150
    assert [words for words, links in found if not any(one[:1] == "#" for one in links)] == []


def test_every_sentence_of_the_markdown_has_a_reference(shipped_brief: Made) -> None:
    text = as_markdown(shipped_brief.brief).partition(f"\n## {APPENDIX}\n")[0]
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    cells = [
        cell
        for line in lines
        for row in (line.strip("| ").split(" | ") if line.startswith("| ") else [line])
        for cell in row.split("<br>")
        if set(cell) - set("-| ")
    ]
    assert len(cells) > 150
    assert [cell for cell in cells if not re.search(r"\[\^[^\]]+\]", cell)] == []


def test_a_section_without_anything_still_says_so_with_a_link(tideline: Made) -> None:
    bare = replace(
        tideline.brief, sections=(Section("none", "Nothing", "A note.", (), "Nothing was found."),)
    )
    for words, links in Blocks(as_html(bare).partition('<ol class="entries">')[0]).found:
        assert links, words
    assert re.search(r"^Nothing was found\.\[\^", as_markdown(bare), re.M)


def test_every_reference_of_the_html_leads_to_an_entry(shipped_brief: Made) -> None:
    page = Page(as_html(shipped_brief.brief))
    assert page.open == []
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    inner = {href[1:] for href in page.values("href") if href.startswith("#")}
    assert inner - set(ids) == set()
    # And each entry is of a thing that the brief cites; test_gather holds those to the graph.
    entries = {attrs["id"]: attrs["data-iri"] for _, attrs in page.tags if "data-iri" in attrs}
    links = {link for one in shipped_brief.brief.sentences() for link in one.links}
    assert set(entries.values()) == links
    cited = {anchor for anchor in inner if anchor.startswith("ref-")}
    assert cited == set(entries)


def test_every_footnote_of_the_markdown_is_defined_once(shipped_brief: Made) -> None:
    text = as_markdown(shipped_brief.brief)
    defined = re.findall(r"^\[\^([^\]]+)\]: ", text, re.M)
    assert len(defined) == len(set(defined)) == len(shipped_brief.brief.entries)
    used = set(re.findall(r"\[\^([^\]]+)\](?!: )", text))
    assert used == set(defined)
    for entry in shipped_brief.brief.entries:
        [line] = [line for line in text.splitlines() if line.startswith(f"[^{entry.anchor}]: ")]
        assert line.endswith(escape(entry.iri))


def test_the_html_needs_nothing_from_elsewhere(shipped_brief: Made) -> None:
    text = as_html(shipped_brief.brief)
    page = Page(text)
    assert not {tag for tag, _ in page.tags} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "image",
        "use",
        "base",
        "form",
    }
    assert page.values("src") == page.values("xlink:href") == page.values("srcset") == []
    assert not re.search(r"@import|url\(|expression\(", text)
    assert [name for _, attrs in page.tags for name in attrs if name.startswith("on")] == []
    outer = [href for href in page.values("href") if not href.startswith("#")]
    assert all(href.startswith(("https://", "http://")) for href in outer)


def test_the_iri_of_every_entry_can_be_read_off_the_page(shipped_brief: Made) -> None:
    text = as_html(shipped_brief.brief)
    assert f"The IRI of an entry is {shipped_brief.dispute.base} followed by its name" in text
    for entry in shipped_brief.brief.entries:
        given = f'<span class="iri">{entry.iri}</span>' in text
        assert given or entry.iri == shipped_brief.dispute.base + entry.name


SCRIPT = '</title><script>alert(1)</script><img src=x onerror="alert(1)">'


@pytest.fixture
def hostile(tmp_path: Path) -> Any:
    """The invented dispute with markup for a title, a name, a gloss and an address."""
    folder = tmp_path / "tideline"
    shutil.copytree(shipped("data") / "tideline", folder, ignore=shutil.ignore_patterns(".kg"))
    quoted = SCRIPT.replace('"', '\\"')
    for file, old, new in (
        ("dispute.ttl", "Who wrote the solver of tideline", quoted),
        ("dispute.ttl", "<https://quillfeather.example/whose-tide>", "<javascript:alert(1)>"),
        ("agents.ttl", '"Bram Saltmarsh"', f'"Bram {quoted} | `x` [a](javascript:b) \\u0007"'),
        ("statements/quillfeather-letter.ttl", "Pull request 4 holds three commits", quoted),
        (
            "statements/quillfeather-letter.ttl",
            "Bram Saltmarsh closed pull request 4",
            f"]]> --> {quoted}",
        ),
    ):
        path = folder / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")
    dispute = read_dispute(folder)
    return make_brief(staged(dispute), dispute)


def test_markup_in_labels_stays_text_in_html(hostile: Any) -> None:
    text = as_html(hostile)
    page = Page(text)
    assert page.open == []
    assert not {tag for tag, _ in page.tags} & {"script", "img"}
    assert "javascript:alert(1)" in text  # told, and not made a link
    assert not any("javascript" in href for href in page.values("href"))
    assert "&lt;script&gt;" in text
    assert "\x07" not in text


def test_markup_in_labels_stays_text_in_markdown(hostile: Any) -> None:
    text = as_markdown(hostile)
    assert not re.search(r"(?<!\\)<(?!br>)", text)
    assert not re.search(r"(?<!\\)\]\(", text)
    assert "\x07" not in text
    # A bar in a name does not make a cell.
    for line in text.splitlines():
        if line.startswith("| "):
            assert len(re.findall(r"(?<!\\)\|", line)) == 3


@given(st.text())
def test_escaped_text_is_one_line_without_markup(text: str) -> None:
    done = escape(text)
    assert "\n" not in done
    assert not re.search(r"(?<!\\)(?:\\\\)*[<>`*_\[\]|#~$]", done)


def test_without_jinja_the_error_says_what_helps(
    tideline: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(RenderError, match="Jinja2") as error:
        as_html(tideline.brief)
    assert "counterclaim[brief]" in str(error.value)
