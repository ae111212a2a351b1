"""What `run` and `ablate` share: which scenarios, in which environment, within which limits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from itbench.cli.options import FOLDER, NAMESPACE_FILTER, POLICY, UNPROTECTED, Duration, Size
from itbench.model.task import Budget


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; their values are the fields of a RunRequest once `limits` has seen them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def limits(request: dict[str, Any]) -> dict[str, Any]:
    """The request with the limits of a trial in one budget."""
    budget = Budget(
        wall_seconds=request.pop("timeout"),
        output_bytes=request.pop("max_output"),
        workspace_bytes=request.pop("max_workspace"),
        memory_bytes=request.pop("max_memory"),
        processes=request.pop("max_processes"),
    )
    return request | {"budget": budget, "network": request["network"] == "full"}


def new_folder() -> Path:
    """runs/<time>."""
    return Path("runs") / datetime.now(UTC).strftime("%Y%m%dT%H%M%S")


_OPTIONS = (
    click.option(
        "--suite", metavar="NAME", help="A bundled suite, such as starter; --scenario alone looks in all bundled ones."
    ),
    click.option("--dataset", type=FOLDER, help="A dataset folder: ITBench-Lite, ITBench-AA, one scenario, several."),
    click.option("--scenario", "scenarios", multiple=True, metavar="ID", help="Only this scenario; may be repeated."),
    click.option(
        "--env",
        "environment",
        type=click.Choice(["snapshot", "twin", "hybrid", "kind"]),
        default="snapshot",
        show_default=True,
        help="What scenarios run in: recordings, a live twin, one behind a real API server (docs/live.md), a kind cluster.",
    ),
    click.option(
        "--node-image", metavar="IMAGE", help="Of the nodes of --env kind; default: kind's own, or make kind-node-image's."
    ),
    click.option(
        "--task",
        type=click.Choice(["diagnose", "repair"]),
        default="repair",
        show_default=True,
        help="In a live environment: whether agents only diagnose, or repair as well.",
    ),
    click.option("--trials", type=click.IntRange(1, 1000), default=1, show_default=True, help="Trials per scenario."),
    click.option("--parallel", type=click.IntRange(1, 256), default=1, show_default=True, help="Trials at a time."),
    click.option("--timeout", type=Duration(), default="20m", show_default=True, help="Wall time of one trial."),
    click.option("--max-output", type=Size(), default="5MB", show_default=True, help="Largest answer that is read."),
    click.option("--max-workspace", type=Size(), default="1GB", show_default=True, help="Disk space of one trial."),
    click.option("--max-memory", type=Size(), default="8GB", show_default=True, help="Memory of one trial."),
    click.option("--max-processes", type=click.IntRange(1), default=512, show_default=True, help="Processes of one trial."),
    click.option(
        "--seed",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="Each trial gets a seed from it, and so does each simulated scenario (0: the seed in its file).",
    ),
    POLICY,
    NAMESPACE_FILTER,
    click.option(
        "--network", type=click.Choice(["full", "none"]), default="full", show_default=True, help="The agent's network."
    ),
    click.option(
        "--isolation",
        type=click.Choice(["auto", "bubblewrap", "landlock", "none"]),
        default="auto",
        show_default=True,
        help="The agent's sandbox; none protects nothing.",
    ),
    click.option(
        "--expose",
        type=click.Path(exists=True, path_type=Path),
        multiple=True,
        help="Let agents see this folder or file although it is hidden by default, such as ~/.codex.",
    ),
    UNPROTECTED,
    click.option("--agent-env", multiple=True, metavar="NAME", help="Pass this environment variable on to agents."),
    click.option("--record", type=FOLDER, metavar="DIR", help="Record the model traffic of llm: agents into this folder."),
    click.option("--replay", type=FOLDER, metavar="DIR", help="Answer llm: agents from such a folder: no server, no key."),
)
