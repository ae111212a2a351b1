"""What to put around a model, from its own failures and from what helped."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from itbench.agents.interventions.catalogue import INTERVENTIONS

if TYPE_CHECKING:
    from itbench.mast.ablation.results import ArmResult

Verdict = Literal["use", "leave out", "no need", "undecided", "try"]
ENOUGH = 0.1
"""A mode that shows in fewer of the failed trials calls for nothing."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """About one intervention. `targets` are the modes of the agent's signature that it is meant for."""

    intervention: str
    verdict: Verdict
    targets: tuple[str, ...]
    reason: str
    needed: int | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """About each intervention, those that were tried first; `best` is the arm to use, None for the bare agent."""

    interventions: tuple[Recommendation, ...]
    best: str | None
    reason: str


def advise(signature: Mapping[str, float], arms: Sequence[ArmResult]) -> Advice:
    """Weigh what was measured, and say what was not tried although a frequent mode calls for it.

    *use*: the interval of the difference of success lies above 0. *leave out*: it lies below. *no need*: no success changed
    and no mode of the signature is its target. *undecided*: anything else, with about how many pairs would decide.
    """
    frequent = {code for code, share in signature.items() if share >= ENOUGH}
    tried = [(arm.arm.interventions[0], arm) for arm in arms if len(arm.arm.interventions) == 1]
    told = [_tried(name, arm, frequent) for name, arm in tried]
    known = {name for arm in arms for name in arm.arm.interventions}
    for name, kind in INTERVENTIONS.items():
        targets = tuple(code for code in kind.modes if code in frequent)
        # The first of its modes is what an intervention is for; the others it may help with.
        if name not in known and targets and kind.modes[0] in frequent:
            share = signature[kind.modes[0]]
            told.append(Recommendation(name, "try", targets, f"{kind.modes[0]} shows in {share:.0%} of the failed trials"))
    return Advice(tuple(told), *_best(arms))


def _tried(name: str, arm: ArmResult, frequent: set[str]) -> Recommendation:
    targets = tuple(code for code in INTERVENTIONS[name].modes if code in frequent)
    change = arm.success
    if change is None:
        return Recommendation(name, "undecided", targets, "no trial has a verdict on success")
    told = f"success {change.before:.0%} → {change.after:.0%} over {change.n} pairs"
    if change.low is not None and change.low > 0:
        return Recommendation(name, "use", targets, f"{told}: {change.gained} repaired, {change.lost} broken")
    if change.high is not None and change.high < 0:
        return Recommendation(name, "leave out", targets, f"{told}: {change.gained} repaired, {change.lost} broken")
    if not change.gained and not change.lost and not targets:
        return Recommendation(name, "no need", targets, f"{told}, and the failures show none of the modes that it is for")
    return Recommendation(name, "undecided", targets, told, _needed(change.difference, change.low, change.high, change.n))


def _needed(difference: float, low: float | None, high: float | None, n: int) -> int | None:
    """Pairs of the same mixture at which the interval would clear 0: it shrinks with the root of their number."""
    if not difference or low is None or high is None:
        return None
    reach = difference - low if difference > 0 else high - difference
    return math.ceil(n * (reach / abs(difference)) ** 2) + 1


def _best(arms: Sequence[ArmResult]) -> tuple[str | None, str]:
    """The arm with the highest success among those that surely help; of equals the one with fewer interventions."""
    helping = [arm for arm in arms if arm.success is not None and arm.success.low is not None and arm.success.low > 0]
    if not helping:
        return None, "nothing that was tried surely raises success"
    best = max(helping, key=lambda arm: (arm.success.after if arm.success else 0.0, -len(arm.arm.interventions)))
    assert best.success is not None
    low, high = best.success.low or 0.0, best.success.high or 0.0
    return best.arm.label, f"success {best.success.difference:+.0%} [{low:+.0%}, {high:+.0%}]"
