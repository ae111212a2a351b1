"""Answers that nobody should be rewarded for, and the one that must be: held against a scenario's ground truth."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from itbench.agents.builtin import sre_answer
from itbench.authoring.quiet import told
from itbench.authoring.rehearsal import Exhibit
from itbench.authoring.verdict import Check
from itbench.datasets.rules import load_rules
from itbench.model.diagnosis import Diagnosis, PredictedEntity
from itbench.model.entity import Entity
from itbench.model.truth import GroundTruth
from itbench.runner.evaluate import Evaluator
from itbench.scoring.ideal import ideal_diagnosis
from itbench.snapshot.records import Alert
from itbench.twin.telemetry.recording import Recording

EVERYTHING_BOUND = 0.2
"""root_cause_entity_f1 of an answer that names every entity in the files: it must stay below."""
LOUDEST_BOUND = 0.7
"""root_cause_entity_f1 of an answer that names the entity with the most sightings of alerts: it must stay below.

The only root gives 1, one of two roots 2/3. Where several entities share the first place, their mean counts.
"""

_METRIC = "root_cause_entity_f1"
_FIRST_K = "root_cause_entity_k"
# The labels that tell what an alert is about, the most telling first, and the kind that they name.
_LABELS = {
    "pod": "Pod",
    "horizontalpodautoscaler": "HorizontalPodAutoscaler",
    "deployment": "Deployment",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
    "persistentvolumeclaim": "PersistentVolumeClaim",
    "node": "Node",
    "service_name": "Service",
    "namespace": "Namespace",
}


@dataclass(frozen=True, slots=True)
class _Results:
    """What the answers score; `loudest` and `everything` in root_cause_entity_f1."""

    ideal: dict[str, float]
    nothing: dict[str, float]
    everything: float
    named: int
    loudest: float
    loudest_names: str


def scores(found: Exhibit) -> Check:
    """The ideal answer scores 1 on everything that can be judged, an empty one 0, and the adversaries next to nothing."""
    everything, loudest = entities(found.recording), loudest_entities(found.recording.alerts)
    got = _Results(
        ideal=_scores(ideal_diagnosis(found.truth), found.truth),
        nothing=_scores(Diagnosis(), found.truth),
        everything=score_of_roots(everything, found.truth),
        named=len(everything),
        loudest=sum(score_of_roots([entity], found.truth) for entity in loudest) / max(len(loudest), 1),
        loudest_names=told([str(entity) for entity in loudest]) or "none",
    )
    problem, remedy = _problem(got)
    text = (
        f"oracle 1, nop 0, everything ({got.named} entities) {got.everything:.2f} < {EVERYTHING_BOUND:g}, "
        f"most alerting ({got.loudest_names}) {got.loudest:.2f} < {LOUDEST_BOUND:g}"
    )
    return Check(
        name="scores",
        passed=not problem,
        evidence=problem or text,
        remedy=remedy,
        numbers={
            "oracle": got.ideal.get(_METRIC),
            "nop": got.nothing.get(_METRIC),
            "everything": got.everything,
            "everything_bound": EVERYTHING_BOUND,
            "entities": got.named,
            "loudest": got.loudest,
            "loudest_bound": LOUDEST_BOUND,
            "loudest_entities": [str(entity) for entity in loudest],
        },
    )


def _problem(got: _Results) -> tuple[str, str]:
    """What is wrong, and what the author can do; empty if nothing is."""
    # The first k names cannot be more than k roots.
    imperfect = {key: value for key, value in got.ideal.items() if value < 1 - 1e-9 and not key.startswith(_FIRST_K)}
    if not got.ideal:
        return "nothing in the ground truth can be judged", "Let a fault change something."
    if imperfect:
        key, value = min(imperfect.items(), key=lambda item: item[1])
        remedy = "Two roots that no answer can tell apart cannot both be found: give them different objects."
        return f"the ideal answer scores {value:.2f} in {key}, not 1", remedy
    if any(got.nothing.values()):
        return f"an empty answer scores {max(got.nothing.values()):.2f}", "Report this: it is a defect of itbench."
    if got.everything >= EVERYTHING_BOUND:
        remedy = "Too much of the application is a root: break fewer objects, or use a larger application."
        return f"naming every entity scores {got.everything:.2f}; the bound is {EVERYTHING_BOUND:g}", remedy
    if got.loudest >= LOUDEST_BOUND:
        text = (
            f"naming the most alerting entity, {got.loudest_names}, scores {got.loudest:.2f}; the bound is {LOUDEST_BOUND:g}"
        )
        return text, _TOO_LOUD
    return "", ""


_TOO_LOUD = (
    "Counting alerts finds the root. Break something that alerts do not name (a Service, ConfigMap, Secret or policy), let "
    "more callers suffer from it (delete-workload-pods, so that no old pod serves on), or add a fault elsewhere."
)


def entities(recording: Recording) -> list[Entity]:
    """Every entity that the files name: objects, what events are about, and what alerts are about."""
    found = dict.fromkeys(version.entity for version in recording.objects)
    found |= dict.fromkeys(event.involved for event in recording.events)
    found |= dict.fromkeys(entity for alert in recording.alerts if (entity := entity_of(alert)) is not None)
    return list(found)


def loudest_entities(alerts: Iterable[Alert]) -> list[Entity]:
    """The entities with the most sightings of firing alerts; several if they have equally many."""
    counts = Counter(entity for alert in alerts if alert.state == "firing" and (entity := entity_of(alert)) is not None)
    most = max(counts.values(), default=0)
    return [entity for entity, count in counts.items() if count == most]


def entity_of(alert: Alert) -> Entity | None:
    """What an alert is about, as its labels say."""
    labels = alert.labels
    for label, kind in _LABELS.items():
        if labels.get(label):
            namespace = None if kind in ("Namespace", "Node") else labels.get("namespace")
            return Entity(namespace=namespace, kind=kind, name=labels[label])
    return None


def score_of_roots(roots: Sequence[Entity], truth: GroundTruth) -> float:
    """root_cause_entity_f1 of an answer that names these as root causes."""
    predicted = tuple(PredictedEntity(text=str(entity), entity=entity, contributing_factor=True) for entity in roots)
    return _scores(Diagnosis(entities=predicted), truth).get(_METRIC, 0.0)


def _scores(diagnosis: Diagnosis, truth: GroundTruth) -> dict[str, float]:
    """Metric to value, of what can be judged; by way of the bytes that an agent would write."""
    raw = json.dumps(sre_answer(diagnosis)).encode()
    evaluation = Evaluator(load_rules()).evaluate(raw, "sre", truth)
    return {key: value for score in evaluation.scores.values() for key, value in score.values.items()}
