"""What is written as Turtle is read back as the same terms."""

from __future__ import annotations

import re

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import ImportFailedError
from kg.imports import turtle


def read(text: str) -> list[ox.Triple]:
    return [quad.triple for quad in ox.parse(text.encode("utf-8"), format=ox.RdfFormat.TURTLE)]


# Lone surrogates are no characters, and RDF cannot hold NUL in every tool.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXTS)
def test_a_literal_is_read_back(text: str) -> None:
    written = turtle.literal(text)
    [triple] = read(f"<urn:s> <urn:p> {written} .")
    assert isinstance(triple.object, ox.Literal)
    assert triple.object.value == text
    assert all(character.isprintable() for character in written)


def test_a_lone_surrogate_becomes_the_replacement_character() -> None:
    assert turtle.literal("a\ud800b") == '"a\N{REPLACEMENT CHARACTER}b"'


def test_direction_marks_are_escaped() -> None:
    assert turtle.literal("a\u202eb\u200b") == '"a\\u202Eb\\u200B"'


@given(TEXTS)
def test_a_comment_stays_a_comment(text: str) -> None:
    assert read(turtle.comment(text)) == []


@given(st.text())
def test_a_slug_is_plain(text: str) -> None:
    slug = turtle.slug(text)
    assert re.fullmatch(r"(?:[a-z0-9]+(?:-[a-z0-9]+)*)?", slug)
    assert turtle.slug(slug) == slug


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Justine Tunney", "justine-tunney"),
        ("Jiří Podivín", "jiri-podivin"),
        ("Søren Łukasz Æsir", "soren-lukasz-aesir"),
        ("llama.cpp", "llama-cpp"),
        ("李明", ""),
        ("--", ""),
    ],
)
def test_slugs(text: str, slug: str) -> None:
    assert turtle.slug(text) == slug


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=6)))
def test_each_name_gets_a_short_name_of_its_own(texts: list[str]) -> None:
    names = turtle.short_names(texts, "git")
    assert set(names) == set(texts)
    assert len(set(names.values())) == len(names)
    assert names == turtle.short_names(reversed(texts), "git")
    for name in names.values():
        assert turtle.short_name(name) == name
        [triple] = read(f"@prefix : <https://example.org/> . :{name} a :Thing .")
        assert triple.subject == ox.NamedNode(f"https://example.org/{name}")


def test_a_shared_slug_goes_to_the_first_in_code_point_order() -> None:
    names = turtle.short_names(["bo", "Bo", "Ana", "李明"], "git")
    assert names["Ana"] == "git-ana"
    assert names["Bo"] == "git-bo"
    assert re.fullmatch(r"git-bo-[0-9a-f]{8}", names["bo"])
    assert re.fullmatch(r"git-[0-9a-f]{8}", names["李明"])


@pytest.mark.parametrize("text", ["", "a b", "a/b", "a.", "-a", "a:b", "<a>", "a\n"])
def test_bad_short_names(text: str) -> None:
    with pytest.raises(ImportFailedError):
        turtle.short_name(text)


@pytest.mark.parametrize("text", ["", "x", "https://a", "file:///a/", "https://a/ ", "urn:a>b:"])
def test_bad_bases(text: str) -> None:
    with pytest.raises(ImportFailedError):
        turtle.base_iri(text)


@pytest.mark.parametrize(
    "text", ["", "javascript:x", "git@host:a/b", "https://user:secret@host/a", "https://a/ b>"]
)
def test_bad_addresses(text: str) -> None:
    with pytest.raises(ImportFailedError):
        turtle.web_address(text)


def test_a_block_leaves_out_empty_predicates_and_wraps_long_ones() -> None:
    many = [f":commit-{number:040}" for number in range(3)]
    text = turtle.block(":a", [("a", [":B"]), ("kg:none", []), ("kg:hasCommit", many)])
    assert "kg:none" not in text
    assert text.count("\n        :commit-") == 3
    assert text.endswith(" .\n")
