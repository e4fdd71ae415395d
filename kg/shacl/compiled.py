"""The compiled engine: judges where the data lives, by queries alone."""

from __future__ import annotations

from dataclasses import dataclass

from kg.engine import Engine, foresee
from kg.shacl.compiler import Compiler, Plan
from kg.shacl.probing import surroundings
from kg.shacl.questions import Questions
from kg.shacl.report import Result
from kg.shacl.shapes import NotCompilableError, Shape, ShapesGraph

# Why a shape is left to another engine that Python itself gives up on.
TOO_DEEP = "shapes are nested too deeply"


@dataclass(frozen=True)
class Judgement:
    """Results in no order and without places, and the shapes that were left, with the reason."""

    results: tuple[Result, ...]
    judged: tuple[Shape, ...]
    left: tuple[tuple[Shape, str], ...]


def judge(
    engine: Engine, graph: ShapesGraph, kept: bool = False, one_graph: bool = False
) -> Judgement:
    """Judge what an engine holds by the shapes of a graph.

    ``kept`` says that the data was loaded through ``kg.shacl.kept``, ``one_graph`` that it is all
    in one graph. Raises ``UnusableShapesError`` for shapes that are not SHACL, and whatever the
    engine raises.
    """
    compiler = Compiler(graph, surroundings(engine, kept, one_graph))
    return run(engine, compiler, *plans_of(compiler))


def plans_of(compiler: Compiler) -> tuple[list[Plan], dict[Shape, str]]:
    """Compile every shape that has targets; return the plans, and why others have none."""
    plans: list[Plan] = []
    left: dict[Shape, str] = {}
    for shape in compiler.graph.roots:
        try:
            plans.append(compiler.plan(shape))
        except NotCompilableError as error:
            left[shape] = str(error)
        except RecursionError:
            left[shape] = TOO_DEEP
    return plans, left


def run(engine: Engine, compiler: Compiler, plans: list[Plan], left: dict[Shape, str]) -> Judgement:
    """Judge by plans; shapes that turn out to be beyond the engine join those ``left``.

    Raises as ``judge``.
    """
    found: dict[Shape, list[Result]] = {plan.shape: [] for plan in plans}
    asked = Questions(engine, compiler, plans, left).asked()
    # The last take longest, being about the whole graph: whoever is done should not wait for them.
    foresee(engine, (question.text for question in reversed(asked) if question.text))
    for question in asked:
        for shape, result in question.results():
            found[shape].append(result)
    judged = tuple(shape for shape in found if shape not in left)
    # What was found before a shape turned out to be beyond the engine will be found again.
    results = {result: None for shape in judged for result in found[shape]}
    return Judgement(tuple(results), judged, tuple(left.items()))
