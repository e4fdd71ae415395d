"""Turtle files in, quads out; and what is said about files that are not what they should be."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import SourceError
from kg.sources import SourceFile, fingerprint, ontology_source, read_source

BASE = "https://example.org/d/"
PREFIX = f"@prefix : <{BASE}> .\n"


def source(tmp_path: Path, content: str | bytes, base: str | None = BASE) -> SourceFile:
    path = tmp_path / "file.ttl"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return SourceFile(path, "statements/file", f"{BASE}graph/file", "statements", base)


def failure(file: SourceFile) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read_source(file)
    assert caught.value.path == file.path
    return caught.value


def test_every_triple_lands_in_the_files_own_graph(tmp_path: Path) -> None:
    quads = read_source(source(tmp_path, PREFIX + ':a :b :c ; :d "é" .'))
    assert {q.graph_name.value for q in quads} == {f"{BASE}graph/file"}
    assert {str(q.object) for q in quads} == {f"<{BASE}c>", '"é"'}


def test_a_text_may_look_like_what_is_refused(tmp_path: Path) -> None:
    kg = "https://w3id.org/counterclaim/ns#"
    text = f"{PREFIX}:a :b 'x> _:y . <{kg}rule> z', '''two\nlines .\n''', <{kg}rule> ."
    assert len(read_source(source(tmp_path, text))) == 3


def test_blank_nodes_of_two_files_stay_apart(tmp_path: Path) -> None:
    text = PREFIX + ":a <http://www.w3.org/ns/oa#hasSelector> _:x ."
    first = read_source(source(tmp_path, text))
    second = read_source(source(tmp_path, text))
    assert first[0].object != second[0].object


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    assert len(read_source(source(tmp_path, b"\xef\xbb\xbf" + PREFIX.encode() + b":a :b 1 ."))) == 1


@pytest.mark.parametrize(
    ("content", "line", "message", "hint"),
    [
        (PREFIX + ":a :b :c .\n:a :b .\n", 3, "malformed Turtle", "missing '.'"),
        (PREFIX + '\n:a :b "open .\n', 3, "malformed Turtle", None),
        (PREFIX + ":a foaf:name 'x' .", 2, "prefix foaf: has not been declared", "@prefix foaf:"),
        (PREFIX + ":a :b <other> .", 2, "No scheme", "in full"),
        (PREFIX + ":a :b <http://x/a b> .", 2, "Invalid IRI", None),
        (PREFIX.encode() + b"\n\n:a :b '\xe9' .", 4, "not UTF-8: byte 0xe9", "Save the file"),
        ("@prefix : <https://example.org/other/> .\n:a :b 1 .", 1, "the prefix ':'", BASE),
        (PREFIX + ":a\n  :b [ :c [ :d 1 ] ] .", 3, "points to a blank node", "a name"),
        (PREFIX + ":a :b :c", 2, "malformed Turtle", None),
        (PREFIX + "\n:a :speaker\n [ :d 1 ] .", 4, "a blank node that is no selector", "a name"),
        (PREFIX + "\n:a :b [ a :C ] .", 3, "/b> speaks of it", "a name"),
        (PREFIX + "\n:a\n :b ( :c ) .", 4, "/b> speaks of it", "a name"),
        (PREFIX + "\n:a\n :b ( :c :d ) .", 4, "a list in parentheses", "commas"),
        (PREFIX + ":a :b :c .\n[] :d 1 .", 3, "a blank node that is no selector", "a name"),
        (PREFIX + ":a :b 'x> _:y .' .\n[] :d 1 .", 3, "a blank node that is no selector", "a name"),
        (
            PREFIX + ":a <https://w3id.org/counterclaim/ns#rule> 'denial' .",
            None,
            "rule",
            "Declared",
        ),
        (
            PREFIX + "@prefix kg: <https://w3id.org/counterclaim/ns#> .\n:a kg:rule 'denial' .",
            3,
            "only a rule may write that",
            "kg:DeclaredContradiction",
        ),
    ],
)
def test_a_bad_file_is_named_with_line_and_cure(
    tmp_path: Path, content: str | bytes, line: int | None, message: str, hint: str | None
) -> None:
    error = failure(source(tmp_path, content))
    assert message in error.message
    assert error.line == line
    assert (hint or "") in (error.hint or "")


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    file = source(tmp_path, "")
    file.path.unlink()
    assert failure(file).message == "no such file"
    file.path.mkdir()
    assert "folder" in failure(file).message


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    file = source(tmp_path, "")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "Permission denied" in failure(file).message


def test_another_base_is_fine_where_none_is_asked_for(tmp_path: Path) -> None:
    file = source(tmp_path, "@prefix : <https://example.org/other/> .\n:a :b 1 .", base=None)
    assert len(read_source(file)) == 1


def test_deep_nesting_is_an_error_and_no_crash(tmp_path: Path) -> None:
    deep = PREFIX + ":a :b " + "[ :c " * 50_000 + "1" + " ]" * 50_000 + " ."
    assert "blank node" in failure(source(tmp_path, deep)).message


def test_the_fingerprint_is_that_of_the_bytes(tmp_path: Path) -> None:
    file = source(tmp_path, "abc")
    # SHA-256 of "abc": FIPS 180-4, example.
    assert fingerprint(file.path).startswith("ba7816bf8f01cfea414140de5dae2223")


def test_the_vocabulary_reads() -> None:
    quads = read_source(ontology_source())
    assert all(isinstance(q.graph_name, ox.NamedNode) for q in quads)
    assert len(quads) > 100


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    file = source(tmp_path_factory.mktemp("any"), PREFIX.encode() + data)
    with contextlib.suppress(SourceError):
        assert {quad.graph_name.value for quad in read_source(file)} <= {file.graph}
