"""Every stored question gives the same rows on every server as in the embedded engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kg.dispute import Dispute, read_dispute, shipped_disputes
from kg.embedded import EmbeddedEngine
from kg.engine import Engine, Rows, Triples
from kg.errors import CounterclaimError
from kg.parameters import example_of, to_term
from kg.preparing import staged
from kg.publish import publish
from kg.remote_dispute import see_dispute
from kg.remote_quirks import normal, normal_triple
from kg.rows import select, string
from kg.stored_query import StoredQuery, bind, catalogue
from tests.remote.real import Server

pytest.importorskip("SPARQLWrapper")
pytestmark = pytest.mark.server

DISPUTES = tuple(shipped_disputes())


@pytest.fixture(scope="module", params=DISPUTES)
def here(request: pytest.FixtureRequest) -> tuple[Dispute, EmbeddedEngine]:
    dispute = read_dispute(shipped_disputes()[request.param])
    return dispute, staged(dispute)


def bound(query: StoredQuery, engine: Engine, base: str) -> str:
    """The text with its defaults, and with what the dispute speaks of most where it has none."""
    values = {}
    for one in query.params.values():
        if one.required:
            likely = replace(one, type="agent") if one.type == "resource" else one
            example = example_of(likely, engine, base)
            if one.type == "artifact":
                (example,) = first(
                    engine, "SELECT ?x WHERE { ?x a kg:PullRequest ; kg:hasCommit ?y }"
                )
            values[one.name] = to_term(one, example, engine, base)
    return bind(query, values)


def first(engine: Engine, pattern: str) -> list[str]:
    return [string(row, "x") for row in select(engine, f"{pattern} ORDER BY ?x LIMIT 1")]


def answer_of(engine: Engine, text: str) -> list[str] | bool:
    answer = engine.query(text)
    if isinstance(answer, Rows):
        return [str([term and str(normal(term)) for term in row]) for row in answer.rows]
    if isinstance(answer, Triples):
        return sorted(str(normal_triple(triple)) for triple in answer.triples)
    return answer


def test_all_questions(server: Server, here: tuple[Dispute, EmbeddedEngine]) -> None:
    dispute, embedded = here
    publish(embedded, dispute, server.engine())
    remote = server.engine(timeout=50)
    see_dispute(remote, dispute)
    differing = {}
    for name, query in catalogue(dispute, "ask").items():
        text = bound(query, embedded, dispute.base)
        expected = answer_of(embedded, text)
        assert expected or name in ("restatements", "self-contradictions"), name
        try:
            found = answer_of(remote, text)
        except CounterclaimError as error:
            differing[name] = error.message
            continue
        if found != expected:
            only = [row for row in found if row not in expected][:2] if found else found
            differing[name] = f"{only} or in another order"
    assert differing == {}
