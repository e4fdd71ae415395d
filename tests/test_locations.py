"""Files and lines of names, against Turtle written to mislead a scan."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
from hypothesis import given
from hypothesis import strategies as st

from kg.dispute import open_dispute
from kg.locations import Locations, scan
from kg.sources import read_source

BASE = "https://w3id.org/counterclaim/example/"

TRICKY = '''@prefix : <http://x/> . # @prefix : <http://wrong/> .
PREFIX a.b: <http://ab/>
@base <http://base/> .
:one :p """a "quoted" text.
:not-a-subject :p 1 . """, 'it\\'s . :nor-this', 1.5, .5, -1e3 ;
  :q [ :r :inner ; :s ( :list 2.0 ) ] , <http://iri/#:fake> .
a.b:two.three :p :one . <full> :p "x"@en-GB , "1"^^:type .
[] :p :of-blank .
_:b.c :p true .
:esc\\,aped :p :%41b .
prefix:x :p 1 .
'''


def test_a_scan_that_is_not_fooled() -> None:
    subjects = [(iri, line) for iri, line, opens in scan(TRICKY) if opens]
    assert subjects == [
        ("http://x/one", 4),
        ("http://ab/two.three", 7),
        ("http://base/full", 7),
        ("http://x/esc,aped", 10),
    ]
    mentions = {iri: line for iri, line, _ in reversed(list(scan(TRICKY)))}
    assert mentions["http://x/inner"] == 6
    assert mentions["http://x/list"] == 6
    assert mentions["http://iri/#:fake"] == 6
    assert mentions["http://x/%41b"] == 10
    assert "http://x/not-a-subject" not in mentions
    assert not any("wrong" in iri for iri in mentions)


def test_every_subject_of_the_example_is_found(example_dispute: Path) -> None:
    dispute = open_dispute(str(example_dispute))
    locations = Locations(dispute)
    for source in dispute.sources:
        quads = read_source(source)
        rows = source.path.read_text("utf-8").splitlines()
        for quad in quads:
            if isinstance(quad.subject, ox.NamedNode):
                place = locations.find(quad.subject.value)
                assert place is not None
                path, line = place
                assert path == source.path
                local = quad.subject.value.removeprefix(BASE)
                assert rows[line - 1].startswith((f":{local} ", f"<{BASE}>"))
            else:
                place = locations.find_blank(quad.subject, quads)
                assert place is not None
                assert rows[place[1] - 1].endswith("a oa:SpecificResource ;")


def test_what_is_only_mentioned_and_what_is_not(example_dispute: Path) -> None:
    locations = Locations(open_dispute(str(example_dispute)))
    (example_dispute / "statements" / "more.ttl").write_text(
        f"@prefix : <{BASE}> .\n\n:a9 :p :a8 .\n", "utf-8"
    )
    locations = Locations(open_dispute(str(example_dispute)))
    assert locations.find(f"{BASE}a8") == (example_dispute / "statements" / "more.ttl", 3)
    assert locations.find(f"{BASE}a7") is None
    assert locations.find_blank(ox.BlankNode("x"), []) is None


def test_the_line_of_a_text_near_a_name(example_dispute: Path) -> None:
    locations = Locations(open_dispute(str(example_dispute)))
    at = locations.find(f"{BASE}a3")
    near = locations.find(f"{BASE}a3", near="utteredAt")
    assert at is not None
    assert near is not None
    assert near[1] == at[1] + 6
    assert locations.find(f"{BASE}a3", near="no such text") == at


def test_blank_nodes_in_a_circle_end() -> None:
    p, g = ox.NamedNode("http://p"), ox.NamedNode("http://g")
    one, two = ox.BlankNode("one"), ox.BlankNode("two")
    quads = [ox.Quad(one, p, two, g), ox.Quad(two, p, one, g)]
    assert Locations.__new__(Locations).find_blank(one, quads) is None


@given(st.text(alphabet=" \n.:;,<>[]()\"'\\@#ab_^%1", max_size=60))
def test_no_text_breaks_the_scan(text: str) -> None:
    lines = text.count("\n") + 1
    assert all(1 <= line <= lines for _, line, _ in scan(text))
