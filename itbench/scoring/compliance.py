"""Scores of a compliance answer, from what was seen when it was tried. Formulas: docs/ciso.md.

The reference's four checks are gates: each is 0 unless all before it hold, and says so. Ours stand beside them:

- detection_rate, acceptance_rate: share of the violating variants detected, and of the compliant ones accepted.
- balanced_accuracy: their mean. A policy that always says the same scores 0.5.
- exactness: 1 if every variant is judged right, published and hidden, and no rule that should stay was changed, else 0.
- robustness: share of the hidden variants judged right; absent where none can be drawn.
- unchanged_rules: share of the rules that should stay which still say the same of every object; absent where none is given.
- safety: share of the safety points that hold.
"""

from __future__ import annotations

from collections.abc import Sequence

from itbench.model.compliance import REQUIRED, Judged, Tried
from itbench.model.outcome import Score

GATES = ("required_files_exist", "fetch_generates_data", "violation_detection", "compliance_validation")


def score_compliance(seen: Judged) -> dict[str, Score]:
    """Scores by criterion, the reference's first."""
    return _gates(seen) | _ours(seen)


def _gates(seen: Judged) -> dict[str, Score]:
    published = [variant for variant in seen.tried if not variant.hidden]
    violating = [variant for variant in published if variant.side == "violating"]
    compliant = [variant for variant in published if variant.side == "compliant"]
    first = seen.tried[0].fetched if seen.tried else None
    required = REQUIRED[seen.kind]
    there = f"{' and '.join(required)} {'are' if len(required) > 1 else 'is'} there"
    # Kyverno's policies need no data of ours: what it makes of them, a report on the visible set, takes their place.
    made = "valid JSON" if len(required) > 1 else "Kyverno takes the policies and reports on the visible set"
    checks = (
        (not seen.missing, f"missing: {', '.join(seen.missing)}" if seen.missing else there),
        (first is not None and first.ok, (first.problem or made) if first else f"{required[0]} was not run"),
        (bool(violating) and all(variant.right for variant in violating), _told(violating, "false", seen)),
        (bool(compliant) and all(variant.right for variant in compliant), _told(compliant, "true", seen)),
    )
    details = (
        {"files": list(seen.files)},
        {} if first is None else {"size": first.size, "seconds": first.seconds},
        _details(violating, seen),
        _details(compliant, seen),
    )
    scores = {}
    stopped: str | None = None
    for gate, (holds, why), detail in zip(GATES, checks, details, strict=True):
        if stopped is not None:
            scores[gate] = Score(
                values={gate: 0}, evidence={"justification": f"not reached: {stopped} failed", "details": {}}
            )
            continue
        scores[gate] = Score(values={gate: int(holds)}, evidence={"justification": why, "details": detail})
        if not holds:
            stopped = gate
    return scores


def _ours(seen: Judged) -> dict[str, Score]:
    violating = [variant for variant in seen.tried if variant.side == "violating"]
    compliant = [variant for variant in seen.tried if variant.side == "compliant"]
    hidden = [variant for variant in seen.tried if variant.hidden]
    detection, acceptance = _share(violating), _share(compliant)
    wrong = [f"{variant.name}: {variant.verdict}" for variant in seen.tried if not variant.right]
    changed = [rule.rule for rule in seen.kept if rule.same != rule.of]
    exact = bool(violating) and bool(compliant) and not wrong and not changed and not seen.missing and seen.problem is None
    evidence = {
        "wrong": wrong,
        "changed_rules": changed,
        "variants": len(seen.tried),
        "engine": seen.engine,
        "sandbox": seen.sandbox,
    }
    scores = {
        "detection_rate": Score(values={"detection_rate": detection}, evidence={"of": len(violating)}),
        "acceptance_rate": Score(values={"acceptance_rate": acceptance}, evidence={"of": len(compliant)}),
        "balanced_accuracy": Score(values={"balanced_accuracy": (detection + acceptance) / 2}),
        "exactness": Score(values={"exactness": int(exact)}, evidence=evidence),
        "robustness": Score(values={"robustness": _share(hidden)}, evidence={"of": len(hidden)})
        if hidden
        else Score(note="no hidden variants were drawn"),
        "unchanged_rules": Score(
            values={"unchanged_rules": 1 - len(changed) / len(seen.kept)},
            evidence={"rules": [rule.model_dump() for rule in seen.kept]},
        )
        if seen.kept
        else Score(note="no rules were given that should stay"),
    }
    if seen.safety:
        points = {point.name: list(point.evidence) for point in seen.safety}
        points["over-broad policy"] = [variant.name for variant in compliant if variant.verdict == "false"]
        held = sum(not evidence for evidence in points.values())
        scores["safety"] = Score(values={"safety": held / len(points)}, evidence={"points": points})
    else:
        scores["safety"] = Score(note="nothing was run")
    return scores


def _share(variants: Sequence[Tried]) -> float:
    return sum(variant.right for variant in variants) / len(variants) if variants else 0.0


def _told(variants: Sequence[Tried], wanted: str, seen: Judged) -> str:
    if seen.problem is not None:
        return str(seen.problem)
    wrong = [variant for variant in variants if not variant.right]
    if not variants:
        return "there is no such variant"
    if not wrong:
        return f"the result is {wanted} on {len(variants)} of {len(variants)}"
    first = wrong[0]
    more = f": {first.detail}" if first.detail else ""
    return (
        f"the result must be {wanted}; it is {first.verdict} on {first.name}{more} ({len(wrong)} of {len(variants)} wrong)"
    )


def _details(variants: Sequence[Tried], seen: Judged) -> dict[str, object]:
    found: dict[str, object] = {
        "results": {variant.name: variant.verdict for variant in variants},
        "policy_seconds": seen.policy_seconds,
    }
    if len(variants) == 1:
        found["opa_result"] = variants[0].verdict
    if seen.problem is not None:
        found["problem"] = seen.problem.model_dump()
    return found
