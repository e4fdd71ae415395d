"""Judge public data by public shapes with both engines, and count where they differ.

The well-known shape sets are not part of this project. Whoever has them gives folders: every file
of SHAPES together is one shapes graph, every file of DATA is judged by it by itself (or several at
once, with --at-once), together with the files of VOCABULARY, if given.

Run from the checkout: python tests/shacl/public_shapes.py SHAPES DATA [--vocabulary FOLDER]
It is the same as, for each file, kg validate --engine both --shapes ... --data ...
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyoxigraph as ox

CHECKOUT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(CHECKOUT))

from kg.errors import SourceError  # noqa: E402
from kg.shacl.compiled import plans_of  # noqa: E402
from kg.shacl.compiler import Compiler  # noqa: E402
from kg.shacl.engines import Data, judge, without_targets  # noqa: E402
from kg.shacl.files import FORMATS, read_rdf  # noqa: E402
from kg.shacl.shapes import ShapesGraph, UnusableShapesError  # noqa: E402


@dataclass
class Found:
    """What became of some data: files, results, shapes by engine, and where the engines differ."""

    files: int = 0
    unreadable: list[str] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)
    results: int = 0
    shapes: int = 0
    recursive: int = 0
    left: dict[str, str] = field(default_factory=dict)
    differences: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def lines(self) -> Iterator[str]:
        yield f"files {self.files}, not readable {len(self.unreadable)}"
        yield f"shapes with targets {self.shapes}, left to pySHACL {len(self.left)}"
        yield f"shapes that contain themselves, not judged by either {self.recursive}"
        yield from sorted(f"  left: {shape}: {reason}" for shape, reason in self.left.items())
        yield from (f"  not judged: {text}" for text in self.unusable)
        yield f"results {self.results}, differences {sum(self.differences.values())}"
        for kind, count in self.differences.most_common():
            yield f"  {count} x {kind}, such as {self.examples[kind]}"
        yield f"seconds of the processor {self.seconds:.1f}"


def files_of(folder: Path) -> list[Path]:
    """Return the files of a folder, or the file itself, that can be read as RDF."""
    if folder.is_file():
        return [folder]
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in FORMATS)


def without_recursion(shapes: list[ox.Quad]) -> tuple[list[ox.Quad], int]:
    """Return shapes of which those that contain themselves have no targets, and how many these are.

    The standard leaves undefined what they mean, and pySHACL gives up.
    """
    graph = ShapesGraph(shapes)
    _, left = plans_of(Compiler(graph))
    nodes = {shape.node for shape, reason in left.items() if reason.startswith("recursion")}
    return without_targets(nodes, shapes, graph), len(nodes)


def compare(
    shapes: Sequence[Path], data: Sequence[Path], vocabulary: Sequence[Path] = (), at_once: int = 1
) -> Found:
    """Judge data by shapes with both engines."""
    found = Found()
    before = time.process_time()
    shape_quads = [quad for path in shapes for quad in read_rdf(path)]
    shape_quads, found.recursive = without_recursion(shape_quads)
    known = [quad for path in vocabulary for quad in read_rdf(path)]
    for first in range(0, len(data), at_once):
        quads = list(known)
        for path in data[first : first + at_once]:
            found.files += 1
            try:
                quads += read_rdf(path)
            except SourceError as error:
                found.unreadable.append(str(error))
        try:
            judgement = judge(Data(lambda quads=quads: quads), shape_quads, "both")
        except UnusableShapesError as error:
            found.unusable.append(f"{data[first].name}: {str(error)[:200]}")
            continue
        found.results += len(judgement.results)
        found.shapes = len(judgement.judged)
        found.left.update({one.shape: one.reason for one in judgement.judged if one.reason})
        for difference in judgement.differences:
            kind = f"only {difference.engine}: {difference.result.component.rpartition('#')[2]}"
            found.differences[kind] += 1
            found.examples.setdefault(kind, f"{data[first].name}: {difference}")
    found.seconds = time.process_time() - before
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the engines on public shapes and data.")
    parser.add_argument("shapes", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--vocabulary", type=Path)
    parser.add_argument("--at-once", type=int, default=1, metavar="N")
    options = parser.parse_args()
    vocabulary = files_of(options.vocabulary) if options.vocabulary else []
    found = compare(files_of(options.shapes), files_of(options.data), vocabulary, options.at_once)
    for line in found.lines():
        print(line)
    sys.exit(1 if found.differences else 0)


if __name__ == "__main__":
    main()
