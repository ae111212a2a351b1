"""What the baseline did, as a trajectory: the task, each rule with what it found, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from itbench import __version__
from itbench.agents.baseline.clues import RULES, Clue
from itbench.model.diagnosis import Diagnosis
from itbench.model.trajectory import AgentInfo, Observation, ObservationResult, Step, ToolCall, Trajectory

_MOST_SHOWN = 30


def trajectory(instructions: str, found: Mapping[str, Sequence[Clue]], diagnosis: Diagnosis) -> Trajectory:
    """The trajectory of one answer.

    Args:
        instructions: the task.
        found: the clues of each rule, in the order in which they were asked.
        diagnosis: the answer.
    """
    steps = [Step(step_id=1, source="user", message=instructions)]
    for name, clues in found.items():
        call = f"rule-{name}"
        steps.append(
            Step(
                step_id=len(steps) + 1,
                source="agent",
                message=f"Ask the rule {name}: {_summary(name)}",
                tool_calls=(ToolCall(tool_call_id=call, function_name=name, arguments={}),),
                observation=Observation(results=(ObservationResult(source_call_id=call, content=_listed(clues)),)),
                llm_call_count=0,
            )
        )
    named = ", ".join(str(item.entity) for item in diagnosis.root_causes) or "nothing"
    steps.append(Step(step_id=len(steps) + 1, source="agent", message=f"Root cause: {named}", llm_call_count=0))
    return Trajectory(agent=AgentInfo(name="itbench-baseline", version=__version__), steps=tuple(steps))


def _summary(name: str) -> str:
    return (RULES[name].__doc__ or "").strip().split("\n")[0]


def _listed(clues: Sequence[Clue]) -> str:
    best = sorted(clues, key=lambda clue: (-clue.points, str(clue.entity)))
    lines = [f"{clue.points:.2f} {clue.entity}: {clue.text}" for clue in best[:_MOST_SHOWN]]
    more = len(best) - _MOST_SHOWN
    return "\n".join([*lines, f"and {more} more"] if more > 0 else lines) or "nothing"
