"""A brief as one HTML file that needs nothing else, for a screen and for paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kg.brief import wording
from kg.brief.conflicts import conflicts
from kg.brief.model import Brief, Claim, Contrast, Item, Told
from kg.brief.timeline import timeline
from kg.errors import RenderError
from kg.plain_text import clean

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"


def as_html(brief: Brief) -> str:
    """Return the brief as HTML. Raises ``RenderError`` if Jinja2 is not installed."""
    template = _environment().get_template("brief.html")
    from markupsafe import Markup  # comes with Jinja2

    numbers = {entry.iri: place for place, entry in enumerate(brief.entries, 1)}
    targets = {entry.iri: f"ref-{entry.anchor}" for entry in brief.entries}

    def reference(link: str) -> tuple[str, str]:
        return targets[link], str(numbers[link])

    return template.render(
        brief=brief,
        numbers=numbers,
        targets=targets,
        names={entry.iri: entry.name for entry in brief.entries},
        wording=wording,
        kind=_kind,
        # Both are made here, of escaped text.
        timeline=[Markup(one) for one in timeline(brief.timeline, reference)],
        conflicts=[Markup(one) for one in conflicts(brief.conflicts, reference)],
        style=Markup((_TEMPLATES / "brief.css").read_text(encoding="utf-8")),
    )


def _environment() -> Environment:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise RenderError(
            "this format needs Jinja2, which is not installed",
            hint="Install it: pip install 'counterclaim[brief]'. '--format md' needs nothing.",
        ) from error
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    # Labels are written by others: no character of one drives whatever shows the page.
    environment.finalize = _finalize
    environment.filters["web"] = _web
    return environment


def _finalize(value: object) -> object:
    return clean(value) if type(value) is str else value


def _web(address: str) -> bool:
    """Whether an address may become a link: no scheme but the web's can run anything."""
    return address.startswith(("https://", "http://"))


def _kind(item: Item) -> str:
    if isinstance(item, Contrast):
        return "contrast"
    if isinstance(item, Told):
        return "told"
    return "claim" if isinstance(item, Claim) else "sentence"
