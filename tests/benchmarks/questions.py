"""How quick the stored questions are, about somebody ordinary and about whoever says most.

Half of the documents of the invented dispute have one and the same author, so that questions about
that author have answers that grow with the dispute. Times are those of the processor. The dispute
is loaded and derived, not validated.

Run from the checkout: python tests/benchmarks/questions.py 10000
Or ask a snapshot that is there: python tests/benchmarks/questions.py --store FOLDER
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(CHECKOUT))

from tests.benchmarks.corpus import BASE, FOAF, KG, OA, RDF, Corpus  # noqa: E402
from tests.benchmarks.measurements import spent  # noqa: E402

SAMPLES = 20
LIST_LIMIT = 30.0  # seconds of the processor that all list queries together may take
DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"
DAYS = [f"2023-06-{day:02}" for day in range(1, SAMPLES + 1)]
PERSON = f"?x a <{FOAF}Person> . FILTER(CONTAINS(STR(?x), '/friend-'))"
# What each parameter is bound to: some of the things that fit it and have an answer, by the name of
# the parameter, or of the query and the parameter.
FITTING = {
    "source": f"?x a <{KG}CitedSource>",
    "request": f"?x a <{KG}PullRequest>",
    "statement": f"?any <{KG}relays> ?x . ?x <{KG}claimType> ?type",
    "agent": f"?any <{KG}selfContradictionOf> ?x . FILTER(?x != <{BASE}voice>)",
    "about": f"?proposition <{RDF}object> ?x . ?x <{KG}onSideOf> ?side",
    "restatements speaker": f"?strong <{KG}strongerThan> ?weak . ?a <{KG}affirms> ?strong ; "
    f"<{KG}speaker> ?x . FILTER(?x != <{BASE}voice>)",
    "document": f"?passage <{OA}hasSource> ?x",
}
# Who speaks in half of the documents, and whom the propositions that both sides share speak of.
MOST = {"speaker": BASE + "voice", "agent": BASE + "voice", "thing": BASE + "voice"}
MOST["about"] = BASE + "ada"


def measure(engine: Any, queries: Any, list_limit: float | None = LIST_LIMIT) -> dict[str, Any]:
    """Ask each stored query; times in seconds.

    ``bound`` is the slowest but one in twenty of ordinary values, each asked once: no answer is
    already in memory; ``most`` the time, and ``rows``
    the number of rows, for the value that has most to say; ``lists`` is the time until the first
    row without any value, or ``None`` once ``list_limit`` has been used up, and ``found`` that
    until the first row as it is found; neither without a ``list_limit``.
    """
    from kg.as_found import as_found
    from kg.stored_query import bind

    found: dict[str, Any] = {"bound": {}, "most": {}, "rows": {}, "lists": {}, "found": {}}
    for name, query in queries.items():
        chosen = list(_values(engine, name, query))
        if chosen:
            texts = [bind(query, value) for value in chosen]
            times = sorted(spent(lambda t=text: list(engine.query(t).rows)) for text in texts)
            found["bound"][name] = times[math.ceil(0.95 * len(times)) - 1]
        if len(query.params) == 1 and (parameter := next(iter(query.params))) in MOST:
            text, rows = bind(query, {parameter: _node(MOST[parameter])}), []
            found["most"][name] = spent(lambda t=text, r=rows: r.extend(engine.query(t).rows))
            found["rows"][name] = len(rows)
        if list_limit is None:
            continue
        if not any(parameter.required for parameter in query.params.values()):
            text = bind(query, {})
            found["lists"][name] = None
            found["found"][name] = spent(lambda q=query: next(as_found(engine, q, {}).rows, None))
            if list_limit > 0:
                first = spent(lambda t=text: next(engine.query(t).rows, None))
                found["lists"][name] = first
                list_limit -= first
    return found


def _values(engine: Any, name: str, query: Any) -> Iterator[dict[str, Any]]:
    import pyoxigraph as ox

    if set(query.params) == {"after", "before"}:
        for day in DAYS:
            ends = {"after": f"{day}T00:00:00Z", "before": f"{day}T23:59:59Z"}
            yield {name: ox.Literal(end, datatype=_node(DATE_TIME)) for name, end in ends.items()}
    elif len(query.params) == 1:
        (parameter,) = query.params
        pattern = FITTING.get(f"{name} {parameter}") or FITTING.get(parameter, PERSON)
        for row in engine.query(f"SELECT DISTINCT ?x {{ {pattern} }} LIMIT {SAMPLES}").rows:
            yield {parameter: row[0]}


def _node(iri: str) -> Any:
    import pyoxigraph as ox

    return ox.NamedNode(iri)


def table(found: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a table in Markdown; times in milliseconds."""
    yield (
        "| stored query | bound, p95 ms | who says most, ms | rows | list, first row ms "
        "| as found, first row ms |"
    )
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"

    def ms(seconds: float | None) -> str:
        return "" if seconds is None else f"{1000 * seconds:.0f}"

    for name in sorted({*found["bound"], *found["lists"]}):
        times = (ms(found[kind].get(name)) for kind in ("bound", "most"))
        rows = found["rows"].get(name, "")
        firsts = (ms(found[kind].get(name)) for kind in ("lists", "found"))
        yield f"| {name} | {' | '.join(times)} | {rows} | {' | '.join(firsts)} |"


def _made(size: int, place: Path) -> Any:
    from kg.derivation import derive
    from kg.dispute import read_dispute
    from kg.embedded import EmbeddedEngine
    from kg.preparing import load

    Corpus(size, voice=1.0).write_dispute(place / "dispute")
    dispute = read_dispute(place / "dispute")
    engine = EmbeddedEngine.create(place / "store")
    load(engine, dispute)
    derive(engine, dispute)
    engine.optimize()
    return engine


def main() -> None:
    from kg.embedded import EmbeddedEngine
    from kg.stored_query import catalogue

    parser = argparse.ArgumentParser(description="Measure the stored questions.")
    parser.add_argument("size", type=int, nargs="?", default=10_000)
    parser.add_argument("--store", type=Path, help="ask this store, made from such a dispute")
    parser.add_argument("--list-limit", type=float, default=LIST_LIMIT)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        engine = (
            EmbeddedEngine.open_read_only(options.store)
            if options.store
            else _made(options.size, Path(place))
        )
        for line in table(measure(engine, catalogue(None, "ask"), options.list_limit)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
