"""The scorecard as an HTML page: one file without scripts, that needs nothing from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import PurePath

from itbench.model.summary import Summary
from itbench.report.intervals import intervals
from itbench.report.scorecard import Cell, Row, Section, sections

_STYLE = """
:root { --ink: #1c242c; --soft: #5b6670; --line: #dde2e6; --wash: #f4f6f8; --warn: #fdf3dc; --warn-line: #e69f00 }
* { box-sizing: border-box }
body { color: var(--ink); background: #fff; font: 16px/1.55 system-ui, "Segoe UI", Helvetica, Arial, sans-serif;
  margin: 0 auto; max-width: 62rem; padding: 2.5rem 1.5rem 5rem }
h1 { font-size: 2rem; line-height: 1.2; margin: 0; letter-spacing: -.01em }
h2 { font-size: 1.35rem; line-height: 1.3; margin: 3rem 0 .25rem }
p { margin: .4rem 0; max-width: 46rem }
.soft { color: var(--soft) }
.notices { background: var(--warn); border-left: 4px solid var(--warn-line); margin: 1.5rem 0; padding: .8rem 1.2rem }
.notices ul { margin: .2rem 0; padding-left: 1.2rem }
.intervals { display: block; font-family: inherit; margin: 1rem 0 1.75rem; max-width: 46rem; width: 100% }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .9375rem; font-variant-numeric: tabular-nums }
th, td { border-bottom: 1px solid var(--line); padding: .38rem 1.1rem .38rem 0; text-align: left; vertical-align: baseline }
th { color: var(--soft); font-weight: 600 }
thead th { border-bottom: 2px solid var(--ink); color: var(--ink) }
tbody th { color: var(--ink); font-weight: 400 }
td, thead th + th { padding-left: 1.1rem; text-align: right; white-space: nowrap }
td small { color: var(--soft); font-size: .8125rem; margin-left: .4em }
tbody tr:hover { background: var(--wash) }
details { margin: 1rem 0 }
summary { cursor: pointer; font-weight: 600; padding: .3rem 0 }
.incident svg { height: auto; max-width: 100%; width: 100% }
.incident { border-top: 1px solid var(--line); margin: 0; padding: .5rem 0 }
@media print { details:not([open]) > *:not(summary) { display: block } body { max-width: none } }
"""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture to show: `svg` is an element that we drew ourselves, and stands in the page as it is."""

    title: str
    svg: str


def html_page(summary: Summary, incidents: Sequence[Drawing] = ()) -> str:
    """The page of a run; whatever is in names is shown, never run.

    Args:
        summary: of the run.
        incidents: pictures of its scenarios.
    """
    run = PurePath(summary.run_dir).name
    head = '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    title = f"<title>{escape(run)}: itbench scorecard</title>"
    body = "\n".join(_body(summary, run, incidents))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n{head}{title}\n<style>{_STYLE}</style>\n</head>\n'
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _body(summary: Summary, run: str, incidents: Sequence[Drawing]) -> Iterator[str]:
    yield "<header>\n<h1>Scorecard</h1>"
    yield f'<p class="soft">Run {escape(run)}: {escape(", ".join(agent.agent for agent in summary.agents))}</p>\n</header>'
    if summary.notices:
        notices = "".join(f"<li>{escape(notice)}</li>" for notice in summary.notices)
        yield f'<aside class="notices"><strong>What to know</strong><ul>{notices}</ul></aside>'
    for section in sections(summary):
        yield from _section(section)
    if incidents:
        yield "<h2>Incidents</h2>"
        yield '<p class="soft">Simulated again for this page. The pictures show root causes: keep them from agents.</p>'
        for number, drawing in enumerate(incidents):
            first = " open" if number == 0 else ""
            yield f'<details class="incident"{first}><summary>{escape(drawing.title)}</summary>\n{drawing.svg}</details>'
    yield '<h2>How to read this</h2>\n<p class="soft">Means over scenarios with 95 % intervals over scenarios. Trials that'
    yield "the agent itself failed count 0; trials that failed for other reasons are left out, and counted."
    yield "Formulas: docs/metrics.md, docs/statistics.md.</p>"


def _section(section: Section) -> Iterator[str]:
    yield f"<section>\n<h2>{escape(section.title)}</h2>"
    yield intervals(section)
    yield _table(("", *section.agents), section.headline)
    if section.complexity_details:
        table = _table(("complexity (scenarios): metric", *section.agents), section.complexity_details)
        yield f"<details><summary>By complexity</summary>\n{table}</details>"
    if section.details:
        table = _table(("metric", *section.agents), section.details)
        yield f"<details><summary>All other metrics</summary>\n{table}</details>"
    yield "</section>"


def _table(header: Sequence[str], rows: Sequence[Row]) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in header)
    body = "\n".join(f'<tr><th scope="row">{escape(row.label)}</th>{"".join(map(_cell, row.cells))}</tr>' for row in rows)
    return f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def _cell(cell: Cell) -> str:
    interval = f"<small>{escape(cell.interval)}</small>" if cell.interval else ""
    return f"<td>{escape(cell.figure)}{interval}</td>"
