"""`itbench mast annotate` and `validate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from itbench.cli.mast import TAXONOMY
from itbench.cli.options import FOLDER, JSON
from itbench.model.errors import UsageError
from itbench.model.text import visible

if TYPE_CHECKING:
    from itbench.mast.reading import Notes
    from itbench.mast.trace import Trace
    from itbench.model.mast import AnnotatedTrace, Annotation, Taxonomy


@click.command()
@click.argument("path", type=FOLDER)
@click.option(
    "--annotator",
    "annotators",
    multiple=True,
    metavar="NAME",
    default=("rules",),
    show_default=True,
    help="rules, or llm:MODEL; may be repeated, so that both annotate.",
)
@click.option("--votes", type=click.IntRange(1, 25), default=3, show_default=True, help="How often a model is asked.")
@click.option(
    "--part", "room", type=click.IntRange(5_000), default=60_000, show_default=True, help="Characters a model reads at once."
)
@click.option("--all", "show_all", is_flag=True, help="Show every mode, not only those that are present.")
@TAXONOMY
@JSON
def annotate(
    path: Path, annotators: tuple[str, ...], votes: int, room: int, show_all: bool, version: str, as_json: bool
) -> None:
    """Find failure modes by rules or by a language model, in imported traces, a run folder, or sessions as they are.

    \b
    itbench mast annotate runs/mine --json > rules.json
    itbench mast annotate runs/mine --annotator rules --annotator llm:gpt-5-mini --json > both.json

    Each trace gets a verdict on each mode: present (with the steps that show it), absent, not_applicable or unknown. What
    an annotator cannot see is unknown, never absent. A model's address and key come from the environment, as those of a
    judge (docs/judge.md); what it replied is remembered, and not paid for twice. docs/mast.md says how good they are.
    """
    from itbench.mast.annotate import EXPERIMENTAL
    from itbench.mast.reading import Notes
    from itbench.mast.taxonomy import load_taxonomy
    from itbench.model.mast import Annotations

    taxonomy, notes = load_taxonomy(version), Notes()
    traces = _annotated(path, annotators, votes, room, taxonomy, notes)
    for problem in notes.problems:
        click.echo(f"itbench: left out: {visible(problem)}", err=True)
    if as_json:
        click.echo(Annotations(taxonomy=taxonomy.version, traces=traces).model_dump_json())
        return
    several = len(annotators) > 1
    for trace in traces:
        click.echo(visible(trace.trace))
        shown = [each for each in trace.annotations if show_all or each.verdict == "present"]
        for each in shown:
            steps = f" at steps {', '.join(map(str, each.steps[:12]))}" if each.steps else ""
            by_rule = not each.annotator.startswith("llm:")
            unsure = " (experimental rule)" if by_rule and each.code in EXPERIMENTAL else ""
            name = taxonomy.mode(each.code).name + unsure + (f" [{visible(each.annotator)}]" if several else "")
            told = f"{each.verdict} ({each.confidence:.2f}){steps}: {visible(each.reason)}"
            click.echo(f"  {each.code} {name}: {told}")
        if not shown:
            click.echo("  no failure mode was found")


def _annotated(
    path: Path, annotators: tuple[str, ...], votes: int, room: int, taxonomy: Taxonomy, notes: Notes
) -> tuple[AnnotatedTrace, ...]:
    """Every trace, by every annotator that was named.

    Raises:
        UsageError: one of them is none, or a model has no address and key.
    """
    from itbench.mast.annotate import annotate_trace
    from itbench.mast.reading import read_traces
    from itbench.model.mast import AnnotatedTrace

    models = []
    for each in dict.fromkeys(annotators):
        scheme, _, model = each.partition(":")
        if scheme == "llm" and model.strip():
            models.append(model.strip())
        elif each != "rules":
            raise UsageError(f"there is no annotator {each!r}", key="--annotator", hint="Name rules, or llm:MODEL")
    by_rules = "rules" in annotators
    if not models:
        return tuple(annotate_trace(trace, taxonomy) for trace in read_traces(path, notes))
    found = []
    for trace, by_models in _by_models(models, path, votes, room, taxonomy, notes):
        own = annotate_trace(trace, taxonomy).annotations if by_rules else ()
        found.append(AnnotatedTrace(trace=trace.info.trace, annotations=(*own, *by_models)))
    return tuple(found)


def _by_models(
    models: list[str], path: Path, votes: int, room: int, taxonomy: Taxonomy, notes: Notes
) -> list[tuple[Trace, tuple[Annotation, ...]]]:
    import asyncio
    from contextlib import AsyncExitStack

    from itbench.cli.judging import bill_text
    from itbench.judge.access import NO_ACCESS, Access
    from itbench.judge.asking import open_asker
    from itbench.judge.replies import Replies, user_folder
    from itbench.mast.llm.annotator import LlmAnnotator, load_prompt
    from itbench.mast.reading import read_traces

    access, prompt = Access.of_environment(), load_prompt()
    if access is None:
        raise UsageError(NO_ACCESS.replace("judge could be asked", "model can be asked"), key="--annotator")

    async def work() -> list[tuple[Trace, tuple[Annotation, ...]]]:
        async with AsyncExitStack() as stack:
            askers = [await stack.enter_async_context(open_asker(m, Replies(user_folder()), access)) for m in models]
            made = [LlmAnnotator(asker, taxonomy, prompt, votes, room) for asker in askers]
            found = []
            for trace in read_traces(path, notes):
                said = [await each.annotate(trace) for each in made]
                found.append((trace, tuple(one for each in said for one in each.annotations)))
            for each in made:
                click.echo(bill_text(each.name, each.bill), err=True)
                if each.asker.down:
                    click.echo(f"itbench: {visible(each.asker.down)}; what was not answered is unknown", err=True)
            return found

    return asyncio.run(work())


@click.command()
@click.option("--seed", type=click.IntRange(0), default=1000, show_default=True, help="First of the seeds.")
@click.option(
    "--traces", "count", type=click.IntRange(10), default=40, show_default=True, help="For each mode and near-miss."
)
@click.option("--development", is_flag=True, help="Use the wordings that rules were written with, not the held-out ones.")
@JSON
def validate(seed: int, count: int, development: bool, as_json: bool) -> None:
    """Measure the rules: precision and recall on generated traces in which failures are planted.

    \b
    Example: itbench mast validate

    Exit codes: 0 every rule that is not marked experimental reaches precision 0.9 and recall 0.8; 1 one does not.
    """
    from itbench.mast.annotate import EXPERIMENTAL, EXPERIMENTAL_EVIDENCE
    from itbench.mast.validation import markdown_table, validate_rules

    results = validate_rules(seed, count, held_out=not development)
    if as_json:
        click.echo(json.dumps([result.as_dict() for result in results]))
    else:
        click.echo(markdown_table(results))
    if any(not result.good and result.code not in EXPERIMENTAL | EXPERIMENTAL_EVIDENCE for result in results):
        raise click.exceptions.Exit(1)
