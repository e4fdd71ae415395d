"""What the stored queries answer on the shipped dispute: the facts a reader would look for first.

Statements are found by what they speak to, never by number, so that numbering them anew breaks
nothing. Whole tables are not compared; ``tests/queries`` does that on graphs made for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from kg.checks import run_checks
from kg.dispute import Dispute, open_dispute
from kg.embedded import EmbeddedEngine
from kg.engine import Rows, Term
from kg.namespaces import shorten
from kg.parameters import split_pairs, to_terms
from kg.preparing import staged
from kg.rows import select
from kg.stored_query import bind, catalogue, find_query

Row = dict[str, str]
STANCES = "kg:affirms|kg:denies|kg:doubts|kg:asks|kg:concedes"


@dataclass(frozen=True)
class Shipped:
    """The shipped dispute as it is now, and how to ask it."""

    dispute: Dispute
    engine: EmbeddedEngine

    def short(self, term: Term | None) -> str:
        return "" if term is None else shorten(str(term.value), self.dispute.base)

    def rows(self, name: str, **given: str) -> list[Row]:
        """The rows of a stored query, with short names; given parameters as a person types them."""
        query = find_query(self.dispute, name)
        pairs = split_pairs(query, [f"{key}={value}" for key, value in given.items()])
        terms = to_terms(query, pairs, self.engine, self.dispute.base)
        answer = self.engine.query(bind(query, terms))
        assert isinstance(answer, Rows)
        return [dict(zip(answer.columns, map(self.short, row), strict=True)) for row in answer.rows]

    def about(self, statement: str) -> str:
        """The proposition that a statement takes a stance on."""
        [row] = select(
            self.engine,
            "SELECT DISTINCT ?p { VALUES ?s { $about } ?s " + STANCES + " ?p }",
            [self.dispute.base + statement],
        )
        return self.short(row["p"])

    def propositions(self, rows: list[Row], column: str = "statement") -> set[str]:
        return {self.about(row[column]) for row in rows}


@pytest.fixture(scope="session")
def shipped_dispute() -> Shipped:
    dispute = open_dispute("llama-mmap")
    return Shipped(dispute, staged(dispute))


@pytest.fixture
def rows(shipped_dispute: Shipped) -> Callable[..., list[Row]]:
    return shipped_dispute.rows


def matters(ask: Shipped) -> dict[frozenset[str], list[Row]]:
    """The rows of 'contradictions' by the propositions they set against each other."""
    found: dict[frozenset[str], list[Row]] = {}
    for row in ask.rows("contradictions"):
        pair = frozenset(ask.about(row[end]) for end in ("statement", "against"))
        found.setdefault(pair, []).append(row)
    return found


def test_no_check_finds_anything(shipped_dispute: Shipped) -> None:
    assert len(catalogue(shipped_dispute.dispute, "check")) >= 10
    assert run_checks(shipped_dispute.engine, shipped_dispute.dispute) == []


def test_squashed_stands_against_carried_over(shipped_dispute: Shipped) -> None:
    [row] = matters(shipped_dispute)[frozenset({"p-tunney-squashed", "p-carried-over"})]
    assert row["rule"] == "opposite-relation (contrary)"
    sides = {row["claim"]: row["place"], row["counterclaim"]: row["counterplace"]}
    [squashed] = [place for claim, place in sides.items() if "squashed" in claim]
    [carried] = [place for claim, place in sides.items() if "Justine Tunney says" in claim]
    assert "through 2 reports, backed by author of the anonymous page and poster" in squashed
    assert carried.endswith("first hand")


def test_she_denies_the_dispute_that_the_mail_speaks_of(shipped_dispute: Shipped) -> None:
    [row] = matters(shipped_dispute)[frozenset({"p-has-dispute"})]
    assert row["rule"] == "denial (contradictory)"
    assert row["claim"].startswith("Wendy Hanamura says it is so")
    assert row["counterclaim"].startswith("Justine Tunney says it is not so")
    # She reports the mail in order to reject it: the report makes nothing of it her own.
    assert row["place"].endswith("through 1 report, backed by nobody")


def test_who_closed_586_is_contested_within_one_page(shipped_dispute: Shipped) -> None:
    found = matters(shipped_dispute)[frozenset({"p-slaren-closed-586", "p-tunney-closed-586"})]
    assert {row["rule"] for row in found} == {"exclusive-value (contrary)"}
    contested = {
        frozenset((row["proposition"], row["against"])): row
        for row in shipped_dispute.rows("contested")
    }
    row = contested[frozenset({"p-slaren-closed-586", "p-tunney-closed-586"})]
    assert int(row["contradictions"]) == len(found)
    # The other one lies between two things that Tunney is only reported to have said of memory use.
    holders = {row["agent"] for row in shipped_dispute.rows("self-contradictions")}
    assert holders == {"jarted-author", "justine-tunney"}
    assert frozenset({"p-memory-tenth"}) in matters(shipped_dispute)


def test_responsibility_and_the_windows_code_are_denied(shipped_dispute: Shipped) -> None:
    found = matters(shipped_dispute)
    assert frozenset({"p-slaren-responsible"}) in found
    assert frozenset({"p-win32-slaren-works"}) in found
    assert frozenset({"p-slaren-incited", "p-slaren-responsible"}) in found


def test_declared_contradictions_come_with_grounds(shipped_dispute: Shipped) -> None:
    for row in shipped_dispute.rows("contradictions"):
        assert row["rule"].startswith("declared") == bool(row["grounds"])


def test_lines_in_586_and_in_613_only_seem_to_contradict(shipped_dispute: Shipped) -> None:
    pair = {"p-tunney-code-586", "p-tunney-code-613"}
    settings = {
        frozenset({row["setting"].split(":")[0], row["other_setting"].split(":")[0]})
        for row in shipped_dispute.rows("apparent-contradictions")
        if {shipped_dispute.about(row["statement"]), shipped_dispute.about(row["against"])} == pair
    }
    assert settings == {frozenset({"pull request 586", "pull request 613"})}
    assert frozenset(pair) not in matters(shipped_dispute)


def test_both_sides_say_that_slaren_left_the_server(rows: Callable[..., list[Row]]) -> None:
    common = rows("common-ground")
    shared = {row["proposition"] for row in common}
    assert {"p-slaren-left", "p-613-on-586", "p-collaborated", "p-tunney-opened-613"} <= shared
    # One side's word on itself, quoted by the other without approval, is no common ground.
    assert "p-tunney-authored-change" not in shared
    assert "p-tunney-closed-586" not in shared


def test_what_she_never_speaks_to(rows: Callable[..., list[Row]]) -> None:
    left = {row["proposition"] for row in rows("unanswered", about="justine-tunney")}
    assert {"p-tunney-asked-close", "p-knew-545", "p-magic-initials", "p-rushed"} <= left
    # Answered: by denial, by an opposite, by saying the same, by another scope.
    assert left.isdisjoint(
        {"p-slaren-left", "p-tunney-squashed", "p-tunney-opened-613", "p-apology-harassment"}
    )
    assert {row["about"] for row in rows("unanswered")} >= {"justine-tunney", "slaren"}


def test_no_persona_is_joined_to_slaren(rows: Callable[..., list[Row]]) -> None:
    personas = [row for row in rows("personas") if row["persona"].startswith("persona-")]
    assert {row["claims_to_be"] for row in personas} == {"slaren"}
    assert {row["joined"] for row in personas} == {"no"}
    verdicts = {(row["judged_by"], row["verdict"]) for row in personas}
    assert ("the Counterclaim encoders", "unsure") in verdicts
    assert ("author of the anonymous page", "same") in verdicts
    assert sum(int(row["contradictions"]) for row in personas) > 0
    # So what they say is not among what slaren says.
    voices = {row["voice"] for row in rows("claims-by", speaker="slaren")}
    assert voices == {"slaren"}


def test_the_record_has_six_commits_where_seven_are_spoken_of(shipped_dispute: Shipped) -> None:
    found = shipped_dispute.rows("record-check")
    by_bearing = {
        bearing: shipped_dispute.propositions([r for r in found if r["record"] == bearing])
        for bearing in ("for", "against", "silent")
    }
    assert by_bearing["against"] == {"p-slaren-seven-commits", "p-tunney-squashed"}
    assert {"p-carried-over", "p-613-on-586", "p-slaren-all-mmap"} <= by_bearing["for"]
    assert "p-kernels" in by_bearing["silent"]
    [seven] = [
        row for row in found if shipped_dispute.about(row["statement"]) == "p-slaren-seven-commits"
    ]
    assert seven["shown"].endswith("commit count 6")
    # The record knows nothing of who opened or closed a pull request.
    known = set().union(*by_bearing.values())
    assert known.isdisjoint({"p-tunney-closed-586", "p-slaren-opened-586"})


def test_rewriting_is_counted_and_not_judged(
    rows: Callable[..., list[Row]], shipped_dispute: Shipped
) -> None:
    found = [
        row
        for row in rows("record-check")
        if shipped_dispute.about(row["statement"]) == "p-tunney-rewrote"
    ]
    assert {row["record"] for row in found} == {"counted"}
    assert {row["shown"] for row in found} == {
        "Justine Tunney removed or changed lines of pull request 586: mmap support for model "
        f"files: 85 of 140 lines, within {place}"
        for place in (
            "pull request 613: faster loading of weights",
            "the main branch of llama.cpp",
        )
    }
    counted = {
        (row["who"], row["did"], row["whose"], row["lines"], row["of_lines"])
        for row in rows("record-lines", place="pr-613")
    }
    added, removed = "first added lines that it adds", "removed or changed lines"
    whole = "pull request 586: mmap support for model files"
    assert counted == {
        ("slaren", added, "", "93", "671"),
        ("Justine Tunney", added, "", "578", "671"),
        ("Justine Tunney", removed, "slaren", "85", ""),
        ("Justine Tunney", removed, whole, "85", "140"),
    }


def test_who_first_added_the_lines_of_pull_request_613(rows: Callable[..., list[Row]]) -> None:
    """As git tells it: the blocks of pull request 586, in the commits that carried it over."""
    found = rows("line-origins", place="pr-613")
    assert sum(int(row["lines"]) for row in found) == 671
    carried = [row for row in found if row["first_author"] == "Slaren"]
    assert sum(int(row["lines"]) for row in carried) == 93
    # In commits that name him too, and each was there before.
    assert {row["author"] for row in carried} == {"Slaren"}
    assert all(row["commit"] != row["first_commit"] for row in carried)
    assert "ef9afe1540" in {row["first_commit"] for row in carried}
    rest = [row for row in found if row not in carried]
    assert {(row["author"], row["first_author"]) for row in rest} == {("Justine Tunney",) * 2}


def test_times_between_the_commits_as_git_has_them(rows: Callable[..., list[Row]]) -> None:
    found = {(row["event"], row["other"]): row for row in rows("record-times", request="pr-586")}
    [before] = [row for (event, _), row in found.items() if event.startswith("from its first")]
    # From 2023-03-29T02:20:23+02:00 to 2023-03-29T16:36:24-07:00.
    assert (before["seconds"], before["time"]) == ("83761", "0 d 23 h 16 min")
    [least] = [row for (event, other), row in found.items() if "613" in other and "least" in event]
    [most] = [row for (event, other), row in found.items() if "613" in other and "most" in event]
    assert (least["seconds"], most["seconds"]) == ("11628", "84761")
    assert found["from the first author time to the last", ""]["seconds"] == "73133"


def test_pull_request_586_has_two_said_to_have_closed_it(rows: Callable[..., list[Row]]) -> None:
    found = rows("pull-request", request="pr-586")
    by_relation: dict[str, set[tuple[str, str]]] = {}
    for row in found:
        by_relation.setdefault(row["relation"], set()).add((row["who"], row["stance"]))
    assert {who for who, _ in by_relation["closed"]} == {"Justine Tunney", "slaren"}
    assert by_relation["opened"] == {("slaren", "said to be so")}
    assert ("slaren", "shown") in by_relation["authored"]
    assert ("Justine Tunney", "said not to be so") in by_relation["contributed code to"]


def test_six_commits_of_586_were_carried_into_613(rows: Callable[..., list[Row]]) -> None:
    found = [row for row in rows("commits-carried-over") if row["copy_in"] == "pr-613"]
    assert len(found) == 6
    assert {row["request"] for row in found} == {"pr-586"}
    assert {row["author"] for row in found} == {"Slaren"}
    assert {row["copied_by"] for row in found} == {"Justine Tunney"}


def test_a_quoted_phrase_comes_through_three_mouths(shipped_dispute: Shipped) -> None:
    chains: dict[str, list[Row]] = {}
    for row in shipped_dispute.rows("said-by-whom"):
        chains.setdefault(row["statement"], []).append(row)
    longest = max(chains.values(), key=len)
    assert [row["step"] for row in longest] == ["0", "1", "2", "3"]
    assert longest[0]["voice"] == "author of the anonymous page"
    assert longest[-1]["voice"] == "Justine Tunney"
    assert "neutral" in {row["backing"] for row in longest}


def test_hearsay_is_told_from_what_an_author_says(rows: Callable[..., list[Row]]) -> None:
    found = {(row["proposition"], row["speaker_name"]) for row in rows("hearsay-only")}
    assert ("p-has-dispute", "Wendy Hanamura") in found
    assert ("p-slaren-all-mmap", "slaren") in found
    assert not {proposition for proposition, _ in found} & {"p-carried-over", "p-slaren-left"}


def test_a_tenth_of_the_memory_and_half_of_it(shipped_dispute: Shipped) -> None:
    pairs = {
        (shipped_dispute.about(row["statement"]), shipped_dispute.about(row["weaker"]))
        for row in shipped_dispute.rows("restatements", speaker="justine-tunney")
    }
    assert ("p-memory-tenth", "p-memory-half") in pairs


def test_credit_is_given_shared_and_said_to_be_taken(rows: Callable[..., list[Row]]) -> None:
    found = {(row["speaker"], row["whom"], row["relation"]) for row in rows("credit")}
    assert ("Justine Tunney", "Justine Tunney", "sought shared credit for") in found
    assert ("slaren", "slaren", "sole author of") in found
    assert any(relation == "took sole credit for" for _, _, relation in found)


def test_the_timeline_is_in_order_of_moments_not_of_texts(rows: Callable[..., list[Row]]) -> None:
    found = rows("timeline")
    assert {row["kind"] for row in found} >= {"said to have happened", "committed", "published"}
    times = [row["time"] for row in found]
    assert times.index("2023-03-29T22:22:36+02:00") < times.index("2023-03-29T16:36:24-07:00")
    later = rows("timeline", after="2024")
    assert {row["time"][:4] for row in later} == {"2024", "2025"}


def test_counts_of_sources_withheld_passages_and_speakers(rows: Callable[..., list[Row]]) -> None:
    assert len({row["source"] for row in rows("citations")}) >= 25
    withheld = {(row["document"], row["category"]) for row in rows("withheld")}
    assert ("jarted-page", "harassment") in withheld
    assert ("tunney-account", "special category") in withheld
    speakers = {row["speaker"]: row for row in rows("speakers")}
    assert int(speakers["justine-tunney"]["first_hand"]) > 90
    assert speakers["slaren"]["first_hand"] == "0"
    kinds = {row["kind"] for row in rows("coverage")}
    assert kinds == {"statement", "report", "withheld", "states nothing"}


def test_what_is_said_of_a_commit_is_what_is_said_of_its_pull_request(
    rows: Callable[..., list[Row]],
) -> None:
    [first, *_] = rows("commits-carried-over", request="pr-586")
    of_commit = {row["statement"] for row in rows("claims-about", thing=first["commit"])}
    of_request = {row["statement"] for row in rows("claims-about", thing="pr-586")}
    assert of_commit
    assert of_commit == of_request
