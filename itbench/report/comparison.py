"""Two runs side by side on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from itbench.report.scorecard import LABELS
from itbench.scoring.compare import Comparison, DomainComparison


def print_comparison(comparison: Comparison, console: Console | None = None) -> None:
    """Print what changed from the first run to the second, a table per agent and domain."""
    out = console or Console(highlight=False)
    out.print(f"before: {comparison.before}\nafter:  {comparison.after}\n", markup=False)
    for pair in comparison.agents:
        names = pair.before if pair.before == pair.after else f"{pair.before} → {pair.after}"
        for domain in pair.domains:
            out.print(_table(f"{names}: {domain.domain}", domain))
            for move in domain.movers[:5]:
                out.print(f"  {move.scenario}: {move.before:.2f} → {move.after:.2f}", markup=False)
            for where, only in (("first", domain.only_before), ("second", domain.only_after)):
                if only:
                    out.print(f"  only in the {where} run: {', '.join(only)}", style="yellow", markup=False)
    if comparison.unpaired:
        out.print(f"agents of one run only: {', '.join(comparison.unpaired)}", style="yellow", markup=False)
    out.print(
        "Differences are after − before over shared scenarios, with 95 % intervals. “detectable” is the smallest "
        "true difference that so many scenarios show with 80 % power: smaller ones may hide (docs/statistics.md).",
        style="dim",
    )


def _table(title: str, domain: DomainComparison) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    table.add_column("")
    for column in ("before", "after", "difference", "detectable", "scenarios"):
        table.add_column(column, justify="right")
    for key in (key for key in LABELS if key in domain.metrics):
        effect = domain.metrics[key]
        bounds = "" if effect.low is None or effect.high is None else f" [{effect.low:+.2f}, {effect.high:+.2f}]"
        table.add_row(
            LABELS[key],
            f"{effect.before:.2f}",
            f"{effect.after:.2f}",
            f"{effect.difference:+.2f}{bounds}",
            "–" if effect.detectable is None else f"{effect.detectable:.2f}",
            str(effect.n),
        )
    return table
