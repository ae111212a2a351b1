"""What `run`, `resume` and `score` share about the judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from itbench.model.errors import UsageError

if TYPE_CHECKING:
    from itbench.judge.asking import Bill
    from itbench.model.trial import JudgeConfig


def judge_config(model: str | None, votes: int, cross_check: bool) -> JudgeConfig | None:
    """The judge that a command line asks for, None without one.

    Raises:
        UsageError: options of a judge without `--judge`, or no model.
    """
    if model is None:
        if cross_check:
            raise UsageError("a cross-check needs a judge", key="--judge-cross-check", hint="Name one with --judge MODEL")
        return None
    from itbench.judge.access import chosen_model
    from itbench.model.trial import JudgeConfig

    return JudgeConfig(model=chosen_model(model), votes=votes, cross_check=cross_check)


def announce_bill(config: JudgeConfig, bill: Bill) -> None:
    """Say on stderr what the judge cost."""
    click.echo(bill_text(f"judge {config.model}", bill), err=True)


def bill_text(who: str, bill: Bill) -> str:
    """What asking a model cost, in words."""
    paid = f"${bill.paid_usd:.4f}" if bill.paid_usd or not bill.unpriced else "at a price that is not known"
    told = f"{who}: {bill.asked} requests, {paid}"
    if bill.remembered:
        told += f"; {bill.remembered} replies were remembered" + (
            f" (${bill.saved_usd:.4f} saved)" if bill.saved_usd else ""
        )
    if bill.failed:
        told += f"; {bill.failed} requests failed"
    return told
