"""What a brief says, against what a reader of the invented dispute works out by hand."""

from __future__ import annotations

import re

import pytest

from kg.brief.model import Claim, Contrast, Part, Section, Sentence, Told, sentences_of
from kg.brief.summary import summary
from kg.brief.voices import Voices
from kg.namespaces import shorten
from kg.rows import select, string
from tests.brief.conftest import Made


def section(made: Made, key: str) -> Section:
    [found] = [one for one in made.brief.sections if one.key == key]
    return found


def part(made: Made, key: str, title: str) -> Part:
    [found] = [one for one in section(made, key).parts if one.title == title]
    return found


def linked(made: Made, *sentences: Sentence) -> set[str]:
    return {shorten(link, made.dispute.base) for one in sentences for link in one.links}


def test_every_sentence_stands_on_something_that_the_graph_holds(shipped_brief: Made) -> None:
    sentences = list(shipped_brief.brief.sentences())
    assert len(sentences) > 100
    assert [one.text for one in sentences if not one.links] == []
    links = {link for one in sentences for link in one.links}
    held = {
        string(row, "thing")
        for row in select(
            shipped_brief.engine,
            "SELECT DISTINCT ?thing WHERE { VALUES ?thing { $about } ?thing a ?type } "
            "ORDER BY ?thing",
            sorted(links),
        )
    }
    assert links - held == set()
    assert {entry.iri for entry in shipped_brief.brief.entries} == links


def test_statements_are_cited_as_statements_and_tell_place_and_chain(shipped_brief: Made) -> None:
    entries = {entry.iri: entry for entry in shipped_brief.brief.entries}
    assertions = {
        string(row, "one")
        for row in select(
            shipped_brief.engine, "SELECT ?one WHERE { ?one a kg:Assertion } ORDER BY ?one"
        )
    }
    cited = [entries[iri] for iri in entries.keys() & assertions]
    assert len(cited) > 30
    for entry in cited:
        assert entry.kind == "statement"
        assert entry.text
        assert entry.place


def test_the_sections_stand_in_a_fixed_order(shipped_brief: Made) -> None:
    assert [one.key for one in shipped_brief.brief.sections] == [
        "parties",
        "agreements",
        "contradictions",
        "record",
        "unanswered",
        "unverified",
        "positions",
        "withheld",
        "encoding",
    ]


def test_common_ground(tideline: Made) -> None:
    claims = {one.words: one for one in section(tideline, "agreements").filled}
    assert set(claims) == {
        "“Orla Quillfeather wrote the solver of pull request 4”",
        "“Bram Saltmarsh knew of Orla Quillfeather's branch in March 2024”",
        "“Bram Saltmarsh wrote the cache”",
        "“Release notes should name whoever wrote the code”",
        "“Bram Saltmarsh apologized to Orla Quillfeather”",
    }
    cache = claims["“Bram Saltmarsh wrote the cache”"]
    assert [voice.text for voice in cache.voices] == [
        "Orla Quillfeather grants that it is so (quillfeather-letter 1033-1073).",
        "Bram Saltmarsh says that it is so (saltmarsh-answer 1052-1071).",
    ]


def test_what_is_denied_stands_beside_its_denial(tideline: Made) -> None:
    every = part(tideline, "contradictions", "Between the sides").items
    [knew] = [one for one in every if isinstance(one, Contrast) and "knew" in one.claim.words]
    assert knew.claim.words.startswith("Said to be so: ")
    assert knew.counterclaim.words.startswith("Said not to be so: ")
    assert linked(tideline, *knew.claim.voices) == {"letter-17", "letter-20", "answer-14"}
    assert linked(tideline, *knew.counterclaim.voices) == {"letter-16", "answer-16"}
    notes = [note.text for note in knew.notes]
    assert "By the rule “held-by”, Bram Saltmarsh stands behind both." in notes
    # He took it back, and his friends would say so.
    assert any("supersession" in note and "replaces" in note for note in notes)
    # Ivo stands behind both only if he is the user tidewatch.
    [ivo] = [note for note in knew.notes if "Ivo Sandpiper stands" in note.text]
    assert ivo.text.endswith("if the words of the user tidewatch count as those of Ivo Sandpiper.")
    assert "judgement-tidewatch" in linked(tideline, ivo)


