"""The baseline on a cost anomaly: the bill, what left its course, what it amounts to; and what led to the answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from itbench import __version__
from itbench.agents.baseline.cost_case import CostCase, Leaf
from itbench.agents.baseline.cost_causes import Found, causes_of, diagnosis_of
from itbench.model.diagnosis import CostDiagnosis
from itbench.model.errors import SnapshotError
from itbench.model.trajectory import AgentInfo, Observation, ObservationResult, Step, ToolCall, Trajectory
from itbench.snapshot.snapshot import open_snapshot

_MOST_SHOWN = 30


def diagnose_costs(folder: Path, instructions: str) -> tuple[CostDiagnosis, Trajectory]:
    """The answer to a FinOps scenario, from its bill and, where there are such files, from usage.csv.

    Raises:
        SnapshotError: it cannot be read, or holds no bill.
    """
    with open_snapshot(folder) as snapshot:
        bill = snapshot.bill()
        if bill is None or not bill.rows:
            raise SnapshotError("there is no bill to look at", path=folder, hint="Expected data.csv with a readable row")
        case = CostCase(snapshot, bill)
        found = causes_of(case)
        diagnosis = diagnosis_of(case, found)
        return diagnosis, _trajectory(instructions, case, found, diagnosis)


def _trajectory(instructions: str, case: CostCase, found: Sequence[Found], diagnosis: CostDiagnosis) -> Trajectory:
    looks = (
        ("rows", "Rows of the hierarchy that left their usual course, without what more requests explain", _rows(case)),
        ("causes", "What belongs together, and at which level it sits", _causes(case, found)),
    )
    steps = [Step(step_id=1, source="user", message=instructions)]
    for name, message, told in looks:
        call = f"look-{name}"
        steps.append(
            Step(
                step_id=len(steps) + 1,
                source="agent",
                message=message,
                tool_calls=(ToolCall(tool_call_id=call, function_name=name, arguments={}),),
                observation=Observation(results=(ObservationResult(source_call_id=call, content=told),)),
                llm_call_count=0,
            )
        )
    named = ", ".join(f"{resource.name} ({resource.type})" for resource in diagnosis.resources) or "nothing is wrong"
    steps.append(Step(step_id=len(steps) + 1, source="agent", message=f"Behind the anomaly: {named}", llm_call_count=0))
    return Trajectory(agent=AgentInfo(name="itbench-baseline", version=__version__), steps=tuple(steps))


def _rows(case: CostCase) -> str:
    return "\n".join(_row(case, leaf) for leaf in case.leaves[:_MOST_SHOWN]) or "none"


def _row(case: CostCase, leaf: Leaf) -> str:
    path = " > ".join(value or "-" for value in leaf.path.values())
    return (
        f"{path}: {leaf.amount:+.2f} since {case.date_of(leaf.onset)}, usually {leaf.usual:.2f}; "
        f"{leaf.strength:+.1f} deviations, {leaf.by_price:.0%} by price, {leaf.demand:.0%} by requests"
    )


def _causes(case: CostCase, found: Sequence[Found]) -> str:
    lines = []
    for each in found:
        where = ", ".join(f"{one.name} ({one.type})" for one in each.resources)
        lines.append(f"{each.cause} at {where} since {case.date_of(each.onset)}: {each.amount:+.2f}; {each.reason}")
    return "\n".join(lines) or "none"
