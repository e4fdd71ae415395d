"""The words of a brief that are not about the dispute: how to read it, what a picture shows."""

from __future__ import annotations

HOW_TO_READ = (
    "This brief says who says what. What stands in “…” is a paraphrase by the encoders, and holds "
    "nobody to its words. Places are characters of a document, counted from 0. A reference leads "
    "to the statement, judgement or entry of a record that a sentence stands on. None of this "
    "says who is right, and the order within a section follows the rule given there."
)
TIMELINE = "When it is said to have happened"
TIMELINE_NOTE = (
    "In the order of the first day that a date allows, a document at the last. An event is here "
    "because somebody says that it happened then, a commit because the record holds it, a document "
    "because of its date."
)
CONFLICTS = "The strongest conflicts"
CONFLICTS_NOTE = (
    "In the order given under “What contradicts what”, which weighs nobody's word; of those that "
    "share a statement, the first."
)
APPENDIX = "What the references stand for"


def iris(base: str) -> str:
    """Say how an IRI follows from the name of an entry."""
    return f"The IRI of an entry is {base} followed by its name, where none is given."
