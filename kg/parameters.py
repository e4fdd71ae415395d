"""From what a person types for a parameter to the RDF term that a query is bound with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

import pyoxigraph as ox

from kg.engine import Engine, Rows, Term
from kg.errors import ParameterError, QueryError
from kg.names import candidate, is_graph, is_known, resolve
from kg.namespaces import PREFIXES, expand, shorten
from kg.query_header import Parameter
from kg.stored_query import StoredQuery, missing_parameter, unknown_parameter

# What a thing must be to stand for a parameter of a type: it, or a subclass. ``resource`` is free.
CLASSES = {
    "agent": ("prov:Agent", "foaf:Agent"),
    "document": ("kg:Document",),
    "assertion": ("kg:Assertion",),
    "proposition": ("kg:Proposition",),
    "artifact": ("kg:Artifact",),
    "relation": ("kg:Relation",),
}
EXAMPLES = {
    "agent": "ana",
    "document": "some-page",
    "assertion": "some-page-017",
    "proposition": "p-some-claim",
    "artifact": "pr-12",
    "resource": "ana",
    "relation": "kg:authored",
    "string": "parser",
    "integer": "10",
    "date": "2023-03-27",
}
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
# What the engine's integers hold.
_LARGEST = 2**63 - 1
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


def split_pairs(query: StoredQuery, pairs: Iterable[str]) -> dict[str, str]:
    """Return what ``name=value`` texts give, in the words typed, each for a parameter of ``query``.

    Raises ``ParameterError`` for a text that is no pair, an unknown name (suggesting the nearest),
    a repeated one, and a required parameter that no pair gives.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.strip()
        if not equals or not name:
            raise ParameterError(f"'{pair}' is no parameter", hint="Write it as name=value.")
        if name not in query.params:
            raise unknown_parameter(query, name)
        if name in found:
            raise ParameterError(f"the parameter '{name}' is given twice", hint="Give it once.")
        found[name] = text
    for name, parameter in query.params.items():
        if parameter.required and name not in found:
            raise missing_parameter(query, parameter)
    return found


def needs_engine(query: StoredQuery, given: Mapping[str, str]) -> bool:
    """Say whether any of the given parameters is a thing, whose name only an engine knows."""
    return any(query.params[name].type not in LITERALS for name in given)


def to_terms(
    query: StoredQuery, given: Mapping[str, str], engine: Engine | None, base: str
) -> dict[str, Term]:
    """Return the terms of given parameters, as ``to_term`` does for each."""
    return {name: to_term(query.params[name], text, engine, base) for name, text in given.items()}


def to_term(parameter: Parameter, text: str, engine: Engine | None, base: str) -> Term:
    """Return the term of a parameter's type that ``text`` means; things need the engine.

    Things (``agent``, ``document``, ...) are named by IRI, prefixed name or short name; a
    ``resource`` may also be a graph, such as ``graph/agents``; a ``string`` is a plain literal; an
    ``integer`` an ``xsd:integer``; a ``date`` becomes the ``xsd:dateTime`` of its first moment, in
    UTC where no zone is given, so that it compares with the bounds of dates in the graph. Raises
    ``ParameterError``.
    """
    literal = LITERALS.get(parameter.type)
    if literal is None:
        if engine is None:
            raise ValueError(f"a parameter of type {parameter.type} needs an engine")
        return _thing(parameter, text, engine, base)
    try:
        return literal(text)
    except ValueError as error:
        raise _refused(parameter, f"{error}, not '{text}'") from None


def _string(text: str) -> ox.Literal:
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes of the command line that are not UTF-8
        raise ValueError("must be text in UTF-8") from None
    return ox.Literal(text)


def _integer(text: str) -> ox.Literal:
    if not _INTEGER.fullmatch(text.strip()) or abs(int(text)) > _LARGEST:
        raise ValueError("must be a whole number")
    return ox.Literal(int(text))


