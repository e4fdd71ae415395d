"""``kg queries``: what can be asked by name."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import click

from kg.cli.common import Endpoint, dispute_of, endpoint_options, format_option
from kg.errors import CounterclaimError, NonConformanceError, QueryError
from kg.in_words import counted
from kg.plain_text import clean
from kg.results import ROW_FORMATS

if TYPE_CHECKING:
    from kg.dispute import Dispute
    from kg.engine import Engine
    from kg.query_header import Parameter
    from kg.stored_query import StoredQuery


@click.command()
@click.argument("name", required=False)
@click.option(
    "--kind",
    type=click.Choice(["ask", "check", "derive"]),
    default="ask",
    show_default=True,
    help="Questions to ask, checks whose every row is a finding, or derivations.",
)
@format_option(
    *ROW_FORMATS, help="How to print the result; csv, tsv and xml are for the list alone."
)
@click.option(
    "--check",
    is_flag=True,
    help="Ask for all rows twice, in order and as they are found, and say of which queries they "
    "differ.",
)
@endpoint_options
@click.pass_context
def queries(
    ctx: click.Context,
    name: str | None,
    kind: str,
    format: str,
    check: bool,
    endpoint: Endpoint | None,
) -> None:
    """List the stored queries, or show what one asks, takes and answers with.

    Only the example of one is taken from the data: the snapshot's, or a server's.

    Example: kg queries contradictions
    """
    from kg.stored_query import catalogue, find_query

    dispute = dispute_of(ctx)
    if check:
        named = [find_query(dispute, name)] if name else list(catalogue(dispute, kind).values())
        _check([query for query in named if query.found_by], dispute, endpoint)
    elif name is None:
        _print_list(list(catalogue(dispute, kind).values()), format)
    elif format in ("csv", "tsv", "xml"):
        raise click.UsageError(
            f"One query is no table: '{format}' is for the list. Choose table, json or md."
        )
    else:
        _print_one(find_query(dispute, name), dispute, format, endpoint)


def _check(asked: list[StoredQuery], dispute: Dispute, endpoint: Endpoint | None) -> None:
    """Print where rows as they are found differ from those in order; then exit with 1."""
    from kg.as_found import check_found_by
    from kg.cli.query import engine_of

    engine, wrong = engine_of(dispute, endpoint, build=True), 0
    for query in asked:
        try:
            check_found_by(engine, query)
        except QueryError as error:
            wrong += 1
            click.echo(clean(str(error)))
    checked = counted(len(asked), "query", "queries") if asked else "no queries"
    if wrong:
        raise NonConformanceError(
            f"checked {checked} with 'found_by'; {wrong} of them differ{'s' * (wrong == 1)}"
        )
    click.echo(f"checked {checked} with 'found_by'; none differs", err=True)


def _print_list(found: list[StoredQuery], format: str) -> None:
    if format == "json":
        click.echo(json.dumps([_as_json(query) for query in found], indent=2, ensure_ascii=False))
        return
    from kg.cli.rows import print_values

    rows = [(query.name, query.title, _parameters(query)) for query in found]
    print_values(("name", "title", "parameters"), rows, format)
    if format == "table":
        click.echo("A parameter in brackets may be left out. More: kg queries NAME", err=True)


def _parameters(query: StoredQuery) -> str:
    named = ((p.name if p.required else f"[{p.name}]") for p in query.params.values())
    return " ".join(named)


def _as_json(query: StoredQuery) -> dict[str, object]:
    return {
        "name": query.name,
        "kind": query.kind,
        "title": query.title,
        "question": query.question,
        "params": {
            p.name: {
                "type": p.type,
                "description": p.description,
                "required": p.required,
                "default": p.default,
            }
            for p in query.params.values()
        },
        "columns": dict(query.columns),
        "view": query.view,
        "after": list(query.after),
        "mend": query.mend,
    }


def _print_one(
    query: StoredQuery, dispute: Dispute, format: str, endpoint: Endpoint | None
) -> None:
    example = _example(query, dispute, endpoint)
    if format == "json":
        told = {**_as_json(query), "path": str(query.path), "example": example}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    heading, code = ("## ", "`") if format == "md" else ("", "")
    click.echo(f"{'# ' if format == 'md' else ''}{query.name}: {query.title}")
    for text in (query.question, query.mend):
        if text:
            click.echo(f"\n{text}")
    from kg.cli.rows import print_values

    if query.params:
        click.echo(f"\n{heading}Parameters\n")
        rows = [(p.name, p.type, _needed(p), p.description) for p in query.params.values()]
        print_values(("name", "type", "if left out", "meaning"), rows, format)
    if query.columns:
        click.echo(f"\n{heading}Columns\n")
        print_values(("name", "meaning"), list(query.columns.items()), format)
    click.echo(f"\n{heading}Example\n\n{code or '  '}{example}{code}")


def _needed(parameter: Parameter) -> str:
    if parameter.required:
        return "it must be given"
    return "any" if parameter.default is None else parameter.default


def _example(query: StoredQuery, dispute: Dispute, endpoint: Endpoint | None) -> str:
    """Return a command that runs: with every required parameter, or else the first optional one."""
    from kg.parameters import example_of
    from kg.pipeline import open_current

    wanted = [p for p in query.params.values() if p.required] or list(query.params.values())[:1]
    engine: Engine | None = None
    if wanted and endpoint:
        engine = endpoint.engine(dispute)
    elif wanted:
        try:
            engine = open_current(dispute, build=False)
        except CounterclaimError:
            # Nothing has been built yet; an example is not worth a build.
            engine = None
    words = ["kg", "query", query.name]
    for parameter in wanted:
        words += ["-p", f"{parameter.name}={example_of(parameter, engine, dispute.base)}"]
    return shlex.join(words)
