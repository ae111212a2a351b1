from __future__ import annotations

import numpy as np
import pytest

from itbench.report.incident.curves import Curve, bins, choose, curves_of
from itbench.report.incident.draw_curves import ceiling, corners, said
from itbench.twin.incident.simulate import Simulation


def test_bins_are_whole_ticks_and_the_last_may_be_shorter() -> None:
    assert bins((0.0, 100.0), 5.0, 20, most=20).tolist() == list(range(21))
    assert bins((10.0, 100.0), 5.0, 20, most=5).tolist() == [2, 6, 10, 14, 18, 20]
    assert bins((0.0, 1000.0), 5.0, 20, most=10).tolist() == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20]


def test_curves_are_what_the_call_graph_makes_of_five_visits_a_second(simulation: Simulation) -> None:
    """front asks catalog, reco (which asks catalog again) and cart; cart asks store, which is gone after five minutes."""
    curves = curves_of(simulation.measured, (0.0, 1500.0))
    rows = {row.service: row.curves for row in curves.rows}
    early, late = curves.times < 290, curves.times > 400
    assert rows["front"]["requests"].faulted == pytest.approx(5.0)
    assert rows["cart"]["requests"].healthy == pytest.approx(5.0)
    assert rows["store"]["requests"].faulted[early] == pytest.approx(5.0)
    assert rows["store"]["requests"].faulted[late] == pytest.approx(0.0, abs=1e-6)
    for name in ("cart", "front", "load"):
        assert rows[name]["failures"].faulted[early] == pytest.approx(0.0, abs=1e-3)
        assert rows[name]["failures"].faulted[late] == pytest.approx(1.0, abs=1e-3)
        assert rows[name]["failures"].healthy == pytest.approx(0.0, abs=1e-3)
    assert np.isnan(rows["store"]["latency"].faulted[late]).all()  # nobody is asked, so nobody answers late
    assert np.isfinite(rows["store"]["latency"].healthy).all()


def test_users_come_last_and_those_where_roots_act_are_kept_first(simulation: Simulation) -> None:
    rows = curves_of(simulation.measured, (0.0, 1500.0)).rows
    assert [row.users for row in rows] == [False] * (len(rows) - 1) + [True]
    shown, omitted = choose(simulation.measured, most=2)
    assert set(shown) == {"store", "reco"}
    assert {"cart", "front"} <= set(omitted)
    shown, _ = choose(simulation.measured, most=3)
    assert set(shown) - {"store", "reco"} <= {"cart", "front"}


def test_corners_keep_every_turn_and_the_ends() -> None:
    curve = Curve(np.full(9, 1.0), np.array([1, 1, 1, 5, 5, 5, np.nan, np.nan, np.nan]))
    assert corners(curve, 0.01).tolist() == [0, 2, 3, 5, 6, 8]


def test_scales_end_at_a_round_number_that_nothing_exceeds() -> None:
    def curve(top: float) -> Curve:
        return Curve(np.zeros(2), np.array([0.0, top]))

    assert ceiling("requests", curve(7.6)) == 8
    assert ceiling("requests", curve(8.0)) == 8
    assert ceiling("latency", curve(0.0123)) == pytest.approx(0.015)
    assert ceiling("failures", curve(0.26)) == pytest.approx(0.3)
    assert ceiling("failures", curve(1.0)) == 1
    assert ceiling("failures", curve(0.001)) == pytest.approx(0.1)
    assert ceiling("requests", Curve(np.full(2, np.nan), np.full(2, np.nan))) > 0


def test_scales_say_their_unit() -> None:
    assert said("requests", 0.8) == "0.8"
    assert said("requests", 120.0) == "120"
    assert said("failures", 0.3) == "30 %"
    assert said("latency", 0.025) == "25 ms"
    assert said("latency", 2.0) == "2 s"