def _date(text: str) -> ox.Literal:
    text = text.strip()
    try:
        if match := _DATE.fullmatch(text):
            year, month, day = (int(part or 1) for part in match.groups())
            moment = datetime(year, month, day, tzinfo=UTC)
        elif "T" in text:
            moment = datetime.fromisoformat(text)
        else:
            raise ValueError
    except ValueError:
        raise ValueError("must be a date") from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    written = moment.isoformat().replace("+00:00", "Z")
    return ox.Literal(written, datatype=ox.NamedNode(expand("xsd:dateTime")))


LITERALS: dict[str, Callable[[str], ox.Literal]] = {
    "string": _string,
    "integer": _integer,
    "date": _date,
}


def _thing(parameter: Parameter, text: str, engine: Engine, base: str) -> ox.NamedNode:
    try:
        own = {"relation": _relation, "resource": _graph}.get(parameter.type)
        node = own(text, engine, base) if own else None
        node = node or resolve(engine, base, text)
    except QueryError as error:
        hint = error.hint or f"For example {parameter.name}={EXAMPLES[parameter.type]}."
        raise ParameterError(f"parameter '{parameter.name}': {error.message}", hint=hint) from None
    classes = CLASSES.get(parameter.type)
    if classes and not _is_a(engine, node, classes):
        raise _refused(parameter, f"must be {_a(parameter.type)}, which '{text}' is not")
    return node


def _relation(text: str, engine: Engine, base: str) -> ox.NamedNode | None:
    """Return the vocabulary's relation of a bare name: ``authored`` for ``kg:authored``."""
    if ":" in text or "<" in text:
        return None
    node = candidate(PREFIXES["kg"], text)
    return node if is_known(engine, node) else None


def _graph(text: str, engine: Engine, base: str) -> ox.NamedNode | None:
    """Return the graph of a name, which need not be mentioned in any: ``graph/agents``."""
    node = candidate(base, text.strip())
    return node if is_graph(engine, node) else None


def _is_a(engine: Engine, node: ox.NamedNode, classes: tuple[str, ...]) -> bool:
    terms = " ".join(f"<{expand(name)}>" for name in classes)
    kind, subclass = expand("rdf:type"), expand("rdfs:subClassOf")
    return bool(
        engine.query(f"ASK {{ VALUES ?class {{ {terms} }} {node} <{kind}>/<{subclass}>* ?class }}")
    )


def example_of(parameter: Parameter, engine: Engine | None, base: str) -> str:
    """Return a value that would do for a parameter: what ``engine`` mentions most, if it can tell.

    A thing's name is a short name or a prefixed one; without an engine, or a thing of the type
    in it, the value only shows the form.
    """
    classes = CLASSES.get(parameter.type)
    if engine is not None and classes:
        terms = " ".join(f"<{expand(name)}>" for name in classes)
        kind, subclass = expand("rdf:type"), expand("rdfs:subClassOf")
        answer = engine.query(
            "SELECT ?thing (COUNT(*) AS ?mentions) {"
            f" {{ SELECT DISTINCT ?thing {{ VALUES ?class {{ {terms} }}"
            f" ?thing <{kind}>/<{subclass}>* ?class }} }}"
            " ?s ?p ?thing FILTER(ISIRI(?thing)) }"
            " GROUP BY ?thing ORDER BY DESC(?mentions) ?thing LIMIT 1"
        )
        assert isinstance(answer, Rows)
        for thing, _ in answer.rows:
            assert isinstance(thing, ox.NamedNode)
            return shorten(thing.value, base)
    return EXAMPLES[parameter.type]


def _refused(parameter: Parameter, problem: str) -> ParameterError:
    example = EXAMPLES[parameter.type]
    return ParameterError(
        f"parameter '{parameter.name}' {problem}",
        hint=f"It is {parameter.description}; for example {parameter.name}={example}.",
    )


def _a(type: str) -> str:
    return f"an {type}" if type[0] in "aeiou" else f"a {type}"
