"""Score a cost diagnosis: were the resources behind the anomaly named? Formulas: docs/metrics.md."""

from __future__ import annotations

import re

from itbench.model.diagnosis import CostDiagnosis
from itbench.model.outcome import Score
from itbench.model.resource import Resource
from itbench.model.rules import Rules
from itbench.model.truth import GroundTruth
from itbench.scoring.root_cause import f1

_Key = tuple[str, str]


def score_finops(diagnosis: CostDiagnosis, truth: GroundTruth, rules: Rules) -> dict[str, Score]:  # noqa: ARG001 (the contract)
    """root_cause_resource (1 iff every resource is named) and resource_f1, by criterion.

    Names and types are compared without regard to case; spaces, `_` and `-` in types are one (`Instance Family` is
    `instance_family`). Every evaluator takes the rules; none of them concerns this one.
    """
    if not truth.resources:
        note = "the ground truth names no resource"
        return {criterion: Score(note=note) for criterion in ("root_cause_resource", "resource_f1")}
    wanted = {_key(resource): resource for resource in truth.resources}
    named = set(map(_key, diagnosis.resources))
    right = named & wanted.keys()
    precision = len(right) / len(named) if named else 0.0
    recall = len(right) / len(wanted)
    evidence = {
        "gt_resources": [{**_told(resource), "found": key in right} for key, resource in wanted.items()],
        "predicted_resources": [
            {**_told(resource), "matches_gt": _key(resource) in right} for resource in diagnosis.resources
        ],
        "justification": f"{len(right)} of {len(wanted)} resources are found; {len(named)} were named",
    }
    return {
        "root_cause_resource": Score(values={"root_cause_resource": float(recall == 1)}, evidence=evidence),
        "resource_f1": Score(
            values={"resource_precision": precision, "resource_recall": recall, "resource_f1": f1(precision, recall)}
        ),
    }


def _key(resource: Resource) -> _Key:
    return " ".join(resource.name.casefold().split()), re.sub(r"[\s_-]+", "", resource.type.casefold())


def _told(resource: Resource) -> dict[str, str]:
    return {"name": resource.name, "type": resource.type}
