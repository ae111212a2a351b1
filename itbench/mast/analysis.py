"""Which modes go with failure, agent by agent; how they come together, and which comes first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from itbench.mast.effects import Effect, Observation, benjamini_hochberg, effect
from itbench.mast.outcomes import Success
from itbench.mast.regression import Regression, regress
from itbench.mast.trace import Trace, TraceInfo
from itbench.mast.view import text_of
from itbench.model.mast import AnnotatedTrace, Taxonomy
from itbench.scoring.statistics import Interval, Range, t_interval

_EXAMPLES, _EXCERPT = 3, 240


@dataclass(frozen=True, slots=True)
class Example:
    """Where a mode shows: a trace, a step, and the words there; `source` is the file that holds it."""

    trace: str
    step: int
    excerpt: str
    reason: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class ModeResult:
    """One mode of one group of traces; `q` is p adjusted for the number of modes."""

    code: str
    effect: Effect
    q: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """Traces that belong together: those of one agent, domain or complexity.

    Attributes:
        kind: agent, domain, complexity, or "all".
        modes_failed, modes_succeeded: how many modes are present in a trace.
        signature: codes by their share in failed traces, most frequent first; those of 0 are left out.
    """

    kind: str
    name: str
    traces: int
    failed: int
    succeeded: int
    modes_failed: Interval
    modes_succeeded: Interval
    modes: tuple[ModeResult, ...]
    signature: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """Two modes in one trace: how often, and how often each shows first (the rest at the same step)."""

    one: str
    other: str
    traces: int
    one_first: int
    other_first: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """The whole; the first group is all traces. `regression` is over these, where it was asked for."""

    taxonomy: str
    success: str
    annotators: tuple[str, ...]
    groups: tuple[Group, ...]
    together: tuple[Together, ...]
    examples: dict[str, tuple[Example, ...]]
    regression: Regression | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"schema_version": 1, "kind": "mast-analysis", **asdict(self)}


@dataclass(slots=True)
class Collected:
    """What is kept of each trace while they pass by, one at a time."""

    rows: list[tuple[TraceInfo, AnnotatedTrace]] = field(default_factory=list)
    examples: dict[str, list[Example]] = field(default_factory=dict)

    def add(self, trace: Trace, annotated: AnnotatedTrace) -> None:
        """Take note of a trace."""
        self.rows.append((trace.info, annotated))
        for each in annotated.annotations:
            kept = self.examples.setdefault(each.code, [])
            if each.verdict == "present" and each.steps and len(kept) < _EXAMPLES:
                words = _excerpt(trace, each.steps[0])
                kept.append(Example(trace.info.trace, each.steps[0], words, each.reason, trace.info.source))


def analyse(
    collected: Collected, taxonomy: Taxonomy, success: Success, rng: np.random.Generator, *, logistic: bool = False
) -> Analysis:
    """Hold modes against success: over all traces, by agent, and by domain and complexity where there are several.

    Raises:
        MissingExtraError: `logistic` asks for the model of all modes at once, and statsmodels is not installed.
    """
    rows = collected.rows
    groups = [_group("all", "all traces", rows, taxonomy, success, rng)]
    for kind in ("agent", "domain", "complexity"):
        names = sorted({str(name) for info, _ in rows if (name := getattr(info, kind)) is not None})
        if len(names) > 1 or kind == "agent":
            for name in names:
                own = [row for row in rows if str(getattr(row[0], kind)) == name]
                groups.append(_group(kind, name, own, taxonomy, success, rng))
    return Analysis(
        taxonomy=taxonomy.version,
        success=str(success),
        annotators=tuple(dict.fromkeys(each.annotator for _, trace in rows for each in trace.annotations)),
        groups=tuple(groups),
        together=tuple(_together(trace for _, trace in rows)),
        examples={code: tuple(collected.examples[code]) for code in taxonomy.codes if collected.examples.get(code)},
        regression=regress(_observations(rows, taxonomy, success)) if logistic else None,
    )


def _group(
    kind: str,
    name: str,
    rows: Sequence[tuple[TraceInfo, AnnotatedTrace]],
    taxonomy: Taxonomy,
    success: Success,
    rng: np.random.Generator,
) -> Group:
    outcomes = [success.of(info) for info, _ in rows]
    effects = [effect(seen, rng) for seen in _observations(rows, taxonomy, success).values()]
    adjusted = benjamini_hochberg([each.p for each in effects])
    counts = [sum(each.verdict == "present" for each in trace.annotations) for _, trace in rows]
    possible = Range(0.0, float(len(taxonomy.codes)))
    results = [ModeResult(code, found, q) for code, found, q in zip(taxonomy.codes, effects, adjusted, strict=True)]
    frequent = sorted(results, key=lambda each: -(each.effect.failed.value or 0))
    return Group(
        kind=kind,
        name=name,
        traces=len(rows),
        failed=outcomes.count(False),
        succeeded=outcomes.count(True),
        modes_failed=t_interval([n for n, good in zip(counts, outcomes, strict=True) if good is False], possible=possible),
        modes_succeeded=t_interval([n for n, good in zip(counts, outcomes, strict=True) if good is True], possible=possible),
        modes=tuple(results),
        signature=tuple(each.code for each in frequent if each.effect.failed.present),
    )


def _observations(
    rows: Sequence[tuple[TraceInfo, AnnotatedTrace]], taxonomy: Taxonomy, success: Success
) -> dict[str, Sequence[Observation]]:
    """By mode, what each trace says of it."""
    outcomes = [success.of(info) for info, _ in rows]
    return {
        code: [
            Observation(info.scenario or info.trace, None if good is None else not good, trace.verdict(code))
            for (info, trace), good in zip(rows, outcomes, strict=True)
        ]
        for code in taxonomy.codes
    }


def _together(traces: Iterable[AnnotatedTrace]) -> list[Together]:
    both: Counter[tuple[str, str]] = Counter()
    first: Counter[tuple[str, str]] = Counter()
    for trace in traces:
        starts = {each.code: each.steps[0] for each in trace.annotations if each.verdict == "present" and each.steps}
        for one, other in combinations(starts, 2):
            both[one, other] += 1
            if starts[one] != starts[other]:
                first[(one, other) if starts[one] < starts[other] else (other, one)] += 1
    return [Together(one, other, n, first[one, other], first[other, one]) for (one, other), n in both.most_common()]


def _excerpt(trace: Trace, number: int) -> str:
    step = trace.trajectory.steps[number - 1]
    calls = "; ".join(f"{call.function_name} {call.arguments}" for call in step.tool_calls or ())
    text = " ".join(f"{text_of(step.message)} {calls}".split())
    return text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 1]}…"
