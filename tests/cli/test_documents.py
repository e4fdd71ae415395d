from __future__ import annotations

import json
from pathlib import Path


def test_list_says_whether_the_right_text_is_attached(kg, example_dispute: Path) -> None:
    def attached() -> dict[str, str]:
        done = kg("--dispute", example_dispute, "documents", "list", "--format", "json")
        assert done.code == 0
        (row,) = json.loads(done.out)["results"]["bindings"]
        return {name: term["value"] for name, term in row.items()}

    text = example_dispute / "documents" / "doc.txt"
    assert attached() == {
        "document": "doc",
        "title": "Example",
        "length": "68",
        "attached": "yes",
        "attached_length": "68",
        "file": str(text.resolve()),
    }
    text.write_text("other")
    assert attached()["attached"] == "another text"
    text.unlink()
    assert attached()["attached"] == "no"


def test_attach_recognises_a_file_by_its_digest(kg, example_dispute: Path, tmp_path: Path) -> None:
    file = (example_dispute / "documents" / "doc.txt").rename(tmp_path / "saved.html")
    done = kg("--dispute", example_dispute, "documents", "attach", file)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("doc: ")
    assert (example_dispute / "documents" / "doc.txt").read_bytes() == file.read_bytes()


def test_attach_refuses_a_stranger(kg, example_dispute: Path, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(
        (example_dispute / "documents" / "doc.txt").read_bytes() + b"\n"
    )
    done = kg("--dispute", example_dispute, "documents", "attach", tmp_path / "x.txt")
    assert (done.code, done.out) == (2, "")
    assert "x.txt: no document of this dispute: 69 characters" in done.err
    assert "differs only in the newlines at its end" in done.err
    assert "Ana" not in done.err


def test_attach_needs_a_file_that_exists(kg, example_dispute: Path) -> None:
    assert kg("--dispute", example_dispute, "documents", "attach", "nowhere").code == 2
    assert kg("--dispute", example_dispute, "documents", "attach").code == 2
