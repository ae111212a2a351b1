"""The `itbench` program: finds the command, imports only that, and turns errors into one message and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from itbench import __version__
from itbench.model.errors import ItbenchError
from itbench.model.text import visible

# name: (module:attribute, what `itbench --help` says). The module is imported when the command is called.
COMMANDS = {
    "run": ("itbench.cli.run:run", "Run agents on scenarios and score them."),
    "resume": ("itbench.cli.run:resume", "Go on with an interrupted run."),
    "report": ("itbench.cli.report:report", "Show the scorecard of a run."),
    "explain": ("itbench.cli.report:explain", "Show why one trial scored as it did."),
    "compare": ("itbench.cli.report:compare", "Compare two runs scenario by scenario."),
    "score": ("itbench.cli.score:score", "Score answers that exist already."),
    "dataset": ("itbench.cli.dataset:dataset", "Validate, describe and download datasets."),
    "agent": ("itbench.cli.agent:agent", "List agents and check one."),
    "submit": ("itbench.cli.submit:submit", "Build and verify leaderboard submissions."),
    "leaderboard": ("itbench.cli.submit:leaderboard", "Rank submissions."),
    "app": ("itbench.cli.app:app", "Check and draw applications that the twin runs."),
    "twin": ("itbench.cli.twin:twin", "Play changes on a simulated cluster, and compare streams."),
    "tools": ("itbench.cli.tools:tools", "List the tools that agents ask, and call them."),
    "mcp": ("itbench.cli.mcp:mcp", "Serve the tools over a snapshot to MCP clients."),
    "schema": ("itbench.cli.schema:schema", "Print the JSON Schemas of the files that itbench writes."),
    "completion": ("itbench.cli.completion:completion", "Print the completion script for a shell."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports them late."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """All command names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or suggest the nearest name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"No such command {args[0]!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run, and report errors as one message on stderr.

        Exit codes: 0 all trials scored, 1 some trial unscored or an error met on the way, 2 wrong usage or input.
        """
        try:
            return super().main(args, *rest, **extra)
        except ItbenchError as error:
            if os.environ.get("ITBENCH_DEBUG"):
                raise
            click.echo(f"itbench: {_printable(str(error))}", err=True)
            sys.exit(error.exit_code)
        except OSError as error:
            if os.environ.get("ITBENCH_DEBUG"):
                raise
            click.echo(f"itbench: {error.filename or 'a file'}: {error.strerror or error}", err=True)
            sys.exit(2)
        except RecursionError:
            if os.environ.get("ITBENCH_DEBUG"):
                raise
            click.echo("itbench: the input is nested too deeply", err=True)
            sys.exit(2)
        except Exception as error:
            if os.environ.get("ITBENCH_DEBUG"):
                raise
            click.echo(
                f"itbench: this is a defect of itbench: {type(error).__name__}: {error}. "
                "Please report it with the traceback that ITBENCH_DEBUG=1 shows.",
                err=True,
            )
            sys.exit(70)


def _printable(message: str) -> str:
    return "\n".join(visible(line) for line in message.split("\n"))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="itbench")
def main() -> None:
    """Evaluate AI agents on IT operations incidents.

    \b
    Evaluate an agent:      itbench run --suite starter --agent cmd:./my-agent
    See why it scored so:   itbench explain RUN_DIR SCENARIO
    Submit the result:      itbench submit build RUN_DIR --out FILE

    Exit codes: 0 all trials scored, 1 some trial unscored, 2 wrong usage or input (70: a defect of itbench).
    """


if __name__ == "__main__":
    main()
