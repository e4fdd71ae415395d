from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest

COVERED = """
:x1 a kg:NonStatement ; oa:hasTarget :x1-t .
:x1-t a oa:SpecificResource ; oa:hasSource :doc ; kg:sha256 "00" ;
  oa:hasSelector [ a oa:TextPositionSelector ; oa:start 0 ; oa:end 9 ] .
:x2 a kg:NonStatement ; oa:hasTarget :x2-t .
:x2-t a oa:SpecificResource ; oa:hasSource :doc ; kg:sha256 "00" ;
  oa:hasSelector [ a oa:TextPositionSelector ; oa:start 40 ; oa:end 42 ] .
"""


def edit(dispute: Path, old: str, new: str) -> None:
    file = dispute / "statements" / "doc.ttl"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def append(dispute: Path, turtle: str) -> None:
    with (dispute / "statements" / "doc.ttl").open("a", encoding="utf-8") as stream:
        stream.write(turtle)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_check_is_silent_when_all_fits(kg, example_dispute: Path) -> None:
    done = kg("--dispute", example_dispute, "passages", "check", "--require-all")
    assert (done.code, done.out) == (0, "")
    assert "4 of 4 passages fit; 0 of 1 texts not at hand" in done.err


def test_check_lists_a_mismatch_with_owner_and_line(kg, example_dispute: Path) -> None:
    edit(example_dispute, "oa:start 9 ; oa:end 40", "oa:start 10 ; oa:end 41")
    done = kg("--dispute", example_dispute, "passages", "check", "--format", "csv")
    assert done.code == 1
    (row,) = rows_of(done.out)
    assert (row["document"], row["passage"], row["owner"]) == ("doc", "t2", "a2")
    assert (row["start"], row["end"], row["fit"]) == ("10", "41", "mismatch")
    assert row["note"] == "text with this digest stands at 9-40"
    file, line = row["where"].rsplit(":", 1)
    source = (example_dispute / "statements" / "doc.ttl").read_text().splitlines()
    assert Path(file).resolve() == (example_dispute / "statements" / "doc.ttl").resolve()
    assert source[int(line) - 1].startswith(":t2 a oa:SpecificResource")


def test_check_reports_a_passage_past_the_end(kg, example_dispute: Path) -> None:
    edit(example_dispute, "oa:start 42 ; oa:end 68", "oa:start 42 ; oa:end 69")
    done = kg("--dispute", example_dispute, "passages", "check")
    assert done.code == 1
    assert "past the end" in done.out
    assert "the text has 68 characters" in done.out


def test_check_reports_another_text_by_length_and_digest(kg, example_dispute: Path) -> None:
    with (example_dispute / "documents" / "doc.txt").open("ab") as stream:
        stream.write(b"\n")
    done = kg("--dispute", example_dispute, "passages", "check", "--format", "csv")
    assert done.code == 1
    (row,) = rows_of(done.out)
    assert (row["document"], row["passage"], row["fit"]) == ("doc", "", "document differs")
    assert "69 characters, not 68" in row["note"]


def test_check_without_any_text_says_how_to_attach(
    kg, example_dispute: Path, tmp_path: Path
) -> None:
    (example_dispute / "documents" / "doc.txt").rename(tmp_path / "mine.text")
    done = kg("--dispute", example_dispute, "passages", "check")
    assert done.code == 2
    assert "kg documents attach" in done.err
    assert "Traceback" not in done.err
    found = kg("--dispute", example_dispute, "passages", "check", "--documents", tmp_path)
    assert found.code == 0


def test_check_reports_missing_texts_and_fails_on_them_if_asked(kg, example_dispute: Path) -> None:
    append(example_dispute, f':other a kg:Document ; kg:length 3 ; kg:sha256 "{"0" * 64}" .\n')
    done = kg("--dispute", example_dispute, "passages", "check")
    assert done.code == 0
    assert "text not attached" in done.out
    assert kg("--dispute", example_dispute, "passages", "check", "--require-all").code == 1


def test_a_text_that_is_not_utf8_is_a_usage_error(kg, example_dispute: Path) -> None:
    (example_dispute / "documents" / "doc.txt").write_bytes(b"\xff")
    done = kg("--dispute", example_dispute, "passages", "check")
    assert done.code == 2
    assert "doc.txt: not UTF-8: byte 0 is 0xff" in done.err


