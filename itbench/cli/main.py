"""The `itbench` program: finds the command, imports only that, and turns errors into one message and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from itbench import __version__
from itbench.cli.lazy import LazyGroup
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
    "judge": ("itbench.cli.judge:judge", "Compare a judge, the matcher and people."),
    "dataset": ("itbench.cli.dataset:dataset", "Validate, describe and download datasets."),
    "agent": ("itbench.cli.agent:agent", "List agents and check one."),
    "submit": ("itbench.cli.submit:submit", "Build and verify leaderboard submissions."),
    "leaderboard": ("itbench.cli.submit:leaderboard", "Rank submissions."),
    "scenario": ("itbench.cli.scenario:scenario", "List, simulate, write, check and draw scenarios."),
    "env": ("itbench.cli.env:env", "Start, list and end live environments."),
    "record": ("itbench.cli.record:record", "Record a cluster of your own as a snapshot."),
    "fault": ("itbench.cli.fault:fault", "List the faults and describe one."),
    "app": ("itbench.cli.app:app", "Check and draw applications that the twin runs."),
    "twin": ("itbench.cli.twin:twin", "Play on a simulated cluster, compare streams, hold the twin against reality."),
    "mast": ("itbench.cli.mast:mast", "Find out why agents failed: failure modes in traces."),
    "ablate": ("itbench.cli.ablate:ablate", "Measure what interventions around an agent are worth."),
    "ciso": ("itbench.cli.ciso:ciso", "Try answers to compliance tasks, and make tasks."),
    "finops": ("itbench.cli.finops:finops", "Draw bills and their anomalies."),
    "tools": ("itbench.cli.tools:tools", "List the tools that agents ask, and call them."),
    "mcp": ("itbench.cli.mcp:mcp", "Serve the tools over a snapshot to MCP clients."),
    "schema": ("itbench.cli.schema:schema", "Print the JSON Schemas of the files that itbench writes."),
    "completion": ("itbench.cli.completion:completion", "Print the completion script for a shell."),
}


class Program(LazyGroup):
    """The whole program: turns errors into messages."""

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


@click.group(cls=Program, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
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
