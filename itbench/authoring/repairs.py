"""Checks of what ends the incident: taking it back, and each accepted fix; and of what does not: waiting, and shams.

All of them happen at the end of the recording, while the incident goes on, each in a future of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from itbench.authoring.branching import futures
from itbench.authoring.rehearsal import Rehearsal, alerts_in
from itbench.authoring.verdict import Check, Repair, Trial
from itbench.cluster.reference import ObjectRef
from itbench.faults.fields import differences, written
from itbench.model.errors import ItbenchError, NotFoundError
from itbench.twin.changes import Change
from itbench.twin.incident.incident import Incident
from itbench.twin.incident.resolution import Reference, Resolution, resolution
from itbench.twin.objects import controller_of

PATIENCE = 900.0
"""Seconds after which a repair must have worked: a crash loop's longest pause is 300 s, and alerts look back as far."""

# Made by controllers, which keep some of them for later, or change with every tick.
_DERIVED = frozenset(("Event", "Lease", "Endpoints", "EndpointSlice", "ControllerRevision"))
_ALLOCATED = (("spec", "clusterIP"), ("spec", "clusterIPs"))
_REPLICAS = ("spec", "replicas")

Act = Callable[[Incident], None]


@dataclass(frozen=True, slots=True)
class _Attempt:
    """Something to do about the incident."""

    trial: Trial
    text: str
    act: Act
    where: str = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What became of every possible future."""

    undo: Check
    repair: Check
    repairs: tuple[Repair, ...]


def outlook(rehearsal: Rehearsal, written_fixes: Sequence[Sequence[Change]], at_once: int = 1) -> Outlook:
    """Play every future of a rehearsed incident. The healthy world of the rehearsal goes on for `PATIENCE`.

    Args:
        rehearsal: at the end of its recording.
        written_fixes: the changes of each of the scenario's own fixes.
        at_once: processes.
    """
    end = max(rehearsal.faulted.now, rehearsal.healthy.now) + PATIENCE
    rehearsal.healthy.wait_until(end)
    reference = Reference.of(rehearsal.healthy, alerts_in(rehearsal.healthy))
    attempts = list(_attempts(rehearsal, written_fixes))
    undoing: Callable[[], Check | Repair] = partial(_undone, rehearsal, reference, end)
    tasks = [undoing, *(partial(_tried, rehearsal, reference, end, attempt) for attempt in attempts)]
    results = futures(tasks, at_once)
    rows = tuple(result for result in results if isinstance(result, Repair))
    undo = next(result for result in results if isinstance(result, Check))
    return Outlook(undo, _verdict(rows), rows)


def _verdict(rows: Sequence[Repair]) -> Check:
    failed = [row for row in rows if not row.passed]
    fixes = [row for row in rows if row.trial == "fix"]
    slowest = max((max(row.restored_after or 0, row.cleared_after or 0) for row in fixes), default=0.0)
    numbers = {
        "fixes": len(fixes),
        "shams": sum(row.trial == "sham" for row in rows),
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
    text = f"{len(fixes)} fixes repair within {slowest:.0f} s of {PATIENCE:.0f} s; waiting and {numbers['shams']} shams do not"
    return Check(name="repair", passed=True, evidence=text, numbers=numbers)


_WHAT_FAILED: dict[Trial, str] = {"nothing": "heals by itself: ", "fix": "does not repair: ", "sham": "counts as a repair: "}
_REMEDIES: dict[Trial, str] = {
    "nothing": "Let the fault last, and let something that is used suffer from it.",
    "fix": "A fix must end all faults of the scenario and leave nothing that starts again; see what is still wrong.",
    "sham": "What is deleted or scaled down is not missed: break something that is used.",
}


def _attempts(rehearsal: Rehearsal, written_fixes: Sequence[Sequence[Change]]) -> Iterator[_Attempt]:
    yield _Attempt("nothing", "wait", lambda _: None)
    yield from _fault_fixes(rehearsal)
    file = rehearsal.plan.file
    for number, (fix, changes) in enumerate(zip(rehearsal.plan.scenario.fixes, written_fixes, strict=True)):
        where = str(file.error(("fixes", number), "", None)).rstrip(": ")
        yield _Attempt("fix", fix.text, partial(_make, changes), where)
    yield from _shams(rehearsal)


def _fault_fixes(rehearsal: Rehearsal) -> Iterator[_Attempt]:
    """Each of a fault's fixes is taken at least once, with those of the other faults, the last fault first."""
    items = list(reversed(rehearsal.faulted.injected))
    choices = [item.fault.fixes() for item in items]
    for number in range(max(map(len, choices), default=0)):
        chosen = [fixes[min(number, len(fixes) - 1)] for fixes in choices if fixes]

        def act(incident: Incident, number: int = number) -> None:
            for item in reversed(incident.injected):
                fixes = item.fault.fixes()
                if fixes:
                    fixes[min(number, len(fixes) - 1)].apply(incident.running.twin.cluster, item.injection)

        yield _Attempt("fix", " ".join(fix.text for fix in chosen), act)


def _make(changes: Sequence[Change], incident: Incident) -> None:
    for change in changes:
        change.make(incident.running.twin)


def _shams(rehearsal: Rehearsal) -> Iterator[_Attempt]:
    """Three ways to be rid of an incident without repairing it."""
    broken = _broken(rehearsal)
    alerting = _alerting(rehearsal)
    if broken:
        names = ", ".join(map(str, broken))
        yield _Attempt("sham", f"delete {names}", partial(_delete, broken))
        yield _Attempt("sham", f"scale {names} to zero", partial(_scale_to_zero, broken))
    if alerting and alerting != broken:
        scalers = _scalers(rehearsal)
        text = f"silence: scale what alerts to zero ({len(alerting)} workloads"
        text += f", and delete {len(scalers)} autoscalers)" if scalers else ")"
        yield _Attempt("sham", text, partial(_silence, alerting, scalers))
    elif scalers := _scalers(rehearsal):
        yield _Attempt("sham", f"silence: delete {', '.join(map(str, scalers))}", partial(_delete, scalers))


