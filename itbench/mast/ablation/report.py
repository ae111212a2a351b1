"""An ablation as tables of text, and its picture."""

from __future__ import annotations

from collections.abc import Iterator

from itbench.agents.interventions.catalogue import INTERVENTIONS
from itbench.mast.ablation.advice import Recommendation
from itbench.mast.ablation.paired import Change
from itbench.mast.ablation.results import Ablation, AgentAblation, ArmResult
from itbench.mast.drawing import COLOURS, ForestRow, forest_of
from itbench.mast.tables import Grid, p_value
from itbench.model.mast import Taxonomy
from itbench.report.scorecard import LABELS

_UNITS = {"replies": "replies", "tokens": "tokens", "cost_usd": "US dollars", "seconds": "seconds of the agent"}
_DIGITS = {"replies": ".1f", "tokens": ",.0f", "cost_usd": ".4f", "seconds": ".1f"}
_WORDS = {"use": "recoverable", "leave out": "fatal"}
"""Colours of the verdicts, by those of the modes: green helps, red harms."""


def summary(ablation: Ablation) -> str:
    """What was held against what, and what is advised."""
    lines = [f"{ablation.run_dir}: the same scenarios, trials and seeds in every arm. Success: {ablation.success}."]
    for agent in ablation.agents:
        best = f"use {agent.advice.best}" if agent.advice.best else "leave it as it is"
        lines.append(f"{agent.agent}: {best} ({agent.advice.reason}).")
    return "\n".join([*lines, *ablation.notes])


def grids(ablation: Ablation, taxonomy: Taxonomy) -> Iterator[Grid]:
    """All tables, agent by agent."""
    for agent in ablation.agents:
        yield _effects(agent)
        yield _advice(agent, taxonomy)
        yield _metrics(agent)
        yield from filter(None, [_modes(agent, taxonomy)])


def pictures(ablation: Ablation) -> Iterator[tuple[str, str]]:
    """A forest plot of each agent's arms."""
    for agent in ablation.agents:
        verdicts = {each.intervention: each.verdict for each in agent.advice.interventions}
        rows = []
        for arm in agent.arms:
            if arm.success is not None:
                verdict = (
                    verdicts.get(arm.arm.interventions[0]) if len(arm.arm.interventions) == 1 else _verdict(arm.success)
                )
                colour = COLOURS[_WORDS.get(verdict or "", "undecided")]
                word = f"{verdict}: {arm.success.gained} repaired, {arm.success.lost} broken"
                change = arm.success
                rows.append(ForestRow(_name(arm), change.low, change.difference, change.high, word, colour))
        yield f"{agent.agent}: success with each intervention, against none", forest_of(rows, f"{agent.agent}: success")


def _verdict(change: Change) -> str:
    return "use" if (change.low or 0) > 0 else "leave out" if (change.high or 0) < 0 else "undecided"


def _effects(agent: AgentAblation) -> Grid:
    names = [name for name in _UNITS if any(name in arm.costs for arm in agent.arms)]
    rows = tuple(
        (
            _name(arm),
            "–" if arm.success is None else f"{arm.success.before:.0%} → {arm.success.after:.0%}",
            _difference(arm.success, "+.0%"),
            "–" if arm.success is None else f"{arm.success.gained} / {arm.success.lost}",
            p_value(None if arm.success is None else arm.success.p),
            *(_added(arm.costs.get(name), _DIGITS[name]) for name in names),
        )
        for arm in agent.arms
    )
    header = ("with", "success", "difference", "repaired / broken", "p", *(_UNITS[name] for name in names))
    note = (
        "Pairs of trials of the same scenario and seed. Differences with 95 % intervals (Newcombe for pairs; over scenarios "
        "where they repeat), p by the exact McNemar test. Cost and time: mean without, and what is added."
    )
    return Grid(f"{agent.agent}: what each intervention does", header, rows, note)


def _advice(agent: AgentAblation, taxonomy: Taxonomy) -> Grid:
    shown = ", ".join(f"{code} {share:.0%}" for code, share in list(agent.signature.modes.items())[:6]) or "no mode"
    rows = tuple(
        (each.intervention, each.verdict, ", ".join(each.targets) or "–", _reason(each))
        for each in agent.advice.interventions
    )
    note = (
        f"The bare agent failed in {agent.signature.failed} of {agent.signature.trials} trials; these show: {shown} "
        f"({taxonomy.version}, by rules). Use: success surely rises. Try: not tried here, and meant for what is frequent."
    )
    return Grid(f"{agent.agent}: what to use", ("intervention", "advice", "its modes in this agent", "why"), rows, note)


def _reason(each: Recommendation) -> str:
    return each.reason if each.needed is None else f"{each.reason}; about {each.needed} pairs would decide"


def _metrics(agent: AgentAblation) -> Grid:
    keys = [key for key in LABELS if any(key in arm.metrics for arm in agent.arms)]
    keys = keys or list(dict.fromkeys(key for arm in agent.arms for key in arm.metrics))
    rows = tuple(
        (LABELS.get(key, key), *(_difference(arm.metrics.get(key), "+.2f") for arm in agent.arms))
        for key in keys
        if any(arm.metrics[key].difference for arm in agent.arms if key in arm.metrics)
    )
    note = "After − before, mean over scenarios, with Student's 95 % interval. Metrics that no arm changes are left out."
    return Grid(f"{agent.agent}: metrics", ("metric", *map(_name, agent.arms)), rows, note)


def _modes(agent: AgentAblation, taxonomy: Taxonomy) -> Grid | None:
    rows = []
    for code in taxonomy.codes:
        found = [next((each for each in arm.modes if each.code == code), None) for arm in agent.arms]
        if not any(each and (each.change.before or each.change.after) for each in found):
            continue
        meant = [code in {m for name in arm.arm.interventions for m in INTERVENTIONS[name].modes} for arm in agent.arms]
        cells = [
            "–"
            if each is None
            else f"{each.change.before:.0%} → {each.change.after:.0%} {_bounds(each.change)}{' °' if aimed else ''}"
            for each, aimed in zip(found, meant, strict=True)
        ]
        rows.append((f"{code} {taxonomy.mode(code).name}", *cells))
    if not rows:
        return None
    note = (
        "Share of trials in which the rules flag a mode, without → with, and the interval of the difference. ° its target."
    )
    return Grid(f"{agent.agent}: failure modes", ("mode", *map(_name, agent.arms)), tuple(rows), note)


def _name(arm: ArmResult) -> str:
    return " + ".join(arm.arm.interventions)


def _difference(change: Change | None, form: str) -> str:
    if change is None:
        return "–"
    if change.low is None or change.high is None:
        return f"{change.difference:{form}}"
    return f"{change.difference:{form}} [{change.low:{form}}, {change.high:{form}}]"


def _bounds(change: Change) -> str:
    return "" if change.low is None or change.high is None else f"[{change.low:+.0%}, {change.high:+.0%}]"


def _added(change: Change | None, form: str) -> str:
    return "–" if change is None else f"{change.before:{form}} {change.difference:+{form[1:] if form[0] == '+' else form}}"
