"""Judging a graph by shapes.

``validate_dispute`` judges a dispute's stated and derived statements by the project's shapes,
``validate_changed`` only what a change can affect, ``validate_files`` any data by any shapes.
Shapes are compiled to SPARQL and judge where the data is; what cannot be compiled is left to
pySHACL, which can also judge everything, for comparison.
"""

from __future__ import annotations

from kg.shacl.report import Report, Result
from kg.shacl.validation import shape_files, validate_changed, validate_dispute, validate_files

__all__ = [
    "Report",
    "Result",
    "shape_files",
    "validate_changed",
    "validate_dispute",
    "validate_files",
]
