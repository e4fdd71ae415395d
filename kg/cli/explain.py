"""``kg explain``: what holding one assertion takes, and what hangs on it."""

from __future__ import annotations

import shutil
import sys
from functools import cache, partial

import click

from kg.cli.common import Endpoint, dispute_of, endpoint_options, format_option
from kg.cli.positions import view_options


@click.command()
@click.argument("assertion")
@view_options
@format_option("table", "json", "md")
@endpoint_options
@click.pass_context
def explain(
    ctx: click.Context,
    assertion: str,
    accept: tuple[str, ...],
    exclude: tuple[str, ...],
    prefer: tuple[str, ...],
    ignore_scope: bool,
    format: str,
    endpoint: Endpoint | None,
) -> None:
    """Show what one must reject to hold an assertion, what falls with it, what it hangs on.

    Identity judgements that could matter are withdrawn one by one, and everything is derived
    again; nothing is stored.

    Example: kg explain tunney-011
    """
    from kg.argumentation.explain import explain as find
    from kg.argumentation.explanation import explanation_json, explanation_page
    from kg.argumentation.from_graph import moves_of
    from kg.argumentation.view import view_of
    from kg.argumentation.withdrawal import without
    from kg.argumentation.words import Words
    from kg.cli.query import engine_of
    from kg.names import resolve
    from kg.remote_dispute import in_memory
    from kg.show.page import as_markdown, as_text

    dispute = dispute_of(ctx)
    engine = engine_of(dispute, endpoint, build=True)
    node = resolve(engine, dispute.base, assertion)
    view = view_of(engine, dispute.base, accept=accept, exclude=exclude, prefer=prefer)
    moves = moves_of(engine, dispute.base, ignore_scope=ignore_scope)
    store = cache(partial(in_memory, engine))  # only if there is a judgement to withdraw
    found = find(
        engine,
        moves,
        node.value,
        view=view,
        withdraw=lambda judgement: without(store(), dispute, judgement),
    )
    words = Words(engine, found.frame)
    if format == "json":
        click.echo(explanation_json(found, words), nl=False)
        return
    page = explanation_page(found, words)
    if format == "md":
        click.echo(as_markdown(page), nl=False)
        return
    head = partial(click.style, bold=True) if sys.stdout.isatty() else str
    click.echo(as_text(page, shutil.get_terminal_size((100, 24)).columns, head), nl=False)
