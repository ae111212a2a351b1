"""Score a cost diagnosis: were the resources behind the anomaly named, and what it came to? Formulas: docs/metrics.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from itbench.model.cost import MitigationOutcome
from itbench.model.diagnosis import CostDiagnosis
from itbench.model.outcome import Score
from itbench.model.resource import Resource
from itbench.model.rules import Rules
from itbench.model.truth import GroundTruth
from itbench.scoring.finops_detection import CostAlert, detection_score
from itbench.scoring.finops_graded import graded_scores
from itbench.scoring.finops_mitigation import mitigation_scores
from itbench.scoring.finops_names import CostMatcher, ResourceKey
from itbench.scoring.root_cause import f1

_CRITERIA = ("root_cause_resource", "resource_f1", "precision_at_full_recall")


@dataclass(frozen=True, slots=True)
class CostEvidence:
    """What there is beside answer and truth.

    Attributes:
        outcome: of the answer's proposals on the twin, where there are any and the scenario can be played on.
        alerts: that fired over the scenario's time.
    """

    outcome: MitigationOutcome | None = None
    alerts: tuple[CostAlert, ...] = ()


def score_finops(
    diagnosis: CostDiagnosis, truth: GroundTruth, rules: Rules, evidence: CostEvidence | None = None
) -> dict[str, Score]:
    """Scores by criterion: root_cause_resource (1 iff every resource is named), precision, recall and F1 of resources.

    Where the truth was measured also: what the anomaly was said to amount to, since when and why; false alarms; what became
    of the proposals; and when an alert told of it. What the answer does not speak of is not judged, and the note says so.
    """
    extra = evidence or CostEvidence()
    if truth.cost is not None and truth.cost.benign:
        scores = _benign(diagnosis)
    elif not truth.resources:
        return {criterion: Score(note="the ground truth names no resource") for criterion in _CRITERIA}
    else:
        matcher = CostMatcher(rules.finops, [row.path for row in truth.cost.attribution] if truth.cost else ())
        wanted = {matcher.key(resource): resource for resource in truth.resources}
        found = [(resource, matcher.find(resource, wanted)) for resource in diagnosis.resources]
        scores = _resources(found, wanted, matcher)
        if truth.cost is not None:
            right = frozenset(key for _, key in found if key is not None)
            precision = scores["resource_f1"].values["resource_precision"]
            scores |= graded_scores(diagnosis, truth.cost, matcher, right, precision)
            recall = scores["resource_f1"].values["resource_recall"]
            scores |= detection_score(truth.cost, matcher, extra.alerts, named=recall > 0)
    if extra.outcome is not None:
        scores |= mitigation_scores(extra.outcome)
    return scores


def _benign(diagnosis: CostDiagnosis) -> dict[str, Score]:
    """Nothing is to be found: the empty answer is right, and any other is a false alarm."""
    right = float(diagnosis.says_nothing_is_wrong)
    told = [_told(resource) for resource in diagnosis.resources]
    verdict = "rightly says that nothing is wrong" if right else f"a false alarm: names {len(told)} resources"
    evidence = {"gt_resources": [], "predicted_resources": [{**one, "matches_gt": False} for one in told]}
    evidence["justification"] = verdict  # type: ignore[assignment]
    return {
        "root_cause_resource": Score(values={"root_cause_resource": right}, evidence=evidence),
        "resource_f1": Score(values={"resource_precision": right, "resource_recall": right, "resource_f1": right}),
        "precision_at_full_recall": Score(values={"precision_at_full_recall": right}),
        "false_alarm": Score(values={"no_false_alarm": right}, evidence={"justification": verdict}),
    }


def _resources(
    found: list[tuple[Resource, ResourceKey | None]], wanted: Mapping[ResourceKey, Resource], matcher: CostMatcher
) -> dict[str, Score]:
    """A resource counts once, however often and however it is named."""
    right = {key for _, key in found if key is not None}
    wrong = {matcher.key(resource) for resource, key in found if key is None}
    named = len(right) + len(wrong)
    precision = len(right) / named if named else 0.0
    recall = len(right) / len(wanted)
    evidence = {
        "gt_resources": [{**_told(resource), "found": key in right} for key, resource in wanted.items()],
        "predicted_resources": [{**_told(resource), "matches_gt": key is not None} for resource, key in found],
        "justification": f"{len(right)} of {len(wanted)} resources are found; {named} were named",
    }
    return {
        "root_cause_resource": Score(values={"root_cause_resource": float(recall == 1)}, evidence=evidence),
        "resource_f1": Score(
            values={"resource_precision": precision, "resource_recall": recall, "resource_f1": f1(precision, recall)}
        ),
        "precision_at_full_recall": Score(values={"precision_at_full_recall": precision if recall == 1 else 0.0}),
    }


def _told(resource: Resource) -> dict[str, str]:
    return {"name": resource.name, "type": resource.type}
