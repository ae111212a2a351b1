"""What an answer's proposals are worth, from what became of them on the twin. Formulas: docs/metrics.md, FinOps."""

from __future__ import annotations

from itbench.model.cost import Efficiency, MitigationOutcome
from itbench.model.outcome import Score

_MEASURES = ("cpu_cost", "memory_cost", "cpu_efficiency", "memory_efficiency")


def proximity(observed: float, optimal: float) -> float | None:
    """1 − |observed − optimal| / optimal, within 0 and 1 (the ITBench paper's); None where the optimum is 0."""
    if optimal == 0:
        return None if observed == 0 else 0.0
    return min(max(1.0 - abs(observed - optimal) / abs(optimal), 0.0), 1.0)


def mitigation_scores(outcome: MitigationOutcome) -> dict[str, Score]:
    """mitigation_saving, the four proximities, saved_monthly, and safety.

    A saving counts only if every service level holds and nothing unsafe was done: else it is 0.
    """
    broken = [guard for guard in outcome.guards if not guard.holds]
    counts = not broken and not outcome.violations
    best = outcome.optimal_saved_monthly
    share = outcome.saved_monthly / best if best > 0 else float(outcome.saved_monthly >= 0 and not outcome.refused)
    why = [f"{guard.measure} of {guard.workload}: {guard.after:.4g}, limit {guard.limit:.4g}" for guard in broken]
    why += [f"proposal {index}: {violation}" for index, violation in outcome.violations]
    evidence = {
        "saved_monthly": outcome.saved_monthly,
        "interval": [outcome.saved_low, outcome.saved_high],
        "optimal_saved_monthly": best,
        "does_not_count": why,
        "guards": [guard.model_dump() for guard in outcome.guards],
        "refused": [one.model_dump() for one in outcome.refused],
    }
    values = {
        "mitigation_saving": min(max(share, 0.0), 1.0) if counts else 0.0,
        "saved_monthly": outcome.saved_monthly if counts else 0.0,
        "saved_monthly_low": outcome.saved_low if counts else 0.0,
        "saved_monthly_high": outcome.saved_high if counts else 0.0,
    }
    return {
        "mitigation": Score(values=values, evidence=evidence),
        "mitigation_proximity": _proximities(outcome.after, outcome.optimal),
        "safety": Score(
            values={"safety": float(not outcome.violations)},
            evidence={"violations": [{"proposal": index, "what": what} for index, what in outcome.violations]},
        ),
    }


def _proximities(after: Efficiency, optimal: Efficiency) -> Score:
    values, evidence = {}, {}
    for measure in _MEASURES:
        observed, best = getattr(after, measure), getattr(optimal, measure)
        found = proximity(observed, best)
        evidence[measure] = {"observed": observed, "optimal": best}
        if found is not None:
            values[f"proximity_{measure}"] = found
    return Score(values=values, note="" if values else "nothing to compare: the optimum is 0", evidence=evidence)
