"""`itbench score`: the public evaluator's job."""

from __future__ import annotations

import json
from pathlib import Path

import click

from itbench.cli.options import FOLDER, JSON, NAMESPACE_FILTER, POLICY, UNPROTECTED, judge_options
from itbench.model.base import Domain
from itbench.model.errors import UsageError


@click.command()
@click.option("--ground-truth", "-g", type=FOLDER, required=True, help="A ground truth file, or a folder of scenarios.")
@click.option(
    "--outputs",
    "-o",
    type=FOLDER,
    required=True,
    help="Answers as <incident>/<trial>/agent_output.json (CISO: files).",
)
@click.option("--domain", "-d", type=click.Choice(["sre", "finops", "ciso"]), default="sre", show_default=True)
@click.option(
    "--out",
    type=FOLDER,
    default=Path("evaluation_results.json"),
    show_default=True,
    help="The public result file; scores.json is written beside it.",
)
@POLICY
@NAMESPACE_FILTER
@judge_options
@click.option(
    "--judge-cache", type=FOLDER, metavar="DIR", help="Where the judge's replies are kept; default: the user's cache."
)
@UNPROTECTED
@click.option("--seed", type=click.IntRange(0), default=0, help="CISO: which hidden variants are drawn.")
@click.option("--explain", is_flag=True, help="Also print, for each answer, what matched and why.")
@JSON
@click.pass_context
def score(
    ctx: click.Context,
    ground_truth: Path,
    outputs: Path,
    domain: Domain,
    out: Path,
    policy: str,
    namespace_filter: bool,
    judge: str | None,
    judge_votes: int,
    judge_cross_check: bool,
    judge_cache: Path | None,
    unprotected: bool,
    seed: int,
    explain: bool,
    as_json: bool,
) -> None:
    """Score answers that exist already; without a language model, unless --judge asks for one.

    \b
    Example: itbench score -g truth -o answers --explain

    Reads the folders of the public evaluator and writes its result file: the same keys and statistics (bad runs are
    dropped from its means). scores.json beside it has ours: bad runs count as evaluators/metrics.yaml says.

    Exit codes: 0 all scored, 1 some unscored, 2 wrong usage or input.
    """
    from itbench.cli.judging import announce_bill, judge_config
    from itbench.cli.progress import unscored_line
    from itbench.datasets.rules import load_rules
    from itbench.judge.replies import Replies, user_folder
    from itbench.model.scores import Scores
    from itbench.report.explanation import explain as explanation
    from itbench.report.terminal import print_scorecard
    from itbench.runner.atomic import write_file
    from itbench.runner.evaluate import Evaluator
    from itbench.runner.hiding import remember
    from itbench.runner.rescore import judged, score_outputs
    from itbench.runner.summary import summarise_records
    from itbench.scoring.metrics import HEADLINE_K
    from itbench.scoring.reference import CRITERIA, EvaluationConfig, evaluation_results

    ours_at = out.with_name("scores.json")
    if out == ours_at:
        raise UsageError("scores.json is the name of our own file, which is written beside it", key="--out")
    rules = load_rules()
    judging = judge_config(judge, judge_votes, judge_cross_check)
    evaluator = Evaluator(rules, policy, namespace_filter, seed=seed, unprotected=unprotected)
    if judging is not None and domain != "sre":
        raise UsageError("a judge reads reasons, and only SRE answers hold any", key="--judge", hint="Leave it out")
    rescored = score_outputs(ground_truth, outputs, domain, evaluator)
    if judging is not None:
        replies = judge_cache or user_folder()
        remember(replies)
        rescored, bill = judged(rescored, judging, evaluator, Replies(replies))
        announce_bill(judging, bill)
    records = list(rescored.records)
    config = EvaluationConfig(
        domain=domain,
        ground_truth_path=str(ground_truth),
        outputs_path=str(outputs),
        eval_criteria=list(CRITERIA[domain]),
        k=HEADLINE_K,
    )
    notices = [
        f"{len(names)} {what}: {', '.join(names[:8])}" + (" …" if len(names) > 8 else "")
        for what, names in (
            ("ground truths have no answers at all and are not counted", rescored.unanswered),
            ("places are passed over, no <incident>/<trial number>/", [str(path) for path in rescored.passed_over]),
        )
        if names
    ]
    summary = summarise_records(records, rules, run_dir=str(outputs), notices=notices)
    for path, content in (
        (out, json.dumps(evaluation_results(records, config), indent=1)),
        (ours_at, Scores(summary=summary, trials=rescored.records).model_dump_json(indent=1)),
    ):
        remember(path)
        write_file(path, content.encode())
    if as_json:
        click.echo(summary.model_dump_json())
    else:
        if explain:
            click.echo("\n\n".join("\n".join(explanation(record)) for record in records) + "\n")
        print_scorecard(summary)
        click.echo(f"Wrote {out} (public form) and {ours_at} (ours).")
    for record in records:
        if record.outcome.cause:
            click.echo(unscored_line(record), err=True)
    ctx.exit(1 if any(record.outcome.cause for record in records) else 0)
