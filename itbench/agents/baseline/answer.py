"""The answer: entities, how trouble spread between them, and which alerts that explains."""

from __future__ import annotations

from collections.abc import Sequence

from itbench.agents.baseline.case import Case, Symptom
from itbench.agents.baseline.ranking import Suspect, root_causes
from itbench.model.diagnosis import Diagnosis, ExplainedAlert, PredictedEntity, PredictedPropagation
from itbench.model.entity import Entity

_MOST_ENTITIES = 25


def diagnose(case: Case, suspects: Sequence[Suspect]) -> Diagnosis:
    """The diagnosis: root causes first, then other suspects and what suffers."""
    roots = root_causes(suspects)
    steps = list(_chain(case, roots))
    named: dict[Entity, PredictedEntity] = {}
    for suspect in roots:
        named[suspect.entity] = _entity(suspect.entity, suspect.reasoning, f"score {suspect.score:.2f}", root=True)
    for suspect in suspects:
        why = f"follows from {suspect.because_of.entity}" if suspect.because_of else "less likely"
        named.setdefault(suspect.entity, _entity(suspect.entity, suspect.reasoning, why))
    for step in steps:
        named.setdefault(step.target, _entity(step.target, step.effect, "calls before and after the onset"))
    reached = {step.target.name for step in steps} | {case.application(it.entity.name) for it in roots}
    reached |= {workload.name for it in roots for workload in it.reach}
    return Diagnosis(
        entities=tuple(named.values())[:_MOST_ENTITIES],
        propagations=tuple(steps),
        alerts_explained=tuple(_alerts(case, reached)),
    )


def _entity(entity: Entity, reasoning: str, evidence: str, *, root: bool = False) -> PredictedEntity:
    return PredictedEntity(
        text=str(entity), entity=entity, contributing_factor=root, reasoning=reasoning[:1000], evidence=evidence
    )


def _chain(case: Case, roots: Sequence[Suspect]) -> list[PredictedPropagation]:
    """From each root to the services that it reaches, then along the calls that suffer: to callers, and to who is no longer
    called by them.
    """
    steps: list[PredictedPropagation] = []
    level: dict[str, int] = {}
    for root in roots:
        first = _first(case, root)
        for name in first:
            level.setdefault(name, 0)
            target = case.session.service_entity(name)
            if target != root.entity:
                steps.append(
                    PredictedPropagation(
                        source=root.entity, target=target, condition=root.reasoning[:300], effect=f"{name} is in trouble"
                    )
                )
    frontier = list(level)
    while frontier:
        ahead: dict[str, list[tuple[str, Symptom]]] = {}
        for symptom in case.symptoms:
            callee, caller = case.component(symptom.callee), case.component(symptom.caller)
            up = bool(symptom.errors) or symptom.slower > 1
            near, far = (callee, caller) if up else (caller, callee)
            if near in frontier and far not in level and _is_inside(case, far):
                ahead.setdefault(far, []).append((near, symptom))
        for far, found in ahead.items():
            level[far] = level[found[0][0]] + 1
            steps += [_step(case, near, far, symptom) for near, symptom in found]
        frontier = list(ahead)
    return steps


def _step(case: Case, source: str, target: str, symptom: Symptom) -> PredictedPropagation:
    return PredictedPropagation(
        source=case.session.service_entity(source),
        target=case.session.service_entity(target),
        condition=f"{source} is in trouble",
        effect=_effect(symptom),
    )


def _first(case: Case, root: Suspect) -> list[str]:
    """The applications where a root acts: those it reaches that suffer, or else those where trouble begins."""
    callees = {case.component(it.callee) for it in case.symptoms} | {case.component(it.caller) for it in case.symptoms}
    own = [name for name in (case.application(root.entity.name), root.entity.name) if name in callees]
    reached = sorted(workload.name for workload in root.reach if workload.name in callees)
    if own or reached:
        return list(dict.fromkeys((*own, *reached)))[:4]
    failing = {case.component(it.callee) for it in case.symptoms if it.errors or it.slower > 1}
    relayed = {case.component(it.caller) for it in case.symptoms if it.errors or it.slower > 1}
    return sorted(failing - relayed)[:3]


def _is_inside(case: Case, name: str) -> bool:
    return not name.startswith("(") and name in case.session.entities.services


def _effect(symptom: Symptom) -> str:
    if symptom.errors:
        return f"{symptom.errors:.0%} more of the calls from {symptom.caller} to {symptom.callee} fail"
    if symptom.slower > 1:
        return f"calls from {symptom.caller} to {symptom.callee} take {symptom.slower:.1f} times as long"
    return f"{symptom.callee} is no longer called by {symptom.caller}"


def _alerts(case: Case, reached: set[str]) -> list[ExplainedAlert]:
    found = []
    for alert in case.alerts:
        name = case.application(alert.entity)
        explained = name in reached
        text = f"{name} is on the chain" if explained else "no chain leads there"
        found.append(ExplainedAlert(alert=f"{alert.name} ({alert.entity})", explanation=text, explained=explained))
    return found
