"""Reading RDF files of every format."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.errors import SourceError
from kg.shacl.files import FORMATS, places, read_rdf

TRIPLE = ox.Triple(
    ox.NamedNode("https://example.org/s"),
    ox.NamedNode("https://example.org/vocabulary#p"),
    ox.Literal("ö", language="en"),
)


@pytest.mark.parametrize("extension", FORMATS)
def test_every_format_is_read_by_its_extension(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"file{extension.upper()}"
    data = ox.serialize([TRIPLE], format=FORMATS[extension])
    assert data is not None
    path.write_bytes(data)
    (quad,) = read_rdf(path)
    assert quad.triple == TRIPLE


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.ttl", "<https://example.org/a> a .", "malformed"),
        ("a.trig", "{ <https://example.org/a> a }", "malformed"),
        ("a.nt", "<https://example.org/a> .\n", "malformed"),
        ("a.nq", "nonsense\n", "malformed"),
        ("a.jsonld", '{"@id": ', "malformed"),
        ("a.jsonld", '{"@context": "https://example.org/context", "a": 1}', "malformed"),
        ("a.rdf", "<rdf>", "malformed"),
        ("a.ttl", "<relative> a <https://example.org/a> .", "malformed"),
        ("a.csv", "a,b", "extension '.csv'"),
        ("a", "", "extension ''"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_its_file(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=words) as caught:
        read_rdf(path)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("a.ttl", "<urn:a> <urn:b> <urn:c>\n<urn:a> <urn:b> <urn:c> .", "missing '.'"),
        ("a.trig", "x:a x:b x:c .", "@prefix x:"),
        ("a.ttl", "<relative> a <urn:a> .", "in full"),
        ("a.ttl.gz", "", "Unpack it first. Known: .ttl"),
        ("-", "", "Standard input has none; write it to a file. Known: .ttl"),
    ],
)
def test_a_hint_tells_how_to_mend_it(tmp_path: Path, name: str, text: str, hint: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        read_rdf(path)
    assert hint in (caught.value.hint or "")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="a folder, where a file should be"):
        read_rdf(tmp_path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read_rdf(tmp_path / "nothing.ttl")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("declaration", ["<!DOCTYPE", "<!doctype"])
def test_xml_with_a_document_type_is_refused_before_it_is_parsed(
    tmp_path: Path, encoding: str, declaration: str
) -> None:
    path = tmp_path / "bomb.rdf"
    layers = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    path.write_text(
        f'<?xml version="1.0"?>\n{declaration} rdf [<!ENTITY e0 "aaaaaaaaaa">{layers}]>\n'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&e9;</rdf:RDF>',
        encoding=encoding,
    )
    with pytest.raises(SourceError, match="document type") as caught:
        read_rdf(path)
    assert caught.value.line == 2


def test_blank_nodes_of_two_files_stay_apart(tmp_path: Path) -> None:
    one, two = tmp_path / "one.nt", tmp_path / "two.nt"
    for path in (one, two):
        path.write_text("_:a <https://example.org/p> _:a .\n", encoding="utf-8")
    assert read_rdf(one)[0].subject != read_rdf(two)[0].subject


def test_places_prefer_where_a_node_is_described(tmp_path: Path) -> None:
    path = tmp_path / "file.ttl"
    path.write_text(
        "@prefix : <https://example.org/> .\n"
        ":a :knows :b , [ :knows [ :knows :c ] ] .\n"
        ":b a :Person .\n",
        encoding="utf-8",
    )
    quads = read_rdf(path)
    found = places([path], quads)
    at = {node.value: place for node, place in found.items() if isinstance(node, ox.NamedNode)}
    assert at["https://example.org/a"] == (path, 2)
    assert at["https://example.org/b"] == (path, 3)
    assert at["https://example.org/c"] == (path, 2)
    blank = {place for node, place in found.items() if isinstance(node, ox.BlankNode)}
    assert blank == {(path, 2)}
    assert sum(isinstance(node, ox.BlankNode) for node in found) == 2


def test_of_a_file_whose_lines_are_not_known_the_file_is_the_place(tmp_path: Path) -> None:
    path = tmp_path / "file.jsonld"
    path.write_text(
        '{"@id": "https://example.org/a", "https://example.org/knows":'
        ' [{"@id": "https://example.org/b"}, {"https://example.org/age": 1}]}',
        encoding="utf-8",
    )
    found = places([path], read_rdf(path))
    assert [str(node) for node in found if isinstance(node, ox.BlankNode)]
    assert {node.value for node in found if isinstance(node, ox.NamedNode)} == {
        "https://example.org/a",
        "https://example.org/b",
    }
    assert set(found.values()) == {(path, None)}


def test_a_circle_of_blank_nodes_has_no_place(tmp_path: Path) -> None:
    path = tmp_path / "file.nt"
    path.write_text(
        "_:a <https://example.org/p> _:b .\n_:b <https://example.org/p> _:a .\n", encoding="utf-8"
    )
    assert not any(isinstance(node, ox.BlankNode) for node in places([path], read_rdf(path)))
