"""Paired differences: known values, laws, and what no pair can tell."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from itbench.mast.ablation.paired import Pair, change_of_means, change_of_shares


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def pairs(*counts: int) -> list[Pair]:
    """Both, only before, only after, neither; each of a scenario of its own."""
    values = [(1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)]
    every = [value for value, count in zip(values, counts, strict=True) for _ in range(count)]
    return [Pair(f"s{n}", *value) for n, value in enumerate(every)]


def test_the_interval_is_that_of_newcombe_1998():
    # His example of 36, 12, 2 and 0 pairs: p1 − p2 = 0.2000 [0.0569, 0.3404] by method 10.
    change = change_of_shares(pairs(36, 12, 2, 0), rng())
    assert change.difference == pytest.approx(-0.2)
    assert (change.low, change.high) == (pytest.approx(-0.3404, abs=1e-4), pytest.approx(-0.0569, abs=1e-4))


@given(st.tuples(*[st.integers(0, 12)] * 4).filter(any))
def test_swapping_the_conditions_turns_the_sign(counts):
    both, lost, gained, neither = counts
    one, other = change_of_shares(pairs(*counts), rng()), change_of_shares(pairs(both, gained, lost, neither), rng())
    assert one.difference == pytest.approx(-other.difference)
    assert (one.low, one.high) == (pytest.approx(-other.high), pytest.approx(-other.low))
    assert -1 <= one.low <= one.difference + 1e-12
    assert one.difference - 1e-12 <= one.high <= 1
    if gained + lost:
        assert one.p == pytest.approx(binomtest(gained, gained + lost).pvalue)


def test_no_change_at_all_has_an_interval_all_the_same():
    change = change_of_shares(pairs(5, 0, 0, 5), rng())
    assert (change.difference, change.p) == (0, 1)
    assert change.low < 0 < change.high


def test_trials_of_one_scenario_are_not_counted_as_independent():
    single = [Pair(f"s{n}", 0.0, float(n % 2)) for n in range(40)]
    alike = [Pair(f"s{n % 4}", 0.0, float(n % 4 % 2)) for n in range(40)]
    one, other = change_of_shares(single, rng()), change_of_shares(alike, rng())
    assert one.difference == other.difference
    assert other.high - other.low > one.high - one.low


def test_means_are_over_scenarios():
    change = change_of_means([Pair("a", 1, 2), Pair("a", 3, 4), Pair("b", 10, 14)])
    assert (change.before, change.after, change.difference) == (6, 8.5, 2.5)
    assert change.low < 2.5 < change.high
    equal = change_of_means([Pair("a", 0, 1), Pair("b", 1, 2)])
    assert (equal.difference, equal.low, equal.high) == (1, None, None)


def test_without_pairs_there_is_nothing():
    assert change_of_shares([], rng()) is None
    assert change_of_means([]) is None
    assert math.isclose(change_of_shares(pairs(0, 0, 1, 0), rng()).after, 1)
