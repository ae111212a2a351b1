"""Checks of what ends the incident: taking it back, and each accepted fix; and of what does not: waiting, and shams.

All of them happen at the end of the recording, while the incident goes on, each in a future of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from itbench.authoring.attempts import Attempt, attempts
from itbench.authoring.branching import futures
from itbench.authoring.patience import LONG, LOOKS, PATIENCE, await_resolution
from itbench.authoring.quiet import counted
from itbench.authoring.rehearsal import Rehearsal, alerts_in
from itbench.authoring.undoing import undone
from itbench.authoring.verdict import Check, Repair, Trial
from itbench.model.errors import ItbenchError
from itbench.twin.changes import Change
from itbench.twin.incident.resolution import Reference


@dataclass(frozen=True, slots=True)
class Outlook:
    """What became of every possible future."""

    undo: Check
    repair: Check
    repairs: tuple[Repair, ...]


def outlook(rehearsal: Rehearsal, written_fixes: Sequence[Sequence[Change]], at_once: int = 1) -> Outlook:
    """Play every future of a rehearsed incident. The healthy world of the rehearsal goes on for `PATIENCE` seconds.

    Args:
        rehearsal: at the end of its recording.
        written_fixes: the changes of each of the scenario's own fixes.
        at_once: processes.
    """
    rehearsal.healthy.wait_until(max(rehearsal.faulted.now, rehearsal.healthy.now) + PATIENCE)
    reference = Reference.of(rehearsal.healthy, alerts_in(rehearsal.healthy))
    tasks: list[Callable[[], Check | Repair]] = [partial(undone, rehearsal, reference)]
    tasks += [partial(_tried, rehearsal, reference, attempt) for attempt in attempts(rehearsal, written_fixes)]
    results = futures(tasks, at_once)
    rows = tuple(result for result in results if isinstance(result, Repair))
    undo = next(result for result in results if isinstance(result, Check))
    return Outlook(undo, _verdict(rows), rows)


def _verdict(rows: Sequence[Repair]) -> Check:
    failed = [row for row in rows if not row.passed]
    fixes = [row for row in rows if row.trial == "fix"]
    slowest = max((max(row.restored_after or 0, row.cleared_after or 0) for row in fixes), default=0.0)
    shams = sum(row.trial == "sham" for row in rows)
    numbers = {
        "fixes": len(fixes),
        "shams": shams,
        "slowest_fix_seconds": slowest,
        "patience_seconds": PATIENCE,
        "failed": [row.text for row in failed],
    }
    if failed:
        return Check(
            name="repair",
            passed=False,
            evidence=f"{_WHAT_FAILED[failed[0].trial]}{failed[0].text}: {failed[0].evidence}",
            remedy=_REMEDIES[failed[0].trial],
            numbers=numbers,
        )
    if not fixes:
        remedy = "Add one under fixes, in the form of a play file (docs/twin.md)."
        return Check(name="repair", passed=False, evidence="there is no accepted fix", remedy=remedy, numbers=numbers)
    repaired = f"{counted(len(fixes), 'fix')} repair within {slowest:.0f} s of {PATIENCE:.0f} s"
    text = f"{repaired}; waiting and {counted(shams, 'sham')} do not"
    return Check(name="repair", passed=True, evidence=text, numbers=numbers)


_WHAT_FAILED: dict[Trial, str] = {"nothing": "heals by itself: ", "fix": "does not repair: ", "sham": "counts as a repair: "}
_REMEDIES: dict[Trial, str] = {
    "nothing": "Let the fault last, and let something that is used suffer from it.",
    "fix": "A fix must end all faults of the scenario and leave nothing that starts again; see what is still wrong.",
    "sham": "What is deleted or scaled down is not missed: break something that is used.",
}


def _tried(rehearsal: Rehearsal, reference: Reference, attempt: Attempt) -> Repair:
    incident = rehearsal.faulted
    since = incident.now
    try:
        attempt.act(incident)
    except ItbenchError as error:
        # A sham that cannot be done repairs nothing; a fix that cannot be done is none.
        return Repair(
            trial=attempt.trial,
            text=attempt.text,
            resolved=False,
            passed=attempt.trial == "sham",
            evidence=f"cannot be done: {error}",
        )
    wanted = attempt.trial == "fix"
    found = await_resolution(reference, incident, since, LOOKS if wanted else LONG)
    at = f"{attempt.where}: " if attempt.where and not found.resolved else ""
    return Repair(
        trial=attempt.trial,
        text=attempt.text,
        resolved=found.resolved,
        restored_after=found.restored,
        cleared_after=found.cleared,
        passed=found.resolved == wanted,
        evidence=f"{at}{found}",
    )
