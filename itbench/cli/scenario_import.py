"""`itbench scenario import`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from itbench.cli.options import FOLDER, JSON


@click.command("import")
@click.argument("path", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="Where SLUG/scenario.yaml goes, one folder a scenario.")
@JSON
@click.pass_context
def import_(ctx: click.Context, path: Path, out: Path, as_json: bool) -> None:
    """Bring scenario index files of the public library, one or a folder of them, into our form.

    \b
    itbench scenario import ITBench/library/indexes/scenarios --out imported
    itbench scenario simulate imported/upstream-30 --out demo

    The files are read as they are. What cannot be represented is listed with file, line, key and reason. A file that
    names an unknown application, fault or waiter is refused, and hides no other.

    Exit codes: 0 all imported, 2 some file was refused.
    """
    from itbench.authoring.import_upstream import import_all
    from itbench.authoring.writing import write_scenario

    imported, refused = import_all(path)
    written = [
        (item, write_scenario(item.scenario, out, (f"Imported from {item.file.source.path.name}.",))) for item in imported
    ]
    if as_json:
        rows = [
            {
                "id": item.scenario.id,
                "upstream": item.file.scenario.id,
                "domain": item.scenario.domain,
                "path": str(place),
                "notes": [note.model_dump(mode="json", exclude={"severity"}) for note in item.notes],
            }
            for item, place in written
        ]
        errors = [item.model_dump(mode="json", exclude={"severity"}) for item in refused]
        click.echo(json.dumps({"imported": rows, "refused": errors}, indent=1))
    else:
        for item, _ in written:
            for note in item.notes:
                click.echo(str(note))
        count = sum(bool(item.notes) for item, _ in written)
        click.echo(f"Wrote {len(written)} scenarios to {out}; {count} of them not in full, as listed.")
        for error in refused:
            click.echo(f"itbench: {error}", err=True)
    if refused:
        ctx.exit(2)
