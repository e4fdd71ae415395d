"""``kg query``: run a stored query, a file, or standard input."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kg.cli.common import Endpoint, dispute_of, endpoint_options, progress_bar
from kg.errors import QueryError
from kg.in_words import counted
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from kg.dispute import Dispute
    from kg.embedded import EmbeddedEngine
    from kg.engine import Answer, Engine
    from kg.stored_query import StoredQuery

# As in kg.results, which is not imported before it is needed.
ROWS = ("table", "csv", "tsv", "json", "xml", "md")
GRAPHS = ("turtle", "trig", "nt", "nq", "jsonld", "rdfxml")


@click.command()
@click.argument("query", metavar="NAME|FILE|-")
@click.option("-p", "--param", "params", metavar="NAME=VALUE", multiple=True, help="A parameter.")
@click.option(
    "--format",
    "format",
    type=click.Choice(ROWS + GRAPHS),
    help="How to print the answer: the first six for rows, the others for a graph "
    "[default: table, or turtle].",
)
@click.option(
    "--limit", type=click.IntRange(min=0), metavar="N", help="Print no more than N rows or triples."
)
@click.option(
    "--as-found",
    is_flag=True,
    help="Print rows as they are found, not in the query's order: in a large dispute the first "
    "come sooner.",
)
@click.option("--no-build", is_flag=True, help="Ask the last snapshot, even if sources changed.")
@click.option("--explain", is_flag=True, help="Print the SPARQL that would run, and do not run it.")
@endpoint_options
@click.pass_context
def query(
    ctx: click.Context,
    query: str,
    params: tuple[str, ...],
    format: str | None,
    limit: int | None,
    as_found: bool,
    no_build: bool,
    explain: bool,
    endpoint: Endpoint | None,
) -> None:
    """Run a stored query, a file, or standard input ("-").

    See the stored ones with "kg queries". In a file or on standard input the project's prefixes
    need no declaration, and ":name" is a name of the dispute.

    Example: kg query contradictions --limit 5
    """
    from kg.as_found import as_found as found_rows
    from kg.parameters import needs_engine, split_pairs, to_terms
    from kg.query_header import without_header
    from kg.stored_query import bind

    dispute = dispute_of(ctx)
    asked = _find(query, dispute)
    format = _format_for(asked, format)
    given = split_pairs(asked, params)  # before anything is built: a typing mistake is quick
    engine: Engine | None = None
    if not explain or needs_engine(asked, given):
        engine = engine_of(dispute, endpoint, build=not no_build)
    terms = to_terms(asked, given, engine, dispute.base)
    text = bind(asked, terms)
    if explain or engine is None:
        # Without the header, whose parameters are now bound, the text can be asked again anywhere.
        bare = without_header(text)
        click.echo(bare, nl=not bare.endswith("\n"))
        return
    try:
        answer = found_rows(engine, asked, terms) if as_found else engine.query(text)
        _print(answer, format, dispute.base, limit)
    except QueryError as error:
        error.path = error.path or asked.path
        raise


def engine_of(dispute: Dispute, endpoint: Endpoint | None, *, build: bool) -> Engine:
    """Return the engine to ask: the server if one is given, else the current snapshot."""
    return endpoint.engine(dispute) if endpoint else open_engine(dispute, build=build)


def open_engine(dispute: Dispute, *, build: bool) -> EmbeddedEngine:
    """Open the current snapshot; a bar appears only if something has to be built first."""
    from kg import pipeline
    from kg.preparing import steps

    bars: list[Progress] = []

    def progress(what: str) -> None:
        if not bars:
            bar = building.enter_context(progress_bar(steps(dispute)))
            bars.append(bar or silent)
        bars[0](what)

    with ExitStack() as building:
        return pipeline.open_current(dispute, build, progress)


def _find(name: str, dispute: Dispute) -> StoredQuery:
    from kg.namespaces import PREFIXES
    from kg.stored_query import SUFFIX, find_query, parse_query, read_text

    path = Path(name)
    prefixes = {"": dispute.base, **PREFIXES}
    if name == "-":
        try:
            text = sys.stdin.buffer.read().decode("utf-8-sig")
            return parse_query(text, name="-", prefixes=prefixes)
        except UnicodeDecodeError:
            raise QueryError("not UTF-8 text", path="standard input") from None
        except QueryError as error:
            error.path = "standard input"
            raise
    if name.endswith(SUFFIX) or path.is_file():
        return parse_query(read_text(path), name=path.stem, path=path, prefixes=prefixes)
    return find_query(dispute, name)


def _format_for(asked: StoredQuery, format: str | None) -> str:
    """Return the format to print in, refusing one that the answer will not have."""
    from kg.query_rules import a

    graph = asked.form in ("CONSTRUCT", "DESCRIBE")
    if format is None:
        return GRAPHS[0] if graph else ROWS[0]
    if format in (GRAPHS if graph else ROWS):
        return format
    choice = ", ".join(GRAPHS if graph else ROWS)
    raise QueryError(
        f"--format {format} does not fit a query that is {a(asked.form)}",
        path=asked.path,
        hint=f"Choose one of: {choice}.",
    )


def _print(answer: Answer, format: str, base: str, limit: int | None) -> None:
    from kg import results
    from kg.cli.rows import warn
    from kg.engine import Rows, Triples

    if isinstance(answer, Rows):
        written = results.write_rows(answer, format, sys.stdout, base=base, limit=limit)
    elif isinstance(answer, Triples):
        written = results.write_triples(answer, format, sys.stdout, base=base, limit=limit)
    else:
        results.write_boolean(answer, format, sys.stdout)
        return
    sys.stdout.flush()
    warn(written)
    what = "row" if isinstance(answer, Rows) else "triple"
    if written.more:
        click.echo(f"stopped after {_count(written.count, what)}; there are more", err=True)
    elif format == "table" or (format == "md" and not written.count):
        click.echo(_count(written.count, what), err=True)


def _count(count: int, what: str) -> str:
    return counted(count, what) if count else f"no {what}s"
