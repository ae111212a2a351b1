"""Option types that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

FOLDER = click.Path(path_type=Path)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout; messages go to stderr.")

POLICY = click.option("--policy", default="reference", show_default=True, help="How names match: reference, aa or strict.")
NAMESPACE_FILTER = click.option(
    "--namespace-filter", is_flag=True, help="Leave out predictions in infrastructure namespaces, as the reference can."
)


def judge_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --judge, --judge-votes and --judge-cross-check."""
    for option in reversed(_JUDGE):
        command = option(command)
    return command


_JUDGE = (
    click.option(
        "--judge",
        "judge",
        metavar="[MODEL]",
        is_flag=False,
        flag_value="env",
        help="Let this model grade the reasons that answers give (docs/judge.md); alone it is JUDGE_MODEL.",
    ),
    click.option(
        "--judge-votes", type=click.IntRange(1, 25), default=3, show_default=True, help="How often the judge is asked."
    ),
    click.option("--judge-cross-check", is_flag=True, help="List where the judge would match entities otherwise."),
)

UNPROTECTED = click.option(
    "--unprotected",
    is_flag=True,
    help="CISO: where there is no sandbox, run the scripts in answers without one; the records say so.",
)

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


class Duration(click.ParamType[float]):
    """`90`, `90s`, `20m` or `1.5h`, in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds, more than zero."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", str(value).strip())
        seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
        if not 0 < seconds < 1e9:
            self.fail(f"{value!r} is not a duration; write for example 90s, 20m or 1h", param, ctx)
        return seconds


_SCALES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


class Size(click.ParamType[int]):
    """`500k`, `20MB` or `8G`, in bytes (decimal)."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes, more than zero."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]?)b?", str(value).strip().lower())
        size = int(float(match[1]) * _SCALES[match[2]]) if match else 0
        if size <= 0:
            self.fail(f"{value!r} is not a size; write for example 500k, 20MB or 8G", param, ctx)
        return size
