"""Arithmetic on samples, against answers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itbench.tools.measures import anomaly, bucket_quantile, clean, in_steps, increases, is_counter, rate_in_steps, rates

INF = math.inf


def array(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)


def test_a_reset_counts_from_zero() -> None:
    # 10 → 30 is 20, 30 → 5 is a restart that has counted 5, 5 → 9 is 4.
    assert increases(array(10, 30, 5, 9)).tolist() == [20, 5, 4]


def test_rates_are_per_second_at_the_later_sample() -> None:
    times, values = rates(array(0, 10, 30), array(0, 50, 10))
    assert times.tolist() == [10, 30]
    assert values.tolist() == [5, 0.5]


def test_rates_in_steps_divide_what_was_gained_by_the_time_that_passed() -> None:
    # Gains: 60 at t=60, 30 at t=120, 90 at t=180.
    found = rate_in_steps(array(0, 60, 120, 180), array(0, 60, 90, 180), array(0, 120, 240, 360))
    assert found[:2].tolist() == [1.0, 1.0]
    assert math.isnan(found[2])


def test_gauges_in_steps_are_means_and_steps_without_samples_are_nothing() -> None:
    found = in_steps(array(0, 5, 25), array(2, 4, 7), array(0, 10, 20, 30))
    assert found[0] == 3
    assert math.isnan(found[1])
    assert found[2] == 7


def test_of_several_samples_of_one_time_the_last_counts_and_nan_none() -> None:
    times, values = clean(array(1, 1, 2, 3), array(5, 6, math.nan, 7))
    assert (times.tolist(), values.tolist()) == ([1, 3], [6, 7])


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        (0.5, 100 + 100 * (50 - 40) / 40),  # the 50th of 100 lies in (100, 200], which holds the 41st to the 80th
        (0.2, 50.0),  # the 20th of 40 in the first bucket, from 0
        (0.8, 200.0),
        (0.95, 200.0),  # in the last bucket: its lower bound is all that is known
    ],
)
def test_quantiles_are_those_of_prometheus(q: float, expected: float) -> None:
    assert bucket_quantile(q, {100: 40, 200: 80, INF: 100}) == pytest.approx(expected)


def test_there_is_no_quantile_without_observations_or_without_the_last_bucket() -> None:
    assert math.isnan(bucket_quantile(0.5, {100: 0, INF: 0}))
    assert math.isnan(bucket_quantile(0.5, {100: 40, 200: 80}))
    assert math.isnan(bucket_quantile(0.5, {}))


def test_buckets_that_were_scraped_at_odds_are_made_to_grow() -> None:
    assert bucket_quantile(0.5, {1: 10, 2: 8, INF: 10}) == pytest.approx(0.5)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=8), st.floats(0, 1), st.floats(0, 1))
def test_quantiles_grow_with_q_and_stay_within_the_bounds(counts: list[int], one: float, other: float) -> None:
    totals = np.cumsum(counts).tolist()
    buckets = {**{float(n + 1): float(total) for n, total in enumerate(totals)}, INF: float(totals[-1])}
    low, high = (bucket_quantile(q, buckets) for q in sorted((one, other)))
    if totals[-1]:
        assert 0 <= low <= high <= len(counts)


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=30), st.integers(0, 28))
def test_a_restart_never_makes_a_negative_rate_nor_a_gain_that_was_not_there(gains: list[float], restart: int) -> None:
    values = np.cumsum(gains)
    reset = values.copy()
    at = min(restart, len(gains) - 2) + 1
    reset[at:] -= values[at - 1]
    assert increases(reset).sum() <= (values[-1] - values[0]) * (1 + 1e-9) + 1e-3
    assert (increases(reset) >= 0).all()


def test_a_deviation_is_measured_in_robust_standard_deviations() -> None:
    # Median 10, absolute deviations 0 1 1 2 2: MAD 1, so one deviation is 1.4826. One wild value changes nothing.
    found = anomaly(array(8, 9, 10, 11, 12), array(20, 20, 20))
    assert found is not None
    assert found.score == pytest.approx(10 / 1.4826)
    wild = anomaly(array(8, 9, 10, 11, 1e6), array(20, 20, 20))
    assert wild is not None
    assert wild.before == 10


def test_a_flat_series_that_moves_is_finitely_surprising() -> None:
    found = anomaly(array(5, 5, 5), array(10, 10, 10))
    assert found is not None
    assert found.score == pytest.approx(5 / 0.1)  # 2 % of 5 and 1 % of 10 are both 0.1


def test_too_few_values_are_no_anomaly() -> None:
    assert anomaly(array(1, 1), array(9, 9, 9)) is None
    assert anomaly(array(1, 1, 1), array(9, 9)) is None


def test_counters_are_known_by_their_names() -> None:
    assert is_counter("requests_total")
    assert is_counter("duration_bucket")
    assert not is_counter("memory_bytes")
