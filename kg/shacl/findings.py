"""What the check queries found, as results of a report."""

from __future__ import annotations

from collections.abc import Iterable

import pyoxigraph as ox

from kg.checks import Finding
from kg.dispute import Dispute
from kg.locations import Locations
from kg.namespaces import ONTOLOGY_GRAPH, expand
from kg.shacl.report import Report, Result, in_order, short

# A check has no shape; what takes its place in a report is an IRI with the check's name.
CHECKS = ONTOLOGY_GRAPH.removesuffix("ns") + "check/"


def findings_report(findings: Iterable[Finding], dispute: Dispute) -> Report:
    """Return findings as results of severity ``sh:Violation``, with the place of their node.

    The node is the first IRI of the row, else the dispute.
    """
    locations = Locations(dispute)
    return Report(in_order(tuple(_result(finding, dispute, locations) for finding in findings)))


def _result(finding: Finding, dispute: Dispute, locations: Locations) -> Result:
    nodes = [term for term in finding.row.values() if isinstance(term, ox.NamedNode)]
    focus = nodes[0] if nodes else ox.NamedNode(dispute.iri)
    rest = ", ".join(
        f"{name} {short(term)}"
        for name, term in finding.row.items()
        if term is not None and term != focus
    )
    what = f"{finding.title} ({rest})" if rest else finding.title
    return Result(
        focus=focus,
        shape=CHECKS + finding.check,
        component=expand("sh:SPARQLConstraintComponent"),
        severity=expand("sh:Violation"),
        message=f"{what.rstrip('.')}. {finding.mend}".strip(),
        place=locations.find(focus.value),
    )
