"""One statement, from the passage it is read from to a row that a query prints.

Read this first to see what the project does. The text is the whole of
``tests/disputes/example/documents/doc.txt``; Ana and Bo are invented.
"""

from __future__ import annotations

import csv
import io
import sys
from hashlib import sha256
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.cli.main import main
from kg.dispute import open_dispute
from kg.engine import Rows
from kg.namespaces import expand
from kg.pipeline import build, open_current
from kg.sources import read_source

TEXT = 'Ana says Bo told her he wrote the parser. "I never did," Bo answers.'
BASE = "https://w3id.org/counterclaim/example/"


def name(short: str) -> ox.NamedNode:
    """The IRI that a short name such as ``a2`` or ``kg:speaker`` stands for."""
    return ox.NamedNode(expand(short) if ":" in short else BASE + short)


def test_one_statement_from_its_passage_to_a_row(
    example_dispute: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # A document. Somebody read it and found, inside what Ana says, a statement of Bo's.
    document = (example_dispute / "documents" / "doc.txt").read_text("utf-8")
    assert document == TEXT
    passage = document[9:40]
    assert passage == "Bo told her he wrote the parser"

    # They wrote it down by hand, as Turtle: who says it, what it is about, and where it stands.
    # The text itself is not copied; its place is, and the digest of the characters there.
    dispute = open_dispute(str(example_dispute))
    stated = [quad for source in dispute.sources for quad in read_source(source)]

    def said_of(subject: str, predicate: str) -> list[object]:
        ends = (name(subject), name(predicate))
        return [quad.object for quad in stated if (quad.subject, quad.predicate) == ends]

    assert said_of("a2", "kg:speaker") == [name("bo")]
    assert said_of("a2", "kg:affirms") == [name("p1")]  # the proposition that Bo wrote the parser
    assert said_of("a2", "oa:hasTarget") == [name("t2")]
    assert said_of("t2", "kg:sha256") == [ox.Literal(sha256(passage.encode()).hexdigest())]

    # Bo does not tell the reader so himself: Ana reports it, without standing behind it, and the
    # author of the text reports what Ana says.
    assert said_of("a1", "kg:speaker") == [name("ana")]
    assert said_of("a1", "kg:relays") == [name("a2")]
    assert said_of("a1", "kg:commitment") == [name("kg:Neutral")]
    assert name("a1") in said_of("n1", "kg:relays")
    # Elsewhere in the text Bo denies the very same proposition.
    assert said_of("a3", "kg:speaker") == [name("bo")]
    assert said_of("a3", "kg:denies") == [name("p1")]

    # A build loads what is stated, derives what follows, judges both and publishes the result.
    report = build(dispute)
    assert (report.assertions, report.propositions, report.contradictions) == (4, 1, 1)

    # What follows stands in a graph of its own, and every node there names its rule and premises.
    engine = open_current(dispute)

    def derived(subject: str, predicate: str) -> set[object]:
        found = engine.quads(name(subject), name(predicate), graph=dispute.derived_graph)
        return {quad.object for quad in found}

    denial = "a2--denial--a3"
    assert derived(denial, "kg:between") == {name("a2"), name("a3")}
    assert derived(denial, "kg:rule") == {ox.Literal("denial")}
    assert derived(denial, "prov:wasDerivedFrom") == {name("a2"), name("a3"), name("p1")}
    # It is Bo's word against Bo's word. Ana takes no part: what she reports is hearsay, two mouths
    # away from the reader, and not her own claim that Bo wrote the parser.
    assert derived(denial, "kg:selfContradictionOf") == {name("bo")}
    assert derived("a2", "kg:hearsayDepth") == {ox.Literal(2)}
    assert derived("a2", "kg:heldBy") == {name("bo")}

    # Any SPARQL query sees what is stated and what is derived as one graph.
    answer = engine.query(
        "PREFIX kg: <https://w3id.org/counterclaim/ns#> "
        "SELECT ?speaker ?depth WHERE { ?said kg:speaker ?speaker ; kg:hearsayDepth ?depth ; "
        f"kg:affirms <{BASE}p1> }}"
    )
    assert isinstance(answer, Rows)
    assert list(answer.rows) == [(name("bo"), ox.Literal(2))]

    # And whoever asks on the command line who contradicts themselves reads it in one row, with
    # both places in the document.
    command = ["kg", "--dispute", example_dispute, "query", "self-contradictions"]
    monkeypatch.setattr(sys, "argv", [*map(str, command), "--format", "csv"])
    main()
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["agent"] == f"{BASE}bo"
    assert row["rule"] == "denial"
    assert (row["statement"], row["against"]) == (f"{BASE}a2", f"{BASE}a3")
    assert row["claim"] == "Bo says it is so: Bo wrote the parser"
    assert row["counterclaim"] == "Bo says it is not so: Bo wrote the parser"
    assert (row["place"], row["counterplace"]) == ("doc 9-40", "doc 42-68")
