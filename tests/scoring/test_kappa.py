"""Cohen's kappa against values computed by hand, and its laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itbench.scoring.kappa import cohen_kappa, kappa_with_interval, table_of

GRADES = (0.0, 0.5, 1.0)
pairs = st.lists(st.tuples(st.sampled_from(GRADES), st.sampled_from(GRADES)), min_size=1, max_size=60)


def kappa(rated: list[tuple[float, float]], weights: str = "none") -> float | None:
    return cohen_kappa(table_of(rated, GRADES), GRADES, weights)


def test_unweighted_kappa_of_a_textbook_table() -> None:
    # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: observed 0.7, by chance 0.5·0.6 + 0.5·0.4 = 0.5
    table = np.array([[20.0, 5.0], [10.0, 15.0]])
    assert cohen_kappa(table, (0.0, 1.0)) == pytest.approx(0.4)


def test_linear_weights_by_hand() -> None:
    # A: 0 0 1 1, B: 0 .5 1 .5. Distances 0 .5 0 .5: observed mean .25.
    # Chance: A is 0 or 1 by half; B is 0, .5, .5, 1: mean distance (0+.5+.5+1)/4 = .5 from either. 1 − .25/.5
    rated = [(0.0, 0.0), (0.0, 0.5), (1.0, 1.0), (1.0, 0.5)]
    assert kappa(rated, "linear") == pytest.approx(0.5)
    # Unweighted: observed agreement 2/4, by chance 1/2·1/4 + 1/2·1/4 = 1/4: (1/2 − 1/4) / (3/4)
    assert kappa(rated) == pytest.approx(1 / 3)


def test_nothing_is_defined_where_both_give_one_label_only() -> None:
    assert kappa([(1.0, 1.0)] * 5) is None
    assert kappa([]) is None


def test_raters_who_always_differ_are_below_chance() -> None:
    assert kappa([(0.0, 1.0), (1.0, 0.0)]) == pytest.approx(-1.0)


@given(pairs)
def test_kappa_is_symmetric_and_at_most_1(rated: list[tuple[float, float]]) -> None:
    for weights in ("none", "linear"):
        value = kappa(rated, weights)
        swapped = kappa([(b, a) for a, b in rated], weights)
        assert value == (None if swapped is None else pytest.approx(swapped))
        assert value is None or value <= 1 + 1e-12


@given(pairs)
def test_with_two_labels_weights_change_nothing(rated: list[tuple[float, float]]) -> None:
    binary = [(round(a), round(b)) for a, b in rated]
    table = table_of(binary, (0.0, 1.0))
    plain, linear = (cohen_kappa(table, (0.0, 1.0), weights) for weights in ("none", "linear"))
    assert plain == (None if linear is None else pytest.approx(linear))


def test_the_interval_holds_the_estimate_and_narrows_with_more_items() -> None:
    few = np.array([[8.0, 2.0], [2.0, 8.0]])
    widths = []
    for scale in (1, 16):
        found = kappa_with_interval(few * scale, (0.0, 1.0), "none", np.random.default_rng(1))
        assert found.low is not None
        assert found.high is not None
        assert found.low < 0.6 < found.high
        assert found.value == pytest.approx(0.6)
        widths.append(found.high - found.low)
    assert widths[1] == pytest.approx(widths[0] / 4, rel=0.2)


def test_the_same_seed_gives_the_same_interval() -> None:
    table = np.array([[8.0, 2.0], [3.0, 7.0]])
    first, second = (kappa_with_interval(table, (0.0, 1.0), "none", np.random.default_rng(3)) for _ in range(2))
    assert first == second


def test_a_label_that_is_no_category_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0.3 is none of 0, 0.5, 1"):
        table_of([(0.3, 1.0)], GRADES)
