"""`itbench ciso`: try an answer to a compliance task, and build the files of a task."""

from __future__ import annotations

from pathlib import Path

import click

from itbench.cli.lazy import LazyGroup
from itbench.cli.options import FOLDER, JSON, UNPROTECTED

COMMANDS = {
    "try": ("itbench.cli.ciso:try_", "Try an answer on the visible set of a task."),
    "build": ("itbench.cli.ciso:build", "Write what follows from a task's scenario.yaml."),
    "check": ("itbench.cli.ciso:check", "Prove that a task is solvable, and that adversaries fail it."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def ciso() -> None:
    """Compliance tasks.

    \b
    itbench ciso try pods-host-network --workdir .
    itbench ciso check scenarios/ciso/pods-host-network
    """


@click.command("try")
@click.argument("task", metavar="ID|PATH")
@click.option("--workdir", type=FOLDER, default=Path(), help="The folder with fetch.sh and policy.rego; default: here.")
@UNPROTECTED
@JSON
@click.pass_context
def try_(ctx: click.Context, task: str, workdir: Path, unprotected: bool, as_json: bool) -> None:
    """Run fetch.sh and policy.rego on the one set that agents see, as the judge would. Nothing else is revealed.

    \b
    itbench ciso try pods-host-network --workdir my-answer

    Exit codes: 0 the violation is detected, 1 it is not, 2 wrong usage.
    """
    import asyncio

    from itbench.compliance.answer import pack_folder, read_files
    from itbench.compliance.place import find_place
    from itbench.compliance.task import locate_task
    from itbench.compliance.trying import try_answer
    from itbench.model.errors import UsageError

    if not workdir.is_dir():
        raise UsageError("there is no such folder", path=workdir, key="--workdir")
    chosen = locate_task(task)
    files = read_files(pack_folder(workdir), 50_000_000).files
    place = find_place((chosen.folder.resolve(),), unprotected=unprotected)
    seen = asyncio.run(try_answer(chosen.asked(), files, [chosen.visible()], place))
    found = next(iter(seen.tried), None)
    if as_json:
        click.echo(seen.model_dump_json(indent=1))
    else:
        click.echo(f"fetch.sh:    {'missing' if found is None else found.fetched.problem or f'{found.fetched.size} bytes'}")
        click.echo(
            f"policy.rego: {seen.problem or (found and (found.detail or f'the result is {found.verdict}')) or 'not run'}"
        )
        for point in seen.safety:
            for line in point.evidence:
                click.echo(f"safety:      {point.name}: {line}")
        click.echo(
            "This set breaks the requirement, so the result must be false. The judge tries many others, of both sides."
        )
    ctx.exit(0 if found is not None and found.right else 1)


@click.command()
@click.argument("folders", metavar="TASK…", nargs=-1, required=True, type=FOLDER)
def build(folders: tuple[Path, ...]) -> None:
    """Write problem.md, static-resources/ and reference/fetch.sh of tasks anew from their scenario.yaml.

    \b
    itbench ciso build scenarios/ciso/pods-host-network
    """
    from itbench.compliance.authoring import build as build_task

    for folder in folders:
        build_task(folder)
        click.echo(f"Wrote {folder}")


@click.command()
@click.argument("tasks", metavar="ID|PATH…", nargs=-1, required=True)
@click.option("--seed", type=click.IntRange(0), default=0, help="Which hidden variants are drawn.")
@click.pass_context
def check(ctx: click.Context, tasks: tuple[str, ...], seed: int) -> None:
    """Prove that the reference solution judges every variant rightly and that no adversary does.

    \b
    itbench ciso check scenarios/ciso/pods-host-network

    Exit codes: 0 every check holds, 1 one does not, 2 wrong usage.
    """
    from itbench.compliance.authoring import problems
    from itbench.compliance.task import locate_task

    failed = False
    for name in tasks:
        found = problems(locate_task(name), seed)
        failed = failed or bool(found)
        click.echo(f"{name}: {'every check holds' if not found else ''}")
        for line in found:
            click.echo(f"  {line}")
    ctx.exit(1 if failed else 0)
