"""An analysis as tables of text, the same for terminal, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from itbench.mast.analysis import Analysis, Group
from itbench.mast.annotate import EXPERIMENTAL
from itbench.mast.effects import Effect, Share
from itbench.mast.regression import Regression
from itbench.model.mast import Taxonomy
from itbench.scoring.statistics import Interval

_MOST_TOGETHER = 10


@dataclass(frozen=True, slots=True)
class Grid:
    """A table with a sentence below it.

    Attributes:
        links: the files that the second cells of rows stand for, or none.
        spare: columns that a narrow terminal goes without.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    links: tuple[str, ...] = ()
    spare: tuple[int, ...] = ()


def grids(analysis: Analysis, taxonomy: Taxonomy, *, brief: bool = False) -> Iterator[Grid]:
    """All tables of a report, in order. In brief, modes that were never flagged share a line."""
    yield _groups(analysis)
    shown = [group for group in analysis.groups if group.kind in ("all", "agent")]
    if len(shown) == 2:  # one agent: the same twice
        shown = shown[1:]
    for place, group in enumerate(shown):
        table = _modes(group, taxonomy)
        if brief:
            rows = tuple(row for row, each in zip(table.rows, group.modes, strict=True) if each.effect.seen)
            notes = (_never_flagged(group), *([] if place else [table.note]))
            table = replace(table, rows=rows, note="\n".join(notes))
        yield table
    if analysis.regression is not None:
        yield _odds(analysis.regression, taxonomy)
    if analysis.together:
        yield _together(analysis)
    if analysis.examples:
        yield _examples(analysis)


def summary(analysis: Analysis) -> str:
    """What was analysed, and by which rule a trace succeeds."""
    whole = analysis.groups[0]
    rest = whole.traces - whole.failed - whole.succeeded
    unjudged = f", {rest} without a verdict on success" if rest else ""
    return (
        f"{whole.traces} traces: {whole.succeeded} succeeded, {whole.failed} failed{unjudged}. "
        f"Success: {analysis.success}. Annotated by {', '.join(analysis.annotators)} with {analysis.taxonomy}."
    )


def _groups(analysis: Analysis) -> Grid:
    rows = tuple(
        (
            group.name if group.kind in ("all", "agent") else f"{group.kind} {group.name}",
            str(group.failed),
            str(group.succeeded),
            _mean(group.modes_failed),
            _mean(group.modes_succeeded),
            ", ".join(group.signature[:4]) or "–",
        )
        for group in analysis.groups
    )
    header = ("", "failed", "succeeded", "modes per failed trace", "modes per successful trace", "signature")
    note = "Modes flagged in a trace, mean [95 % interval]. Signature: the most frequent modes in failed traces."
    return Grid("Traces", header, rows, note)


def _modes(group: Group, taxonomy: Taxonomy) -> Grid:
    rows = tuple(
        (
            f"{each.code} {taxonomy.mode(each.code).name}" + (" *" if each.code in EXPERIMENTAL else ""),
            share(each.effect.failed),
            share(each.effect.succeeded),
            str(each.effect.unknown),
            _bounds(each.effect.difference, each.effect.low, each.effect.high, "+.0%"),
            _ratio(each.effect),
            f"{p_value(each.effect.p)} ({p_value(each.q)})" if each.q is not None else "–",
            verdict(each.effect),
        )
        for each in group.modes
    )
    header = ("mode", "in failed", "in successful", "unknown", "difference", "ratio", "p (adjusted)", "verdict")
    note = (
        "Shares of traces in which a mode was flagged; where rules cannot tell (unknown) it is not, so that shares are "
        "lower bounds. Fatal: the interval of the difference lies above 0; recoverable: below 10 points; "
        "undecided: neither. "
        "* the rule is experimental. A difference is no proof of a cause."
    )
    return Grid(f"Modes: {group.name}", header, rows, note, spare=(3, 5, 6))


def _never_flagged(group: Group) -> str:
    rest = [each for each in group.modes if not each.effect.seen]
    kinds = {
        "Never flagged": [e.code for e in rest if e.effect.verdict != "not applicable" and not e.effect.blind],
        "rules cannot tell in most traces": [e.code for e in rest if e.effect.blind],
        "not applicable": [e.code for e in rest if e.effect.verdict == "not applicable"],
    }
    return "; ".join(f"{kind}: {', '.join(codes)}" for kind, codes in kinds.items() if codes) + "."


def _odds(regression: Regression, taxonomy: Taxonomy) -> Grid:
    rows = tuple(
        (f"{each.code} {taxonomy.mode(each.code).name}", _bounds(each.ratio, each.low, each.high, ".2f"), p_value(each.p))
        for each in regression.odds
    )
    note = f"{regression.traces} traces of {regression.scenarios} scenarios, which are the clusters. "
    if regression.refused:
        note += f"The data do not allow the model: {regression.refused}."
    else:
        note += (
            "How many times higher the odds of failure are with a mode, among traces alike in the other modes here. "
            f"Not in it for want of traces: {', '.join(regression.left_out) or 'none'}."
        )
    return Grid("Odds of failure, modes together", ("mode", "odds ratio", "p"), rows, note)


def _together(analysis: Analysis) -> Grid:
    rows = tuple(
        (
            f"{each.one} with {each.other}",
            str(each.traces),
            f"{each.one}: {each.one_first}, {each.other}: {each.other_first}",
        )
        for each in analysis.together[:_MOST_TOGETHER]
    )
    return Grid("Modes together", ("modes", "traces", "which shows first"), rows, "By the first step of the evidence.")


def _examples(analysis: Analysis) -> Grid:
    rows = tuple(
        (code, f"{each.trace}, step {each.step}", each.excerpt, each.reason)
        for code, examples in analysis.examples.items()
        for each in examples
    )
    links = tuple(each.source for examples in analysis.examples.values() for each in examples)
    return Grid("Examples", ("mode", "where", "words", "why"), rows, links=links)


def share(of: Share) -> str:
    """`40 % (4/10)`."""
    return "–" if of.value is None else f"{of.value:.0%} ({of.present}/{of.known})"


def verdict(effect: Effect) -> str:
    """The verdict, with the number of traces that would decide."""
    if effect.needed is not None:
        return f"{effect.verdict}: about {effect.needed} traces would decide"
    return (
        f"{effect.verdict}: rules cannot tell in most" if effect.verdict == "undecided" and effect.blind else effect.verdict
    )


def _ratio(effect: Effect) -> str:
    return _bounds(effect.ratio if effect.seen else None, effect.ratio_low, effect.ratio_high, ".1f")


def p_value(value: float | None) -> str:
    """Three digits, or that it is smaller."""
    return "–" if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


def _mean(interval: Interval) -> str:
    return "–" if interval.mean is None else _bounds(interval.mean, interval.low, interval.high, ".1f")


def _bounds(value: float | None, low: float | None, high: float | None, form: str) -> str:
    if value is None:
        return "–"
    return f"{value:{form}}" if low is None or high is None else f"{value:{form}} [{low:{form}}, {high:{form}}]"
