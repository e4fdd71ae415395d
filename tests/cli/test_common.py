"""Tables and bars: plain into a pipe, drawn on a terminal."""

from __future__ import annotations

import io

import pytest

from kg.cli.common import plain_table, print_table, progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_plain_table_is_aligned() -> None:
    rows = [("documents", "1"), ("triples", "1,234")]
    assert list(plain_table(("what", "count"), rows, right=("count",))) == [
        "what       count",
        "documents      1",
        "triples    1,234",
    ]


def test_a_table_without_rows_is_its_heading() -> None:
    assert list(plain_table(("what", "count"), [])) == ["what  count"]


def test_a_pipe_gets_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("a",), [("[b]x[/b]",)], title="T")
    assert capsys.readouterr().out == "T\na\n[b]x[/b]\n"


def test_a_terminal_gets_a_drawn_table_and_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    print_table(("a",), [("[b]x[/b]",)], title="T")
    assert "[b]x[/b]" in terminal.getvalue()
    assert "─" in terminal.getvalue() or "━" in terminal.getvalue()


def test_a_bar_only_where_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    with progress_bar(3) as say:
        assert say is None
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress_bar(2) as say:
        assert say is not None
        for what in ("loading", "publishing", "one more than announced"):
            say(what)
    assert "one more than announced" in terminal.getvalue()
