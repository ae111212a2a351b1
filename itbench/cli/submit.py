"""`itbench submit` and `itbench leaderboard`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from itbench.cli.options import FOLDER, JSON
from itbench.model.text import visible

if TYPE_CHECKING:
    from itbench.model.base import Document
    from itbench.submission.leaderboard import Board
    from itbench.submission.verify import Verification


@click.group()
def submit() -> None:
    """Build and verify leaderboard submissions."""


@submit.command()
@click.argument("run_dir", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="The archive to write, such as mine.zip.")
@click.option("--agent", help="Label of the agent, where the run has several.")
@click.option("--name", required=True, help="The agent's name on the leaderboard.")
@click.option("--organisation", required=True, help="Who made it.")
@click.option("--model", required=True, help="Its language model, as the provider names it; none without one.")
@click.option("--submitter", help="Who submits it.")
@click.option("--contact", help="Who answers questions about it.")
@click.option("--url", help="Code, paper or issue about it.")
@click.option("--cost-usd", type=click.FloatRange(0), help="Mean cost of a trial, if the trials do not report it.")
@JSON
def build(run_dir: Path, out: Path, agent: str | None, as_json: bool, **card: str | float | None) -> None:
    """Pack the outputs, trajectories, scores and hashes of a run into one archive; --json prints its manifest.

    \b
    itbench submit build runs/mine --out mine.zip --name "My agent" --organisation "My lab" --model some-model-1

    Nothing of the ground truth goes in: scores travel without their evidence. The oracle and replays are refused.

    Exit codes: 0 the archive is written, 2 it cannot be.
    """
    from pydantic import ValidationError

    from itbench.model.errors import UsageError
    from itbench.submission.build import build as pack
    from itbench.submission.manifest import AgentCard

    try:
        described = AgentCard.model_validate(card)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        option = "--" + str(first["loc"][0]).replace("_", "-")
        raise UsageError(f"{first['msg']}, not {first['input']!r}", key=option) from None
    manifest = pack(run_dir, out, described, agent=agent)
    told = f"Wrote {out}: {len(manifest.files)} files, {out.stat().st_size / 1e6:.2f} MB."
    click.echo(f"{visible(told)} Check it: itbench submit verify {visible(str(out))} --dataset PATH", err=as_json)
    if as_json:
        click.echo(_ascii_json(manifest))


@submit.command()
@click.argument("archive", type=FOLDER)
@click.option("--dataset", type=FOLDER, help="What the run was scored with; default: the scenarios that ship with itbench.")
@JSON
@click.pass_context
def verify(ctx: click.Context, archive: Path, dataset: Path | None, as_json: bool) -> None:
    """Check every hash and path of a submission, score every answer again, and compare number by number.

    Example: itbench submit verify mine.zip --dataset ITBench-Lite

    Exit codes: 0 everything is equal, 1 something differs, 2 the archive must not be trusted, or it or the dataset cannot
    be used.
    """
    from itbench.bundled import bundled
    from itbench.submission.verify import verify as check

    verdict = check(archive, dataset or bundled("scenarios"), lambda text: click.echo(text, err=True))
    if as_json:
        click.echo(_ascii_json(verdict))
    else:
        bundle = " that ship with itbench (--dataset names others)" if dataset is None else ""
        click.echo(visible(f"Scored again with the scenarios{bundle} at {verdict.dataset}."))
        _print_verdict(verdict)
    ctx.exit(0 if verdict.ok else 1)


def _print_verdict(verdict: Verification) -> None:
    for trial in verdict.trials:
        for difference in trial.differences:
            where = f"{trial.scenario}, trial {trial.trial}, {difference.what}"
            click.echo(visible(f"{where}: claimed {difference.claimed}, recomputed {difference.recomputed}"))
    for problem in verdict.problems:
        click.echo(visible(f"problem: {problem}"))
    for notice in verdict.notices:
        click.echo(visible(f"note: {notice}"))
    unrepeatable = sum(trial.status == "unrepeatable" for trial in verdict.trials)
    told = f" {unrepeatable} trials ended without an answer to judge." if unrepeatable else ""
    click.echo(f"{len(verdict.trials)} trials, {verdict.numbers} numbers recomputed, {verdict.differences} differ.{told}")
    unprotected = ", but the agent ran unprotected" if verdict.unprotected else ""
    click.echo(f"Verified{unprotected}." if verdict.ok else "Not verified.")


@click.command()
@click.argument("archives", type=FOLDER, nargs=-1, required=True)
@click.option("--dataset", type=FOLDER, help="Verify each submission against this dataset first.")
@click.option("--markdown", type=FOLDER, help="Also write the board, with all its columns, to this Markdown file.")
@JSON
@click.pass_context
def leaderboard(
    ctx: click.Context, archives: tuple[Path, ...], dataset: Path | None, markdown: Path | None, as_json: bool
) -> None:
    """Rank submissions, a table for each set of scenarios; verified rows and claimed ones are told apart.

    Example: itbench leaderboard *.zip --dataset ITBench-Lite --markdown board.md

    Exit codes: 0 every file has a row or repeats another one, 1 a file was refused or a row failed, 2 the dataset cannot
    be used.
    """
    from itbench.runner.atomic import write_file
    from itbench.submission.board import markdown_board
    from itbench.submission.leaderboard import leaderboard as rank

    board = rank(archives, dataset)
    if markdown is not None:
        markdown.parent.mkdir(parents=True, exist_ok=True)
        write_file(markdown, markdown_board(board).encode())
    if as_json:
        click.echo(_ascii_json(board))
    else:
        _print_board(board)
    ctx.exit(0 if board.sound else 1)


def _print_board(board: Board) -> None:
    from rich.console import Console

    from itbench.submission.board import LEGEND, remarks, terminal_tables

    console = Console(highlight=False)
    for table in terminal_tables(board):
        console.print(table)
    if board.rows:
        console.print(LEGEND, style="dim", markup=False)
    for remark in remarks(board):
        click.echo(f"note: {remark}")
    for refusal in board.refused:
        click.echo(visible(f"refused: {refusal.reason}"), err=True)


def _ascii_json(document: Document) -> str:
    """ASCII, because strangers' text may hold characters that turn a terminal's direction or steer it."""
    return json.dumps(document.model_dump(mode="json"))
