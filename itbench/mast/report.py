"""An analysis on a terminal, in Markdown and as a page of HTML. Names and words in it are shown, never run."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from itbench.mast.analysis import Analysis
from itbench.mast.drawing import cascade, forest, heat_map
from itbench.mast.tables import Grid, grids, summary
from itbench.model.mast import Taxonomy
from itbench.model.text import visible
from itbench.runner.atomic import write_file

_WIDE, _FILE = 120, 160
"""Columns of a terminal that holds every table, and of what goes to a file or another program."""
_STYLE = """
body { color: #1c242c; font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
p { color: #5b6670 } .wide { overflow-x: auto } svg { height: auto; max-width: 100% }
table { border-collapse: collapse; font-size: .875rem }
td, th { border-bottom: 1px solid #dde2e6; padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top }
"""


def print_analysis(analysis: Analysis, taxonomy: Taxonomy, console: Console | None = None) -> None:
    """Print all tables."""
    print_grids(summary(analysis), grids(analysis, taxonomy, brief=True), console)


def markdown_analysis(analysis: Analysis, taxonomy: Taxonomy) -> str:
    """The tables in Markdown."""
    return markdown_grids("Failure modes", summary(analysis), grids(analysis, taxonomy))


def html_analysis(analysis: Analysis, taxonomy: Taxonomy) -> str:
    """A page that stands alone: pictures, then tables."""
    return html_page("Failure modes", summary(analysis), pictures(analysis, taxonomy), grids(analysis, taxonomy))


def report_console() -> Console:
    """The terminal at its width; wide enough for every table where the output goes to a file or another program."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _FILE)


def print_grids(told: str, tables: Iterable[Grid], console: Console | None = None) -> None:
    """Print a summary and tables."""
    out = console or report_console()
    for line in told.splitlines():
        out.print(visible(line), markup=False)
    for grid in tables:
        shown = [place for place in range(len(grid.header)) if out.width >= _WIDE or place not in grid.spare]
        columns = (Column(grid.header[place], overflow="fold") for place in shown)
        table = Table(*columns, title=Text(visible(grid.title)), title_justify="left")
        for row in grid.rows:
            table.add_row(*(Text(visible(row[place])) for place in shown))
        if grid.rows:
            out.print(table)
        else:
            out.print(visible(grid.title), markup=False)
        if grid.note:
            out.print(grid.note, style="dim", markup=False)


def markdown_grids(title: str, told: str, tables: Iterable[Grid]) -> str:
    """A summary and tables in Markdown."""
    lines = [f"# {title}", "", *(f"{_plain(line)}\n" for line in told.splitlines())]
    for grid in tables:
        lines.append(f"## {_plain(grid.title)}\n")
        lines.append(f"| {' | '.join(grid.header)} |")
        lines.append(f"|{'---|' * len(grid.header)}")
        lines += [f"| {' | '.join(map(_plain, row))} |" for row in grid.rows]
        lines.append(f"\n{grid.note}\n")
    return "\n".join(lines)


def html_page(title: str, told: str, pictures: Iterable[tuple[str, str]], tables: Iterable[Grid]) -> str:
    """A page that stands alone: a summary, pictures (title, SVG; empty ones are left out), and tables."""
    head = '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">'
    body = [f"<h1>{escape(title)}</h1>", *(f"<p>{escape(visible(line))}</p>" for line in told.splitlines())]
    body += [f"<h2>{escape(visible(name))}</h2>\n{picture}" for name, picture in pictures if picture]
    body += [_table(grid) for grid in tables]
    joined = "\n".join(body)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n<title>itbench: {escape(title.lower())}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{joined}\n</body>\n</html>\n"
    )


def _plain(text: str) -> str:
    """Words of strangers in Markdown: nothing in them is markup."""
    shown = escape(visible(text), quote=False)
    return "".join(f"\\{char}" if char in "\\|`*_[]!#~" else char for char in shown)


def write_pictures(folder: Path, prefix: str, shown: Iterable[tuple[str, str]]) -> None:
    """Each picture as PREFIX-TITLE.svg; empty ones are left out."""
    for title, picture in shown:
        if picture:
            name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
            write_file(folder / f"{prefix}-{name[:80]}.svg", picture.encode())


def pictures(analysis: Analysis, taxonomy: Taxonomy) -> Iterator[tuple[str, str]]:
    """Title and SVG of each picture; some are empty where there is nothing to draw."""
    yield "Where modes show", heat_map(analysis, taxonomy)
    shown = [group for group in analysis.groups if group.kind == "agent"]
    for group in shown if len(shown) == 1 else [analysis.groups[0], *shown]:
        yield f"What is fatal: {group.name}", forest(group, taxonomy)
    yield "Which comes first", cascade(analysis)


def _table(grid: Grid) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in grid.header)
    links = grid.links or ("",) * len(grid.rows)
    rows = "\n".join(f"<tr>{''.join(_cells(row, link))}</tr>" for row, link in zip(grid.rows, links, strict=True))
    note = f"<p>{escape(grid.note)}</p>" if grid.note else ""
    table = f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>'
    return f"<h2>{escape(visible(grid.title))}</h2>\n{table}\n{note}"


def _cells(row: tuple[str, ...], link: str) -> Iterator[str]:
    for place, cell in enumerate(row):
        text = escape(visible(cell))
        if place == 1 and link and Path(link).is_file():
            text = f'<a href="{escape(Path(link).absolute().as_uri())}">{text}</a>'
        yield f"<td>{text}</td>"
