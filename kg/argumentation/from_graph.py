"""A dispute as arguments and attacks, read by SPARQL from any engine.

An argument is an assertion that takes a stance, or a record fact that conflicts with one. Left out
are questions, what is granted for the sake of argument, and what its own speaker has replaced by a
later assertion: nobody puts them forward. A relay is no
argument either; it is how an argument reaches the reader. A relay that rejects what it relays
attacks nothing by itself, for it gives no claim of its own: where its speaker denies the thing,
that denial is an assertion and attacks.

Attacks come from these places:

- a contradiction, derived or declared, attacks both ways (*rebuttal*);
- an attack that an encoder read as a rebuttal of a conclusion goes both ways, too, whoever has
  spoken last: of two conclusions that exclude each other neither comes first. One that is itself
  attacked goes one way, for what it stands on is disputed;
- any other attack that an encoder read goes one way. Aimed at an assertion it attacks that; at a
  proposition, whoever puts it forward; at a report, what is known through that report only; at a
  witness, what that witness says, and what is known through them only; at another attack, that
  attack (see ``kg.argumentation.frame``). Aimed at a support it changes nothing: these semantics
  give a support no weight, and what has lost its support is not thereby attacked;
- a record fact attacks the assertions that it conflicts with;
- an apparent contradiction attacks nobody, unless one asks to ignore what dissolves it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kg.argumentation.moves import (
    APPARENT,
    ATTACK,
    REBUT,
    REBUTTAL,
    RECORD,
    Edge,
    Moves,
    Said,
    in_order,
)
from kg.engine import Engine
from kg.namespaces import expand, shorten
from kg.rows import select, string

_ASSERTIONS = """
SELECT DISTINCT ?assertion ?property ?value WHERE {
  ?assertion a kg:Assertion ; ?property ?value .
  VALUES ?property {
    kg:affirms kg:denies kg:doubts kg:asks kg:concedes kg:concessionMode kg:claimType
    kg:speaker kg:heldBy kg:inDocument kg:relays kg:commitment kg:supersededBy
  }
} ORDER BY ?assertion ?property ?value
"""
_IDENTITIES = """
SELECT ?persona ?agent ?judgement WHERE {
  ?persona kg:identifiedWith ?agent .
  OPTIONAL {
    ?judgement a kg:IdentityJudgement ; kg:persona ?persona ; kg:identity ?agent ;
      kg:verdict kg:Same ; kg:judgedBy/rdf:type kg:Encoder .
  }
} ORDER BY ?persona ?agent ?judgement
"""
_CONFLICTS = """
SELECT DISTINCT ?node ?one ?apparent ?rule WHERE {
  ?node kg:between ?one .
  { ?node a kg:Contradiction }
  UNION { ?node a kg:DeclaredContradiction }
  UNION { ?node a kg:DerivedContradiction }
  UNION { ?node a kg:ApparentContradiction BIND(true AS ?apparent) }
  OPTIONAL { ?node kg:rule ?rule }
} ORDER BY ?node ?one ?rule
"""
_ATTACKS = """
SELECT ?node ?attacker ?target ?kind WHERE {
  ?node a kg:Attack ; kg:attacker ?attacker ; kg:target ?target .
  OPTIONAL { ?node kg:attackKind ?kind }
} ORDER BY ?node ?attacker ?target ?kind
"""
_AIMED_AT = """
SELECT DISTINCT ?thing ?type WHERE {
  ?attack a kg:Attack ; kg:target ?thing .
  VALUES ?type { kg:Assertion kg:Proposition kg:Support kg:Attack }
  ?thing a ?type .
} ORDER BY ?thing ?type
"""
_RECORD = """
SELECT DISTINCT ?node ?assertion ?fact ?rule ?record ?persona WHERE {
  ?node a kg:RecordFinding ; kg:bearing kg:Conflicts ; kg:assertion ?assertion ;
    kg:recordFact ?fact .
  OPTIONAL { ?fact kg:rule ?rule }
  OPTIONAL {
    ?fact prov:wasDerivedFrom ?premise .
    OPTIONAL { ?premise kg:partOfRecord ?record }
    OPTIONAL {
      ?fact rdf:subject|rdf:object ?agent .
      ?persona kg:identifiedWith ?agent .
      ?premise ?names ?persona .
    }
  }
} ORDER BY ?node ?fact ?record ?persona
"""


def moves_of(engine: Engine, base: str, *, ignore_scope: bool = False) -> Moves:
    """Read a dispute's arguments and attacks.

    ``base`` is the dispute's IRI. With ``ignore_scope``, apparent contradictions count as if
    nothing dissolved them. Raises ``QueryError`` and ``EngineError``.
    """
    said = _said(engine)
    identified: dict[str, set[str]] = {}
    judgements: dict[str, list[str]] = {}
    for row in select(engine, _IDENTITIES):
        persona = string(row, "persona")
        identified.setdefault(persona, set()).add(string(row, "agent"))
        if "judgement" in row:
            judgements.setdefault(persona, []).append(string(row, "judgement"))
    left_out: dict[str, str] = {}
    arguments = {iri for iri, one in said.items() if _put_forward(one, base, left_out)}
    findings, facts = _findings(engine, arguments, judgements)
    read = Moves(
        base,
        tuple(sorted(arguments | set(facts), key=lambda iri: in_order(shorten(iri, base)))),
        (),
        said,
        facts,
        {persona: frozenset(agents) for persona, agents in identified.items()},
        {persona: tuple(found) for persona, found in judgements.items()},
        left_out,
    )
    edges = {
        *_conflicts(engine, arguments, ignore_scope),
        *_attacks(engine, read, left_out),
        *findings,
    }
    return replace(read, edges=tuple(sorted(edges, key=_edge_order)))


def _edge_order(edge: Edge) -> tuple[object, ...]:
    return (*map(in_order, (edge.source, edge.target, edge.node)), edge.kind)


def _said(engine: Engine) -> dict[str, Said]:
    said: dict[str, Said] = {}
    for row in select(engine, _ASSERTIONS):
        one = said.setdefault(string(row, "assertion"), Said(string(row, "assertion")))
        local = string(row, "property").removeprefix(expand("kg:"))
        value = string(row, "value")
        if local in ("affirms", "denies", "doubts", "asks", "concedes"):
            one.stance, one.proposition = local, value
        elif local == "concessionMode":
            one.arguendo = value == expand("kg:ForTheSakeOfArgument")
        elif local == "claimType":
            one.claim_type = value
        elif local == "heldBy":
            one.holders.add(value)
        elif local == "inDocument":
            one.documents.add(value)
        elif local == "relays":
            one.relays.append(value)
        elif local == "supersededBy":
            one.superseded_by.append(value)
        elif local == "speaker":
            one.speaker = value
        else:
            one.commitment = value
    return said


def _put_forward(one: Said, base: str, left_out: dict[str, str]) -> bool:
    """Say whether somebody puts an assertion forward; relays are passed over in silence."""
    if not one.proposition:
        return False
    if one.stance == "asks" or one.claim_type == expand("kg:Question"):
        left_out[one.iri] = "it asks, and puts nothing forward"
        return False
    if one.stance == "concedes" and one.arguendo:
        left_out[one.iri] = "it is granted for the sake of argument only"
        return False
    if one.superseded_by:
        later = " and ".join(shorten(iri, base) for iri in one.superseded_by)
        left_out[one.iri] = f"its own speaker has replaced it by {later}"
        return False
    return True


def _conflicts(engine: Engine, arguments: set[str], ignore_scope: bool) -> Iterable[Edge]:
    ends: dict[str, list[str]] = {}
    kinds: dict[str, tuple[str, str]] = {}
    for row in select(engine, _CONFLICTS):
        node, one = string(row, "node"), string(row, "one")
        apparent = "apparent" in row
        if apparent and not ignore_scope:
            continue
        if one not in ends.setdefault(node, []):
            ends[node].append(one)
        kinds[node] = (APPARENT if apparent else REBUTTAL, string(row, "rule"))
    for node, pair in ends.items():
        # What is granted for the sake of argument contradicts without being an argument.
        if len(pair) == 2 and arguments.issuperset(pair):
            kind, rule = kinds[node]
            for source, target in (pair, pair[::-1]):
                yield Edge(source, target, kind, node, rule, exclusive=True)


def _findings(
    engine: Engine, arguments: set[str], judgements: Mapping[str, list[str]]
) -> tuple[list[Edge], dict[str, frozenset[str]]]:
    rows: dict[tuple[str, str, str, str], tuple[set[str], set[str]]] = {}
    for row in select(engine, _RECORD):
        if string(row, "assertion") not in arguments:
            continue
        key = (
            string(row, "fact"),
            string(row, "assertion"),
            string(row, "node"),
            string(row, "rule"),
        )
        records, premises = rows.setdefault(key, (set(), set()))
        if "record" in row:
            records.add(string(row, "record"))
        premises.update(judgements.get(string(row, "persona"), ()))
    edges = [
        Edge(fact, assertion, RECORD, node, rule, True, tuple(sorted(premises)))
        for (fact, assertion, node, rule), (_, premises) in rows.items()
    ]
    return edges, {fact: frozenset(records) for (fact, *_), (records, _) in rows.items()}


def _attacks(engine: Engine, read: Moves, left_out: dict[str, str]) -> Iterable[Edge]:
    types: dict[str, str] = {}
    for row in select(engine, _AIMED_AT):
        types[string(row, "thing")] = string(row, "type").removeprefix(expand("kg:"))
    for row in select(engine, _ATTACKS):
        node, attacker, target = (string(row, key) for key in ("node", "attacker", "target"))
        rule = string(row, "kind").removeprefix(expand("kg:"))
        sources = read.passed_on(attacker)
        aims = _aims(read, target, types.get(target, "Witness"))
        if not sources:
            left_out[node] = "its attacker puts nothing forward"
        elif not aims:
            left_out[node] = _nothing_hit(types.get(target, ""))
        for source in sources:
            for aim in aims:
                if aim == source:
                    continue
                # What was never said and what was said cannot both be so.
                exclusive = rule in (REBUT, "UtteranceDenial")
                yield Edge(source, aim, ATTACK, node, rule, exclusive=exclusive)
                if rule == REBUT and node not in types:
                    yield Edge(aim, source, REBUTTAL, node, REBUT, exclusive=True)


def _aims(read: Moves, target: str, type_: str) -> list[str]:
    """Return the arguments, or the attack, that an attack on ``target`` hits."""
    if type_ == "Attack":
        return [target]
    if type_ == "Support":
        return []
    if type_ == "Proposition":
        hit = {
            iri
            for iri, one in read.said.items()
            if one.proposition == target and one.stance in ("affirms", "concedes")
        }
    elif type_ == "Assertion":
        hit = read.only_through([target])
    else:
        hit = read.word_of(target)
    return [iri for iri in read.arguments if iri in hit]


def _nothing_hit(type_: str) -> str:
    if type_ == "Support":
        return "it is aimed at a support, which carries no weight here"
    return "nothing that is put forward rests on what it is aimed at"
