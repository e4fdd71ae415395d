"""How much quicker ``kg validate --changed`` is than a full run, edit by edit.

A synthetic dispute is built; then one statement is edited in one of its files, and both are asked
what they find, in one process and in turn. Times are those of the processor; the ratio is full run
to ``--changed``. Both must give the same report.

Run from the checkout: python tests/benchmarks/changed.py --assertions 10000
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TypeVar

CHECKOUT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(CHECKOUT))

from kg.dispute import read_dispute  # noqa: E402
from kg.pipeline import build  # noqa: E402
from kg.preparing import staged  # noqa: E402
from kg.revalidation import judge, revalidate  # noqa: E402
from tests.benchmarks.corpus import Corpus  # noqa: E402

T = TypeVar("T")

EDITS: dict[str, Callable[[str], str]] = {
    "a comment in the file": lambda text: f"{text}# nothing\n",
    "another gloss": lambda text: re.sub(r'(#label> )"([^"]*)"', r'\1"\2 indeed"', text, count=1),
    "another certainty": lambda text: text.replace("#Certain>", "#Hedged>", 1),
    "a malformed digest": lambda text: re.sub(r'(#sha256> )"[0-9a-f]', r'\1"x', text, count=1),
    "denied instead of affirmed": lambda text: text.replace("#affirms>", "#denies>", 1),
}


def timed(work: Callable[[], T]) -> tuple[float, T]:
    before = time.process_time()
    found = work()
    return time.process_time() - before, found


def silent(_: str) -> None:
    pass


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure kg validate --changed.")
    parser.add_argument("--assertions", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "dispute"
        Corpus(options.assertions).write_dispute(folder)
        dispute = read_dispute(folder)
        build(dispute)
        file = sorted((folder / "statements").glob("*.ttl"))[-1]
        text = file.read_text(encoding="utf-8")
        print(f"| edit, of {options.assertions:,} assertions | triples | results | ratio |")
        print("| --- | ---: | ---: | ---: |")
        for name, edit in EDITS.items():
            file.write_text(edit(text), encoding="utf-8")
            ratios = []
            for _ in range(options.repeat):
                whole, report = timed(lambda: judge(staged(dispute), dispute, silent))
                changed, again = timed(lambda: revalidate(dispute, silent))
                assert again.reason is None
                assert again.report == report
                ratios.append(whole / changed)
            results = len(again.report.results)
            print(f"| {name} | {again.triples} | {results} | {median(ratios):.1f} |", flush=True)
            file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
