"""What the compiled engine asks of the data: as few queries as possible, each about many nodes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import pyoxigraph as ox

from kg.engine import Engine
from kg.shacl.compiler import Compiler, Group, Plan
from kg.shacl.conditions import FALSE
from kg.shacl.constraints import QueryCheck
from kg.shacl.prebinding import Select, together
from kg.shacl.probing import rows_of
from kg.shacl.question import About, Alone, AskedQuery, OneByOne, Question, Shared
from kg.shacl.scan import Asked, Scan
from kg.shacl.shapes import Shape
from kg.shacl.targets import Target

# One scan asks no more than this much text, far below where an engine's parser gives up.
_MOST_TEXT = 20_000
# Up to so many nodes of a target are asked one by one, or up to this part of the largest target.
_FEW_NODES = 50
_RARE = 20
# So many targets are counted in one query; an engine takes so many operators only.
_MOST_COUNTED = 100


class Questions:
    """All that is to be asked by some plans. Shapes that are beyond the engine join ``left``."""

    def __init__(
        self, engine: Engine, compiler: Compiler, plans: list[Plan], left: dict[Shape, str]
    ) -> None:
        self._about = About(engine, compiler, left)
        self._plans = plans
        self._sizes: dict[Target, int] = {}

    def asked(self) -> list[Question]:
        """Count the nodes of all targets, and return what is to be asked of those that have any."""
        self._measure(dict.fromkeys(target for plan in self._plans for target in plan.targets))
        return [*self._scans(), *self._shared(), *self._alone()]

    def _measure(self, targets: Iterable[Target]) -> None:
        """Count the nodes of targets, in few queries."""
        counted = [target for target in targets if target.kind != "node"]
        for first in range(0, len(counted), _MOST_COUNTED):
            counts = " UNION ".join(
                f"{{ SELECT ({number} AS ?target) (COUNT(*) AS ?size) "
                f"WHERE {{ {self._about.pattern(target)} }} }}"
                for number, target in enumerate(counted[first : first + _MOST_COUNTED], first)
            )
            text = f"SELECT ?target ?size WHERE {{ {counts} }}"
            for row in rows_of(self._about.engine, text):
                target, size = row["target"], row["size"]
                if isinstance(target, ox.Literal) and isinstance(size, ox.Literal):
                    self._sizes[counted[int(target.value)]] = int(size.value)

    def _many(self, target: Target) -> bool | None:
        """Say whether a target has many nodes; ``None`` if it has none."""
        size = self._sizes.get(target, 1)
        many = max(_FEW_NODES, max(self._sizes.values(), default=0) // _RARE)
        return size > many if size else None

    def _scans(self) -> Iterator[Question]:
        """Yield what the tested constraints ask, all those of a target together."""
        by_target: dict[Target, list[tuple[Plan, Group]]] = defaultdict(list)
        for plan in self._plans:
            for target in plan.targets:
                by_target[target] += [(plan, group) for group in plan.groups if group.tested]
        for target, chosen in by_target.items():
            many = self._many(target)
            if many is None:
                continue
            asked = [(plan, group, group.found_something("?this")) for plan, group in chosen]
            for part in _parts([entry for entry in asked if entry[2] != FALSE]):
                yield Scan.of(self._about, target, part, many)

    def _shared(self) -> Iterator[Question]:
        """Yield the queries within shapes that share a pattern, together."""
        by_stem: dict[tuple[Target, str], list[AskedQuery]] = defaultdict(list)
        for plan, group, check in self._queries():
            if (stem := _stem(group, check)) is not None:
                for target in plan.targets:
                    by_stem[target, stem].append((plan, group, check))
        for (target, _), asked in by_stem.items():
            if self._many(target) is not None:
                flags = tuple(self._about.compiler.names.fresh() for _ in asked)
                where = self._about.pattern(target)
                text = together([check.select for _, _, check in asked], where, flags)
                yield Shared(self._about, asked, flags, text)

    def _alone(self) -> Iterator[Question]:
        """Yield the other queries within shapes."""
        for plan, group, check in self._queries():
            if _stem(group, check) is None:
                for target in plan.targets:
                    many = self._many(target)
                    if many is None:
                        continue
                    where = group.focus_nodes(self._about.source(target))
                    if check.select.one_by_one:
                        yield OneByOne(self._about, group, check, plan.shape, where)
                    else:
                        text = check.select.over(where, many)
                        yield Alone(self._about, group, check, plan.shape, text)

    def _queries(self) -> Iterator[AskedQuery]:
        for plan in self._plans:
            for group in plan.groups:
                for check in group.checks:
                    if isinstance(check, QueryCheck):
                        yield plan, group, check


def _stem(group: Group, check: QueryCheck) -> str | None:
    # A query that is narrowed in some way must run as it is.
    return None if group.chain or type(check.select) is not Select else check.select.stem


def _parts(asked: list[Asked]) -> Iterator[list[Asked]]:
    part: list[Asked] = []
    for entry in asked:
        if part and sum(len(e[2]) for e in part) + len(entry[2]) > _MOST_TEXT:
            yield part
            part = []
        part.append(entry)
    if part:
        yield part
