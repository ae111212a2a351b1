"""The public evaluator's result file: its keys and its statistics, so that published files compare line by line.

Three habits of the public evaluator are kept on purpose: bad runs are dropped from the means, the standard error within
an incident uses the population's deviation, and that over incidents the sample's. One is not: `total_bad_runs` is the
true number here, while the public program always writes 0. Our own figures stand beside it in `scores.json`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, NotRequired, TypedDict

from itbench.model.base import Domain
from itbench.model.outcome import Cause, Score
from itbench.model.trial import TrialRecord
from itbench.scoring.statistics import standard_deviation
from itbench.scoring.table import grouped

CRITERIA: Mapping[Domain, tuple[str, ...]] = {
    "sre": (
        "ROOT_CAUSE_ENTITY",
        "ROOT_CAUSE_REASONING",
        "PROPAGATION_CHAIN",
        "FAULT_LOCALIZATION",
        "ROOT_CAUSE_REASONING_PARTIAL",
        "ROOT_CAUSE_PROXIMITY",
        "ROOT_CAUSE_PROXIMITY_FP",
    ),
    "finops": ("ROOT_CAUSE_RESOURCE",),
    "ciso": (),
}
"""What the public program judges in a domain, under the names of its command line; it echoes them in `config`."""

_PRECISION_RECALL_F1 = ("precision", "recall", "f1")
METRICS: tuple[str, ...] = (
    *(f"root_cause_entity_{part}" for part in _PRECISION_RECALL_F1),
    *(f"root_cause_entity_k_{part}" for part in _PRECISION_RECALL_F1),
    "root_cause_reasoning",
    "propagation_chain",
    "fault_localization_component_identification",
    "root_cause_reasoning_partial",
    *(f"root_cause_proximity_no_fp_{part}" for part in _PRECISION_RECALL_F1),
    *(f"root_cause_proximity_with_fp_{part}" for part in _PRECISION_RECALL_F1),
    "root_cause_resource",
    "required_files_exist",
    "fetch_generates_data",
    "violation_detection",
    "compliance_validation",
)
"""What the public evaluator aggregates; @1, @2, @4 and @5 of root_cause_entity stay raw."""

_KNOWN_CRITERIA = frozenset(re.sub("_(precision|recall|f1)$", "", metric) for metric in METRICS)
_WITH_PASS_AT_1 = ("fault_localization_component_identification", "root_cause_resource")

IncidentStatistic = TypedDict("IncidentStatistic", {"mean": float, "stderr": float, "n": int, "pass@1": NotRequired[float]})
OverallStatistic = TypedDict(
    "OverallStatistic", {"mean": float, "stderr": float | None, "n_incidents": int, "pass@1": NotRequired[float]}
)


class ScoredRun(TypedDict):
    """A trial with a verdict; `scores` by criterion."""

    incident_id: str
    trial_id: str
    scores: dict[str, dict[str, Any]]


class BadRun(TypedDict):
    """A trial without one; `outcome` is ours."""

    incident_id: str
    trial_id: str
    error: str
    outcome: Cause


class Statistics(TypedDict):
    """Figures by metric; `overall` also holds `total_bad_runs`."""

    per_incident: dict[str, dict[str, IncidentStatistic]]
    overall: dict[str, OverallStatistic | int]


class EvaluationConfig(TypedDict):
    """What was evaluated, as the public program echoes it."""

    domain: Domain
    ground_truth_path: str
    outputs_path: str
    eval_criteria: list[str]
    k: int


class EvaluationResults(TypedDict):
    """evaluation_results.json."""

    raw_results: list[ScoredRun | BadRun]
    statistics: Statistics
    config: EvaluationConfig


def evaluation_results(records: Sequence[TrialRecord], config: EvaluationConfig) -> EvaluationResults:
    """The result file for one agent's trials in one domain; every trial is present, in the order given.

    Criteria that the public evaluator does not know are left to `scores.json`.
    """
    scored = [record for record in records if record.outcome.cause is None]
    return {
        "raw_results": [_raw_result(record) for record in records],
        "statistics": _statistics(scored, bad_runs=len(records) - len(scored)),
        "config": config,
    }


def to_nested(scores: Mapping[str, Score]) -> dict[str, dict[str, Any]]:
    """Scores in the public form: a criterion's numbers as `calculation` or `calculation_<part>`, beside its evidence.

    A criterion without verdict has its note and no number.
    """
    return {
        criterion: {**score.evidence, **_calculations(criterion, score)} if score.judged else {"note": score.note}
        for criterion, score in scores.items()
    }


def _raw_result(record: TrialRecord) -> ScoredRun | BadRun:
    incident, trial, outcome = record.scenario, str(record.trial), record.outcome
    if outcome.cause is None:
        known = {key: score for key, score in record.scores.items() if key.partition("@")[0] in _KNOWN_CRITERIA}
        return {"incident_id": incident, "trial_id": trial, "scores": to_nested(known)}
    return {"incident_id": incident, "trial_id": trial, "error": outcome.detail or outcome.cause, "outcome": outcome.cause}


def _calculations(criterion: str, score: Score) -> dict[str, float]:
    return {
        "calculation" if metric == criterion else f"calculation_{metric.removeprefix(criterion + '_')}": value
        for metric, value in score.values.items()
    }


def _statistics(scored: Sequence[TrialRecord], *, bad_runs: int) -> Statistics:
    per_incident = {
        incident: {
            metric: _incident_statistic(metric, values)
            for metric in METRICS
            if (values := [metrics[metric] for metrics in trials if metric in metrics])
        }
        for incident, trials in _metrics_by_incident(scored).items()
    }
    overall: dict[str, OverallStatistic | int] = {
        metric: _overall_statistic(incidents)
        for metric in METRICS
        if (incidents := [statistics[metric] for statistics in per_incident.values() if metric in statistics])
    }
    return {"per_incident": per_incident, "overall": overall | {"total_bad_runs": bad_runs}}


def _metrics_by_incident(scored: Sequence[TrialRecord]) -> dict[str, list[dict[str, float]]]:
    by_incident = grouped(scored, lambda record: record.scenario)
    return {incident: [record.metrics for record in records] for incident, records in by_incident.items()}


def _incident_statistic(metric: str, values: Sequence[float]) -> IncidentStatistic:
    statistic: IncidentStatistic = {
        "mean": fmean(values),
        "stderr": _population_stderr(values),
        "n": len(values),
    }
    if metric in _WITH_PASS_AT_1:
        statistic["pass@1"] = fmean(value == 1 for value in values)
    return statistic


def _overall_statistic(incidents: Sequence[IncidentStatistic]) -> OverallStatistic:
    means = [incident["mean"] for incident in incidents]
    spread = standard_deviation(means)
    statistic: OverallStatistic = {
        "mean": fmean(means),
        "stderr": None if spread is None else spread / math.sqrt(len(means)),
        "n_incidents": len(means),
    }
    if "pass@1" in incidents[0]:
        statistic["pass@1"] = fmean(incident["pass@1"] for incident in incidents)
    return statistic


def _population_stderr(values: Sequence[float]) -> float:
    sample = standard_deviation(values) or 0.0
    return sample * math.sqrt(len(values) - 1) / len(values)
