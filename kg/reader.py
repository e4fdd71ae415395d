"""A process that reads a finished store for another: ``python -m kg.reader STORE PLACE PARENT``.

It takes SPARQL from its standard input, text by text, and writes to its standard output what each
gives (``Given``), both pickled. Triples go to a file of N-Triples in the folder PLACE, since nobody
wants them as so many objects. It ends when there is nothing more to read, or with its parent.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import tempfile
from pathlib import Path

import pyoxigraph as ox

from kg.embedded import EmbeddedEngine, read, write_triples
from kg.engine import Rows, Table, Triples
from kg.errors import CounterclaimError
from kg.machine import give_memory_back
from kg.with_parent import end_with

# The rows of a SELECT, the file of a CONSTRUCT, the answer to an ASK, or what was raised.
Given = Table | Path | bool | CounterclaimError


def given(engine: EmbeddedEngine, text: str, place: Path) -> Given:
    """Return what a query gives; triples are in a new file in ``place``."""
    try:
        found = engine.answer(text)
        if isinstance(found, ox.QueryTriples):
            with tempfile.NamedTemporaryFile(dir=place, suffix=".nt", delete=False) as file:
                write_triples(found, file)
            return Path(file.name)
        answer = read(found)
        assert not isinstance(answer, Triples)
        return Table(answer.columns, list(answer.rows)) if isinstance(answer, Rows) else answer
    except CounterclaimError as error:
        return error


def main() -> None:
    """Answer until there is nothing more to read."""
    store, place, parent = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    end_with(int(parent), "kg-reader")
    # What is printed by mistake must not get among the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    engine: EmbeddedEngine | CounterclaimError
    try:
        engine = EmbeddedEngine.open_read_only(Path(store))
    except CounterclaimError as error:
        engine = error
    while True:
        try:
            text = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        found = given(engine, text, Path(place)) if isinstance(engine, EmbeddedEngine) else engine
        pickle.dump(found, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()
        del found
        give_memory_back()


if __name__ == "__main__":
    main()