def test_nobody_is_held_to_what_they_only_report(tideline: Made) -> None:
    rejected = [
        voice.text
        for contrast in tideline.brief.sections[2].filled
        for one in sentences_of(contrast)
        for voice in [one]
        if "answer-16" in linked(tideline, voice) and "says" in voice.text
    ]
    assert (
        "Ivo Sandpiper says that it is not so, as Bram Saltmarsh reports, rejecting it "
        "(saltmarsh-answer 608-634)." in rejected
    )


def test_a_scope_or_a_time_dissolves_what_only_seems_to_contradict(tideline: Made) -> None:
    notes = [
        note.text
        for one in part(tideline, "contradictions", "What only seems to contradict").items
        if isinstance(one, Contrast)
        for note in one.notes
    ]
    assert notes == [
        "As encoded, the first is said within “Port Aldwick”, the second within “the Mire "
        "estuary”.",
        "The two are said of different times.",
    ]


def test_the_record_beside_what_is_said(tideline: Made) -> None:
    against = {
        one.words
        for one in part(tideline, "record", "It conflicts with").items
        if isinstance(one, Claim)
    }
    assert against == {
        "“Pull request 4 holds three commits”",
        "“Bram Saltmarsh squashed the commits of pull request 4 into one”",
        "“Bram Saltmarsh wrote the solver of pull request 4”",
    }
    [three] = [
        one
        for one in part(tideline, "record", "It conflicts with").items
        if isinstance(one, Claim) and "three" in one.words
    ]
    assert three.voices[-1].text == (
        "Git history of tideline, by the rule “record-commit-count”: pull request 4 holds "
        "2 commits."
    )


def test_what_was_never_answered_counts_questions_too(tideline: Made) -> None:
    bram = part(tideline, "unanswered", "Said of the side of Bram Saltmarsh")
    orla = part(tideline, "unanswered", "Said of the side of Orla Quillfeather")
    assert linked(tideline, *(s for one in bram.items for s in sentences_of(one))) == {
        "letter-09",
        "letter-12",
        "letter-13",
        "letter-28",
    }
    # Nobody of her side says why she closed it; that she did, she denies by naming him.
    assert linked(tideline, *(s for one in orla.items for s in sentences_of(one))) == {
        "answer-06",
        "answer-11",
    }


def test_what_names_the_code_comes_first_and_then_what_more_voices_say(shipped_brief: Made) -> None:
    code = {
        string(row, "label")
        for row in select(
            shipped_brief.engine,
            "SELECT ?label WHERE { ?p a kg:Proposition ; rdfs:label ?label ; "
            "rdf:subject|rdf:object|kg:scope ?thing . ?thing a ?kind . VALUES ?kind { "
            "kg:PullRequest kg:Issue kg:SourceCode kg:FileFormat kg:Repository kg:Commit } } "
            "ORDER BY ?label",
        )
    }
    for one in section(shipped_brief, "unanswered").parts:
        claims = [item for item in one.items if isinstance(item, Claim)]
        keys = [
            (
                claim.words.partition("“")[2].rstrip("”") not in code,
                -len({name.removesuffix(" (as reported)") for name in claim.who}),
            )
            for claim in claims
        ]
        assert keys == sorted(keys)


def test_the_brief_and_the_report_count_the_same_as_unanswered(shipped_brief: Made) -> None:
    """But for what is only asked, which the brief tells apart."""
    report = summary(shipped_brief.engine, shipped_brief.dispute)
    for balance in report.balance:
        if not balance.side:
            continue
        items = part(shipped_brief, "unanswered", f"Said of the side of {balance.name}").items
        texts = [one.text for one in items if isinstance(one, Sentence)]
        counts = {
            key: [int(found.group(1)) for text in texts if (found := re.search(pattern, text))]
            for key, pattern in (
                ("more", r"^So it is with (\d+) more"),
                ("asked", r"^Of these \d+, (\d+) (?:is|are) only asked"),
            )
        }
        whole = sum(isinstance(one, Claim) for one in items) + sum(counts["more"])
        assert whole - sum(counts["asked"]) == balance.unanswered


