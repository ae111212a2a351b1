from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itbench.twin.flow.acceleration import Acceleration

LENGTH = 12


def rounds(gain: float, acceleration: Acceleration | None, limit: int) -> tuple[int, float]:
    """Rounds of a circle: each entry takes the value before it, the first answers the last; and the error at the end."""

    def once(values: np.ndarray) -> np.ndarray:
        return np.concatenate(([1.0 - gain * values[-1]], values[:-1]))

    rest = 1.0 / (1.0 + gain)
    here = np.zeros(LENGTH)
    turns = 0
    while turns < limit and np.abs(once(here) - here).max() >= 1e-9:
        there = once(here)
        here = there if acceleration is None else acceleration.follow(here, there, np.ones(LENGTH))
        turns += 1
    return turns, float(np.abs(here - rest).max())


@settings(max_examples=30, deadline=None)
@given(st.floats(0.05, 3.0))
def test_a_circle_is_solved_soon_after_it_has_been_gone_round_once(gain: float) -> None:
    turns, error = rounds(gain, Acceleration(memory=LENGTH + 1, first=0), 80)
    assert turns <= 2 * LENGTH + 4
    assert error < 1e-6


def test_without_it_the_same_circle_takes_many_rounds_or_never_ends() -> None:
    assert rounds(0.8, None, 300)[0] == 300
    assert rounds(1.5, None, 300)[1] > 1.0


def test_the_first_rounds_are_taken_as_they_are() -> None:
    acceleration = Acceleration(memory=4, first=3)
    for turn in range(4):
        end = np.array([turn + 1.0, 0.5])
        assert acceleration.follow(np.array([turn, 0.5 * turn]), end, np.ones(2)) == pytest.approx(end)
