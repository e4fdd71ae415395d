"""The whole way from a folder to an engine that answers, and everything that may go wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from kg import pipeline, preparing
from kg.digests import content_digest
from kg.dispute import Dispute
from kg.errors import EngineError, NonConformanceError, SnapshotError, SourceError
from kg.pipeline import build, open_current
from kg.preparing import prepared, staged, steps
from kg.snapshot import current

ROOT = Path(__file__).resolve().parent.parent
BASE = "https://w3id.org/counterclaim/example/"
BUILD = "import sys; from kg import pipeline; from kg.dispute import open_dispute; "


def python(code: str, folder: Path) -> subprocess.Popen[str]:
    """Start Python on a dispute folder; 'dispute' and 'pipeline' are at hand."""
    return subprocess.Popen(
        [sys.executable, "-c", f"{BUILD}dispute = open_dispute(sys.argv[1])\n{code}", str(folder)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def edit(folder: Path, old: str, new: str) -> None:
    file = folder / "statements" / "doc.ttl"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def published_digest(dispute: Dispute) -> str:
    snapshot = current(dispute.folder / ".kg")
    assert snapshot is not None
    return snapshot.digest


def test_the_example_becomes_a_snapshot(dispute: Dispute) -> None:
    said: list[str] = []
    report = build(dispute, said.append)
    assert (report.documents, report.assertions, report.relays, report.propositions) == (1, 4, 2, 1)
    # Of the document, its proposition and a3: two bounds each, and a span of five triples.
    assert report.derived["time-bounds"] == 3 * (2 + 5)
    assert report.triples > 100
    assert report.seconds > 0
    assert report.path == dispute.folder / ".kg" / "snapshots" / report.digest
    assert len(said) == steps(dispute)
    assert said[0] == "loading kg"
    assert said[-1] == "publishing"
    assert json.loads(report.as_json())["digest"] == report.digest
    engine = open_current(dispute)
    assert engine.query(f"ASK {{ <{BASE}a3> <https://w3id.org/counterclaim/ns#denies> ?p }}")
    assert len(engine) == report.triples


def test_building_twice_gives_the_same_digest_in_every_process(dispute: Dispute) -> None:
    first = build(dispute).digest
    assert build(dispute).digest == first
    other = python("print(pipeline.build(dispute).digest)", dispute.folder)
    out, err = other.communicate(timeout=60)
    assert (out.strip(), other.returncode) == (first, 0), err


def test_a_change_of_the_sources_is_seen(dispute: Dispute) -> None:
    open_current(dispute)
    first = published_digest(dispute)
    edit(dispute.folder, "kg:claimType kg:Fact", "kg:claimType kg:Value")
    open_current(dispute, build=False)
    assert published_digest(dispute) == first
    open_current(dispute)
    second = published_digest(dispute)
    assert second != first
    # A comment changes the files but not what they say.
    edit(dispute.folder, "# The document.", "# The one document.")
    open_current(dispute)
    assert published_digest(dispute) == second


def test_a_fresh_snapshot_is_not_built_again(
    dispute: Dispute, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_current(dispute)
    monkeypatch.setattr(pipeline, "_build", lambda *_: pytest.fail("built again"))
    open_current(dispute)


def test_nothing_published_and_not_to_be_built(dispute: Dispute) -> None:
    with pytest.raises(SnapshotError, match="no snapshot") as caught:
        open_current(dispute, build=False)
    assert caught.value.hint == "Run 'kg build'."


def test_a_damaged_snapshot_is_built_anew(dispute: Dispute) -> None:
    report = build(dispute)
    table = max((report.path / "store").glob("*.sst"), key=lambda file: file.stat().st_size)
    os.truncate(table, 100)
    with pytest.raises(SnapshotError, match="damaged"):
        open_current(dispute, build=False)
    assert len(open_current(dispute)) == report.triples
    assert published_digest(dispute) == report.digest


def test_malformed_turtle_leaves_the_old_snapshot(dispute: Dispute) -> None:
    digest = build(dispute).digest
    edit(dispute.folder, "kg:denies :p1 ;", "kg:denies :p1")
    with pytest.raises(SourceError, match="malformed Turtle") as caught:
        build(dispute)
    assert caught.value.path == dispute.folder / "statements" / "doc.ttl"
    assert caught.value.line
    assert published_digest(dispute) == digest
    with pytest.raises(SourceError):
        open_current(dispute)


def test_data_that_do_not_conform_leave_the_old_snapshot(dispute: Dispute) -> None:
    digest = build(dispute).digest
    edit(dispute.folder, "    kg:speaker :ana ;\n", "")
    with pytest.raises(NonConformanceError, match="does not conform") as caught:
        build(dispute)
    assert "a1" in caught.value.message
    assert "doc.ttl:" in caught.value.message
    assert caught.value.exit_code == 1
    assert published_digest(dispute) == digest
    # Who looks at the sources as they are still can.
    assert len(staged(dispute)) > 100


def test_a_finding_of_a_check_stops_the_build(dispute: Dispute) -> None:
    file = dispute.folder / "queries" / "check" / "nobody-denies.rq"
    file.parent.mkdir(parents=True)
    file.write_text(
        "#+ title: Somebody denies\n#+ question: Who?\n#+ columns: {a: who}\n#+ mend: Agree.\n"
        "SELECT ?a WHERE { ?a <https://w3id.org/counterclaim/ns#denies> ?p } ORDER BY ?a\n",
        "utf-8",
    )
    with pytest.raises(NonConformanceError, match="Somebody denies"):
        build(dispute)
    assert current(dispute.folder / ".kg") is None


def test_staged_writes_nothing(dispute: Dispute) -> None:
    before = sorted(dispute.folder.rglob("*"))
    assert len(staged(dispute).graphs()) == 6  # four sources, the vocabulary, the derived
    assert sorted(dispute.folder.rglob("*")) == before


def large(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let no dispute fit in memory, and return where temporary files go."""
    for module in (pipeline, preparing):
        monkeypatch.setattr(module, "fits_in_memory", lambda _: False)
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_too_large_for_memory_is_prepared_on_disk(
    dispute: Dispute, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, jobs: int
) -> None:
    place = large(monkeypatch, tmp_path)
    before = sorted(dispute.folder.rglob("*"))
    with prepared(dispute, jobs=jobs) as engine:
        assert content_digest(engine) == content_digest(staged(dispute))
        assert list(place.glob("*/store"))
    assert not list(place.iterdir())
    assert sorted(dispute.folder.rglob("*")) == before