def test_each_side_is_given_as_much_room(shipped_brief: Made) -> None:
    parts = [p for p in section(shipped_brief, "unanswered").parts if p.title.startswith("Said of")]
    assert len(parts) == 2
    assert all(sum(isinstance(one, Claim) for one in p.items) <= 8 for p in parts)


def test_a_persona_is_shown_with_every_judgement(tideline: Made) -> None:
    tidewatch = part(tideline, "unverified", "The user tidewatch")
    texts = [one.text for one in tidewatch.items if isinstance(one, Sentence)]
    assert any(
        text.startswith("Orla Quillfeather (2024-06-02), on whether the two are the same: same")
        for text in texts
    )
    assert texts[0].endswith("the rules count the two as one.")
    orla = part(tideline, "unverified", "Poster on the harbour board who signs as Orla")
    first = orla.items[0]
    assert isinstance(first, Sentence)
    assert first.text.endswith("the rules do not count the two as one.")


def test_the_positions_are_counted_as_kg_positions_counts_them(tideline: Made) -> None:
    counts = section(tideline, "positions").parts[0].items[0]
    assert isinstance(counts, Sentence)
    rejected = part(tideline, "positions", "Rejected").items
    found = linked(tideline, *(one for item in rejected for one in sentences_of(item)))
    assert {"letter-04", "letter-08", "answer-18"} <= found
    assert " 4 rejected " in counts.text


@pytest.mark.parametrize("word", ["barnacle", "deckhand", "brother", "boat that winter", "soured"])
def test_no_withheld_word_appears(tideline: Made, word: str) -> None:
    from kg.brief.html import as_html
    from kg.brief.markdown import as_markdown

    for page in (as_markdown(tideline.brief), as_html(tideline.brief)):
        assert word not in page


def test_withheld_passages_are_told_by_category_only(tideline: Made) -> None:
    texts = [one.text for one in section(tideline, "withheld").filled if isinstance(one, Sentence)]
    assert texts == [
        "The encoders withheld 1 passage of quillfeather-letter, 67 characters, as harassment (a "
        "slur, an insult or a sexual remark).",
        "The encoders withheld 1 passage of saltmarsh-answer, 67 characters, as private life (a "
        "remark on somebody's family, looks, means or other private matters).",
    ]


@pytest.mark.shared
def test_no_run_of_withheld_words_of_the_real_documents_appears(
    made: object, shared_dir: object
) -> None:
    """Three words in a row of a withheld passage would show what it says."""
    from kg.brief.html import as_html
    from kg.documents import texts_of

    assert callable(made)
    found = made("llama-mmap")
    seeds = shared_dir / "seeds"  # type: ignore[operator]
    texts = texts_of(found.dispute, found.engine, seeds)
    rows = select(
        found.engine,
        "SELECT ?document ?start ?end WHERE { ?w a kg:Withheld ; oa:hasTarget ?t . "
        "?t oa:hasSource ?document ; oa:hasSelector ?s . ?s oa:start ?start ; oa:end ?end } "
        "ORDER BY ?document ?start",
    )
    assert rows
    page = " ".join(as_html(found.brief).lower().split())
    for row in rows:
        text = texts[string(row, "document")].text
        words = text[int(string(row, "start")) : int(string(row, "end"))].lower().split()
        for place in range(len(words) - 2):
            run = " ".join(words[place : place + 3])
            # The words of common speech occur everywhere; a name or a term does not.
            if any(len(word) > 6 for word in words[place : place + 3]):
                assert run not in page, (row, place)


def test_voices_heard_through_the_same_others_share_a_sentence(made: object) -> None:
    assert callable(made)
    found = made("llama-mmap")
    [claim] = [
        one.claim
        for one in part(found, "contradictions", "Between the sides").items
        if isinstance(one, Contrast) and one.claim.words.endswith("“slaren's Windows code works”")
    ]
    [voice] = claim.voices
    assert voice.text.startswith(
        "author of a reply signed with slaren's name and commenter quoted from archived page YnSNE "
        "say that it is so, as author of the anonymous page reports, backing it ("
    )
    assert linked(found, voice) == {"jarted-148", "jarted-188"}


