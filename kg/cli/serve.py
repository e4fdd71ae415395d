"""``kg serve``: a dispute, or several, as a SPARQL endpoint."""

from __future__ import annotations

import click

from kg.cli.common import Seconds, dispute_of
from kg.errors import EngineError


@click.command()
@click.argument("disputes", metavar="[DISPUTE]...", nargs=-1)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port; 0 takes any that is free.",
)
@click.option(
    "--timeout",
    type=Seconds(min=0.1),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="What one query may take before it is stopped.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many queries run at once [default: twice the processors, at least 12].",
)
@click.option(
    "--memory",
    type=click.IntRange(384, 1 << 20),  # a worker with the shipped dispute open has 270
    default=1024,
    show_default=True,
    metavar="MIB",
    help="What one query may use of memory, in MiB of address space.",
)
@click.option(
    "--base",
    metavar="IRI",
    help="The address that the names are served under, if it is not their own.",
)
@click.option(
    "--behind-proxy",
    is_flag=True,
    help="Tell clients apart by the last address of X-Forwarded-For; only behind a proxy.",
)
@click.option(
    "--allow-service",
    "services",
    multiple=True,
    metavar="ORIGIN",
    help="Another server that queries may ask with SERVICE; give it once for each.",
)
@click.option("--no-build", is_flag=True, help="Serve the last snapshot, even if sources changed.")
@click.pass_context
def serve(
    ctx: click.Context,
    disputes: tuple[str, ...],
    host: str,
    port: int,
    timeout: float,
    workers: int | None,
    memory: int,
    base: str | None,
    behind_proxy: bool,
    services: tuple[str, ...],
    no_build: bool,
) -> None:
    """Serve the dispute as a SPARQL 1.1 endpoint, read-only, until stopped.

    Without DISPUTE, it is the one that other verbs work on. Several, each a folder or the name of
    a shipped one, are served below /NAME/, after their folders. A snapshot that "kg build"
    publishes meanwhile is picked up within a second.

    Example: kg serve llama-mmap tideline --port 8080
    """
    if disputes and ctx.find_root().obj:
        raise click.UsageError("Name disputes behind 'serve' or with --dispute, not both.")
    from kg.dispute import open_dispute

    try:
        from kg.server.main import run
    except ImportError as error:
        raise EngineError(
            f"the server's packages are not installed ({error.name})",
            hint="pip install 'counterclaim[server]'",
        ) from None
    run(
        [*map(open_dispute, disputes)] or [dispute_of(ctx)],
        host=host,
        port=port,
        timeout=timeout,
        workers=workers,
        memory=memory,
        base=base,
        proxied=behind_proxy,
        services=services,
        build=not no_build,
    )
