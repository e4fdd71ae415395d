"""``kg``: verbs are imported only when they are called, so that ``kg --help`` is quick."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from pathlib import Path
from types import FrameType

import click

from kg import __version__
from kg.errors import CounterclaimError
from kg.plain_text import clean

# verb -> (module, attribute, one-line help). The help stands here so that it needs no import.
VERBS: dict[str, tuple[str, str, str]] = {
    "brief": ("kg.cli.brief", "brief", "Write a cited report that one can hand over."),
    "build": ("kg.cli.build", "build", "Load, derive, validate and publish a snapshot."),
    "documents": ("kg.cli.documents", "documents", "Attach and list the texts of documents."),
    "explain": ("kg.cli.explain", "explain", "Show what holding one assertion takes and gives."),
    "import": ("kg.cli.import_", "import_", "Import a register, such as a git history."),
    "passages": ("kg.cli.passages", "passages", "Check, count and find passages."),
    "positions": (
        "kg.cli.positions",
        "positions",
        "Show which statements can be held together.",
    ),
    "publish": ("kg.cli.publish", "publish", "Bring a dispute to a SPARQL server."),
    "queries": ("kg.cli.queries", "queries", "List the stored queries."),
    "query": ("kg.cli.query", "query", "Run a stored query, a file, or standard input."),
    "report": ("kg.cli.report", "report", "Show the dispute on one screen."),
    "serve": ("kg.cli.serve", "serve", "Serve a SPARQL endpoint."),
    "show": ("kg.cli.show", "show", "Show one statement, agent, pull request or commit."),
    "validate": ("kg.cli.validate", "validate", "Judge the sources by the shapes and checks."),
}


class LazyGroup(click.Group):
    """A group that knows its verbs by name and imports one when it runs."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a verb; a reader that has gone (head, less) is no failure, as click would have it."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _drop_output()
            sys.exit(0)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs, sorted."""
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a verb, or ``None`` if there is no such verb."""
        if cmd_name not in VERBS:
            return None
        module, attribute, _ = VERBS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; an unknown one is answered with the nearest known one."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], VERBS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else f" Verbs: {', '.join(VERBS)}."
            ctx.fail(f"No such command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(verb, VERBS[verb][2]) for verb in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kg")
@click.option(
    "--dispute",
    metavar="DIR",
    help="The dispute folder, or the name of a shipped one (default: $KG_DISPUTE, the folder "
    "you stand in, else llama-mmap).",
)
@click.pass_context
def cli(ctx: click.Context, dispute: str | None) -> None:
    """Ask a claim/counterclaim knowledge graph.

    Example: kg query contradictions
    """
    ctx.obj = dispute


def main() -> None:
    """Run the command line; a known error prints its message and sets the exit code."""
    _open_what_is_closed()
    _end_in_order()
    try:
        try:
            cli.main(standalone_mode=False, prog_name="kg")
        finally:
            # Here, and not when Python ends, where nobody could tell what went wrong.
            sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except CounterclaimError as error:
        # It may repeat what is written in files, or what a server says.
        click.echo(f"kg: {clean(str(error))}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        _drop_output()
        if isinstance(error, BrokenPipeError):
            sys.exit(0)
        place = f"{error.filename}: " if error.filename else "cannot write the answer: "
        click.echo(f"kg: {place}{error.strerror or error}", err=True)
        sys.exit(CounterclaimError.exit_code)


def _end_in_order() -> None:
    """Let SIGTERM and a terminal that closes end this process as Ctrl-C does: in good order."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:  # else somebody wants something else
            signal.signal(number, _end)


def _end(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


def _drop_output() -> None:
    # Python's last flush at exit must find somewhere to write.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_what_is_closed() -> None:
    """Lead a standard stream that the caller closed nowhere, before a file takes its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


if __name__ == "__main__":
    main()
