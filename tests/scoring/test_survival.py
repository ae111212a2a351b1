"""Durations with censoring, held against scipy and against values that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf

from itbench.scoring.survival import Duration, survival


def durations(*values: float | str) -> list[Duration]:
    """Seconds; `5+` was not seen to end."""
    return [Duration(float(str(value).rstrip("+")), not str(value).endswith("+")) for value in values]


def test_without_censoring_the_restricted_mean_is_the_mean_and_the_median_the_median() -> None:
    found = survival(durations(10, 20, 30, 40, 50), 100)
    assert (found.n, found.happened, found.median) == (5, 5, 30)
    assert found.restricted_mean.mean == pytest.approx(30)


def test_a_trial_that_never_resolved_counts_the_horizon_and_not_nothing() -> None:
    found = survival(durations(10, "100+"), 100)
    assert found.restricted_mean.mean == pytest.approx(55)
    assert found.happened == 1


def test_a_median_beyond_the_horizon_is_not_made_up() -> None:
    found = survival(durations(10, "100+", "100+"), 100)
    assert found.median is None
    assert found.median_high is None


def test_what_came_after_the_horizon_was_not_seen() -> None:
    assert survival(durations(10, 200), 100) == survival(durations(10, "100+"), 100)


def test_one_trial_has_no_interval() -> None:
    found = survival(durations(10), 100)
    assert found.restricted_mean.low is None
    assert found.median == 10


def test_a_known_example() -> None:
    """The remission times of Freireich et al. (1963), the treated group: median 23, S(10) = 0.753."""
    treated = durations(
        6, 6, 6, "6+", 7, "9+", 10, "10+", "11+", 13, 16, "17+", "19+", "20+", 22, 23, *("25+", "32+", "32+", "34+", "35+")
    )
    found = survival(treated, 35)
    assert found.median == 23
    assert found.median_low == 13
    assert found.median_high is None
    assert found.restricted_mean.mean == pytest.approx(23.3, abs=0.05)


TIMES = st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=2, max_size=30)


@given(TIMES)
def test_the_estimate_is_scipys(values: list[tuple[int, bool]]) -> None:
    horizon = 60.0
    given_ = [Duration(float(seconds), happened) for seconds, happened in values]
    found = survival(given_, horizon)
    uncensored = [each.seconds for each in given_ if each.happened]
    censored = [each.seconds for each in given_ if not each.happened]
    theirs = ecdf(CensoredData(uncensored=uncensored, right=censored)).sf
    edges = np.concatenate(([0.0], theirs.quantiles, [horizon]))
    shares = np.concatenate(([1.0], theirs.probabilities))
    assert found.restricted_mean.mean == pytest.approx(float((shares * np.diff(edges)).sum()))
    reached = theirs.quantiles[theirs.probabilities <= 0.5 + 1e-12]
    assert found.median == (float(reached[0]) if reached.size else None)


@given(TIMES)
def test_intervals_hold_what_they_are_about(values: list[tuple[int, bool]]) -> None:
    found = survival([Duration(float(seconds), happened) for seconds, happened in values], 60.0)
    mean = found.restricted_mean
    assert mean.mean is not None
    assert mean.low is not None
    assert mean.high is not None
    assert 0 <= mean.low <= mean.mean + 1e-9
    assert mean.mean <= mean.high + 1e-9 <= 60 + 1e-6
    if found.median is not None:
        assert found.median_low is not None
        assert found.median_low <= found.median
        assert found.median_high is None or found.median <= found.median_high