def test_a_snapshot_of_the_same_files_is_prepared_already(
    dispute: Dispute, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(dispute)
    loaded: list[str] = []
    with prepared(dispute, loaded.append) as engine:
        assert len(engine) > 100
    assert not loaded
    source = dispute.folder / "statements" / "doc.ttl"
    source.write_text(source.read_text("utf-8") + "# A comment.\n", "utf-8")
    with prepared(dispute, loaded.append) as engine:
        assert len(engine) > 100
    assert loaded


def test_a_damaged_snapshot_is_as_good_as_none(dispute: Dispute) -> None:
    snapshot = build(dispute).path
    for file in (snapshot / "store").glob("*.sst"):
        file.write_bytes(b"\0" * file.stat().st_size)
    (snapshot / "store" / "CURRENT").write_bytes(b"nowhere")
    loaded: list[str] = []
    with prepared(dispute, loaded.append) as engine:
        assert len(engine) > 100
    assert loaded


def test_no_room_for_temporary_files(
    dispute: Dispute, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = large(monkeypatch, tmp_path)

    def full(*_: object, **__: object) -> None:
        raise EngineError("cannot load into the store: No space left on device (os error 28)")

    monkeypatch.setattr(preparing, "load", full)
    with pytest.raises(EngineError, match="No space left") as caught, prepared(dispute):
        pass
    assert caught.value.hint == f"Set TMPDIR to a folder with more space than {place}."
    assert not list(place.iterdir())


def test_a_malformed_date_is_told_of_while_others_read(
    dispute: Dispute, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = large(monkeypatch, tmp_path)
    source = dispute.folder / "statements" / "doc.ttl"
    text = source.read_text("utf-8")
    assert "utteredAt" in text
    source.write_text(re.sub(r'utteredAt "[^"]*"', 'utteredAt "2023-13"', text), "utf-8")
    with pytest.raises(SourceError, match="2023-13") as caught:
        build(dispute, jobs=2)
    assert caught.value.line
    assert not list(place.iterdir())
    assert not (dispute.folder / ".kg" / "work").exists()


def test_two_builds_at_once(dispute: Dispute) -> None:
    both = [python("print(pipeline.build(dispute).digest)", dispute.folder) for _ in range(2)]
    outs = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], outs
    assert outs[0][0] == outs[1][0]
    assert published_digest(dispute) == outs[0][0].strip()
    assert len(open_current(dispute, build=False)) > 100


@pytest.mark.parametrize(
    "moment",
    [
        "preparing.derive",
        "pipeline.validate",
        "workshop.Workshop._write_store",
        "workshop.Workshop._point",
        "workshop.Workshop._prune",
    ],
)
def test_a_build_that_is_killed_leaves_a_whole_snapshot(dispute: Dispute, moment: str) -> None:
    old = build(dispute).digest
    edit(dispute.folder, "kg:claimType kg:Fact", "kg:claimType kg:Value")
    build(dispute)
    edit(dispute.folder, "kg:claimType kg:Value", "kg:claimType kg:Policy")
    before = published_digest(dispute)
    killer = python(
        "import os\nfrom kg import preparing, workshop\n"
        f"{moment} = lambda *a, **k: os.kill(os.getpid(), 9)\n"
        "pipeline.build(dispute)",
        dispute.folder,
    )
    _, err = killer.communicate(timeout=60)
    assert killer.returncode == -signal.SIGKILL, err
    kept = published_digest(dispute)
    # At the last step, it was published already.
    assert (kept != before) == moment.endswith("._prune")
    assert kept != old
    assert len(open_current(dispute, build=False)) > 100
    assert len(open_current(dispute)) > 100
    build(dispute)
    assert not (dispute.folder / ".kg" / "work").exists()
