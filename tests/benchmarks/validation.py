"""What judging a dispute by the project's shapes is made of: every query, its time and its rows.

Run from the checkout: python tests/benchmarks/validation.py 10000
(the number of assertions of an invented dispute), or with the folder of a dispute that was built.
Times are those of the processor. ``--full`` prints whole queries.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(CHECKOUT))

from kg.dispute import read_dispute  # noqa: E402
from kg.embedded import EmbeddedEngine  # noqa: E402
from kg.engine import Answer, Rows  # noqa: E402
from kg.namespaces import PREFIXES  # noqa: E402
from kg.preparing import staged  # noqa: E402
from kg.shacl import validate_dispute  # noqa: E402
from kg.snapshot import current, open_snapshot, roots  # noqa: E402
from tests.benchmarks.corpus import Corpus  # noqa: E402

SHOWN = 30
LETTERS = 240


@dataclass
class Watched:
    """An engine that keeps account of the queries it is asked."""

    engine: EmbeddedEngine
    asked: list[tuple[float, int, str]] = field(default_factory=list)

    def query(self, text: str) -> Answer:
        before = time.process_time()
        answer = self.engine.query(text)
        rows = list(answer.rows) if isinstance(answer, Rows) else []
        self.asked.append((time.process_time() - before, len(rows), text))
        return Rows(answer.columns, iter(rows)) if isinstance(answer, Rows) else answer


def explained(engine: EmbeddedEngine, folder: Path, full: bool) -> None:
    watched = Watched(engine)
    before = time.process_time()
    report = validate_dispute(watched, read_dispute(folder))  # type: ignore[arg-type]
    whole = time.process_time() - before
    queries = sum(seconds for seconds, _, _ in watched.asked)
    print(f"{len(report.results)} results; {whole:.2f} s, of which {queries:.2f} s")
    print(f"in {len(watched.asked)} queries over {len(engine):,} quads")
    for seconds, rows, text in sorted(watched.asked, reverse=True)[:SHOWN]:
        for prefix, namespace in PREFIXES.items():
            text = text.replace(f"<{namespace}", f"<{prefix}:")
        shown = " ".join(text.split())
        print(f"{seconds:8.3f} s {seconds / whole:6.1%} {rows:6} rows  ", end="")
        print(shown if full else shown[:LETTERS])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", help="a number of assertions, or the folder of a built dispute")
    parser.add_argument("--full", action="store_true", help="print whole queries")
    options = parser.parse_args()
    if options.what.isdecimal():
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "dispute"
            Corpus(int(options.what)).write_dispute(folder)
            explained(staged(read_dispute(folder)), folder, options.full)
        return
    folder = Path(options.what)
    for root in roots(read_dispute(folder)):
        if snapshot := current(root):
            explained(open_snapshot(snapshot), folder, options.full)
            return
    sys.exit("nothing was built there: run 'kg build'")


if __name__ == "__main__":
    main()
