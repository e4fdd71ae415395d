"""``--changed`` gives the report of a full run, whatever is edited."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kg.dispute import Dispute, read_dispute, shipped_disputes
from kg.errors import CounterclaimError
from kg.namespaces import PREFIXES
from kg.pipeline import build
from kg.preparing import staged
from kg.revalidation import Revalidation, judge, revalidate
from kg.shacl import Report
from kg.sources import read_source

Edit = Callable[[Path], None]


def silent(_: str) -> None:
    pass


def whole(dispute: Dispute) -> Report:
    return judge(staged(dispute), dispute, silent)


def outcome(work: Callable[[], Report]) -> object:
    """What a run finds, or why it cannot be carried out."""
    try:
        report = work()
    except CounterclaimError as error:
        return str(error)
    results = {
        (
            "_:" if isinstance(result.focus, ox.BlankNode) else str(result.focus),
            "_:" if isinstance(result.value, ox.BlankNode) else str(result.value),
            result.source,
            result.component,
            result.severity,
            result.path,
            result.message,
            result.place,
        )
        for result in report.results
    }
    return results, report.conforms, report.judged


@dataclass
class Built:
    """A dispute that was built, and its sources as they were then."""

    folder: Path

    def __post_init__(self) -> None:
        build(read_dispute(self.folder))
        self.texts = {path: path.read_bytes() for path in self.folder.rglob("*.ttl")}

    def restore(self) -> None:
        for path in self.folder.rglob("*.ttl"):
            if path not in self.texts:
                path.unlink()
        for path, text in self.texts.items():
            path.write_bytes(text)


@pytest.fixture(scope="module", params=["example", "tideline", "llama-mmap"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("dispute") / "dispute"
    disputes = {**shipped_disputes(), "example": Path(__file__).parent / "disputes" / "example"}
    shutil.copytree(
        disputes[request.param], folder, ignore=shutil.ignore_patterns(".kg", "documents")
    )
    return Built(folder)


def quads_of(dispute: Dispute, number: int) -> tuple[Path, list[ox.Quad]]:
    source = dispute.sources[number % len(dispute.sources)]
    quads = read_source(source)
    return source.path, sorted(quads, key=lambda q: (str(q.subject), str(q.predicate), str(q)))


def write(path: Path, quads: list[ox.Quad]) -> None:
    data = ox.serialize(
        [quad.triple for quad in quads], format=ox.RdfFormat.TURTLE, prefixes=PREFIXES
    )
    assert data is not None
    path.write_bytes(data)


# An edit is a kind, the number of a file, and two numbers that choose among its triples.
edits = st.lists(
    st.tuples(
        st.sampled_from(["drop", "drop", "object", "object", "subject", "describe", "forget"]),
        st.integers(0, 50),
        st.integers(0, 10_000),
        st.integers(0, 10_000),
    ),
    min_size=1,
    max_size=3,
)


def carry_out(dispute: Dispute, kind: str, file: int, one: int, other: int) -> None:
    path, quads = quads_of(dispute, file)
    if not quads:
        return
    first, second = quads[one % len(quads)], quads[other % len(quads)]
    match kind:
        case "drop":
            quads.remove(first)
        case "object":
            # The object of another triple with the same predicate, if there is one: more telling.
            same = [q for q in quads if q.predicate == first.predicate]
            value = same[other % len(same)].object if other % 3 else second.object
            quads.remove(first)
            quads.append(ox.Quad(first.subject, first.predicate, value, first.graph_name))
        case "subject":
            quads.append(ox.Quad(second.subject, first.predicate, first.object, first.graph_name))
        case "describe":  # somebody else has all that one has
            new = ox.NamedNode(f"{dispute.iri}new-{other}")
            quads += [
                ox.Quad(new, q.predicate, q.object, q.graph_name)
                for q in quads
                if q.subject == first.subject and not isinstance(q.object, ox.BlankNode)
            ]
        case _:
            quads = [q for q in quads if q.subject != first.subject]
    write(path, quads)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    # Whole disputes are judged; to look for the smallest edit that fails would take many minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(chosen=edits)
def test_the_report_is_that_of_a_full_run(
    built: Built, chosen: list[tuple[str, int, int, int]]
) -> None:
    try:
        for edit in chosen:
            try:
                carry_out(read_dispute(built.folder), *edit)
            except CounterclaimError:
                break  # an edit before has left nothing that can be edited
        try:
            dispute = read_dispute(built.folder)
        except CounterclaimError:
            return
        done: list[Revalidation] = []

        def changed() -> Report:
            done.append(revalidate(dispute, silent))
            return done[0].report

        assert outcome(changed) == outcome(lambda: whole(dispute))
        if done:
            assert done[0].reason in (None, "the classes have changed")
    finally:
        built.restore()
