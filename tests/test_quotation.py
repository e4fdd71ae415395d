from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.dispute import read_dispute
from kg.documents import Document
from kg.errors import NonConformanceError, PassageError
from kg.namespaces import PREFIXES
from kg.passages import Kind, Passage
from kg.quotation import find_blocks, next_name, occurrences, snippet, turtle_block, why_absent
from kg.reading import Reading

BASE = "https://example.org/"
DOC = Document(BASE + "page", "page", "Page", 9, "0" * 64)


@pytest.fixture
def reading(example_dispute: Path) -> Reading:
    return Reading(read_dispute(example_dispute))


def test_overlapping_occurrences_are_all_found() -> None:
    assert occurrences("aaaa", "aa") == [0, 1, 2]


def test_offsets_count_code_points_not_bytes_or_surrogates() -> None:
    assert occurrences("😀é\r\nx", "x") == [4]


def test_an_empty_text_is_no_quotation() -> None:
    with pytest.raises(PassageError):
        occurrences("text", "")


def test_the_block_parses_and_says_where(reading: Reading) -> None:
    (block,) = find_blocks(reading, "Bo answers", assertion="new-1")
    prologue = "".join(f"@prefix {p}: <{iri}> .\n" for p, iri in PREFIXES.items())
    prologue += f"@prefix : <{reading.dispute.base}> .\n"
    quads = list(ox.parse(prologue + block, format=ox.RdfFormat.TURTLE))
    base = reading.dispute.base
    values = {
        quad.predicate.value.rpartition("/")[2].rpartition("#")[2]: quad.object.value
        for quad in quads
        if not isinstance(quad.object, ox.BlankNode)
    }
    assert values["start"] == "57"
    assert values["end"] == "67"
    assert values["hasSource"] == base + "doc"
    assert values["sha256"] == hashlib.sha256(b"Bo answers").hexdigest()
    assert ox.NamedNode(base + "new-1-t") in {quad.subject for quad in quads}


def test_what_already_is_a_passage_is_named(reading: Reading) -> None:
    (block,) = find_blocks(reading, "Bo told her he wrote the parser")
    assert block.startswith("# doc 9-40, 1 of 1; already :t2\n")


def test_several_places_are_all_printed_or_one_is_chosen(reading: Reading) -> None:
    assert len(find_blocks(reading, "Bo")) == 2
    (second,) = find_blocks(reading, "Bo", nth=2)
    assert second.startswith("# doc 57-59, 2 of 2\n")
    with pytest.raises(PassageError, match="2 times, not 3"):
        find_blocks(reading, "Bo", nth=3)


def test_a_text_that_stands_everywhere_is_too_short(tmp_path: Path, reading: Reading) -> None:
    text = "ab" * 60
    (doc,) = reading.documents
    reading.texts[doc.iri] = replace(reading.texts[doc.iri], text=text)
    with pytest.raises(PassageError, match="60 times"):
        find_blocks(reading, "a")
    assert len(find_blocks(reading, "a", nth=60)) == 1


def test_an_absent_text_is_an_error_that_says_what_is_near(reading: Reading) -> None:
    with pytest.raises(NonConformanceError) as caught:
        find_blocks(reading, "“I never did,”")
    assert "quotation marks" in str(caught.value)
    assert "42-56" in str(caught.value)


def test_an_altered_text_gives_no_offsets(example_dispute: Path) -> None:
    (example_dispute / "documents" / "doc.txt").write_text("altered")
    reading = Reading(read_dispute(example_dispute))
    with pytest.raises(PassageError, match="its SHA-256 is another"):
        find_blocks(reading, "altered", document="doc")
    with pytest.raises(PassageError, match="no text is attached"):
        find_blocks(reading, "altered")


def test_without_a_text_the_hint_says_how_to_attach_one(example_dispute: Path) -> None:
    (example_dispute / "documents" / "doc.txt").unlink()
    with pytest.raises(PassageError, match="kg documents attach"):
        find_blocks(Reading(read_dispute(example_dispute)), "Bo", document="doc")


def test_says_where_a_text_departs_from_the_document() -> None:
    reason = why_absent("it was written in March by Bo", "it was written in April")
    assert "its first 18 characters stand at 0-18" in reason
    assert "'March by Bo'" in reason
    assert "'April'" in reason


def test_a_word_by_chance_is_nothing_like_it() -> None:
    assert why_absent("it was March", "it is quite another thing") == "nothing like it"


def test_a_message_shows_no_more_than_a_snippet_and_no_control_character() -> None:
    shown = snippet("a" * 500 + "\x1b[31m")
    assert len(shown) <= 90
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("owners", "expected"),
    [
        ([], "page-001"),
        (["page-007", "page-012"], "page-013"),
        (["page-007", "page-099", "w-3"], "page-100"),
        (["a1", "a2", "author"], "a3"),
    ],
)
def test_suggests_the_next_name_of_the_documents_pattern(owners: list[str], expected: str) -> None:
    passages = [
        Passage(BASE + owner + "-t", DOC.iri, 0, 1, "", BASE + owner, Kind.STATEMENT)
        for owner in owners
    ]
    elsewhere = Passage("x", "urn:other", 0, 1, "", BASE + "page-900", Kind.STATEMENT)
    assert next_name(DOC, [*passages, elsewhere], BASE) == expected


@pytest.mark.parametrize("name", ["", "a b", "-a", "a-", "a;b", 'a"', "a.b", "é"])
def test_a_name_that_would_break_the_block_is_refused(name: str) -> None:
    with pytest.raises(PassageError, match="cannot be a short name"):
        turtle_block(DOC, "text", 0, 1, name, BASE)


def test_a_document_outside_the_base_is_named_in_full() -> None:
    elsewhere = replace(DOC, iri="https://elsewhere.org/a/b")
    block = turtle_block(elsewhere, "text", 0, 1, "n", BASE)
    assert "oa:hasSource <https://elsewhere.org/a/b> ;" in block
