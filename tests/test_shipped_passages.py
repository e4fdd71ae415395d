"""The shipped dispute against the documents it cites, which lie beside the project, not in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.coverage import coverage
from kg.dispute import read_dispute
from kg.passages import Fit, check
from kg.reading import Reading
from kg.settings import shipped

pytestmark = pytest.mark.shared


@pytest.fixture
def reading(shared_dir: Path) -> Reading:
    return Reading(read_dispute(shipped("data") / "llama-mmap"), shared_dir / "seeds")


def test_every_digest_is_that_of_the_documents_words(reading: Reading) -> None:
    assert len(reading.texts) == len(reading.documents) == 2
    verdicts = check(reading.documents, reading.passages, reading.texts)
    assert len(verdicts) > 160
    assert [one for one in verdicts if one.fit is not Fit.OK] == []


def test_every_character_is_read_and_not_only_relayed(reading: Reading) -> None:
    for one in coverage(reading.documents, reading.passages, reading.texts):
        assert one.length == len(reading.texts[one.document.iri].text)
        assert one.gaps == []
