"""A brief in one of its formats, and into a file."""

from __future__ import annotations

from pathlib import Path

from kg.brief.model import Brief
from kg.errors import RenderError
from kg.whole_file import write_whole


def rendered(brief: Brief, format: str) -> bytes:
    """Return a brief as ``md``, ``html`` (both UTF-8) or ``pdf``.

    Raises ``RenderError`` if what the format needs is not installed.
    """
    if format == "pdf":
        from kg.brief.pdf import as_pdf

        return as_pdf(brief)
    if format == "html":
        from kg.brief.html import as_html

        return as_html(brief).encode()
    from kg.brief.markdown import as_markdown

    return as_markdown(brief).encode()


def write_file(content: bytes, path: Path) -> None:
    """Write a file whole or not at all. Raises ``RenderError`` if the folder does not allow it."""
    try:
        write_whole([content], path)
    except OSError as error:
        raise RenderError(
            f"cannot write: {error.strerror or error}",
            path=path,
            hint="Choose another file with -o, or free some space.",
        ) from None
