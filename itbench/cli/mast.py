"""`itbench mast`: failure modes in traces."""

from __future__ import annotations

import json
from pathlib import Path

import click

from itbench.cli.lazy import LazyGroup
from itbench.cli.options import FOLDER, JSON
from itbench.model.text import visible

# name: (module:attribute, what the help says). The module is imported when the command is called.
COMMANDS = {
    "import": ("itbench.cli.mast:import_", "Read sessions of any agent as trajectories."),
    "annotate": ("itbench.cli.mast_annotate:annotate", "Find failure modes in traces by rules."),
    "modes": ("itbench.cli.mast:modes", "List the failure modes, and the rules that look for them."),
    "validate": ("itbench.cli.mast_annotate:validate", "Measure the rules on traces with planted failures."),
    "label": ("itbench.cli.mast_label:label", "Label traces yourself, by keyboard."),
    "agree": ("itbench.cli.mast_agree:agree", "How far annotators agree."),
    "analyze": ("itbench.cli.mast_analyze:analyze", "Which failure modes make an agent fail."),
}
TAXONOMY = click.option("--taxonomy", "version", default="mast-v3", show_default=True, help="A version, or a file's path.")


@click.group(cls=LazyGroup, table=COMMANDS)
def mast() -> None:
    """Why agents fail: the failure modes of MAST, found in traces of any agent.

    \b
    itbench mast annotate runs/mine
    itbench mast analyze runs/mine --html mast.html
    """


@click.command("import")
@click.argument("path", type=FOLDER)
@click.option("--out", type=FOLDER, help="A new folder for the trajectories; without it, PATH is only read and summed up.")
@TAXONOMY
@JSON
def import_(path: Path, out: Path | None, version: str, as_json: bool) -> None:
    """Read sessions as trajectories: a folder or file of Codex, Claude Code, Gemini CLI, Inspect, LangGraph, AutoGen or chat
    logs, ATIF, MAST-Data, or a run of itbench.

    \b
    Example: itbench mast import ReAct-Agent-Trajectories --out traces

    Lines that are malformed are left out, counted and located.
    """
    from itbench.mast.importing import import_traces
    from itbench.mast.taxonomy import load_taxonomy

    notes = import_traces(path, out, load_taxonomy(version))
    if as_json:
        keys = ("traces", "steps", "calls", "formats", "malformed", "unreadable", "problems")
        click.echo(json.dumps({key: getattr(notes, key) for key in keys} | {"out": None if out is None else str(out)}))
        return
    formats = ", ".join(f"{count} {name}" for name, count in sorted(notes.formats.items()))
    click.echo(f"{notes.traces} traces ({formats}): {notes.steps} steps, {notes.calls} tool calls")
    for count, what in ((notes.malformed, "malformed records left out"), (notes.unreadable, "files or rows not read")):
        if count:
            click.echo(f"{count} {what}")
    for problem in notes.problems:
        click.echo(f"  {visible(problem)}")
    if out is not None:
        click.echo(f"Written to {out}. Next: itbench mast annotate {out}")


@click.command()
@TAXONOMY
@JSON
def modes(version: str, as_json: bool) -> None:
    """List the failure modes of a taxonomy: what each means, and what finds it.

    Example: itbench mast modes
    """
    from inspect import cleandoc

    from itbench.mast.annotate import EXPERIMENTAL
    from itbench.mast.detectors import DETECTORS
    from itbench.mast.taxonomy import load_taxonomy

    taxonomy = load_taxonomy(version)
    rules = {detector.code: cleandoc(type(detector).__doc__ or "").split(": ", 1)[-1] for detector in DETECTORS}
    if as_json:
        click.echo(taxonomy.model_dump_json())
        return
    for mode in taxonomy.modes:
        click.echo(f"{mode.code} {mode.name} ({taxonomy.categories[mode.category]})\n    {mode.definition}")
        if mode.code in rules:
            experimental = " (experimental)" if mode.code in EXPERIMENTAL else ""
            click.echo(f"    Rule{experimental}: " + rules[mode.code].replace("\n", "\n    "))
