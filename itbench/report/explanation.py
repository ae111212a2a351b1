"""Why one trial scored as it did, in words: every predicted entity, every root, the chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from itbench.model.outcome import Score
from itbench.model.text import visible
from itbench.model.trial import TrialRecord

_JUDGE = "judge"
_FOUND, _MISSED = "✓", "✗"


def explain(record: TrialRecord, *, details: bool = False) -> Iterator[str]:
    """The lines of an explanation, safe to print; read from the evidence that the evaluator left in the record.

    Args:
        record: of one trial.
        details: all figures, also those at each k.
    """
    return (visible(line) for line in _lines(record, details=details))


def _lines(record: TrialRecord, *, details: bool) -> Iterator[str]:
    yield f"{record.agent} on {record.scenario} ({record.domain}), trial {record.trial}, attempt {record.attempt}"
    outcome = record.outcome
    yield f"outcome: {outcome.status}" + (f", {outcome.cause}: {outcome.detail}" if outcome.cause else "")
    yield f"scored by: {', '.join(f'{key} {value}' for key, value in record.evaluation.items())}"
    for what, lines in (("repaired", record.repairs), ("note", record.warnings)):
        yield from (f"{what}: {line}" for line in lines)
    if "root_cause_entity" in record.scores:
        yield from _root_causes(record)
    if "root_cause_resource" in record.scores:
        yield from _resources(record)
    if "propagation_chain" in record.scores:
        yield from _chain(record)
    yield from _opinions(record)
    yield from _figures(record, details=details)


def _root_causes(record: TrialRecord) -> Iterator[str]:
    evidence = record.scores["root_cause_entity"].evidence
    yield ""
    yield "Root causes that the agent named, in its order:"
    for number, predicted in enumerate(evidence.get("predicted_entities", ()), start=1):
        mark = _FOUND if predicted["matches_gt"] else _MISSED
        matched = f" → {predicted['matched_to']}" if predicted.get("matched_to") else ""
        through = f" (through its alias {predicted['through']})" if predicted.get("through") else ""
        yield f"  {number}. {mark} {_short(predicted['entity'])}{matched}{through}: {predicted.get('reason', '')}"
    if not evidence.get("predicted_entities"):
        yield "  none"
    yield "Root causes of the ground truth:"
    for root in evidence.get("roots", ()):
        by = ", ".join(_short(name) for name in root["found_by"])
        yield f"  {_FOUND if by else _MISSED} {root['entity']} [{root['id']}]: " + (f"found by {by}" if by else "missed")
        yield from (f"      also as {alias}" for alias in root["aliases"])


def _resources(record: TrialRecord) -> Iterator[str]:
    evidence = record.scores["root_cause_resource"].evidence
    yield ""
    yield "Resources that the agent named:"
    for resource in evidence.get("predicted_resources", ()):
        yield f"  {_FOUND if resource['matches_gt'] else _MISSED} {resource['type']} {_short(resource['name'])}"
    if not evidence.get("predicted_resources"):
        yield "  none"
    yield "Resources of the ground truth:"
    for resource in evidence.get("gt_resources", ()):
        yield f"  {_FOUND if resource['found'] else _MISSED} {resource['type']} {resource['name']}"


def _chain(record: TrialRecord) -> Iterator[str]:
    score = record.scores["propagation_chain"]
    yield ""
    if not score.judged:
        yield f"Propagation chain: not judged ({score.note})"
        return
    details = _details(score)
    common = details.get("lcs_components", ())
    yield "Propagation chain, as components:"
    yield f"  ground truth: {_path(details.get('contracted_gt_path', ()), common)}"
    yield f"  agent:        {_path(details.get('contracted_model_path', ()), common)}"
    yield f"  in common:    {_path(common, common)}"
    place = record.scores.get("fault_localization_component_identification")
    if place is not None and place.judged:
        details = _details(place)
        mark = _FOUND if details.get("found_in_model_path") else _MISSED
        yield f"  first impaired component: {mark} {details.get('gt_first_impacted_component')}"


def _opinions(record: TrialRecord) -> Iterator[str]:
    """What a judge said, if one was asked: of each entity the votes, and a reason of one that gave the median."""
    score = record.scores.get("root_cause_reasoning_partial")
    told = list(_judged_details(score)) if score is not None else []
    if told:
        yield ""
        yield "What the judge says of the reasons:"
    for detail in told:
        votes = detail.get("votes", [])
        cast = ", ".join(str(vote.get("label")) for vote in votes) or detail.get("note", "")
        weight = "" if detail.get("weight") == 1 else f" × {detail.get('weight', 0):.2f}, on the fault's way"
        yield f"  {_short(str(detail.get('entity')))}: {detail.get('score', 0):.2f} ({cast}{weight})"
        chosen = next((vote for vote in votes if vote.get("value") == detail.get("grade")), None)
        if chosen is not None and chosen.get("reasons"):
            yield f"      {_short(chosen['reasons'])}"
        yield from (f"      a vote does not count: {reason}" for reason in detail.get("invalid_votes", ()))
        if any(vote.get("addresses_judge") for vote in votes):
            yield "      the answer addresses its judge here"
    entity = record.scores.get("root_cause_entity")
    check = entity.evidence.get("judge_cross_check", {}) if entity is not None else {}
    if check:
        yield ""
        yield "Cross-check of the matcher, whose verdict stands: " + (
            check.get("not_judged") or ", ".join(map(_short, check.get("disagreements", ()))) or "the judge agrees"
        )


def _judged_details(score: Score) -> Iterator[Mapping[str, Any]]:
    if _JUDGE in score.evidence:
        yield from score.evidence.get("details", ())


def _figures(record: TrialRecord, *, details: bool) -> Iterator[str]:
    yield ""
    yield "Figures:"
    for criterion, score in record.scores.items():
        if "_k" in criterion and not details:
            continue
        if score.judged:
            yield from (f"  {key:<46} {value:.3f}" for key, value in score.values.items())
        else:
            yield f"  {criterion:<46} not judged: {score.note}"
    if not record.scores:
        yield "  none: there is no verdict"


def _details(score: Score) -> Mapping[str, Any]:
    details: Mapping[str, Any] = score.evidence.get("details", {})
    return details


def _path(components: Any, common: Any) -> str:
    return " → ".join(f"[{name}]" if name in common else str(name) for name in components) or "(nothing)"


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:100]}… ({len(text)} characters)"
