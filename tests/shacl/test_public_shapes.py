"""The comparison of the engines on public shape sets, and the sets themselves where they are.

``KG_PUBLIC_SHAPES`` may name a folder with a folder for each set: ``shapes``, ``data`` and perhaps
``vocabulary`` in it (docs/validation.md says which sets were tried).
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.shacl.public_shapes import compare, files_of

PREFIXES = "@prefix : <https://example.org/> . @prefix sh: <http://www.w3.org/ns/shacl#> .\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(PREFIXES + text, encoding="utf-8")
    return path


def test_results_files_and_differences_are_counted(tmp_path: Path) -> None:
    shapes = write(
        tmp_path / "shapes" / "s.ttl",
        ":s sh:targetClass :A ; sh:property [ sh:path :p ; sh:minCount 1 ] .\n"
        # pySHACL compares IRIs by their text, which the standard does not.
        ":t sh:targetClass :A ; sh:property [ sh:path :q ; sh:lessThan :r ] .",
    )
    write(tmp_path / "data" / "one.ttl", ":a a :A .")
    write(tmp_path / "data" / "two.ttl", ":b a :A ; :p 1 ; :q :x ; :r :y .")
    write(tmp_path / "data" / "bad.ttl", ":c a")
    found = compare([shapes], files_of(tmp_path / "data"))
    assert (found.files, found.results, found.shapes, found.left) == (3, 2, 2, {})
    assert len(found.unreadable) == 1
    assert found.differences == {"only compiled: LessThanConstraintComponent": 1}
    at_once = compare([shapes], files_of(tmp_path / "data"), at_once=3)
    assert at_once.results == found.results


def test_a_shapes_graph_of_many_classes(tmp_path: Path) -> None:
    shapes = write(
        tmp_path / "shapes" / "s.ttl",
        "\n".join(f":s{n} sh:targetClass :C{n} ; sh:closed true ." for n in range(1_200)),
    )
    data = write(tmp_path / "data" / "d.ttl", ":a a :C7 ; :p :b . :b a :C1100 .")
    found = compare([shapes], [data])
    assert (found.shapes, found.results, dict(found.differences)) == (1_200, 3, {})


if folder := os.environ.get("KG_PUBLIC_SHAPES"):

    def test_the_public_sets() -> None:
        sets = sorted(path for path in Path(folder).iterdir() if (path / "shapes").is_dir())
        assert sets
        for one in sets:
            vocabulary = files_of(one / "vocabulary") if (one / "vocabulary").is_dir() else []
            found = compare(files_of(one / "shapes"), files_of(one / "data"), vocabulary, 100)
            assert found.files
            assert dict(found.differences) == {}, "\n".join(found.lines())
