"""The constraint components of SHACL, one function each or a family; none skipped."""

from __future__ import annotations

from kg.shacl.components import counts, logic, others, pairs, ranges, sparql, strings, value_type
from kg.shacl.components.custom import custom
from kg.shacl.constraints import Component

# Nested property shapes (sh:property) are walked by the compiler itself.
COMPONENTS: tuple[Component, ...] = (
    value_type.class_,
    value_type.datatype,
    value_type.node_kind,
    counts.counts,
    counts.has_value,
    ranges.ranges,
    strings.lengths,
    strings.pattern,
    strings.language_in,
    strings.unique_lang,
    pairs.equals,
    pairs.disjoint,
    pairs.less_than,
    logic.negation,
    logic.lists,
    logic.node,
    logic.qualified,
    others.closed,
    others.in_,
    sparql.constraints,
    custom,
)
