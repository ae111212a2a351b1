"""How well an anomaly is sized, dated and explained, held against counterfactual truth. Formulas: docs/metrics.md."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from itbench.model.cost import CostCause, CostTruth
from itbench.model.diagnosis import CostClaim, CostDiagnosis
from itbench.model.outcome import Score
from itbench.scoring.finops_names import CostMatcher, ResourceKey

_Pairs = dict[int, int]
"""Truth's cause to the claim that speaks of it."""


@dataclass(frozen=True, slots=True)
class _Case:
    """Claims and causes side by side."""

    claims: Sequence[CostClaim]
    truth: CostTruth
    pairs: _Pairs

    @property
    def whole(self) -> float:
        """What all causes come to."""
        return sum(map(weight, self.truth.causes))

    def claimed(self, claim: CostClaim) -> float | None:
        """The amount of a claim, or its share of the whole; None if it says neither."""
        if claim.amount is not None:
            return abs(claim.amount)
        return None if claim.share is None else abs(claim.share) * self.whole


def weight(cause: CostCause) -> float:
    """What a cause came to: what it added, or what it moved where the bill is the same."""
    return max(abs(cause.amount), abs(cause.moved))


def graded_scores(
    diagnosis: CostDiagnosis,
    truth: CostTruth,
    matcher: CostMatcher,
    right: Collection[ResourceKey],
    precision: float,
) -> dict[str, Score]:
    """cost_attribution, impact_accuracy, onset_error_days and cause_class_accuracy.

    Args:
        diagnosis: the answer.
        truth: with causes.
        matcher: of names.
        right: the truth's resources that the answer names.
        precision: of all that it names.
    """
    case = _Case(diagnosis.causes, truth, _pair(diagnosis.causes, truth.causes, matcher))
    return {
        "cost_attribution": _attribution(case, matcher, right, precision),
        "impact": _impact(case),
        "onset": _onset(case),
        "cause_class": _classes(case, matcher),
    }


def _pair(claims: Sequence[CostClaim], causes: Sequence[CostCause], matcher: CostMatcher) -> _Pairs:
    """Who speaks of what: the pairs that share most come first; without a shared resource there is none."""
    ranked = []
    for cause_at, cause in enumerate(causes):
        wanted = {matcher.key(resource): resource for resource in cause.resources}
        for claim_at, claim in enumerate(claims):
            named = {matcher.find(resource, wanted) or matcher.key(resource) for resource in claim.resources}
            shared = len(named & wanted.keys())
            if shared:
                same_class = matcher.cause(claim.cause) == cause.cause
                ranked.append((-shared / len(named | wanted.keys()), not same_class, cause_at, claim_at))
    pairs: _Pairs = {}
    for *_, cause_at, claim_at in sorted(ranked):
        if cause_at not in pairs and claim_at not in pairs.values():
            pairs[cause_at] = claim_at
    return pairs


def _attribution(case: _Case, matcher: CostMatcher, right: Collection[ResourceKey], precision: float) -> Score:
    """The share of the anomalous cost that the answer puts where it belongs."""
    rows = [
        {
            "path": row.path,
            "amount": row.amount,
            "class": row.cause,
            "attributed": any(matcher.covers(key, row.path) for key in right),
        }
        for row in case.truth.attribution
    ]
    total = sum(abs(row.amount) for row in case.truth.attribution)
    covered = sum(abs(row.amount) for row, told in zip(case.truth.attribution, rows, strict=True) if told["attributed"])
    amounts = [case.claimed(claim) for claim in case.claims]
    if amounts and None not in amounts:
        said = sum(amount or 0.0 for amount in amounts)
        overlap = sum(min(weight(case.truth.causes[at]), amounts[claim] or 0.0) for at, claim in case.pairs.items())
        value, by = overlap / max(said, case.whole, 1e-9), "the overlap of the amounts claimed with those measured"
    elif total:
        value, by = precision * covered / total, "the share of the amount under the resources named, times precision"
    else:
        return Score(note="the truth attributes no amount")
    evidence = {"rows": rows[:50], "covered": round(covered, 2), "total": round(total, 2), "by": by}
    return Score(values={"cost_attribution": min(max(value, 0.0), 1.0)}, evidence=evidence)


def _impact(case: _Case) -> Score:
    """1 − |claimed − true| / true, at least 0."""
    amounts = [amount for claim in case.claims if (amount := case.claimed(claim)) is not None]
    if not amounts:
        return Score(note="the answer states no amount")
    if case.whole <= 0:
        return Score(note="the truth states no amount")
    said = sum(amounts)
    error = abs(said - case.whole) / case.whole
    evidence = {"claimed": round(said, 2), "true": round(case.whole, 2), "relative_error": round(error, 6)}
    return Score(values={"impact_accuracy": max(1.0 - error, 0.0)}, evidence=evidence)


def _onset(case: _Case) -> Score:
    """Mean distance in days, over the causes that the answer dates."""
    found, distances = [], []
    for at, claim_at in sorted(case.pairs.items()):
        cause, claim = case.truth.causes[at], case.claims[claim_at]
        if claim.onset is not None:
            days = abs((claim.onset - cause.onset).days)
            found.append({"class": cause.cause, "claimed": str(claim.onset), "true": str(cause.onset), "days": days})
            distances.append(days)
    if not found:
        return Score(note="the answer dates no cause that is there")
    return Score(values={"onset_error_days": sum(distances) / len(distances)}, evidence={"causes": found})


def _classes(case: _Case, matcher: CostMatcher) -> Score:
    """Causes whose class is said rightly, by the larger of the numbers of causes there and claimed."""
    if not any(claim.cause for claim in case.claims):
        return Score(note="the answer gives no cause a class")
    told = []
    for at, cause in enumerate(case.truth.causes):
        said = case.claims[case.pairs[at]].cause if at in case.pairs else ""
        told.append({"true": str(cause.cause), "claimed": said, "right": matcher.cause(said) == cause.cause})
    right = sum(bool(one["right"]) for one in told)
    value = right / max(len(case.truth.causes), len(case.claims))
    return Score(values={"cause_class_accuracy": value}, evidence={"causes": told, "claims": len(case.claims)})
