"""Finding a dispute folder, and what is said about a folder that is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg import dispute as module
from kg.dispute import open_dispute, shipped_disputes
from kg.errors import DisputeError, SourceError
from kg.sources import read_source

BASE = "https://w3id.org/counterclaim/example/"


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, example_dispute: Path) -> Path:
    """An installation whose one shipped dispute is called llama-mmap."""
    data = tmp_path / "data"
    data.mkdir()
    example_dispute.rename(data / "llama-mmap")
    monkeypatch.setattr(module, "shipped", lambda _: data)
    return data / "llama-mmap"


def test_a_folder_is_read(example_dispute: Path) -> None:
    dispute = open_dispute(str(example_dispute))
    assert dispute.folder == example_dispute.resolve()
    assert dispute.iri == dispute.base == BASE
    assert dispute.title == "Who wrote the parser"
    assert dispute.derived_graph == f"{BASE}graph/derived"
    assert [(s.name, s.kind) for s in dispute.sources] == [
        ("dispute", "dispute"),
        ("agents", "agents"),
        ("artifacts", "artifacts"),
        ("statements/doc", "statements"),
    ]
    assert dispute.sources[3].graph == f"{BASE}graph/statements/doc"


def test_names_with_odd_letters_make_good_iris(example_dispute: Path) -> None:
    (example_dispute / "statements" / "two words é.ttl").write_text("", encoding="utf-8")
    graphs = {s.graph for s in open_dispute(str(example_dispute)).sources}
    assert f"{BASE}graph/statements/two%20words%20%C3%A9" in graphs


def test_the_order_of_the_ways_to_choose(
    shipped: Path, example_dispute: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_dispute().folder == shipped
    assert open_dispute("llama-mmap").folder == shipped
    here = tmp_path / "here"
    here.mkdir()
    (here / "dispute.ttl").write_bytes((shipped / "dispute.ttl").read_bytes())
    monkeypatch.chdir(here)
    assert open_dispute().folder == here
    there = tmp_path / "there"
    there.mkdir()
    (there / "dispute.ttl").write_bytes((shipped / "dispute.ttl").read_bytes())
    monkeypatch.setenv("KG_DISPUTE", str(there))
    assert open_dispute().folder == there
    assert open_dispute(str(here)).folder == here


def test_a_wrong_name_suggests_the_nearest(shipped: Path, tmp_path: Path) -> None:
    with pytest.raises(DisputeError, match="no dispute 'lama-mmap'") as caught:
        open_dispute("lama-mmap")
    assert caught.value.hint == "Did you mean 'llama-mmap'? Shipped disputes: llama-mmap."
    with pytest.raises(DisputeError, match=r"no dispute\.ttl") as caught:
        open_dispute(str(tmp_path))
    assert caught.value.path == tmp_path


def test_the_project_ships_what_it_lists() -> None:
    for name, folder in shipped_disputes().items():
        assert folder.name == name
        assert open_dispute(name).folder == folder


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("", 0),
        ("[] a kg:Dispute .", 1),
        (f"<{BASE}> a kg:Dispute . <{BASE}two/> a kg:Dispute .", 2),
    ],
)
def test_not_exactly_one_dispute(example_dispute: Path, body: str, count: int) -> None:
    file = example_dispute / "dispute.ttl"
    file.write_text(f"@prefix kg: <https://w3id.org/counterclaim/ns#> .\n{body}\n", "utf-8")
    with pytest.raises(DisputeError, match="not one") as caught:
        open_dispute(str(example_dispute))
    assert f"describes {count}" in caught.value.message
    assert caught.value.path == file


def test_a_base_that_names_cannot_be_appended_to(example_dispute: Path) -> None:
    file = example_dispute / "dispute.ttl"
    file.write_text(
        "@prefix kg: <https://w3id.org/counterclaim/ns#> . <https://example.org/d> a kg:Dispute .",
        "utf-8",
    )
    with pytest.raises(DisputeError, match="ends neither in"):
        open_dispute(str(example_dispute))


def test_a_malformed_dispute_file(example_dispute: Path) -> None:
    (example_dispute / "dispute.ttl").write_text("\nthis is no Turtle", "utf-8")
    with pytest.raises(SourceError) as caught:
        open_dispute(str(example_dispute))
    assert (caught.value.path, caught.value.line) == (example_dispute / "dispute.ttl", 2)


@pytest.mark.parametrize("stray", ["notes.ttl", "statements/old/doc.ttl", "more/doc.ttl"])
def test_a_file_that_would_be_left_out_is_refused(example_dispute: Path, stray: str) -> None:
    file = example_dispute / stray
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("", "utf-8")
    with pytest.raises(DisputeError, match="no part of a dispute folder") as caught:
        open_dispute(str(example_dispute))
    assert caught.value.path == file


@pytest.mark.parametrize(
    "stray",
    ["statements/more.TTL", "statements/more.ttl.txt", "records/more.nt", "agents.turtle"],
)
def test_a_source_by_another_extension_is_refused(example_dispute: Path, stray: str) -> None:
    file = example_dispute / stray
    file.parent.mkdir(exist_ok=True)
    file.write_text("", "utf-8")
    with pytest.raises(DisputeError, match=r"does not end in '\.ttl'") as caught:
        open_dispute(str(example_dispute))
    assert caught.value.path == file
    assert f"Call it {stray.split('.')[0]}.ttl" in (caught.value.hint or "")


def test_a_folder_of_sources_may_be_a_link(example_dispute: Path, tmp_path: Path) -> None:
    before = open_dispute(str(example_dispute)).sources
    statements = example_dispute / "statements"
    elsewhere = statements.rename(tmp_path / "elsewhere")
    statements.symlink_to(elsewhere)
    after = open_dispute(str(example_dispute)).sources
    assert [(one.name, one.graph, one.kind) for one in after] == [
        (one.name, one.graph, one.kind) for one in before
    ]


def test_a_link_to_itself_is_an_error_of_that_file(example_dispute: Path) -> None:
    file = example_dispute / "statements" / "loop.ttl"
    file.symlink_to(file.name)
    (loop,) = (one for one in open_dispute(str(example_dispute)).sources if "loop" in one.name)
    with pytest.raises(SourceError, match="cannot be read") as caught:
        read_source(loop)
    assert caught.value.path == file


@pytest.mark.parametrize("aside", [".kg/x.ttl", "statements/.#doc.ttl", "queries/ask/x.ttl"])
def test_files_that_are_nobodys_source_are_passed_over(example_dispute: Path, aside: str) -> None:
    file = example_dispute / aside
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("", "utf-8")
    assert len(open_dispute(str(example_dispute)).sources) == 4
