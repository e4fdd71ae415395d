"""A brief as PDF, where Pango is; and what is said where it is not."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import pytest

from kg.brief.pdf import as_pdf
from kg.errors import RenderError
from tests.brief.conftest import Made


@pytest.mark.pdf
def test_a_brief_becomes_pages(shipped_brief: Made) -> None:
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError) as error:
        pytest.skip(f"no PDF here: {error}")
    made = as_pdf(shipped_brief.brief)
    assert made.startswith(b"%PDF-")
    assert made.rstrip().endswith(b"%%EOF")
    assert len(made) > 20_000


@pytest.mark.parametrize("failure", [ImportError("none"), OSError("cannot load 'libpango-1.0-0'")])
def test_what_is_missing_is_named_with_what_helps(
    tideline: Made, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    find: Callable[..., Any] = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "weasyprint":
            raise failure
        return find(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(RenderError) as error:
        as_pdf(tideline.brief)
    assert "libpango-1.0-0" in str(error.value)
    assert "counterclaim[pdf]" in str(error.value)
