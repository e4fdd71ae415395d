"""``kg build``: make and publish a snapshot."""

from __future__ import annotations

import click

from kg.cli.common import dispute_of, format_option, jobs_option, print_table, progress_bar


@click.command()
@jobs_option
@format_option("table", "json")
@click.pass_context
def build(ctx: click.Context, jobs: int | None, format: str) -> None:
    """Load, derive, validate and publish a snapshot.

    Building twice gives the same digest; a build that fails changes nothing.

    Example: kg build
    """
    from kg import pipeline
    from kg.preparing import steps

    dispute = dispute_of(ctx)
    with progress_bar(steps(dispute)) as progress:
        report = pipeline.build(dispute, progress, jobs)
    if format == "json":
        click.echo(report.as_json())
        return
    rows = [
        ("documents", f"{report.documents:,}"),
        ("assertions", f"{report.assertions:,}"),
        ("  of them relays", f"{report.relays:,}"),
        ("propositions", f"{report.propositions:,}"),
        ("contradictions", f"{report.contradictions:,}"),
        ("findings of records", f"{report.findings:,}"),
        ("triples", f"{report.triples:,}"),
        ("seconds", f"{report.seconds:.1f}"),
    ]
    print_table(("what", "count"), rows, title=dispute.title, right=("count",))
    click.echo(f"snapshot {report.digest[:12]} in {report.path.parent}", err=True)
