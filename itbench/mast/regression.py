"""All modes at once against failure: a logistic model whose errors take the traces of one scenario as alike.

Fitted by generalised estimating equations (Liang and Zeger 1986) with scenarios as clusters and the small-sample covariance
of Mancl and DeRouen 2001, by statsmodels, an optional extra. A mode's odds ratio is that among traces that are alike in the
other modes of the model.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from itbench.mast.effects import Observation
from itbench.model.errors import MissingExtraError
from itbench.scoring.statistics import CONFIDENCE, t_quantile

LEAST_SCENARIOS = 10
"""Robust errors need clusters."""
LEAST_IN_CELL = 5
"""Traces with and without a mode, failed and successful; with none in one of the four the odds would be infinite."""
LEAST_EVENTS = 10
"""Of the rarer outcome, for each mode in the model (Peduzzi 1996)."""

_ENDLESS = 15.0  # a log-odds ratio of three millions: the fit runs away


@dataclass(frozen=True, slots=True)
class Odds:
    """How many times higher the odds of failure are with a mode, with a 95 % interval; `p` by Student's t over clusters."""

    code: str
    ratio: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, slots=True)
class Regression:
    """The model, or why there is none.

    Attributes:
        traces, scenarios: that it was fitted to.
        odds: by mode, in the order of the taxonomy.
        left_out: modes that are not in it.
        refused: why nothing was fitted; empty where it was.
    """

    traces: int
    scenarios: int
    odds: tuple[Odds, ...] = ()
    left_out: tuple[str, ...] = ()
    refused: str = ""


def regress(observations: dict[str, Sequence[Observation]]) -> Regression:
    """Fit the model where the data allow.

    Args:
        observations: by mode, of the same traces in the same order. A mode that is not known to be present counts as absent.

    Raises:
        MissingExtraError: statsmodels is not installed.
    """
    codes = list(observations)
    every = list(zip(*observations.values(), strict=True))
    judged = [row for row in every if row[0].failed is not None]
    failed = np.array([row[0].failed for row in judged], dtype=float)
    present = np.array([[each.present for each in row] for row in judged], dtype=float).reshape(len(judged), len(codes))
    groups = np.array([row[0].scenario for row in judged])
    scenarios = len(set(groups.tolist()))
    kept = [column for column in range(len(codes)) if _fills_all_cells(present[:, column], failed)]
    kept = _independent(present, kept)
    left_out = tuple(code for column, code in enumerate(codes) if column not in kept)
    rarer = int(min(failed.sum(), len(failed) - failed.sum()))
    refused = ""
    if scenarios < LEAST_SCENARIOS:
        refused = f"{scenarios} scenarios, of at least {LEAST_SCENARIOS}"
    elif not kept:
        refused = f"no mode has {LEAST_IN_CELL} traces with and without it on both sides"
    elif rarer < LEAST_EVENTS * len(kept):
        refused = f"{rarer} traces of the rarer outcome, of at least {LEAST_EVENTS * len(kept)} for {len(kept)} modes"
    if refused:
        return Regression(len(judged), scenarios, (), left_out, refused)
    coefficients, errors = _fit(failed, present[:, kept], groups)
    if not (np.isfinite(errors).all() and (errors > 0).all() and np.abs(coefficients).max() < _ENDLESS):
        return Regression(len(judged), scenarios, (), left_out, "the modes together separate failures from successes")
    odds = tuple(
        _odds(codes[column], float(b), float(se), scenarios - 1)
        for column, b, se in zip(kept, coefficients[1:], errors[1:], strict=True)
    )
    return Regression(len(judged), scenarios, odds, left_out)


def _fills_all_cells(present: np.ndarray, failed: np.ndarray) -> bool:
    counts = [float(((present == p) & (failed == f)).sum()) for p in (0, 1) for f in (0, 1)]
    return min(counts) >= LEAST_IN_CELL


def _independent(present: np.ndarray, columns: list[int]) -> list[int]:
    """The columns without those that earlier ones determine."""
    kept: list[int] = []
    for column in columns:
        design = np.column_stack([np.ones(len(present)), present[:, [*kept, column]]])
        if np.linalg.matrix_rank(design) == design.shape[1]:
            kept.append(column)
    return kept


def _fit(failed: np.ndarray, present: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and their standard errors, the intercept's first."""
    design = np.column_stack([np.ones(len(failed)), present])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas' deprecations, and of fits that the caller looks at
        try:
            from statsmodels.genmod.cov_struct import Independence
            from statsmodels.genmod.families import Binomial
            from statsmodels.genmod.generalized_estimating_equations import GEE
        except ImportError as error:
            raise MissingExtraError("statsmodels", "mast", "--logistic") from error
        model = GEE(failed, design, groups=groups, family=Binomial(), cov_struct=Independence())
        fitted = model.fit(cov_type="bias_reduced")
    return np.asarray(fitted.params), np.asarray(fitted.bse)


def _odds(code: str, coefficient: float, error: float, freedom: int) -> Odds:
    from scipy.special import stdtr

    reach = t_quantile((1 + CONFIDENCE) / 2, freedom) * error
    p = float(2 * stdtr(freedom, -abs(coefficient) / error))
    return Odds(code, math.exp(coefficient), math.exp(coefficient - reach), math.exp(coefficient + reach), p)
