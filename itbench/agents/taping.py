"""Put the agents of a run that talk to models on tape, and let all agents say early what they lack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from itbench.agents.protocol import AnyAgent, Prepared
from itbench.model.errors import UsageError

if TYPE_CHECKING:
    from itbench.agents.llm.tape import Mode


def on_tape(agents: Mapping[str, AnyAgent], record: Path | None, replay: Path | None) -> dict[str, AnyAgent]:
    """The agents by label, those that talk to models recording or replaying if that is asked for.

    Raises:
        UsageError: both are asked for, no agent can be recorded, or there is nothing to replay.
    """
    folder, mode = (record, "--record") if record else (replay, "--replay")
    if folder is None:
        return dict(agents)
    if record and replay:
        raise UsageError("a run either records or replays", key="--record, --replay")
    from itbench.agents.llm.agent import LlmAgent

    if not any(isinstance(agent, LlmAgent) for agent in agents.values()):
        raise UsageError("no agent of this run can be recorded or replayed: only llm: agents can", key=mode)
    if replay and not replay.is_dir():
        raise UsageError("there is no such folder to replay", path=replay, key=mode)
    taped = {}
    for label, agent in agents.items():
        place = _place(folder, label)
        if replay and isinstance(agent, LlmAgent) and not place.is_dir():
            there = ", ".join(sorted(path.name for path in replay.iterdir() if path.is_dir())) or "nothing"
            raise UsageError(
                f"nothing was recorded of an agent {label!r}", path=replay, hint=f"It holds: {there}. Use the same label"
            )
        taped[label] = _taped(agent, place, "record" if record else "replay")
    return taped


def recordings(folder: Path, label: str) -> tuple[Path, ...]:
    """The files that a replay of this agent answers from."""
    return tuple(sorted(_place(folder, label).glob("*.json")))


def prepare(agents: Mapping[str, AnyAgent]) -> None:
    """Let every agent look for what it needs.

    Raises:
        ItbenchError: one lacks something.
    """
    for agent in agents.values():
        if isinstance(agent, Prepared):
            agent.prepare()


def _place(folder: Path, label: str) -> Path:
    return folder.absolute() / label.replace(":", "-")


def _taped(agent: AnyAgent, place: Path, mode: Mode) -> AnyAgent:
    from itbench.agents.llm.agent import LlmAgent
    from itbench.agents.llm.tape import Tape

    return agent.with_tape(Tape(place, mode)) if isinstance(agent, LlmAgent) else agent
