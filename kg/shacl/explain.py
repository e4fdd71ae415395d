"""The SPARQL of a shape, laid out for reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyoxigraph as ox

from kg.errors import QueryError
from kg.namespaces import PREFIXES, expand, shorten
from kg.shacl.compiled import TOO_DEEP
from kg.shacl.compiler import Compiler, Group, Plan, Source, flagged, screened
from kg.shacl.constraints import QueryCheck
from kg.shacl.files import read_rdf
from kg.shacl.prebinding import together
from kg.shacl.shapes import NotCompilableError, Shape, ShapesGraph
from kg.shacl.targets import Target
from kg.shacl.validation import placed_errors, shape_files
from kg.sparql_text import Token, significant

_STEP = "  "


def explain(name: str, files: Sequence[Path] = ()) -> Iterator[str]:
    """Yield the queries that judge by a shape, each with a comment that says what for.

    ``name`` is an IRI, a prefixed name, or the last part of a name. The shape has targets or is a
    property shape of one that has. What is shown is compiled without looking at any data, so
    subclasses are looked up by a path. Raises ``QueryError`` if there is no such shape, and
    ``SourceError`` for shapes that cannot be used.
    """
    files = list(files) or shape_files()
    statements = [quad for path in files for quad in read_rdf(path)]
    with placed_errors(statements, files):
        yield from _explained(name, ShapesGraph(statements))


def _explained(name: str, graph: ShapesGraph) -> Iterator[str]:
    compiler = Compiler(graph)
    iri = _iri(name)
    found = False
    for root in graph.roots:
        try:
            plan = compiler.plan(root)
        except (NotCompilableError, RecursionError) as error:
            if _is(root, iri):
                found = True
                reason = error if isinstance(error, NotCompilableError) else TOO_DEEP
                yield f"# Left to pySHACL: {reason}."
            continue
        groups = [g for g in plan.groups if _is(root, iri) or _is(g.shape, iri)]
        if groups:
            found = True
            yield from _queries(compiler, plan, groups)
    if not found:
        raise QueryError(
            f"no shape with a target is called '{name}', nor a property shape of one",
            hint="Take the name from a result of 'kg validate', such as kg:AssertionShape.",
        )


def _iri(name: str) -> str:
    if name.startswith("<") and name.endswith(">"):
        return name[1:-1]
    try:
        return expand(name)
    except KeyError:
        return name


def _is(shape: Shape, iri: str) -> bool:
    return shape.name == iri or shape.name.endswith((f"#{iri}", f"/{iri}"))


def _queries(compiler: Compiler, plan: Plan, groups: list[Group]) -> Iterator[str]:
    for target in plan.targets:

        def source(variable: str, target: Target = target) -> str:
            return target.pattern(compiler, variable)

        tested = [group for group in groups if group.tested]
        if tested:
            expressions = [group.found_something("?this") for group in tested]
            listed = ", ".join(_called(group.shape) for group in tested)
            text = flagged(compiler.names, source("?this"), ["?this"], expressions)
            yield f"# Where does anything violate {listed}?\n{lay_out(text)}"
            holds = target.holds(compiler, "?this")
            text = screened(compiler.names, source("?this"), holds, expressions)
            yield f"# The same, instead, where nodes are many.\n{lay_out(text)}"
        for group in tested:
            for checks, text in group.details(source):
                components = ", ".join(dict.fromkeys(shorten(check.component) for check in checks))
                yield f"# What violates {_called(group.shape)} ({components})?\n{lay_out(text)}"
        for group in groups:
            for check in group.checks:
                if isinstance(check, QueryCheck):
                    called = f"The query of {_called(group.shape)}"
                    for what, text in _forms(check, group, source):
                        yield f"# {called}{what}.\n{lay_out(text)}"


def _forms(check: QueryCheck, group: Group, source: Source) -> Iterator[tuple[str, str]]:
    """Yield the forms in which a query runs, each after what is to be said of it."""
    focus_nodes = group.focus_nodes(source)
    select = check.select
    if select.one_by_one:
        yield ", once for each focus node", select.over(focus_nodes)
    elif select.stem is not None and not group.chain:
        flag = group.compiler.names.fresh()
        yield ", with others that differ in filters", together([select], focus_nodes, [flag])
    else:
        few, many = select.over(focus_nodes), select.over(focus_nodes, many=True)
        yield "", few
        if many != few:
            yield ", where nodes are many", many


def _called(shape: Shape) -> str:
    name = shorten(shape.name)
    if not name.startswith("_:"):
        return name
    assert isinstance(shape.node, ox.BlankNode)
    return f"a part of {shorten(shape.graph.holder(shape.node) or 'a shape without a name')}"


def lay_out(query: str) -> str:
    """Return a query with a line for each group and triple, and prefixed names where known."""
    used = set()
    lines = [""]
    depth = 0
    previous: Token | None = None
    for token in significant(query):
        text = _short(token)
        if text != token.text:
            used.add(text.partition(":")[0])
        depth -= token.is_punct("}")
        if previous and _begins_a_line(previous, token):
            lines.append(_STEP * depth)
        elif previous and not _is_tight(previous, token):
            lines[-1] += " "
        lines[-1] += text
        depth += token.is_punct("{")
        previous = token
    prologue = [f"PREFIX {name}: <{PREFIXES[name]}>" for name in sorted(used)]
    return "\n".join([*prologue, *lines])


def _begins_a_line(previous: Token, token: Token) -> bool:
    if previous.is_punct("{", "."):
        return True
    if token.is_punct("}") or token.is_word("BIND", "FILTER", "OPTIONAL", "GRAPH"):
        return True
    return previous.is_punct("}") and (token.kind in ("var", "iri", "pname") or token.is_punct("{"))


def _is_tight(previous: Token, token: Token) -> bool:
    if previous.is_punct("(", "^", "/", "^^", "!") or token.is_punct(")", ",", "/", "^^"):
        return True
    if previous.kind in ("iri", "pname") and token.is_punct("*", "+", "|"):
        return True
    called = previous.kind == "word" and not previous.is_word(
        "BIND", "FILTER", "AS", "IN", "HAVING"
    )
    return (called and token.is_punct("(")) or (previous.is_punct("|"))


def _short(token: Token) -> str:
    if token.kind != "iri":
        return token.text
    name = shorten(token.text[1:-1])
    # A local name with these signs would have to be escaped.
    return name if ":" in name and not set(name) & set("/#<>%~'()*+,;=&!$@?") else token.text
