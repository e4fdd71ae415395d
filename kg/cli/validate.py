"""``kg validate``: judge the sources as they are now, or any files by any shapes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kg.cli.common import (
    Endpoint,
    dispute_of,
    endpoint_options,
    format_option,
    jobs_option,
    progress_bar,
)
from kg.namespaces import shorten
from kg.plain_text import clean
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from kg.dispute import Dispute
    from kg.shacl import Report
    from kg.shacl.engines import EngineName


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="FILE",
    multiple=True,
    help="Judge this file instead of the dispute; may be repeated.",
)
@click.option(
    "--shapes",
    type=click.Path(path_type=Path),
    metavar="FILE",
    multiple=True,
    help="Judge by the shapes in this file instead of the project's; may be repeated.",
)
@click.option(
    "--engine",
    type=click.Choice(["compiled", "pyshacl", "both"]),
    default="compiled",
    show_default=True,
    help="Who judges: the shapes compiled to SPARQL, pySHACL, or both against each other.",
)
@click.option(
    "--changed",
    is_flag=True,
    help="Judge again only what changes since the last build can affect; the report is the same.",
)
@click.option(
    "--explain",
    metavar="SHAPE",
    help="Judge nothing; print the SPARQL that this shape is compiled to.",
)
@jobs_option
@format_option("table", "json", "turtle", help="How to print the report.")
@endpoint_options
@click.pass_context
def validate(
    ctx: click.Context,
    data: tuple[Path, ...],
    shapes: tuple[Path, ...],
    engine: EngineName,
    changed: bool,
    explain: str | None,
    jobs: int | None,
    format: str,
    endpoint: Endpoint | None,
) -> None:
    """Judge the sources by the shapes and checks.

    What is judged is the sources as they are now and what derives from them, never an old
    snapshot: that of the last build is taken if the sources are the very same. With --endpoint,
    it is what the server holds. Files (Turtle, TriG, N-Triples, N-Quads, JSON-LD, RDF/XML) are
    judged as one graph together with the vocabulary. What cannot be compiled is left to pySHACL,
    and said.

    With --changed, the sources are compared with the snapshot that the last build published, which
    had no fault, and only what the difference can affect is judged again.

    Exit code 0: it conforms; 1: it does not, or two engines differ; 2: the data or the shapes
    cannot be used.

    Example: kg validate --format json
    """
    from kg.errors import NonConformanceError
    from kg.in_words import counted
    from kg.shacl import validate_files
    from kg.shacl.render import as_json, as_lines, as_turtle

    if changed:
        _refuse_with_changed(ctx)
    if explain is not None:
        _explain(explain, shapes)
        return
    dispute = None if data else dispute_of(ctx)
    with progress_bar(_steps(dispute, endpoint)) as bar:
        say = bar or silent
        if dispute is None:
            say("validating")
            report = validate_files(data, shapes, engine)
        elif endpoint:
            say("asking the server")
            report = _of_server(endpoint, dispute, shapes, engine, say)
        elif changed:
            report = _of_changes(dispute, say, jobs)
        else:
            report = _of_sources(dispute, shapes, engine, say, jobs)
    if format == "json":
        click.echo(as_json(report))
    elif format == "turtle":
        click.echo(as_turtle(report), nl=False)
    else:
        for line in as_lines(report):
            click.echo(clean(line))
    for judged in report.judged:
        if judged.reason:
            click.echo(f"kg: judged by pySHACL: {shorten(judged.shape)}: {judged.reason}", err=True)
    if report.differences:
        for difference in report.differences:
            click.echo(f"kg: {difference}", err=True)
        differing = counted(len(report.differences), "result")
        raise NonConformanceError(f"the engines differ in {differing}")
    if not report.conforms:
        raise NonConformanceError(f"does not conform: {counted(len(report.results), 'result')}")


def _steps(dispute: Dispute | None, endpoint: Endpoint | None) -> int:
    from kg.preparing import steps

    return 4 if dispute is None or endpoint else steps(dispute)


def _explain(shape: str, shapes: tuple[Path, ...]) -> None:
    from kg.shacl.explain import explain

    for number, text in enumerate(explain(shape, shapes)):
        click.echo(f"\n{text}" if number else text)


# What --changed cannot be combined with, and why.
_NOT_WITH_CHANGED = {
    "data": "--changed compares the sources of a dispute with its last build; files have none.",
    "shapes": "--changed relies on the last build, which judged by the project's own shapes.",
    "engine": "--changed is for the compiled engine only; pySHACL judges everything.",
    "explain": "--explain judges nothing, so nothing can be judged again.",
    "url": "--changed compares the sources with the last build here; a server has none.",
}


def _refuse_with_changed(ctx: click.Context) -> None:
    for name, why in _NOT_WITH_CHANGED.items():
        value = ctx.params.get(name)
        if value and value != "compiled":
            raise click.UsageError(why, ctx)


def _of_changes(dispute: Dispute, say: Progress, jobs: int | None) -> Report:
    from kg.revalidation import revalidate

    done = revalidate(dispute, say, jobs)
    if done.reason:
        click.echo(f"kg: everything was judged: {done.reason}", err=True)
    return done.report


def _of_server(
    endpoint: Endpoint,
    dispute: Dispute,
    shapes: tuple[Path, ...],
    engine: EngineName,
    say: Progress,
) -> Report:
    from kg.remote_dispute import to_judge
    from kg.revalidation import judge

    return judge(to_judge(endpoint.engine(dispute)), dispute, say, shapes, engine)


def _of_sources(
    dispute: Dispute, shapes: tuple[Path, ...], engine: EngineName, say: Progress, jobs: int | None
) -> Report:
    from kg.preparing import prepared
    from kg.revalidation import judge

    say("comparing with the last build")
    with prepared(dispute, say, jobs) as store:
        return judge(store, dispute, say, shapes, engine)
