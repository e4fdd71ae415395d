"""``kg publish``: bring a dispute to a SPARQL server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kg.cli.common import access_options, dispute_of, format_option, print_table, progress_bar

if TYPE_CHECKING:
    from kg.remote_auth import Credentials


@click.command()
@click.option("--to", "query_url", required=True, metavar="URL", help="Where it takes queries.")
@click.option(
    "--update-to",
    "update_url",
    metavar="URL",
    help="Where it takes updates [default: as --to].",
)
@click.option(
    "--gsp",
    "store_url",
    metavar="URL",
    help="Where it takes whole graphs, by the Graph Store Protocol; without, updates are used.",
)
@click.option(
    "--clean", "sweep", is_flag=True, help="First remove what a publication left that was killed."
)
@access_options
@format_option("table", "json")
@click.pass_context
def publish(
    ctx: click.Context,
    query_url: str,
    update_url: str | None,
    store_url: str | None,
    sweep: bool,
    credentials: Credentials | None,
    timeout: float,
    format: str,
) -> None:
    """Bring all graphs of a dispute to a SPARQL server, or none.

    Every graph is read back and compared. If anything fails, what was there before is put back.

    Example: kg publish --to http://localhost:7878/query --update-to http://localhost:7878/update
    """
    import json
    from dataclasses import asdict

    from kg import publish as library
    from kg.cli.query import open_engine
    from kg.namespaces import shorten
    from kg.remote import RemoteEngine

    dispute = dispute_of(ctx)
    target = RemoteEngine(query_url, update_url, store_url, credentials, timeout)
    source = open_engine(dispute, build=True)
    if sweep:
        library.clean(target)
    with progress_bar(library.steps(source)) as progress:
        reports = library.publish(source, dispute, target, progress)
    if format == "json":
        click.echo(json.dumps([asdict(report) for report in reports], indent=2))
    else:
        rows = [
            (shorten(one.graph, dispute.base), one.what, f"{one.before:,}", f"{one.after:,}")
            for one in reports
        ]
        numbers = ("before", "after")
        print_table(("graph", "what", *numbers), rows, title=dispute.title, right=numbers)
    total = sum(one.after for one in reports)
    click.echo(f"{query_url} holds {total:,} statements, as they are here", err=True)
    if left := library.leftovers(target):
        click.echo(
            f"kg: a publication that was killed left {len(left)} graphs there, such as {left[0]}; "
            "--clean removes them",
            err=True,
        )
