"""The content of a scorecard, before it becomes a terminal table or Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from itbench.model.base import DOMAIN_TITLES, DOMAINS, Domain
from itbench.model.summary import AgentSummary, DomainSummary, Estimate, Summary, Survival

# Metric keys in reading order, and what a reader calls them. Others follow under their own key.
LABELS = {
    "resolved_safely_in_time": "resolved, safely and in time",
    "resolved": "incident resolved",
    "resolved_safely": "resolved safely",
    "exactness": "every set judged rightly",
    "detection_rate": "violating sets detected",
    "acceptance_rate": "compliant sets accepted",
    "balanced_accuracy": "balanced accuracy",
    "robustness": "hidden sets judged rightly",
    "safety": "safety",
    "root_cause_entity_recall": "root cause recall",
    "root_cause_entity_precision": "root cause precision",
    "root_cause_entity_f1": "root cause F1",
    "precision_at_full_recall": "precision at full recall",
    "root_cause_entity_k_f1": "root cause F1 @3",
    "fault_localization_component_identification": "fault localised",
    "propagation_chain": "propagation chain F1",
    "root_cause_proximity_no_fp_f1": "proximity F1",
    "root_cause_proximity_with_fp_f1": "proximity F1 by path",
    "ntam_fault_localization": "NTAM-like localisation",
    "ntam_fault_propagation": "NTAM-like propagation",
    "root_cause_reasoning": "reasoning, by a judge",
    "root_cause_reasoning_partial": "partial, by a judge",
    "root_cause_resource": "all resources found",
    "resource_recall": "resource recall",
    "resource_precision": "resource precision",
    "resource_f1": "resource F1",
}
# Besides the F1 of the root cause.
_BY_COMPLEXITY = ("resource_f1", "exactness")


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure, and its interval where it has one that says more than the figure."""

    figure: str
    interval: str = ""

    def __str__(self) -> str:
        return f"{self.figure} {self.interval}".rstrip()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: a label, and a cell per agent."""

    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric between 0 and 1: an estimate per agent, None where an agent has none."""

    label: str
    estimates: tuple[Estimate | None, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The tables of one domain; `figures` are the headline's metrics as numbers."""

    title: str
    agents: tuple[str, ...]
    figures: tuple[Figure, ...]
    headline: tuple[Row, ...]
    details: tuple[Row, ...]
    complexity: tuple[Row, ...]
    complexity_details: tuple[Row, ...]


def sections(summary: Summary) -> Iterator[Section]:
    """A section for each domain of the run."""
    for domain in DOMAINS:
        columns = [(agent, found) for agent in summary.agents for found in agent.domains if found.domain == domain]
        if columns:
            yield _section(domain, columns)


def show(estimate: Estimate | None) -> Cell:
    """`0.67 [0.51, 0.83]`; without brackets where scenarios are too few for an interval, or all alike."""
    if estimate is None or estimate.mean is None:
        return Cell("–")
    if estimate.low is None or estimate.high is None or estimate.low == estimate.high:
        return Cell(f"{estimate.mean:.2f}")
    return Cell(f"{estimate.mean:.2f}", f"[{estimate.low:.2f}, {estimate.high:.2f}]")


def _section(domain: Domain, columns: list[tuple[AgentSummary, DomainSummary]]) -> Section:
    found = [column for _, column in columns]
    first = found[0]
    keys = list(dict.fromkeys(key for column in found for key in column.metrics))
    known = [key for key in LABELS if key in keys]
    trials = _counted(first.trials, "trial")
    return Section(
        title=f"{DOMAIN_TITLES[domain]}: {_counted(first.scenarios, 'scenario')}, {trials} per agent",
        agents=tuple(agent.agent for agent, _ in columns),
        figures=tuple(Figure(LABELS[key], tuple(column.metrics.get(key) for column in found)) for key in known),
        headline=(
            *(Row(LABELS[key], tuple(show(column.metrics.get(key)) for column in found)) for key in known),
            *_accounts(found),
        ),
        details=tuple(
            Row(key, tuple(show(column.metrics.get(key)) for column in found)) for key in keys if key not in LABELS
        ),
        complexity=tuple(
            _by_complexity(found, [key for key in known if key.endswith("entity_f1") or key in _BY_COMPLEXITY])
        ),
        complexity_details=tuple(_by_complexity(found, known)),
    )


def _accounts(found: list[DomainSummary]) -> Iterator[Row]:
    yield Row("trials scored", tuple(Cell(f"{column.scored} of {column.trials}") for column in found))
    causes = [cause for cause in found[0].unscored if any(column.unscored.get(cause) for column in found)]
    for cause in causes:
        yield Row(f"unscored: {cause}", tuple(Cell(str(column.unscored.get(cause, 0))) for column in found))
    # pass^1 is pass@1.
    for key in dict.fromkeys(key for column in found for key in column.pass_at if key != "pass^1"):
        yield Row(key, tuple(show(column.pass_at.get(key)) for column in found))
    yield from _durations(found)
    if any(column.agent_seconds for column in found):
        yield Row("seconds per trial", tuple(_number(column.agent_seconds) for column in found))
    if any(column.cost_usd is not None for column in found):
        yield Row("US dollars per trial", tuple(_number(column.cost_usd) for column in found))


def _durations(found: list[DomainSummary]) -> Iterator[Row]:
    """Medians and restricted means of durations; a median beyond the horizon says so."""
    for key in dict.fromkeys(key for column in found for key in column.survival):
        name = key.replace("_", " ")
        columns = [column.survival.get(key) for column in found]
        horizon = max(each.horizon for each in columns if each is not None)
        yield Row(f"{name}: median", tuple(map(_median, columns)))
        yield Row(f"{name}: mean up to {horizon:.0f} s", tuple(map(_restricted, columns)))


def _median(found: Survival | None) -> Cell:
    if found is None:
        return Cell("–")
    low, high = (_seconds(bound, found.horizon) for bound in (found.median_low, found.median_high))
    return Cell(_seconds(found.median, found.horizon), f"[{low}, {high}]" if found.n > 1 else "")


def _seconds(value: float | None, horizon: float) -> str:
    return f"> {horizon:.0f} s" if value is None else f"{value:.0f} s"


def _restricted(found: Survival | None) -> Cell:
    if found is None or found.restricted_mean.mean is None:
        return Cell("–")
    mean = found.restricted_mean
    interval = "" if mean.low is None or mean.low == mean.high else f"[{mean.low:.0f}, {mean.high:.0f}]"
    return Cell(f"{mean.mean:.0f} s", interval)


def _by_complexity(found: list[DomainSummary], keys: list[str]) -> Iterator[Row]:
    levels = [
        level for level in ("low", "medium", "high", "unrated") if any(level in column.by_complexity for column in found)
    ]
    if len(levels) < 2:
        return
    for level in levels:
        for key in keys:
            cells = [column.by_complexity.get(level, {}).get(key) for column in found]
            scenarios = max((cell.n for cell in cells if cell), default=0)
            yield Row(f"{level} ({scenarios}): {LABELS[key]}", tuple(show(cell) for cell in cells))


def _number(value: float | None) -> Cell:
    if value is None:
        return Cell("–")
    return Cell(f"{value:.3g}" if value >= 0.001 or value == 0 else "< 0.001")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