def test_coverage_shows_what_only_a_relay_covers(kg, example_dispute: Path) -> None:
    done = kg("--dispute", example_dispute, "passages", "coverage")
    assert done.code == 1
    assert "'Ana says '" in done.out
    gaps = kg("--dispute", example_dispute, "passages", "coverage", "--gaps", "--format", "csv")
    assert gaps.code == 1
    assert [(row["start"], row["end"], row["covered_by"]) for row in rows_of(gaps.out)] == [
        ("0", "9", "a relay only"),
        ("40", "42", "a relay only"),
    ]


def test_coverage_needs_no_text_and_then_shows_none(kg, example_dispute: Path) -> None:
    (example_dispute / "documents" / "doc.txt").unlink()
    done = kg("--dispute", example_dispute, "passages", "coverage")
    assert done.code == 1
    assert "100.0 %" in done.out
    assert "Ana" not in done.out


def test_coverage_is_content_when_every_character_is_read(kg, example_dispute: Path) -> None:
    append(example_dispute, COVERED)
    done = kg("--dispute", example_dispute, "passages", "coverage", "--format", "json")
    assert (done.code, done.err) == (0, "")
    (row,) = json.loads(done.out)["results"]["bindings"]
    counts = {name: term["value"] for name, term in row.items()}
    assert counts == {
        "document": "doc",
        "characters": "68",
        "accounted": "68",
        "by_statement": "68",
        "assertion": "68",
        "relay_only": "0",
        "withheld": "0",
        "non_statement": "11",
        "gaps": "0",
    }


def test_a_share_is_not_rounded_up_to_all(kg, example_dispute: Path) -> None:
    edit(example_dispute, "kg:length 68", "kg:length 100000")
    append(
        example_dispute,
        ":x3 a kg:Withheld ; oa:hasTarget :x3-t .\n"
        ':x3-t oa:hasSource :doc ; kg:sha256 "00" ; oa:hasSelector [ oa:start 0 ; oa:end 99999 ] .',
    )
    assert "99.9 %" in kg("--dispute", example_dispute, "passages", "coverage").out


def test_coverage_draws_each_document_on_a_terminal(
    kg, example_dispute: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    done = kg("--dispute", example_dispute, "passages", "coverage")
    assert "▒" in done.out
    assert "█" in done.out
    assert "relay only" in done.out


def test_find_prints_a_block_that_then_checks(kg, example_dispute: Path) -> None:
    done = kg("--dispute", example_dispute, "passages", "find", "--document", "doc", "Bo told her")
    assert done.code == 0
    assert done.out.startswith("# doc 9-20, 1 of 1\n:a4-t a oa:SpecificResource ;")
    append(example_dispute, f":a4 a kg:NonStatement ; oa:hasTarget :a4-t .\n{done.out}")
    assert kg("--dispute", example_dispute, "passages", "check").code == 0


def test_find_reads_a_pipe_exactly_or_without_its_last_newline(kg, example_dispute: Path) -> None:
    exact = kg("--dispute", example_dispute, "passages", "find", "-", stdin=b"the parser")
    assert (exact.code, exact.err) == (0, "")
    ended = kg("--dispute", example_dispute, "passages", "find", "-", stdin=b"the parser\n")
    assert ended.code == 0
    assert ended.out == exact.out
    assert "last newline" in ended.err


def test_find_says_what_is_near_and_fails(kg, example_dispute: Path) -> None:
    done = kg("--dispute", example_dispute, "passages", "find", "the  Parser")
    assert (done.code, done.out) == (1, "")
    assert "several of" in done.err
    assert "30-40" in done.err


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        ([""], b"", "no text to find"),
        (["-"], b"\xff", "not UTF-8"),
        (["--document", "dog", "x"], b"", "Did you mean 'doc'?"),
        (["--nth", "9", "Bo"], b"", "2 times, not 9"),
        (["--name", "a b", "Bo"], b"", "cannot be a short name"),
    ],
)
def test_find_refuses_what_it_cannot_use(
    kg, example_dispute: Path, arguments: list[str], stdin: bytes, message: str
) -> None:
    done = kg("--dispute", example_dispute, "passages", "find", *arguments, stdin=stdin)
    assert done.code == 2
    assert message in done.err


def test_an_argument_that_is_not_unicode_is_refused(kg, example_dispute: Path) -> None:
    done = kg("--dispute", example_dispute, "passages", "find", "caf\udce9")
    assert done.code in (1, 2)
    assert "Traceback" not in done.err
