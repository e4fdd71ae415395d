"""The pattern for dates in the shapes lets pass whatever the build can compute bounds for."""

from __future__ import annotations

import re

import pyoxigraph as ox
import pytest

from kg.namespaces import expand
from kg.shacl import shape_files
from kg.shacl.files import read_rdf
from kg.times import bounds


def patterns() -> set[str]:
    """Return the patterns of all shapes that ask for an EDTF literal."""
    quads = [quad for path in shape_files() for quad in read_rdf(path)]
    edtf = ox.NamedNode(expand("edtf:EDTF"))
    dated = {q.subject for q in quads if q.object == edtf}
    wanted = ox.NamedNode(expand("sh:pattern"))
    return {q.object.value for q in quads if q.subject in dated and q.predicate == wanted}


def test_all_shapes_have_one_pattern() -> None:
    assert len(patterns()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "2023",
        "2023-03",
        "2023-03-27",
        "2023-03-27~",
        "2023-03?",
        "2023%",
        "2023-03/2023-05",
        "2023-03-01~/2023-05",
        "2023-03/..",
        "../2023",
        "202X",
        "2023-XX",
        "2023-21",
        "-0044",
        "Y17000",
        "2023-03-27T10:00:00Z",
        "2023-03-27T10:00:00+02:00",
        "[2023-01,2023-03]",
        "{2023,2024}",
    ],
)
def test_a_date_that_has_bounds_fits(text: str) -> None:
    bounds(text)  # raises for what is no date
    (pattern,) = patterns()
    assert re.search(pattern, text)


@pytest.mark.parametrize("text", ["", "soon", "27 March 2023", "about 2023", "2023 ", "03/27/23!"])
def test_what_is_no_date_does_not_fit(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        bounds(text)
    (pattern,) = patterns()
    assert not re.search(pattern, text)
