"""Pages of the example and of a few more statements, with what a build would derive written out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.dispute import Dispute, read_dispute
from kg.documents import texts_of
from kg.embedded import EmbeddedEngine
from kg.errors import QueryError
from kg.namespaces import PREFIXES
from kg.reading import Reading
from kg.show import Page, as_json, as_text, show
from kg.sources import ontology_source, read_source

BASE = "https://w3id.org/counterclaim/example/"

STATED = """
:someone a kg:Persona ; rdfs:label "someone calling himself Bo"@en ; kg:claimsToBe :bo .
:j1 a kg:IdentityJudgement ; kg:persona :someone ; kg:identity :bo ; kg:verdict kg:Unsure ;
  kg:judgedBy :reader ; kg:grounds "no link from any page of his"@en .
:p2 a kg:Proposition ; rdfs:label "Bo wrote some of the parser"@en ; rdf:subject :bo ;
  rdf:predicate kg:authored ; rdf:object :parser ; kg:scope :parser .
:p1 kg:strongerThan :p2 .
:p3 a kg:Proposition ; rdfs:label "the parser is good"@en ; rdf:subject :parser ;
  rdf:predicate kg:authored ; rdf:object "good" .
:a4 a kg:Assertion ; kg:speaker :someone ; kg:concedes :p2 ;
  kg:concessionMode kg:ForTheSakeOfArgument ; kg:cites :archive ; rdfs:comment "A hard one."@en .
:a5 a kg:Assertion ; kg:speaker :ana ; kg:asks :p3 .
:a6 a kg:Assertion ; kg:speaker :ana ; kg:affirms :p3 ; kg:presupposed true .
:a7 a kg:Assertion ; kg:speaker :ana ; kg:relays :a4 ; kg:commitment kg:Rejects .
:archive a kg:CitedSource ; dcterms:title "An archived page" ; kg:url <https://example.org/a> .
:log a kg:Record ; dcterms:title "git history" .
:git-bo a kg:GitIdentity ; foaf:name "bo@work" .
:commit-aa11 a kg:Commit ; kg:partOfRecord :log ; kg:subjectLine "Add parser" ; kg:author :git-bo ;
  kg:committer :git-bo ; kg:commitTime "2023-03-20T10:00:00+02:00"^^xsd:dateTime ;
  kg:samePatchAs :commit-bb22 ; kg:changes :change-1, :change-2 .
:commit-bb22 a kg:Commit ; kg:partOfRecord :log ; kg:author :git-bo ; kg:committer :git-ana .
:git-ana a kg:GitIdentity ; foaf:name "ana" .
:change-1 a kg:FileChange ; kg:path "b.c" ; kg:previousPath "a.c" ; kg:additions 3 ;
  kg:deletions 1 .
:change-2 a kg:FileChange ; kg:path "logo.png" ; kg:binary true .
:pr-1 a kg:PullRequest ; kg:number 1 ; kg:partOfRecord :log ; kg:hasCommit :commit-aa11 .
:p4 a kg:Proposition ; rdfs:label "Bo opened pull request 1"@en ; rdf:subject :bo ;
  rdf:predicate kg:opened ; rdf:object :pr-1 .
:a8 a kg:Assertion ; kg:speaker :ana ; kg:doubts :p4 .
:c9 a kg:Contradiction, kg:DeclaredContradiction ; kg:between :a3, :a4 ; kg:kind kg:Contrary ;
  kg:grounds "he grants part of what he denies"@en ; prov:wasGeneratedBy :encoding .
:x1 a kg:Attack ; kg:attacker :a3 ; kg:target :a1 ; prov:wasGeneratedBy :encoding .
"""

DERIVED = """
:a2--denial--a3 a kg:Contradiction, kg:DerivedContradiction ; kg:between :a2, :a3 ;
  kg:kind kg:Contradictory ; kg:rule "denial" ; prov:wasDerivedFrom :a2, :a3 .
:a3--scope--a4 a kg:ApparentContradiction ; kg:between :a3, :a4 ; kg:rule "scope" ;
  kg:dissolvedBy :parser .
:a4--agreement--a6 a kg:Agreement ; kg:between :a4, :a6 ; kg:rule "agreement" .
:fact-1 a kg:RecordFact ; rdf:subject :bo ; rdf:predicate kg:authored ; rdf:object :parser ;
  kg:rule "authorship" .
:finding-1 a kg:RecordFinding ; kg:assertion :a3 ; kg:recordFact :fact-1 ;
  kg:bearing kg:Conflicts .