def _broken(rehearsal: Rehearsal) -> tuple[ObjectRef, ...]:
    """The workloads that the faults break: their own, or those where they act."""
    measured = rehearsal.measured
    names: dict[str, None] = {}
    for index, root in enumerate(measured.roots):
        own = sorted(root.services) or measured.chain.first.get(index, ())
        names |= dict.fromkeys(own)
    return tuple(_workload(rehearsal, name) for name in names)


def _alerting(rehearsal: Rehearsal) -> tuple[ObjectRef, ...]:
    """The workloads that the incident's alerts are about."""
    services = rehearsal.plan.application.services
    owners = {usage.name: usage.service for usage in rehearsal.measured.worlds.faulted.usages}
    names: dict[str, None] = {}
    for alert in rehearsal.incident_alerts:
        labels = alert.labels
        name = labels.get("service_name") or owners.get(labels.get("pod", "")) or labels.get("deployment")
        if name in services:
            names[name] = None
    return tuple(_workload(rehearsal, name) for name in names)


def _scalers(rehearsal: Rehearsal) -> tuple[ObjectRef, ...]:
    kind = "HorizontalPodAutoscaler"
    found = dict.fromkeys(
        ObjectRef(kind, name, alert.labels.get("namespace"))
        for alert in rehearsal.incident_alerts
        if (name := alert.labels.get("horizontalpodautoscaler"))
    )
    return tuple(found)


def _workload(rehearsal: Rehearsal, name: str) -> ObjectRef:
    application = rehearsal.plan.application
    return ObjectRef(application.services[name].workload, name, application.namespace)


def _delete(refs: Sequence[ObjectRef], incident: Incident) -> None:
    for ref in refs:
        try:
            incident.running.twin.cluster.acting_as("kubectl").delete(ref)
        except NotFoundError:  # the fault did it already
            continue


def _scale_to_zero(refs: Sequence[ObjectRef], incident: Incident) -> None:
    for ref in refs:
        if ref.kind in ("Deployment", "StatefulSet"):
            try:
                incident.running.twin.cluster.acting_as("kubectl").scale(ref, 0)
            except NotFoundError:
                continue
        else:
            _delete([ref], incident)


def _silence(workloads: Sequence[ObjectRef], scalers: Sequence[ObjectRef], incident: Incident) -> None:
    _delete(scalers, incident)
    _scale_to_zero(workloads, incident)


def _tried(rehearsal: Rehearsal, reference: Reference, end: float, attempt: _Attempt) -> Repair:
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
    incident.wait_until(end)
    found = resolution(reference, incident, since, partial(alerts_in, incident))
    wanted = attempt.trial == "fix"
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


def _undone(rehearsal: Rehearsal, reference: Reference, end: float) -> Check:
    incident = rehearsal.faulted
    since = incident.now
    try:
        incident.undo()
    except ItbenchError as error:
        return Check(name="undo", passed=False, evidence=str(error), remedy="Report this: the fault's undo is not exact.")
    incident.wait_until(end)
    found = resolution(reference, incident, since, partial(alerts_in, incident))
    left = left_over(rehearsal.healthy, incident)
    numbers = {
        "restored_after_seconds": found.restored,
        "cleared_after_seconds": found.cleared,
        "patience_seconds": PATIENCE,
        "differing_fields": left,
    }
    if found.resolved and not left:
        text = f"{found}, of {PATIENCE:.0f} s; no object differs"
        return Check(name="undo", passed=True, evidence=text, numbers=numbers)
    differs = f"{left[0]} differs from before" + (f" (and {len(left) - 1} more)" if len(left) > 1 else "")
    return Check(
        name="undo",
        passed=False,
        evidence=str(found) if not found.resolved else differs,
        remedy=_UNDO_REMEDY if not found.resolved else "Report this: the fault's undo leaves something behind.",
        numbers=numbers,
    )


_UNDO_REMEDY = (
    "What was broken does not come back by itself once the fault is gone: it may need a restart, which a fix can do but an "
    "undo does not. Report it if a fault alone behaves so."
)


def left_over(healthy: Incident, undone: Incident) -> list[str]:
    """The fields, as `object: field`, in which people would see a world differ from the one without faults.

    Left out is what the server or controllers keep: status, what they own, addresses, and replicas under an autoscaler.
    """
    ours, theirs = _objects(undone), _objects(healthy)
    scaled = {
        (target.get("kind"), target.get("name"))
        for ref, obj in theirs.items()
        if ref.kind == "HorizontalPodAutoscaler"
        for target in [(obj.get("spec") or {}).get("scaleTargetRef") or {}]
    }
    found = []
    for ref in sorted({*ours, *theirs}, key=lambda ref: (str(ref), ref.namespace or "")):
        if ref not in ours or ref not in theirs:
            found.append(f"{ref} {'is gone' if ref not in ours else 'is new'}")
            continue
        for change in differences(theirs[ref], ours[ref]):
            if change.path in _ALLOCATED or (change.path == _REPLICAS and (ref.kind, ref.name) in scaled):
                continue
            found.append(f"{ref}: {written(change.path)}")
    return found


def _objects(incident: Incident) -> dict[ObjectRef, dict[str, object]]:
    store = incident.running.twin.store
    return {
        ObjectRef.of(obj): obj
        for kind in store.kinds
        if kind not in _DERIVED
        for obj in store.list(kind)
        if controller_of(obj) is None
    }
