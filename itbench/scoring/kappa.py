"""Cohen's kappa: how far two raters agree beyond what their own habits would give by chance.

Source: Cohen 1960 and, for the weighted form, Cohen 1968. Weights fall linearly with the distance of the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Weights = Literal["none", "linear"]
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Kappa:
    """An estimate with the bounds of its bootstrap interval; None where it is not defined.

    Both raters giving one and the same label to everything leaves nothing that chance could not explain: undefined.
    """

    value: float | None
    low: float | None
    high: float | None


def table_of(pairs: Sequence[tuple[float, float]], categories: Sequence[float]) -> NDArray[np.float64]:
    """How often the first rater gave category i and the second j; shape (k, k).

    Raises:
        ValueError: a label is no category.
    """
    place = {category: at for at, category in enumerate(categories)}
    table = np.zeros((len(categories), len(categories)))
    for one, other in pairs:
        if one not in place or other not in place:
            raise ValueError(f"{one if one not in place else other:g} is none of {', '.join(f'{c:g}' for c in categories)}")
        table[place[one], place[other]] += 1
    return table


def cohen_kappa(table: NDArray[np.float64], categories: Sequence[float], weights: Weights = "none") -> float | None:
    """Kappa of a table of counts, None if it is empty or chance alone explains all agreement.

    Args:
        table: shape (k, k).
        categories: the k values; with linear weights a disagreement counts by their distance.
        weights: `none` counts every disagreement alike.
    """
    return _nan_as_none(kappas_of(table[None], disagreement_cost(categories, weights))[0])


def kappa_with_interval(
    table: NDArray[np.float64],
    categories: Sequence[float],
    weights: Weights,
    rng: np.random.Generator,
    *,
    resamples: int = 5_000,
) -> Kappa:
    """Kappa and its 95 % percentile bootstrap over the rated items; no bounds below two items.

    Resamples in which it is not defined are left out.
    """
    value, n = cohen_kappa(table, categories, weights), int(table.sum())
    if value is None or n < 2:
        return Kappa(value, None, None)
    draws = rng.multinomial(n, table.ravel() / n, size=resamples).reshape(resamples, *table.shape)
    kappas = kappas_of(draws.astype(float), disagreement_cost(categories, weights))
    defined = kappas[~np.isnan(kappas)]
    tail = (1 - _CONFIDENCE) / 2
    low, high = np.quantile(defined, [tail, 1 - tail]) if len(defined) else (np.nan, np.nan)
    return Kappa(value, _nan_as_none(float(low)), _nan_as_none(float(high)))


def disagreement_cost(categories: Sequence[float], weights: Weights) -> NDArray[np.float64]:
    """What it costs to call i what the other calls j; shape (k, k)."""
    values = np.asarray(categories, dtype=float)
    distance: NDArray[np.float64] = np.abs(values[:, None] - values[None, :])
    return distance if weights == "linear" else np.sign(distance)


def kappas_of(tables: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 − observed disagreement / expected disagreement of each table (n, k, k); NaN where nothing else is expected."""
    totals = tables.sum(axis=(1, 2))
    observed = (tables * cost).sum(axis=(1, 2)) * totals
    chance = tables.sum(axis=2)[:, :, None] * tables.sum(axis=1)[:, None, :]
    expected = (chance * cost).sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        kappas: NDArray[np.float64] = 1 - observed / np.where(expected > 0, expected, np.nan)
    return kappas


def _nan_as_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
