from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from kg.dispute import Dispute, read_dispute
from kg.documents import (
    Document,
    attach,
    choose,
    read_documents,
    text_folders,
    text_name,
    texts_of,
)
from kg.errors import DisputeError, PassageError
from kg.reading import Reading

TEXT = b'Ana says Bo told her he wrote the parser. "I never did," Bo answers.'


@pytest.fixture
def bare(example_dispute: Path) -> Dispute:
    """The example without its text."""
    (example_dispute / "documents" / "doc.txt").unlink()
    return read_dispute(example_dispute)


def documents(dispute: Dispute) -> list[Document]:
    return read_documents(Reading(dispute).engine, dispute.base)


def test_reads_what_a_dispute_says_of_its_documents(bare: Dispute) -> None:
    (doc,) = documents(bare)
    assert (doc.name, doc.title, doc.length) == ("doc", "Example", 68)
    assert doc.sha256 == hashlib.sha256(TEXT).hexdigest()


def test_a_record_has_no_text(bare: Dispute) -> None:
    with (bare.folder / "artifacts.ttl").open("a") as stream:
        stream.write(":log a kg:Record, kg:Document .\n")
    assert [one.name for one in documents(bare)] == ["doc"]


def test_attaching_copies_byte_for_byte_under_the_documents_name(
    bare: Dispute, tmp_path: Path
) -> None:
    (tmp_path / "download (1).html.txt").write_bytes(TEXT)
    ((doc, path),) = attach(bare, documents(bare), [tmp_path / "download (1).html.txt"])
    assert doc.name == "doc"
    assert path == bare.folder / "documents" / "doc.txt"
    assert path.read_bytes() == TEXT
    assert [one.name for one in path.parent.iterdir()] == ["doc.txt"]
    assert texts_of(bare, Reading(bare).engine)[doc.iri].intact


def test_attaching_twice_changes_nothing(bare: Dispute, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(TEXT)
    twice = [attach(bare, documents(bare), [tmp_path / "a"]) for _ in range(2)]
    assert twice[0] == twice[1]


def test_a_stranger_is_refused_with_what_was_expected(bare: Dispute, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(TEXT)
    (tmp_path / "b").write_bytes(b"Something else entirely")
    with pytest.raises(PassageError) as caught:
        attach(bare, documents(bare), [tmp_path / "a", tmp_path / "b"])
    message = str(caught.value)
    assert "23 characters" in message
    assert "doc: 68 characters, SHA-256 eae10abf" in message
    assert "Something" not in message
    assert not (bare.folder / "documents" / "doc.txt").exists()


def test_a_changed_line_ending_is_named(bare: Dispute, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(TEXT + b"\r\n")
    with pytest.raises(PassageError, match="differs only in the newlines at its end"):
        attach(bare, documents(bare), [tmp_path / "a"])


def test_bytes_that_are_not_utf8_are_refused_by_position(bare: Dispute, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"caf\xe9")
    with pytest.raises(PassageError, match="byte 3 is 0xe9"):
        attach(bare, documents(bare), [tmp_path / "a"])


def test_a_document_without_a_digest_is_told_the_lines_to_state(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("é".encode())
    dispute = Dispute(tmp_path, "https://example.org/", "T", ())
    new = Document("https://example.org/new", "new", "New", None, None)
    with pytest.raises(PassageError) as caught:
        attach(dispute, [new], [tmp_path / "a"])
    digest = hashlib.sha256("é".encode()).hexdigest()
    assert f'kg:length 1 ; kg:sha256 "{digest}"' in str(caught.value)


def test_naming_the_wrong_document_refuses_the_right_file(bare: Dispute, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(TEXT)
    other = Document(bare.base + "other", "other", "Other", 3, "00" * 32)
    with pytest.raises(PassageError, match="other: 3 characters"):
        attach(bare, [*documents(bare), other], [tmp_path / "a"], "other")


def test_an_unknown_document_suggests_the_nearest(bare: Dispute) -> None:
    with pytest.raises(PassageError, match="Did you mean 'doc'"):
        choose(documents(bare), "docs")


@pytest.mark.parametrize("name", ["doc", ":doc", "https://w3id.org/counterclaim/example/doc"])
def test_a_document_is_chosen_by_short_name_or_iri(bare: Dispute, name: str) -> None:
    assert choose(documents(bare), name).name == "doc"


def test_a_name_that_is_a_path_stays_in_its_folder() -> None:
    assert text_name(Document("x", "../../a/b", "", None, None)) == "..%2F..%2Fa%2Fb.txt"


def test_in_a_given_folder_a_text_is_known_by_its_digest(bare: Dispute, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "whatever.bin").write_bytes(TEXT)
    (folder / "doc.txt").write_bytes(b"an older version")
    (folder / "noise").write_bytes(b"\xff\xfe")
    (found,) = texts_of(bare, Reading(bare).engine, folder).values()
    assert (found.path.name, found.intact) == ("whatever.bin", True)


def test_an_altered_text_is_found_but_not_intact(example_dispute: Path) -> None:
    (example_dispute / "documents" / "doc.txt").write_bytes(TEXT + b"!")
    dispute = read_dispute(example_dispute)
    (found,) = texts_of(dispute, Reading(dispute).engine).values()
    assert not found.intact


def test_an_attached_text_that_is_not_utf8_is_an_error(example_dispute: Path) -> None:
    (example_dispute / "documents" / "doc.txt").write_bytes(b"\xff")
    dispute = read_dispute(example_dispute)
    with pytest.raises(PassageError, match="not UTF-8"):
        texts_of(dispute, Reading(dispute).engine)


def block_writing(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """Make folders read-only, for root too, whom no permission stops."""
    real = os.open

    def refuse(path: object, flags: int, *rest: object, **more: object) -> int:
        if flags & os.O_CREAT and any(str(path).startswith(str(one)) for one in folders):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, flags, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)


def test_the_text_of_a_read_only_dispute_goes_to_the_cache(
    bare: Dispute, tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(TEXT)
    block_writing(monkeypatch, bare.folder)
    ((_, path),) = attach(bare, documents(bare), [tmp_path / "a"])
    key = hashlib.sha256(bare.iri.encode()).hexdigest()
    assert path == own_cache / "documents" / key / "doc.txt"
    (found,) = texts_of(bare, Reading(bare).engine).values()
    assert found.path == path


def test_where_nothing_can_be_written_the_error_says_so(
    bare: Dispute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(TEXT)
    block_writing(monkeypatch, *text_folders(bare))
    with pytest.raises(DisputeError, match="Permission denied"):
        attach(bare, documents(bare), [tmp_path / "a"])
    assert not any(folder.is_dir() and any(folder.iterdir()) for folder in text_folders(bare))
