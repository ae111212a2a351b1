from __future__ import annotations

import numpy as np
import pytest

from itbench.twin.telemetry.usages import held_back


def test_who_has_no_limit_is_never_held_back() -> None:
    assert held_back(np.array([0.5]), np.array([np.inf]), np.array([1e-4])).tolist() == [0.0]


def test_an_idle_container_is_not_held_back() -> None:
    assert held_back(np.array([0.0]), np.array([0.1]), np.array([0.0])).tolist() == [0.0]


def test_even_work_below_the_limit_is_not_held_back() -> None:
    assert held_back(np.array([0.05]), np.array([0.1]), np.array([1e-14])) == pytest.approx(0.0, abs=1e-9)


def test_the_nearer_to_the_limit_the_more_periods_are_held_back() -> None:
    cores = np.array([0.02, 0.05, 0.08, 0.095, 0.0999999])
    shares = held_back(cores, np.full(5, 0.1), np.full(5, 2e-5))
    assert (np.diff(shares) > 0).all()
    assert shares[0] < 0.25
    assert shares[-1] > 0.9