def test_voices_that_are_read_first_hand_have_a_sentence_each(tideline: Made) -> None:
    [cache] = [
        one
        for one in section(tideline, "agreements").filled
        if isinstance(one, Claim) and "wrote the cache" in one.words
    ]
    assert [len(voice.links) for voice in cache.voices] == [1, 1]


def test_hearsay_names_the_most_heard_and_cites_the_rest(made: object) -> None:
    assert callable(made)
    items = part(made("llama-mmap"), "unverified", "Hearsay only").items
    assert items
    for one in items:
        assert isinstance(one, Sentence)
        assert len(re.findall(r"\d+ statements? of ", one.text)) == 6
        assert re.search(r"; \d+ statements? of \d+ others\.$", one.text)
        assert one.runs[-2].links


def test_what_one_voice_repeats_is_told_once(made: object) -> None:
    assert callable(made)
    found = made("llama-mmap")
    wrote = [
        one
        for one in part(found, "record", "It is silent on").items
        if isinstance(one, Claim) and one.words == "“Tunney wrote the mmap loading change”"
    ]
    [claim] = wrote
    repeated = [voice for voice in claim.voices if len(voice.links) > 1]
    assert repeated
    assert len({voice.text for voice in claim.voices}) == len(claim.voices)


def test_the_record_counts_where_it_cannot_settle(tideline: Made) -> None:
    [claim] = part(tideline, "record", "It counts, and does not settle").items
    assert isinstance(claim, Claim)
    assert claim.words == "“Bram Saltmarsh rewrote the solver of pull request 4”"
    counted = [one for one in claim.voices if "record-rewriting" in one.text]
    assert len(counted) == 2
    assert all("changed 0 of 6 lines of pull request 4; counted are" in one.text for one in counted)
    assert "bram-saltmarsh--record-removedLinesOf--pr-4--pr-7" in linked(tideline, *counted)
    for title in ("It corroborates", "It conflicts with", "It is silent on"):
        said = [one for one in part(tideline, "record", title).items if isinstance(one, Claim)]
        assert claim.words not in {one.words for one in said}


def test_the_record_names_others_than_the_one_who_is_spoken_of(tideline: Made) -> None:
    [claim] = [
        one
        for one in part(tideline, "record", "It conflicts with").items
        if isinstance(one, Claim) and "Bram Saltmarsh wrote the solver" in one.words
    ]
    assert claim.voices[-1].text == (
        "Git history of tideline, by the rule “record-names”: pull request 4 names only Orla "
        "Quillfeather as author or co-author, and not Bram Saltmarsh."
    )


def test_the_scope_of_a_claim_stands_beside_the_record(made: object) -> None:
    assert callable(made)
    said = {
        one.words
        for one in part(made("llama-mmap"), "record", "It corroborates").items
        if isinstance(one, Claim)
    }
    assert (
        "“slaren wrote all the code that does the memory mapping” (as encoded, within pull request "
        "586)"
    ) in said
    # A gloss that names it needs no more.
    assert "“slaren contributed code to the mmap loading change in pull request 613”" in said


def test_whose_name_commits_keep_is_counted_and_set_beside_what_is_said(made: object) -> None:
    assert callable(made)
    found = made("llama-mmap")
    kept = (
        "Git history of llama.cpp, by the rule “record-credit-kept”: 6 of 6 commits of slaren that "
        "Justine Tunney committed again, one by one or squashed, name slaren as author or "
        "co-author."
    )
    [fact] = part(found, "record", "What it holds of names").items
    assert isinstance(fact, Sentence)
    assert fact.text == kept
    beside = {
        one.words: one.voices[-1].text
        for one in part(found, "record", "It counts, and does not settle").items
        if isinstance(one, Claim)
    }
    [care] = [words for words in beside if "took care" in words]
    assert beside[care] == kept


