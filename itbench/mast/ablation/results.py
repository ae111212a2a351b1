"""From the trials of a run to the effect of each arm: on success, metrics, failure modes, cost and time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import numpy as np

from itbench.mast.ablation.advice import Advice, advise
from itbench.mast.ablation.arms import Arm, Arms
from itbench.mast.ablation.paired import Change, Pair, change_of_means, change_of_shares
from itbench.mast.outcomes import Success
from itbench.model.mast import AnnotatedTrace, Taxonomy
from itbench.model.trial import TrialRecord
from itbench.scoring.table import is_share

Key = tuple[str, str, int]
"""Agent, scenario, trial."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is known of one trial; verdicts and steps are None where it left no trajectory."""

    record: TrialRecord
    verdicts: AnnotatedTrace | None = None
    replies: int | None = None


@dataclass(frozen=True, slots=True)
class ModeChange:
    """How often a mode is flagged; `unknown` counts pairs in which the annotator could not tell on either side."""

    code: str
    change: Change
    unknown: int


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm held against the bare agent, over the trials that both have."""

    arm: Arm
    success: Change | None
    metrics: dict[str, Change]
    modes: tuple[ModeChange, ...]
    costs: dict[str, Change]


@dataclass(frozen=True, slots=True)
class Signature:
    """What the bare agent's failures look like: trials, failures, and the share of failed trials that show each mode."""

    trials: int
    failed: int
    modes: dict[str, float]


@dataclass(frozen=True, slots=True)
class AgentAblation:
    """All arms of one agent."""

    agent: str
    signature: Signature
    arms: tuple[ArmResult, ...]
    advice: Advice


@dataclass(frozen=True, slots=True)
class Ablation:
    """The whole run."""

    run_dir: str
    taxonomy: str
    success: str
    agents: tuple[AgentAblation, ...]
    notes: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"schema_version": 1, "kind": "mast-ablation", **asdict(self)}


def ablation_of(
    arms: Iterable[Arms],
    trials: Mapping[Key, Trial],
    taxonomy: Taxonomy,
    success: Success,
    rng: np.random.Generator,
    *,
    run_dir: str,
) -> Ablation:
    """Hold every arm against its bare agent. Trials that failed by no fault of the agent are left out, and told."""
    agents = []
    notes = []
    for each in arms:
        bare = {key[1:]: trial for key, trial in trials.items() if key[0] == each.bare.label}
        signature = _signature(bare.values(), taxonomy, success)
        results = []
        for arm in each.guarded:
            own = {key[1:]: trial for key, trial in trials.items() if key[0] == arm.label}
            results.append(_arm(arm, bare, own, taxonomy, success, rng))
            judged = results[-1].success.n if results[-1].success else 0
            if judged < len(bare.keys() | own.keys()):
                total = len(bare.keys() | own.keys())
                notes.append(f"{arm.label}: {total - judged} of {total} pairs of trials have no verdict on success")
        agents.append(AgentAblation(each.agent, signature, tuple(results), advise(signature.modes, results)))
    return Ablation(run_dir, taxonomy.version, str(success), tuple(agents), tuple(notes))


def _signature(trials: Iterable[Trial], taxonomy: Taxonomy, success: Success) -> Signature:
    known = [(trial, success.judge(trial.record.outcome.cause, trial.record.metrics)) for trial in trials]
    failed = [trial for trial, good in known if good is False]
    shares = {}
    for code in taxonomy.codes:
        shown = sum(trial.verdicts is not None and trial.verdicts.verdict(code) == "present" for trial in failed)
        if shown:
            shares[code] = shown / len(failed)
    ordered = dict(sorted(shares.items(), key=lambda item: -item[1]))
    return Signature(len(known), len(failed), ordered)


def _arm(
    arm: Arm,
    bare: Mapping[tuple[str, int], Trial],
    own: Mapping[tuple[str, int], Trial],
    taxonomy: Taxonomy,
    success: Success,
    rng: np.random.Generator,
) -> ArmResult:
    shared = [
        (scenario, bare[scenario, number], own[scenario, number]) for scenario, number in bare if (scenario, number) in own
    ]

    def pairs(value: Callable[[Trial], float | None]) -> list[Pair]:
        found = ((scenario, value(one), value(other)) for scenario, one, other in shared)
        return [Pair(scenario, a, b) for scenario, a, b in found if a is not None and b is not None]

    def good(trial: Trial) -> float | None:
        judged = success.judge(trial.record.outcome.cause, trial.record.metrics)
        return None if judged is None else float(judged)

    keys = dict.fromkeys(key for _, one, other in shared for trial in (one, other) for key in trial.record.metrics)
    metrics = {key: change_of_means(pairs(partial(_metric, key=key, success=success)), share=is_share(key)) for key in keys}
    costs = {name: change_of_means(pairs(value)) for name, value in _COSTS.items()}
    return ArmResult(
        arm=arm,
        success=change_of_shares(pairs(good), rng),
        metrics={key: change for key, change in metrics.items() if change is not None},
        modes=tuple(filter(None, (_mode(code, shared, rng) for code in taxonomy.codes))),
        costs={name: change for name, change in costs.items() if change is not None},
    )


def _metric(trial: Trial, key: str, success: Success) -> float | None:
    """A metric of a trial; whoever fails by himself has 0 of every share."""
    if trial.record.outcome.cause is None:
        return trial.record.metrics.get(key)
    return 0.0 if is_share(key) and success.judge(trial.record.outcome.cause, {}) is False else None


def _mode(code: str, shared: Sequence[tuple[str, Trial, Trial]], rng: np.random.Generator) -> ModeChange | None:
    pairs, unknown = [], 0
    for scenario, one, other in shared:
        if one.verdicts is None or other.verdicts is None:
            continue
        verdicts = (one.verdicts.verdict(code), other.verdicts.verdict(code))
        if "not_applicable" in verdicts:
            continue
        unknown += "unknown" in verdicts
        pairs.append(Pair(scenario, float(verdicts[0] == "present"), float(verdicts[1] == "present")))
    change = change_of_shares(pairs, rng)
    return None if change is None else ModeChange(code, change, unknown)


def _tokens(trial: Trial) -> float | None:
    usage = trial.record.usage
    if usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    return float(usage.prompt_tokens + usage.completion_tokens)


_COSTS: dict[str, Callable[[Trial], float | None]] = {
    "replies": lambda trial: None if trial.replies is None else float(trial.replies),
    "tokens": _tokens,
    "cost_usd": lambda trial: trial.record.usage.cost_usd,
    "seconds": lambda trial: trial.record.timing.agent_seconds,
}
