"""A time asked for finds what may fall into it, by spans, as it would by looking at every date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyoxigraph as ox
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine
from kg.engine import Rows
from kg.namespaces import expand
from kg.settings import shipped
from kg.stored_query import bind, load_query
from kg.times import DATE_TIME, EDTF, bounds, time_bounds

BASE = "https://w3id.org/counterclaim/example/"
QUERY = load_query(shipped("queries") / "ask" / "timeline.rq")
DISPUTE = Dispute(folder=Path(), iri=BASE, title="Example", sources=())

DAYS = st.dates(datetime(2023, 2, 25).date(), datetime(2023, 3, 5).date())
DATES = st.one_of(
    DAYS.map(str),
    st.tuples(DAYS, st.sampled_from("~?%")).map(lambda pair: f"{pair[0]}{pair[1]}"),
    st.lists(DAYS, min_size=2, max_size=2).map(lambda pair: f"{min(pair)}/{max(pair)}"),
    st.sampled_from(["2023", "2023-02", "2023-03~", "2023-03-01/..", "../2023-03-01", "202X"]),
)
MOMENTS = st.datetimes(datetime(2023, 2, 25), datetime(2023, 3, 5)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
KINDS = ("said to have happened", "uttered", "published", "committed")
THINGS = st.lists(st.tuples(st.sampled_from(KINDS), DATES, MOMENTS, st.integers(-14, 14)))


def node(name: str) -> ox.NamedNode:
    return ox.NamedNode(expand(name) if ":" in name else BASE + name)


def dated(kind: str, local: str, text: ox.Literal) -> list[ox.Triple]:
    """Describe one thing with its date; its source in the timeline is ``local``."""
    me, named = node(local), ox.Literal("a name")
    said = [
        ox.Triple(me, node("kg:affirms"), node("p-" + local)),
        ox.Triple(node("p-" + local), node("rdfs:label"), named),
        ox.Triple(me, node("kg:speaker"), node("ana")),
    ]
    if kind == "uttered":
        return [*said, ox.Triple(me, node("kg:utteredAt"), text)]
    if kind == "published":
        return [
            ox.Triple(me, node("rdf:type"), node("kg:Document")),
            ox.Triple(me, node("dcterms:title"), named),
            ox.Triple(me, node("dcterms:creator"), node("ana")),
            ox.Triple(me, node("kg:published"), text),
        ]
    if kind == "committed":
        return [
            ox.Triple(me, node("rdf:type"), node("kg:Commit")),
            ox.Triple(me, node("kg:subjectLine"), named),
            ox.Triple(me, node("kg:committer"), node("ana")),
            ox.Triple(me, node("kg:commitTime"), text),
        ]
    return [*said, ox.Triple(node("p-" + local), node("kg:eventTime"), text)]


def stamp(moment: datetime) -> ox.Literal:
    return ox.Literal(moment.isoformat(), datatype=DATE_TIME)


@settings(deadline=None)  # the first has the engine to load
@given(THINGS, st.none() | MOMENTS, st.none() | MOMENTS)
def test_what_may_fall_into_a_time_is_found(
    things: list[tuple[str, str, datetime, int]], after: datetime | None, before: datetime | None
) -> None:
    engine, expected = EmbeddedEngine.memory(), set()
    triples = []
    for number, (kind, text, moment, zone) in enumerate(things):
        local, date = f"thing-{number}", ox.Literal(text, datatype=EDTF)
        early, late = bounds(text)
        if kind == "committed":
            early = late = moment
            # The same moment, told in another zone and perhaps as another day.
            there = (moment + timedelta(hours=zone)).replace(tzinfo=None).isoformat()
            date = ox.Literal(f"{there}{zone:+03d}:00", datatype=DATE_TIME)
        triples += dated(kind, local, date)
        if early and (not before or early <= before) and (not after or (late or early) >= after):
            expected.add((kind, BASE + local))
    graph = ox.NamedNode(BASE + "graph/all")
    engine.add(ox.Quad(*triple, graph) for triple in triples)
    engine.add(ox.Quad(*triple, graph) for triple in list(time_bounds(engine, DISPUTE)))
    given = {"after": after, "before": before}
    answer = engine.query(bind(QUERY, {n: stamp(m) for n, m in given.items() if m}))
    assert isinstance(answer, Rows)
    rows = [(row[1].value, row[3].value) for row in answer.rows if row[1] and row[3]]
    assert len(rows) == len(set(rows))
    assert set(rows) == expected
