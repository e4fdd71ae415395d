"""``kg validate``: judge the sources as they are now, or any files by any shapes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kg.cli.common import dispute_of, format_option, progress_bar

if TYPE_CHECKING:
    from kg.dispute import Dispute
    from kg.shacl import Report

Say = Callable[[str], None]


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
@format_option("table", "json", "turtle", help="How to print the report.")
@click.pass_context
def validate(
    ctx: click.Context, data: tuple[Path, ...], shapes: tuple[Path, ...], format: str
) -> None:
    """Judge the sources by the shapes and checks.

    What is judged is the sources as they are now and what derives from them, never an old
    snapshot. Files (Turtle, TriG, N-Triples, N-Quads, JSON-LD, RDF/XML) are judged as one graph
    together with the vocabulary. Exit code 0: it conforms; 1: it does not; 2: the data or the
    shapes cannot be used.

    Example: kg validate --format json
    """
    from kg.errors import NonConformanceError
    from kg.shacl import validate_files
    from kg.shacl.render import as_json, as_lines, as_turtle

    with progress_bar(4) as bar:
        say = bar or _silent
        if data:
            say("validating")
            report = validate_files(data, shapes)
        else:
            report = _of_dispute(dispute_of(ctx), shapes, say)
    if format == "json":
        click.echo(as_json(report))
    elif format == "turtle":
        click.echo(as_turtle(report), nl=False)
    else:
        for line in as_lines(report):
            click.echo(line)
    if not report.conforms:
        count = len(report.results)
        raise NonConformanceError(f"does not conform: {count} result{'s' * (count != 1)}")


def _of_dispute(dispute: Dispute, shapes: tuple[Path, ...], say: Say) -> Report:
    from kg.checks import run_checks
    from kg.pipeline import staged
    from kg.shacl import validate_dispute
    from kg.shacl.findings import findings_report

    say("loading and deriving")
    engine = staged(dispute)
    say("validating")
    report = validate_dispute(engine, dispute, shapes)
    if shapes:  # somebody else's idea of what is right; the project's checks are beside the point
        return report
    say("checking")
    return report.joined(findings_report(run_checks(engine, dispute), dispute).results)


def _silent(_: str) -> None:
    pass
