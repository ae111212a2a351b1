"""Try an answer on every variant, in the order of the gates, and say what was seen. Scores are made elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from itbench.compliance.engine import Engine
from itbench.compliance.fetch import Collected, Collector
from itbench.compliance.place import Place
from itbench.compliance.policy import POLICY, Evaluated, evaluate
from itbench.compliance.safety import look
from itbench.compliance.variants import Variant
from itbench.model.compliance import Fetched, Judged, Tried


async def judge(
    files: Mapping[str, str], variants: Sequence[Variant], engine: Engine, place: Place, collector: Collector
) -> Judged:
    """Collect from the visible variant; if that gives data, from all others; then the policy on all that was collected.

    A gate that does not hold ends it: what comes after is not tried.

    Args:
        files: the answer's.
        variants: the visible one first.
        engine: what evaluates the policy.
        place: the sandbox.
        collector: how data are collected.

    Raises:
        SandboxError: the sandbox or the engine failed, which is nobody's score.
    """
    told: Mapping[str, Any] = {"files": tuple(sorted(files)), "engine": str(engine), "sandbox": place.mode}
    missing = tuple(name for name in (collector.script, POLICY) if not files.get(name, "").strip())
    if missing:
        return Judged(**told, missing=missing)
    first = await collector(files, variants[0])
    safety = look(files, variants[0].files, first)
    if first.data is None:
        return Judged(**told, tried=(_tried(variants[0], first),), safety=safety)
    check = await evaluate(files[POLICY], [first.data], engine, place)
    if check.problem is not None:
        tried = (_tried(variants[0], first),)
        return Judged(**told, tried=tried, problem=check.problem, safety=safety, policy_seconds=check.seconds)
    if check.rulings[0].verdict == "timeout":  # it would take as long on every other one
        return Judged(**told, tried=_together(variants[:1], [first], check), safety=safety, policy_seconds=check.seconds)
    others = await _collect_all(files, variants[1:], collector)
    collected = [first, *others]
    inputs = [one.data for one in others if one.data is not None]
    rest = await evaluate(files[POLICY], inputs, engine, place) if inputs else Evaluated()
    both = Evaluated((*check.rulings, *rest.rulings), rest.problem, check.seconds + rest.seconds)
    return Judged(
        **told,
        tried=_together(variants, collected, both),
        problem=rest.problem,
        safety=safety,
        policy_seconds=round(both.seconds, 3),
    )


async def _collect_all(files: Mapping[str, str], variants: Sequence[Variant], collector: Collector) -> list[Collected]:
    """Each in a sandbox of its own, so that a script cannot remember."""
    turn = asyncio.Semaphore(collector.at_once)
    stopped = False

    async def one(variant: Variant) -> Collected:
        nonlocal stopped
        async with turn:
            if stopped:
                return Collected(
                    Fetched(ok=False, problem=f"not tried: {collector.script} did not end on another set"), None
                )
            collected = await collector(files, variant)
            stopped = stopped or "was stopped" in collected.fetched.problem
            return collected

    return list(await asyncio.gather(*(one(variant) for variant in variants)))


def _together(variants: Sequence[Variant], collected: Sequence[Collected], evaluated: Evaluated) -> tuple[Tried, ...]:
    rulings = iter(evaluated.rulings)
    tried = []
    for variant, one in zip(variants, collected, strict=True):
        ruling = next(rulings, None) if one.data is not None else None
        if ruling is None:
            tried.append(_tried(variant, one))
        else:
            tried.append(_tried(variant, one).model_copy(update={"verdict": ruling.verdict, "detail": ruling.detail}))
    return tuple(tried)


def _tried(variant: Variant, collected: Collected) -> Tried:
    fetched = collected.fetched
    return Tried(name=variant.name, side=variant.side, hidden=variant.hidden, fetched=fetched, detail=fetched.problem)
