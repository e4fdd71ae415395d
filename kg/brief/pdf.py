"""A brief as PDF: its HTML, laid out by WeasyPrint."""

from __future__ import annotations

from typing import Any

from kg.brief.html import as_html
from kg.brief.model import Brief
from kg.errors import RenderError

_HINT = (
    "It needs the extra 'pdf' (pip install 'counterclaim[pdf]') and Pango from the system "
    "(on Debian: apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0). "
    "Or print the file that '--format html' makes."
)


def as_pdf(brief: Brief) -> bytes:
    """Return the brief as PDF.

    Raises ``RenderError`` if WeasyPrint or the libraries that it needs are missing.
    """
    weasyprint = _weasyprint()
    page = weasyprint.HTML(string=as_html(brief), url_fetcher=_nothing)
    written = page.write_pdf()
    assert isinstance(written, bytes)
    return written


def _weasyprint() -> Any:
    try:
        import weasyprint
    except ImportError as error:
        raise RenderError("WeasyPrint, which makes PDF, is not installed", hint=_HINT) from error
    except OSError as error:  # what ctypes raises for a library of the system
        missing = str(error).splitlines()[0]
        raise RenderError(f"WeasyPrint cannot be loaded: {missing}", hint=_HINT) from error
    return weasyprint


def _nothing(url: str, *_: object, **__: object) -> dict[str, object]:
    """Refuse to fetch: a brief is whole without anything from elsewhere."""
    raise ValueError(f"a brief fetches nothing, not even {url}")
