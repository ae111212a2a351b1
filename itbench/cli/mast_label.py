"""`itbench mast label`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from itbench.cli.mast import TAXONOMY
from itbench.cli.options import FOLDER
from itbench.model.text import visible

if TYPE_CHECKING:
    from itbench.mast.labelling import LabelFile
    from itbench.mast.trace import Trace
    from itbench.model.mast import Mode, Verdict

_KEYS: dict[str, Verdict] = {"p": "present", "a": "absent", "n": "not_applicable", "u": "unknown"}
_HELP = "p present  a absent  n not applicable  u unknown  b back  t the trace again  s next trace  q leave"


class _LeaveError(Exception):
    """The annotator has had enough for today."""


@click.command()
@click.argument("path", type=FOLDER)
@click.option("--annotator", required=True, metavar="NAME", help="Who you are.")
@click.option("--out", type=FOLDER, required=True, help="Your labels, CSV; if it is there, the work is taken up.")
@click.option("--mode", "codes", multiple=True, metavar="CODE", help="Only these modes; all by default.")
@TAXONOMY
def label(path: Path, annotator: str, out: Path, codes: tuple[str, ...], version: str) -> None:
    """Label traces yourself: a key for each mode of each trace.

    You see nobody else's labels, and not what the rules say. Every key is kept at once, so that you can leave with q, or
    be interrupted, and go on later with the same command.

    \b
    Example: itbench mast label traces --annotator anna --out anna.csv
    """
    from itbench.mast.labelling import LabelFile
    from itbench.mast.reading import Notes, read_traces
    from itbench.mast.taxonomy import load_taxonomy
    from itbench.model.errors import UsageError

    taxonomy = load_taxonomy(version)
    unknown = [code for code in codes if code not in taxonomy.codes]
    if unknown:
        raise UsageError(f"{version} has no mode {unknown[0]!r}", hint=f"Known: {', '.join(taxonomy.codes)}")
    modes = [mode for mode in taxonomy.modes if not codes or mode.code in codes]
    labels = LabelFile(out, annotator, taxonomy)
    try:
        for trace in read_traces(path, Notes()):
            if any(labels.verdict(trace.info.trace, mode.code) is None for mode in modes):
                _label_trace(trace, modes, labels)
        click.echo("All traces are labelled.")
    except (_LeaveError, KeyboardInterrupt, EOFError):
        click.echo("Left; the same command goes on here.")
    click.echo(f"{len(labels)} labels in {out}. Next: itbench mast agree {out} OTHERS…")


def _label_trace(trace: Trace, modes: list[Mode], labels: LabelFile) -> None:
    _show(trace)
    name = trace.info.trace
    place = next(number for number, mode in enumerate(modes) if labels.verdict(name, mode.code) is None)
    while place < len(modes):
        mode = modes[place]
        said = labels.verdict(name, mode.code)
        click.echo(f"\n{mode.code} {mode.name}: {mode.definition}" + (f" [{said}]" if said else ""))
        key = _key()
        if key in _KEYS:
            labels.record(name, mode.code, _KEYS[key])
            click.echo(f"  {_KEYS[key]}")
            place += 1
        elif key == "b":
            place = max(0, place - 1)
        elif key == "t":
            _show(trace)
        elif key == "s":
            return
        elif key == "q":
            raise _LeaveError
        else:
            click.echo(f"  {_HELP}")


def _key() -> str:
    key = click.getchar()
    if key in ("\x03", "\x04", ""):
        raise _LeaveError
    return key.lower()


def _show(trace: Trace) -> None:
    from itbench.mast.labelling import transcript

    click.echo(f"\n═══ {visible(trace.info.trace)}")
    for line in transcript(trace):
        click.echo(line)
    click.echo(f"\n{_HELP}")
