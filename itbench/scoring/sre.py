"""Score an SRE diagnosis against the ground truth. Formulas: docs/metrics.md.

Every criterion of the reference evaluator has a Score. Where the truth lacks what a criterion needs, or where only a
reader of prose could judge, the Score has no values and says why; it is never 0 for that.
"""

from __future__ import annotations

from collections.abc import Collection

from itbench.model.diagnosis import Diagnosis, PredictedEntity
from itbench.model.errors import UsageError
from itbench.model.outcome import Score
from itbench.model.rules import Rules
from itbench.model.truth import GroundTruth
from itbench.scoring.chain import chain_score, model_path
from itbench.scoring.localization import localization_score
from itbench.scoring.match import TruthIndex, match, truth_index
from itbench.scoring.metrics import ENTITY_K
from itbench.scoring.ntam import ntam_localization, ntam_propagation, typed_graph_of
from itbench.scoring.proximity import hops_of, proximity_scores
from itbench.scoring.root_cause import root_cause_scores
from itbench.scoring.topology import topology_of


def score_sre(
    diagnosis: Diagnosis,
    truth: GroundTruth,
    rules: Rules,
    policy_name: str = "reference",
    exclude_namespaces: Collection[str] = (),
) -> dict[str, Score]:
    """The scores of an answer, by criterion.

    Args:
        diagnosis: what the agent answered; contributing factors are its root causes, in order.
        truth: what it is held against.
        rules: policies and weights.
        policy_name: which of the rules' policies decides what matches.
        exclude_namespaces: predicted root causes in these are left out first (the reference's namespace filter).

    Raises:
        UsageError: the rules have no such policy.
    """
    policy = rules.policies.get(policy_name)
    if policy is None:
        raise UsageError(f"there is no matching policy {policy_name!r}", hint=f"Known: {', '.join(sorted(rules.policies))}")
    predictions = considered(diagnosis, exclude_namespaces)
    index, topology = truth_index(truth, policy), topology_of(truth)
    verdicts = match(predictions, truth, policy)
    model = model_path(diagnosis, verdicts, topology, index)
    graph = typed_graph_of(topology, rules.ntam)

    scores: dict[str, Score] = {}
    if index.roots:
        scores |= root_cause_scores(verdicts, index.roots)
        scores["ntam_fault_localization"] = ntam_localization(verdicts, index, graph)
    if topology.path:
        scores["propagation_chain"] = chain_score(model, topology)
        scores["fault_localization_component_identification"] = localization_score(model, topology)
        scores["ntam_fault_propagation"] = ntam_propagation(model, graph)
    if index.roots and topology.path:
        scores |= proximity_scores(hops_of(verdicts, index, topology), index.roots, topology)
    return {criterion: scores.get(criterion) or Score(note=_why_not(criterion, index)) for criterion in CRITERIA}


def considered(diagnosis: Diagnosis, exclude_namespaces: Collection[str] = ()) -> list[PredictedEntity]:
    """The root causes that the answer names, without those in excluded namespaces; in its order."""
    excluded = {namespace.casefold() for namespace in exclude_namespaces}
    return [found for found in diagnosis.root_causes if (found.entity.namespace or "").casefold() not in excluded]


def _why_not(criterion: str, index: TruthIndex) -> str:
    if criterion in _FOR_A_JUDGE:
        return "left to a judge: whether prose is right is not arithmetic"
    if not index.roots:
        return "the ground truth marks no root cause"
    return "the ground truth has no propagation between known groups"


_FOR_A_JUDGE = ("root_cause_reasoning", "root_cause_reasoning_partial")
CRITERIA = (
    "root_cause_entity",
    "root_cause_entity_k",
    *(f"root_cause_entity_k@{k}" for k in ENTITY_K),
    "propagation_chain",
    "fault_localization_component_identification",
    "root_cause_proximity_no_fp",
    "root_cause_proximity_with_fp",
    "precision_at_full_recall",
    "ntam_fault_localization",
    "ntam_fault_propagation",
    *_FOR_A_JUDGE,
)
"""What an SRE answer is scored by, in the order of reports."""
