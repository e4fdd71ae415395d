"""Time and memory of the grounded position, from 10,000 to 1,000,000 arguments.

Each framework has three attacks for each argument, drawn at random with a fixed seed, and is read
from an ICCMA file, which is measured by itself. Each size runs in a process of its own, whose
peak memory is reported. Times are those of the processor. ``ratio`` compares a time with that of
a tenth of the size; the work grows tenfold, and what is above ten is the price of memory that no
longer fits into a cache.

Run from the checkout: python tests/benchmarks/grounded.py
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from kg.argumentation.formats import read_af
from kg.argumentation.grounded import ACCEPTED, REJECTED, grounded

SIZES = (10_000, 100_000, 1_000_000)
ATTACKS_EACH = 3
REPEATS = 5
TIMES = ("read", "grounded")


def lines(arguments: int) -> Iterator[str]:
    draw = random.Random(7)
    yield f"p af {arguments}"
    for _ in range(ATTACKS_EACH * arguments):
        yield f"{draw.randint(1, arguments)} {draw.randint(1, arguments)}"


def measure(path: Path) -> dict[str, float]:
    started = time.process_time()
    with path.open(encoding="ascii") as file:
        framework = read_af(file, path)
    built = time.process_time()
    runs = []
    for _ in range(REPEATS):
        before = time.process_time()
        result = grounded(framework)
        runs.append(time.process_time() - before)
    return {
        "arguments": len(framework),
        "attacks": framework.attack_count,
        "accepted": len(result.having(ACCEPTED)),
        "rejected": len(result.having(REJECTED)),
        "read": built - started,
        "grounded": min(runs),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    print("arguments    attacks  accepted  rejected  read s  ratio  grounded s  ratio  peak MiB")
    last: dict[str, float] = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "framework.af"
            with path.open("w", encoding="ascii") as file:
                file.writelines(f"{line}\n" for line in lines(size))
            command = [sys.executable, __file__, str(path)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        row = json.loads(done.stdout)
        ratio = {key: f"{row[key] / last[key]:6.1f}" if last else "     -" for key in TIMES}
        last = row
        print(
            f"{row['arguments']:9,} {row['attacks']:10,} {row['accepted']:9,} "
            f"{row['rejected']:9,} {row['read']:7.2f} {ratio['read']} {row['grounded']:11.3f} "
            f"{ratio['grounded']} {row['peak_mib']:9.0f}"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(Path(sys.argv[1]))))
    else:
        main()
