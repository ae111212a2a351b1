"""Decide what separates the agents of a run from the host, and prove that it holds before anything is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from itbench.agents.command import CommandAgent
from itbench.agents.protocol import AnyAgent, Boundary
from itbench.environments.snapshot import SnapshotEnvironment
from itbench.model.errors import SandboxError, UnwritableError, UsageError
from itbench.model.trial import RunConfig
from itbench.runner.atomic import write_file
from itbench.runner.hiding import hidden_paths
from itbench.runner.session import Session

if TYPE_CHECKING:
    from itbench.sandbox.box import Box
    from itbench.sandbox.probe import ProbeReport

# Shorter folder names could occur in a path by chance; longer ones give the scenario away.
_TELLING = 8
_PREFLIGHT_SECONDS = 60.0


async def guarded_boundary(session: Session) -> Boundary | None:
    """The boundary of this run, None if no agent runs programs.

    isolation.json in the run folder says what the probe tried and found.

    Raises:
        SandboxError: no sandbox can be had, or a program inside it could read a ground truth.
        UsageError: a path would tell which scenario it is, or a Python agent cannot be imported.
    """
    config, root = session.store.config, session.store.root
    if not session.sandboxed:
        return None
    from itbench.sandbox.box import Box, inner_workspace
    from itbench.sandbox.environment import agent_environment
    from itbench.sandbox.modes import choose
    from itbench.sandbox.probe import probe

    mode = choose(config.isolation)
    names = [scenario.place.name for scenario in session.scenarios if len(scenario.place.name) >= _TELLING]
    _refuse_telling_path(root, names)
    _refuse_truths_among_inputs(session)
    dataset = Path(config.dataset) if config.dataset else None
    expose = tuple(map(Path, config.expose))
    tapes = tuple(_tapes(config))
    hidden = (*hidden_paths(root, dataset, session.scenarios), *tapes)
    boundary = Boundary(mode, hidden, expose, config.network, config.agent_env)
    secrets = dict.fromkeys(scenario.truth_path for scenario in session.scenarios if scenario.truth_path is not None)
    staged = SnapshotEnvironment(session.scenarios[0], session.store.work, link=mode == "bubblewrap")
    with session.store.attempt() as attempt:
        attempt.workspace.mkdir()
        async with staged as environment:
            box = Box(
                mode=mode,
                argv=(),  # the probe brings its own program
                workspace=attempt.workspace,
                input_dir=(await environment.observe()).snapshot,
                stdout=attempt.record / "stdout.txt",
                stderr=attempt.record / "stderr.txt",
                budget=config.budget.model_copy(update={"wall_seconds": _PREFLIGHT_SECONDS}),
                hidden=boundary.hidden,
                expose=expose,
                env=agent_environment(inner_workspace(mode, attempt.workspace), passed=config.agent_env),
                network=config.network,
            )
            report = await probe(box, tuple(secrets), names)
            write_file(root / "isolation.json", report.model_dump_json(indent=1).encode())
            if report.leaked and mode != "none":
                raise SandboxError(
                    "the run is stopped: a program in the sandbox could reach a ground truth",
                    path=root / "isolation.json",
                    hint=f"{_told(report)}; this file lists every attempt",
                )
            await _try_imports(session.agents, box)
    return boundary


def _tapes(config: RunConfig) -> Iterator[Path]:
    """They hold other agents' answers. One that is yet to be recorded is made now: what is not there cannot be hidden.

    Raises:
        UnwritableError: it cannot be made.
    """
    if config.replay and Path(config.replay).exists():
        yield Path(config.replay)
    if config.record:
        try:
            Path(config.record).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnwritableError(f"cannot record here ({error.strerror})", path=config.record) from error
        yield Path(config.record)


def _refuse_telling_path(root: Path, names: Iterable[str]) -> None:
    for name in names:
        if name in str(root):
            raise UsageError(
                f"the path of the run folder names the scenario {name!r}, and agents can see it",
                path=root,
                hint="Choose another --out",
            )


def _refuse_truths_among_inputs(session: Session) -> None:
    for scenario, hashes in session.store.lock.scenarios.items():
        truth = hashes["ground truth"]
        for path, sha256 in hashes.items():
            if sha256 == truth and path != "ground truth":
                raise SandboxError(f"the input file {path} of {scenario} is its ground truth")


def _told(report: ProbeReport) -> str:
    first = report.leaks[0]
    return f"It succeeded by {first.how} with {first.target}"


async def _try_imports(agents: Mapping[str, AnyAgent], box: Box) -> None:
    """Import each Python agent once, in the sandbox, so that a typing error does not count as the agent's failure."""
    from itbench.agents.host import CHECK
    from itbench.sandbox.supervisor import run

    for label, agent in agents.items():
        if isinstance(agent, CommandAgent) and agent.is_python:
            trial = replace(box, argv=(*agent.argv, CHECK), expose=(*box.expose, *agent.exposed))
            ending = await run(trial)
            if ending.exit_code != 0:
                said = [line for line in trial.stderr.read_text(errors="replace").splitlines() if line.strip()]
                raise UsageError(
                    f"the agent {label!r} cannot be imported: {said[-1].strip() if said else ending.reason}",
                    hint="Check it with: itbench agent check",
                )
