"""What may be tried about an incident: nothing, every accepted fix, and shams that only look like one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from itbench.authoring.rehearsal import Rehearsal
from itbench.authoring.verdict import Trial
from itbench.cluster.reference import ObjectRef
from itbench.model.errors import NotFoundError
from itbench.twin.changes import Change
from itbench.twin.incident.incident import Incident


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something to do about the incident.

    Attributes:
        where: file, line and key of a fix that the scenario's file gives.
    """

    trial: Trial
    text: str
    act: Callable[[Incident], None]
    where: str = ""


def attempts(rehearsal: Rehearsal, written_fixes: Sequence[Sequence[Change]]) -> Iterator[Attempt]:
    """Everything that is tried, each from the end of the recording.

    Args:
        rehearsal: of the scenario.
        written_fixes: the changes of each of the scenario's own fixes.
    """
    yield Attempt("nothing", "wait", lambda _: None)
    yield from _fault_fixes(rehearsal)
    file = rehearsal.plan.file
    for number, (fix, changes) in enumerate(zip(rehearsal.plan.scenario.fixes, written_fixes, strict=True)):
        where = str(file.error(("fixes", number), "", None)).rstrip(": ")
        yield Attempt("fix", fix.text, partial(_make, changes), where)
    yield from _shams(rehearsal)


def _fault_fixes(rehearsal: Rehearsal) -> Iterator[Attempt]:
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

        yield Attempt("fix", " ".join(fix.text for fix in chosen), act)


def _make(changes: Sequence[Change], incident: Incident) -> None:
    for change in changes:
        change.make(incident.running.twin)


def _shams(rehearsal: Rehearsal) -> Iterator[Attempt]:
    """Three ways to be rid of an incident without repairing it."""
    broken = _broken(rehearsal)
    alerting = _alerting(rehearsal)
    if broken:
        names = ", ".join(map(str, broken))
        yield Attempt("sham", f"delete {names}", partial(_delete, broken))
        yield Attempt("sham", f"scale {names} to zero", partial(_scale_to_zero, broken))
    if alerting and alerting != broken:
        scalers = _scalers(rehearsal)
        text = f"silence: scale what alerts to zero ({len(alerting)} workloads"
        text += f", and delete {len(scalers)} autoscalers)" if scalers else ")"
        yield Attempt("sham", text, partial(_silence, alerting, scalers))
    elif scalers := _scalers(rehearsal):
        yield Attempt("sham", f"silence: delete {', '.join(map(str, scalers))}", partial(_delete, scalers))


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
