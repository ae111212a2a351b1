"""A twin held against another environment, on a terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from itbench.model.text import visible
from itbench.twin.compare.agreement import ASPECTS, Aspect, differing
from itbench.twin.compare.validation import Agreement, ComparedFault, Validation

_NONE = "–"
_WIDE = 150
_MOST = 6  # lines about one aspect of one fault; the records have all


def told(fault: ComparedFault) -> str:
    """A line about one scenario that is done."""
    if fault.outcome != "compared":
        return f"{fault.scenario}: {fault.outcome}: {visible(fault.cause)}"
    figures = (f"{name} {_figure(fault.aspects[name])}" for name in ASPECTS if fault.aspects[name].agreement is not None)
    return f"{fault.scenario}: {', '.join(figures)}"


def print_validation(summed: Validation, console: Console | None = None) -> None:
    """A row a scenario, what only one of both tells, and the agreement with its intervals."""
    out = console or Console(highlight=False)
    wide = out.width >= _WIDE
    table = Table("scenario", *(("fault",) if wide else ()), *ASPECTS, header_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for fault in summed.faults:
        cells = [_figure(fault.aspects[name]) if name in fault.aspects else _NONE for name in ASPECTS]
        if fault.outcome != "compared":
            cells[0] = fault.outcome
        style = "yellow" if fault.outcome != "compared" or any(differing(fault.aspects)) else None
        table.add_row(fault.scenario, *((", ".join(fault.faults),) if wide else ()), *cells, style=style)
    out.print(table)
    for fault in summed.faults:
        _print_differences(fault, summed.environment, out)
    totals = Table(
        "aspect", "agreement", "95 %", "faults", "agree in everything", "95 %", header_style="bold", box=SIMPLE_HEAD
    )
    for name in ASPECTS:
        found = summed.agreement[name]
        totals.add_row(name, *_totals(found))
    out.print(totals)
    for fault in summed.failed:
        out.print(f"{fault.scenario} could not be played: {visible(fault.cause)}", markup=False)
    notes = {aspect.note for fault in summed.faults for aspect in fault.aspects.values() if "not waited" in aspect.note}
    for note in sorted(notes):
        out.print(f"alerts: {note}", markup=False)


def _print_differences(fault: ComparedFault, environment: str, out: Console) -> None:
    for name, aspect in differing(fault.aspects):
        out.print(f"{fault.scenario}, {name}:", markup=False)
        for who, lines in (("twin", aspect.twin_only), (environment, aspect.other_only)):
            for line in lines[:_MOST]:
                out.print(f"  only {who}: {visible(line)}", markup=False)
            if len(lines) > _MOST:
                out.print(f"  only {who}: {len(lines) - _MOST} more", markup=False)


def _totals(found: Agreement) -> tuple[str, ...]:
    return (
        _share(found.mean),
        _interval(found.low, found.high),
        str(found.n),
        _share(found.whole),
        _interval(found.whole_low, found.whole_high),
    )


def _figure(aspect: Aspect) -> str:
    return _share(aspect.agreement)


def _share(value: float | None) -> str:
    return _NONE if value is None else f"{value:.2f}"


def _interval(low: float | None, high: float | None) -> str:
    return _NONE if low is None or high is None else f"{low:.2f} to {high:.2f}"