def test_the_record_tells_times_and_lines_in_plain_words(tideline: Made) -> None:
    times, lines = (
        " ".join(
            said.text for one in part(tideline, "record", title).items for said in sentences_of(one)
        )
        for title in ("What it holds of times", "What it holds of lines")
    )
    assert (
        "the first commit of pull request 4 is older than that of pull request 7 by 38 days and 11 "
        "hours"
    ) in times
    assert (
        "from the first to the last author time in pull request 7 it is 39 days and 19 hours, from "
        "the first to the last commit time 1 day and 8 hours."
    ) in times
    assert (
        "2 commits of pull request 4 stand again in pull request 7, 37 days and 19 hours to 38 "
        "days and 11 hours after being written"
    ) in times
    assert "Orla Quillfeather was the first to add 2 of 3 lines that pull request 7 adds." in lines
    assert (
        "pull request 7 holds 2 commits of pull request 4 with the same patches, and with them all "
        "of its added lines."
    ) in lines
    # What a number counts is said once for all that are counted alike.
    assert lines.count("counted are the lines of blocks") == 1
    assert lines.count("counted is what the patches add as they landed") == 1
    # Nobody speaks of pull request 2.
    assert "pull request 2" not in times + lines


def test_of_times_and_lines_what_less_is_said_of_is_counted_and_cited(made: object) -> None:
    assert callable(made)
    found = made("llama-mmap")
    left_out = {}
    for title in ("What it holds of times", "What it holds of lines"):
        *shown, left = part(found, "record", title).items
        assert isinstance(left, Sentence)
        left_out[left.text] = linked(found, left)
        told = [said for one in shown for said in sentences_of(one)]
        assert not any("pull request 341" in one.text for one in told)
        # Who added how many lines of one pull request is told of everybody, or of nobody.
        assert not linked(found, *told) & linked(found, left)
    assert left_out == {
        "On pull request 341, of which less is said, it holds 2 more (query “record-times”).": {
            "pr-341--record-authoredOver",
            "pr-341--record-committedOver",
        },
        "On pull request 341 and pull request 545, of which less is said, it holds 4 more (query "
        "“record-lines”).": {
            "comex--record-firstAddedLinesOf--pr-545",
            "justine-tunney--record-firstAddedLinesOf--pr-341",
            "okatanaaa--record-firstAddedLinesOf--pr-341",
            "okatanaaa--record-removedLinesOf--justine-tunney--pr-341",
        },
    }
    [lines, *_] = part(found, "record", "What it holds of lines").items
    assert isinstance(lines, Told)
    assert len(lines.facts) == 3


def test_where_the_record_is_silent_it_says_why(made: object) -> None:
    assert callable(made)
    found = made("llama-mmap")
    silent = [
        one for one in part(found, "record", "It is silent on").items if isinstance(one, Claim)
    ]
    assert len(silent) > 5
    for claim in silent:
        assert claim.voices[-1].text.startswith("The record is silent: ")
        assert claim.voices[-1].links
    why = {claim.words: claim.voices[-1].text for claim in silent}
    assert why["“Tunney wrote the mmap loading change”"] == (
        "The record is silent: it has no entry for the mmap loading change as a whole; for pull "
        "request 586, pull request 613 see what it holds of names and of lines."
    )
    assert why["“Tunney is a co-author of pull request 586”"] == (
        "The record is silent: none of the commits that are spoken of names this co-author; what "
        "the description of a pull request says is not in git."
    )


def test_a_party_without_a_document_is_said_to_have_none(made: object) -> None:
    assert callable(made)
    found = made("llama-mmap")
    texts = [one.text for one in section(found, "parties").filled if isinstance(one, Sentence)]
    assert any(text.startswith("No document is by slaren; ") for text in texts)
    assert not any(text.startswith("No document is by Justine") for text in texts)


def test_whoever_backs_a_report_is_not_said_to_back_what_it_rejects(made: object) -> None:
    """The page backs a reply that rejects what Tunney is said to have said."""
    assert callable(made)
    found = made("llama-mmap")
    voices = Voices(found.engine, found.dispute.base)
    base = found.dispute.base
    assert voices.reports(f"{base}jarted-147") == (
        ", as author of a reply signed with slaren's name reports, rejecting it, and author of the "
        "anonymous page, backing the report"
    )
    assert voices.reports(f"{base}jarted-005") == (
        ", as poster of board post 92496247 and author of the anonymous page report, backing it"
    )
    assert voices.reports(f"{base}tunney-011") == ""
