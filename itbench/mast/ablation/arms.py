"""The arms of an ablation: an agent bare, with each intervention alone, and with all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from itbench.agents.interventions.catalogue import read_interventions, written
from itbench.model.errors import RunError, UsageError
from itbench.model.trial import AgentConfig


@dataclass(frozen=True, slots=True)
class Arm:
    """One agent of the run, with what stands around it; nothing around the bare one."""

    label: str
    interventions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arms:
    """The arms of one agent."""

    agent: str
    bare: Arm
    guarded: tuple[Arm, ...]


def specs_of_arms(agents: Sequence[str], interventions: str) -> tuple[str, ...]:
    """The agents of the run for what the user typed: `--agent A --with gate,loop` makes A, A+gate, A+loop, A+gate,loop.

    Raises:
        UsageError: an unknown intervention, or an agent that has interventions already.
    """
    chosen = read_interventions(interventions)
    lists = [written((each,)) for each in chosen] + ([written(chosen)] if len(chosen) > 1 else [])
    specs = []
    for text in agents:
        label, equals, spec = text.partition("=") if "=" in text.partition(":")[0] else ("", "", text)
        if spec.startswith("with:"):
            raise UsageError("this agent has interventions already", key=f"--agent {text}", hint="Name the bare agent")
        specs.append(text)
        specs += [f"{f'{label}+{_short(names)}' if label else ''}{equals}with:{names}:{spec}" for names in lists]
    return tuple(specs)


def arms_of_run(agents: Sequence[AgentConfig]) -> tuple[Arms, ...]:
    """The arms of a run, agent by agent.

    Raises:
        RunError: the run is no ablation: no agent of it is there both bare and with interventions.
    """
    found = []
    for bare in agents:
        if bare.spec.startswith("with:"):
            continue
        guarded = []
        for agent in agents:
            names, _, inner = agent.spec.removeprefix("with:").partition(":")
            if agent.spec.startswith("with:") and inner == bare.spec:
                guarded.append(Arm(agent.label, tuple(each.name for each in read_interventions(names))))
        if guarded:
            found.append(Arms(bare.label, Arm(bare.label, ()), tuple(guarded)))
    if not found:
        raise RunError("this run is no ablation: no agent of it is there both bare and with interventions")
    return tuple(found)


def _short(names: str) -> str:
    return "-".join(each.name for each in read_interventions(names))
