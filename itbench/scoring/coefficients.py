"""How far raters agree beyond chance: Cohen's and Fleiss' kappa, Krippendorff's alpha for names.

All take ratings of shape (units, raters): category numbers from 0, -1 where a rater gave none; and weights of shape
(resamples, units), so that a bootstrap is one call. They return shape (resamples,), NaN where a coefficient is not defined:
where nobody rated, or where one category is all there is, chance explains everything.

Sources: Cohen 1960; Fleiss 1971; Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from itbench.scoring.kappa import disagreement_cost, kappas_of

Ratings = NDArray[np.int64]
Floats = NDArray[np.float64]


def cohen_kappa(ratings: Ratings, weights: Floats, categories: int) -> Floats:
    """Kappa of two raters over the units that both rated; ratings have two columns."""
    both = (ratings >= 0).all(axis=1)
    chosen, counts = ratings[both], weights[:, both]
    cells = _one_hot(chosen[:, 0] * categories + chosen[:, 1], categories**2)
    tables = (counts @ cells).reshape(-1, categories, categories)
    return kappas_of(tables, disagreement_cost(range(categories), "none"))


def fleiss_kappa(ratings: Ratings, weights: Floats, categories: int) -> Floats:
    """Kappa of any number of raters over the units that all of them rated."""
    raters = ratings.shape[1]
    whole = (ratings >= 0).all(axis=1)
    if raters < 2:
        return np.full(len(weights), np.nan)
    counts = _counts(ratings[whole], categories)
    agreement = ((counts**2).sum(axis=1) - raters) / (raters * (raters - 1))
    total = weights[:, whole].sum(axis=1)
    observed = _divide(weights[:, whole] @ agreement, total)
    shares = _divide(weights[:, whole] @ counts, (total * raters)[:, None])
    return _beyond(observed, (shares**2).sum(axis=1), np.ones_like(observed))


def krippendorff_alpha(ratings: Ratings, weights: Floats, categories: int) -> Floats:
    """Alpha for nominal data over the units that two raters or more rated; raters may miss units."""
    counts = _counts(ratings, categories)
    given = counts.sum(axis=1)
    pairable = given >= 2
    counts, given, used = counts[pairable], given[pairable], weights[:, pairable]
    disagreement = (given**2 - (counts**2).sum(axis=1)) / (given - 1)
    per_category = used @ counts
    total = per_category.sum(axis=1)
    chance = total**2 - (per_category**2).sum(axis=1)
    alpha: Floats = 1 - _divide((total - 1) * (used @ disagreement), chance)
    return alpha


def _beyond(observed: Floats, expected: Floats, most: Floats) -> Floats:
    return _divide(observed - expected, most - expected)


def _divide(above: Floats, below: Floats) -> Floats:
    """NaN where there is nothing to divide by, within rounding."""
    safe = np.where(np.abs(below) > 1e-12, below, np.nan)
    result: Floats = above / safe
    return result


def _one_hot(column: NDArray[np.int64], categories: int) -> Floats:
    hot: Floats = (column[:, None] == np.arange(categories)[None, :]).astype(float)
    return hot


def _counts(ratings: Ratings, categories: int) -> Floats:
    counts: Floats = (ratings[:, :, None] == np.arange(categories)[None, None, :]).sum(axis=1).astype(float)
    return counts
