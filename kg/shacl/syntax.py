"""Whether shapes are well-formed: the shapes of SHACL itself, by which shapes are judged."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import pyoxigraph as ox

from kg.shacl.engines import Data, judge
from kg.shacl.files import read_rdf
from kg.shacl.report import Result


def malformed(shapes: Iterable[ox.Quad | ox.Triple]) -> tuple[Result, ...]:
    """Judge shapes by the shapes of SHACL itself, and return what is wrong with them.

    These are those of https://www.w3.org/TR/shacl/#shacl-shacl, as they come with pySHACL. The
    compiled engine judges by them: pySHACL takes seven times as long for a list of 60 shapes, and
    25 times for one of 150.
    """
    return judge(Data(lambda: shapes), read_rdf(shapes_of_shapes()), "compiled").results


def shapes_of_shapes() -> Path:
    """Return the file of the shapes of SHACL itself."""
    found = find_spec("pyshacl")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "assets" / "shacl-shacl.ttl"
