"""Draws a brief together: every section in order, its pictures' data, and the appendix."""

from __future__ import annotations

from kg.brief.appendix import entries
from kg.brief.gather_agreements import agreements
from kg.brief.gather_conflicts import contradictions, contrast_of
from kg.brief.gather_encoding import encoding, withheld
from kg.brief.gather_parties import parties
from kg.brief.gather_positions import positions
from kg.brief.gather_record import record
from kg.brief.gather_times import moments
from kg.brief.gather_unanswered import unanswered
from kg.brief.gather_unverified import unverified
from kg.brief.model import Brief, sentence
from kg.brief.strength import matters_of, one_of_each_quarrel
from kg.brief.voices import Voices
from kg.dispute import Dispute
from kg.engine import Engine
from kg.in_words import counted

# How many conflicts the picture shows.
_PICTURED = 5


def make_brief(engine: Engine, dispute: Dispute) -> Brief:
    """Return the brief of a dispute that an engine holds, with what derives from it.

    Raises ``QueryError`` and ``EngineError``.
    """
    voices = Voices(engine, dispute.base)
    matters = matters_of(voices)
    sections = (
        parties(voices, dispute.iri),
        agreements(voices),
        contradictions(voices, matters),
        record(voices, dispute),
        unanswered(voices, dispute),
        unverified(voices),
        positions(voices, engine, dispute.iri, matters),
        withheld(voices),
        encoding(voices, dispute.iri),
    )
    statements = sum(not one.relays for one in voices.reader.statements.values())
    text = (
        f"Drawn from {counted(statements, 'statement')} in "
        f"{counted(len(voices.documents), 'document')}, as encoded."
    )
    brief = Brief(
        title=dispute.title,
        iri=dispute.iri,
        lead=sentence(text, (dispute.iri,)),
        sections=sections,
        timeline=moments(voices),
        conflicts=tuple(
            contrast_of(voices, one) for one in one_of_each_quarrel(matters)[:_PICTURED]
        ),
        entries=(),
    )
    links = (link for one in brief.sentences() for link in one.links)
    return Brief(**{**vars(brief), "entries": entries(voices, links)})
