"""``kg`` and ``python -m kg``: the first lines that run, so that Ctrl-C is answered at once."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; interrupted, also while it is still loading, it exits with 130."""
    try:
        from kg.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