:a2 kg:hearsayDepth 2 ; kg:heldBy :bo .
"""


@dataclass
class Pages:
    """Pages of the example, as text of one line each; the texts are read anew every time."""

    dispute: Dispute
    engine: EmbeddedEngine

    def page(self, name: str, *, quote: bool = True, limit: int | None = 50) -> Page:
        texts = texts_of(self.dispute, self.engine) if quote else {}
        return show(self.engine, BASE, BASE + name, texts=texts, limit=limit)

    def __call__(self, name: str, *, quote: bool = True, limit: int | None = 50) -> str:
        return as_text(self.page(name, quote=quote, limit=limit), 1000)

    def add(self, turtle: str, graph: str = "graph/more") -> None:
        prologue = "".join(f"@prefix {p}: <{iri}> .\n" for p, iri in PREFIXES.items())
        text = f"{prologue}@prefix : <{BASE}> .\n{turtle}"
        self.engine.add(
            ox.Quad(t.subject, t.predicate, t.object, ox.NamedNode(BASE + graph))
            for t in ox.parse(text, format=ox.RdfFormat.TURTLE)
        )


@pytest.fixture
def text_of(example_dispute: Path) -> Pages:
    dispute = read_dispute(example_dispute)
    pages = Pages(dispute, Reading(dispute).engine)
    pages.engine.add(read_source(ontology_source()))
    pages.add(STATED)
    pages.add(DERIVED, "graph/derived")
    return pages


HEARD = "author of the example says, endorsing it, that"


def test_an_assertion_is_told_from_mouth_to_mouth(text_of: Pages) -> None:
    page = text_of("a2")
    assert page.startswith(
        f"assertion a2\n{HEARD} Ana says that Bo says that Bo wrote the parser\n"
    )
    assert (
        "Who says that who says (hearsay depth 2)\n"
        "  n1: author of the example relays (word for word, standing behind it):\n"
        "    a1: Ana relays (in paraphrase, standing neither behind nor against it):\n"
        "      -> a2: Bo says that Bo wrote the parser\n"
    ) in page
    assert "behind it stands, by the rules: Bo\n" in page


def test_the_words_of_a_passage_are_shown_only_with_the_right_text(
    text_of: Pages, example_dispute: Path
) -> None:
    words = "| Bo told her he wrote the parser\n"
    assert f"Example (doc), characters 9-40\n    {words}" in text_of("a2")
    assert "not attached: kg documents attach FILE" in text_of("a2", quote=False)
    unasked = as_text(show(text_of.engine, BASE, BASE + "a2"), 1000)
    assert "(the words are not shown here)" in unasked
    assert "attach" not in unasked
    (example_dispute / "documents" / "doc.txt").write_text("Altered" * 20)
    page = text_of("a2")
    assert "the attached text differs here" in page
    assert "Altered" not in page


def test_a_contradiction_names_its_rule_or_its_encoder(text_of: Pages) -> None:
    page = text_of("a3")
    assert (
        "Cannot both hold\n"
        "  a2--denial--a3: derived by the rule 'denial', contradictory\n"
        f"    a2: {HEARD} Ana says that Bo says that Bo wrote the parser\n"
        "  c9: declared by encoder of the example, contrary, on the grounds: "
        "he grants part of what he denies\n"
    ) in page
    assert (
        "Only seems to contradict\n  a3--scope--a4: derived by the rule 'scope'\n    a4: "
    ) in page
    assert "    dissolved by the scope the parser (parser)\n" in page
    assert (
        "the record amounts, by the rule 'authorship', to: Bo authored the parser (fact-1); "
        "it conflicts with a3"
    ) in page
    assert "a3 attacks a1, as read by encoder of the example\n" in page


def test_an_attack_is_seen_from_its_target_too(text_of: Pages) -> None:
    assert (
        f"a3 attacks a1, as read by encoder of the example\n    a3: {HEARD} Bo denies"
        in text_of("a1")
    )


def test_stances_are_told_apart(text_of: Pages) -> None:
    who = "someone calling himself Bo"
    assert f"Ana says, rejecting it, that {who} grants for the sake of argument that" in text_of(
        "a4"
    )
    assert "Ana asks whether or why the parser is good\n" in text_of("a5")
    assert "Ana takes for granted that the parser is good\n" in text_of("a6")
    assert "Ana doubts that Bo opened pull request 1\n" in text_of("a8")


def test_evidence_and_the_encoders_comment_are_attributed(text_of: Pages) -> None:
    page = text_of("a4")
    cited = "An archived page (archive) <https://example.org/a>"
    assert f"Cited by someone calling himself Bo\n  {cited}\n" in page
    assert "comment of an unnamed encoder: A hard one.\n" in page
    assert "Agrees\n  a4--agreement--a6" in page


def test_a_relay_of_several_says_how_many_and_lists_them(text_of: Pages) -> None:
    page = text_of("n1")
    assert "author of the example relays and endorses 2 statements of others\n" in page
    assert "    a3: Bo denies that Bo wrote the parser\n" in page
    assert "... and 1 more (--limit 0 shows all)" in text_of("n1", limit=1)


def test_a_proposition_is_nobodys_word_until_somebody_speaks(text_of: Pages) -> None:
    page = text_of("p1")
    assert 'nobody\'s word by itself: "Bo wrote the parser"' in page
    assert f"Affirmed (1)\n  a2: {HEARD} Ana says that" in page
    assert f"Denied (1)\n  a3: {HEARD} Bo denies that" in page
    assert 'stronger than p2: "Bo wrote some of the parser"' in page
    assert "the record amounts to the same (rule 'authorship'): fact-1" in page
    assert "said to have happened: 2023-03-20~" in page
    other = text_of("p2")
    assert 'weaker than p1: "Bo wrote the parser"' in other
    assert "meant within: the parser (parser)" in other
    assert "object: good\n" in text_of("p3")


def test_a_proposition_nobody_speaks_to_says_so(text_of: Pages) -> None:
    text_of.add(":p9 a kg:Proposition .")
    assert "Spoken to by\n  nobody in this dispute\n" in text_of("p9")


def test_an_agent_is_shown_by_name_word_and_hearsay(text_of: Pages) -> None:
    page = text_of("bo")
    assert page.startswith("agent bo\nBo: 2 assertions by, 4 about\n")
    assert "Said by Bo (2)\n  a2: " in page
    assert "Said about Bo (4)" in page
    assert "someone calling himself Bo (someone) describes itself as Bo (bo)\n" in page
    assert "... and 3 more" in text_of("bo", limit=1)


def test_a_persona_is_judged_by_somebody_on_grounds(text_of: Pages) -> None:
    page = text_of("someone")
    assert page.startswith("persona someone\n")
    assert (
        "encoder of the example on whether someone calling himself Bo (someone) is Bo (bo): "
        "unsure, on the grounds: no link from any page of his\n"
    ) in page


def test_a_commit_is_told_by_its_record(text_of: Pages) -> None:
    page = text_of("commit-aa11")
    assert 'commit commit-aa11\n"Add parser", an entry of git history;' in page
    assert "author: bo@work (git-bo)\n" in page
    assert "with the same patch, according to the record (1)\n  commit-bb22: author bo@work" in page
    assert "  a.c -> b.c +3 -1\n  logo.png binary\n" in page
    assert "Part of, according to the record\n  pr-1\n" in page
    assert "with the same patch, according to the record (1)\n  Add parser" in text_of(
        "commit-bb22"
    )


def test_a_pull_request_is_shown_with_its_commits_and_claims(text_of: Pages) -> None:
    page = text_of("pr-1")
    assert page.startswith("pull request pr-1\n")
    assert "Its commits, according to the record (1)\n  Add parser (commit-aa11): author" in page
    assert "Claimed about it (1)\n  a8: Ana doubts that Bo opened pull request 1\n" in page


def test_a_git_identity_is_a_persona_named_in_commits(text_of: Pages) -> None:
    page = text_of("git-bo")
    assert page.startswith("persona git-bo\n")
    assert "git history names this as author of 2 commits\n" in page
    assert "git history names this as committer of 1 commit\n" in page


def test_a_contradiction_has_two_sides_with_their_places(text_of: Pages) -> None:
    page = text_of("a2--denial--a3")
    assert page.startswith(
        "contradiction a2--denial--a3\nDerived by the rule 'denial'; contradictory.\n"
    )
    assert "Side 1\n  a2: " in page
    assert "Side 2\n  a3: " in page
    assert '| "I never did," Bo answers.\n' in page
    assert "Derived from\n  a2: " in page
    assert "he grants part of what he denies" in text_of("c9")
    assert "Why it only seems so\n  dissolved by the scope the parser (parser)\n" in text_of(
        "a3--scope--a4"
    )


def test_anything_else_is_shown_file_by_file(text_of: Pages) -> None:
    page = text_of("parser")
    assert page.startswith("artifact parser\n")
    assert "Stated in artifacts\n" in page
    assert "Claimed about it" in page
    assert "Derived by the rules\n  " in text_of("fact-1")


def test_nothing_stated_is_an_error(text_of: Pages) -> None:
    with pytest.raises(QueryError, match="nothing is stated about 'ghost'"):
        text_of("ghost")


def test_a_cycle_of_relays_does_not_hang(text_of: Pages) -> None:
    text_of.add(":y1 a kg:Assertion ; kg:relays :y2 . :y2 a kg:Assertion ; kg:relays :y1 .")
    assert "somebody unnamed" in text_of("y1")


def test_json_holds_the_place_of_a_passage(text_of: Pages) -> None:
    page = json.loads(as_json(text_of.page("a2")))
    where = next(s for s in page["sections"] if s["title"] == "Where it stands")
    (line,) = where["lines"]
    assert (line["start"], line["end"], line["document"]) == (9, 40, BASE + "doc")
    assert line["children"][0]["text"] == "Bo told her he wrote the parser"


def test_a_long_passage_leaves_out_its_middle_but_not_for_programs(text_of: Pages) -> None:
    text = "x" * 2000 + "\n" + "y" * 2000
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    (text_of.dispute.folder / "documents" / "long.txt").write_text(text)
    text_of.add(
        f''':long a kg:Document ; kg:sha256 "{sha256}" .
        :b1 a kg:Assertion ; kg:speaker :bo ; kg:denies :p1 ; oa:hasTarget :b1-t .
        :b1-t oa:hasSource :long ; kg:sha256 "{sha256}" ;
          oa:hasSelector [ oa:start 0 ; oa:end 4001 ] .'''
    )
    assert "  | [... 2801 characters ...]\n" in text_of("b1")
    assert json.dumps(text)[1:-1] in as_json(text_of.page("b1"))


def test_a_quoted_block_does_not_show_what_was_withheld_inside_it(text_of: Pages) -> None:
    text_of.add(
        """:w1 a kg:Withheld ; kg:withheldCategory kg:Harassment ; oa:hasTarget :w1-t .
        :w1-t oa:hasSource :doc ; oa:hasSelector [ oa:start 9 ; oa:end 19 ] .
        :w2 a kg:Withheld ; kg:withheldCategory kg:PrivateLife ; oa:hasTarget :w2-t .
        :w2-t oa:hasSource :doc ; oa:hasSelector [ oa:start 15 ; oa:end 23 ] ."""
    )
    private = "[withheld: private life, 4 characters]"
    shown = f"| Ana says [withheld: harassment, 10 characters]{private} wrote the parser.\n"
    assert shown in text_of("a1")
    assert "told" not in as_json(text_of.page("n1"))
    assert "| [withheld: harassment, 10 characters]" in text_of("a2")


def test_what_a_record_amounts_to_is_listed_with_rule_and_numbers(text_of: Pages) -> None:
    text_of.add(
        ":before a kg:RecordFact ; rdf:subject :pr-1 ; rdf:predicate kg:startedBefore ; "
        'rdf:object :pr-2 ; kg:seconds 90000 ; kg:rule "record-started-before" ; '
        "prov:wasDerivedFrom :pr-1 .",
        "graph/derived",
    )
    fact = "pr-1 started before pr-2: by 1 day and 1 hour"
    assert (
        f"What the record amounts to (1)\n  {fact}, by the rule 'record-started-before'\n"
    ) in text_of("pr-1")
    page = text_of("before")
    assert f"The record amounts, by the rule 'record-started-before', to: {fact}.\n" in page
    assert "Derived from\n  " in page


def test_a_number_beside_a_statement_is_said_to_settle_nothing(text_of: Pages) -> None:
    text_of.add(
        ":gone a kg:RecordFact ; rdf:subject :bo ; rdf:predicate kg:removedLinesOf ; "
        'rdf:object :pr-1 ; kg:within :pr-1 ; kg:lines 4 ; kg:ofLines 9 ; kg:rule "lines" . '
        ":counted a kg:RecordFinding ; kg:assertion :a8 ; kg:recordFact :gone ; "
        "kg:bearing kg:Measures .",
        "graph/derived",
    )
    assert (
        "the record amounts, by the rule 'lines', to: Bo removed or changed lines of pr-1: "
        "4 of 9 lines, within pr-1 (gone); it bears on, without settling it, a8\n"
    ) in text_of("a8")
