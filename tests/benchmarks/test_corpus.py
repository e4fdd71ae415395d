"""The corpora of the benchmarks hold what was ordered, and nothing else that a rule would find."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.checks import run_checks
from kg.dispute import Dispute, read_dispute
from kg.embedded import EmbeddedEngine
from kg.engine import Rows
from kg.preparing import staged
from kg.shacl import validate_dispute
from tests.benchmarks.corpus import CONTRADICTIONS, KG, Corpus


def made(corpus: Corpus, folder: Path) -> tuple[Dispute, EmbeddedEngine]:
    corpus.write_dispute(folder)
    dispute = read_dispute(folder)
    return dispute, staged(dispute)


def found(engine: EmbeddedEngine, pattern: str) -> Counter[str]:
    answer = engine.query(f"PREFIX kg: <{KG}> SELECT DISTINCT ?one ?kind WHERE {{ {pattern} }}")
    assert isinstance(answer, Rows)
    return Counter(kind.value.removeprefix(KG) for _, kind in answer.rows if kind is not None)


def test_a_corpus_of_a_thousand_assertions_conforms_and_contradicts_itself_nowhere(
    tmp_path: Path,
) -> None:
    dispute, engine = made(Corpus(1_000, contradictions=0), tmp_path)
    assert not validate_dispute(engine, dispute).results
    assert not run_checks(engine, dispute)
    assert not found(engine, "?one a kg:Contradiction ; kg:rule ?kind")


def test_what_is_planted_is_found_and_nothing_else(tmp_path: Path) -> None:
    corpus = Corpus(1_000, violations=0.02, contradictions=0.04, seed=7)
    dispute, engine = made(corpus, tmp_path)
    assert len(validate_dispute(engine, dispute).results) == corpus.planted_violations == 20
    assert not run_checks(engine, dispute)
    contradictions = found(engine, "?one a kg:DerivedContradiction ; kg:rule ?kind")
    assert contradictions == dict.fromkeys(CONTRADICTIONS, 10)


def test_every_kind_of_statement_is_there(tmp_path: Path) -> None:
    _, engine = made(Corpus(1_000), tmp_path)
    stances = found(engine, "?one a kg:Assertion ; ?kind ?p . ?p a kg:Proposition")
    assert set(stances) == {"affirms", "denies", "doubts", "asks", "concedes", "maintains"}
    assert set(found(engine, "?one kg:hearsayDepth ?kind")) == {"0", "1", "2", "3", "4", "5"}
    kinds = "Withheld NonStatement Persona IdentityJudgement Scope Commit RecordFinding Agreement"
    assert set(kinds.split()) <= set(found(engine, "?one a ?kind"))
    assert sum(found(engine, "?one a ?kind . FILTER(?kind = kg:Assertion)").values()) == 1_000


def test_one_author_may_write_the_documents_of_one_side(tmp_path: Path) -> None:
    corpus = Corpus(1_000, contradictions=0, voice=1.0)
    dispute, engine = made(corpus, tmp_path)
    assert not validate_dispute(engine, dispute).results
    assert not run_checks(engine, dispute)
    assert not found(engine, "?one a kg:Contradiction ; kg:rule ?kind")
    speakers = found(engine, "?one kg:speaker ?kind")
    (most, count), (_, next_count) = speakers.most_common(2)
    assert most.endswith("/voice")
    assert count > 4 * next_count


@pytest.mark.parametrize("size", [80, 137, 250])
def test_any_size_is_met_and_both_forms_hold_the_same(size: int, tmp_path: Path) -> None:
    corpus = Corpus(size, violations=0.05)
    dispute, engine = made(corpus, tmp_path / "folder")
    assert found(engine, "?one a ?kind FILTER(?kind = kg:Assertion)") == {"Assertion": size}
    assert len(validate_dispute(engine, dispute).results) == corpus.planted_violations
    count = corpus.write_quads(tmp_path / "corpus.nq")
    plain = ox.Store()
    plain.bulk_load(path=tmp_path / "corpus.nq", format=ox.RdfFormat.N_QUADS)
    assert len(plain) == count
    names = {quad.graph_name.value for quad in plain}
    stated = [quad for quad in engine.quads() if quad.graph_name.value in names]
    assert len(stated) == count
    folder = corpus.write_dispute(tmp_path / "again")
    assert folder == count


def test_a_seed_decides_and_impossible_orders_are_refused(tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("one", "same", "other"))
    for path, seed in ((one, 1), (same, 1), (other, 2)):
        Corpus(200, seed=seed).write_quads(path)
    assert one.read_bytes() == same.read_bytes() != other.read_bytes()
    with pytest.raises(ValueError, match="at least"):
        Corpus(10)
    with pytest.raises(ValueError, match="between"):
        Corpus(1_000, contradictions=0.5)
    with pytest.raises(ValueError, match="one author"):
        Corpus(1_000, voice=2)
