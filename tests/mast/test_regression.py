"""All modes at once: what drives failure has its odds, what only goes along has none, and too few traces are refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from itbench.mast.effects import Observation
from itbench.mast.regression import Regression, regress

pytest.importorskip("statsmodels")


def traces(
    scenarios: int, trials: int, seed: int = 0, effect: float = 2.0, base: float = -1.0
) -> dict[str, list[Observation]]:
    """Mode `1.1` raises the log-odds of failure from `base` by `effect`; `1.2` goes with it; `1.3` is never seen."""
    rng = np.random.default_rng(seed)
    seen: dict[str, list[Observation]] = {"1.1": [], "1.2": [], "1.3": []}
    for scenario in range(scenarios):
        hard = rng.normal(0, 0.3)
        for _ in range(trials):
            cause = rng.random() < 0.5
            along = rng.random() < (0.8 if cause else 0.2)
            failed = bool(rng.random() < 1 / (1 + math.exp(-base - hard - effect * cause)))
            for code, present in (("1.1", cause), ("1.2", along), ("1.3", False)):
                seen[code].append(Observation(f"S{scenario}", failed, "present" if present else "absent"))
    return seen


def odds(found: Regression) -> dict[str, tuple[float, float, float]]:
    return {each.code: (each.ratio, each.low, each.high) for each in found.odds}


def test_what_only_goes_along_with_the_cause_is_told_from_it() -> None:
    found = regress(traces(60, 10))
    assert (found.traces, found.scenarios, found.refused, found.left_out) == (600, 60, "", ("1.3",))
    ratio, low, high = odds(found)["1.1"]
    assert low < math.exp(2.0) < high
    assert ratio == pytest.approx(math.exp(2.0), rel=0.35)
    assert odds(found)["1.2"][1] < 1 < odds(found)["1.2"][2]


def test_traces_that_say_the_same_again_do_not_make_it_surer() -> None:
    once = traces(60, 5)
    again = {code: [each for each in seen for _ in range(4)] for code, seen in once.items()}
    (one, low, high), (same, low_again, high_again) = odds(regress(once))["1.1"], odds(regress(again))["1.1"]
    assert same == pytest.approx(one)
    assert math.log(high_again / low_again) == pytest.approx(math.log(high / low), rel=0.02)


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (traces(9, 60), "9 scenarios, of at least 10"),
        (traces(10, 1), "no mode has 5 traces"),
        (traces(12, 10, effect=0.3, base=-2.0), "14 traces of the rarer outcome, of at least 20 for 2 modes"),
    ],
)
def test_data_that_do_not_allow_it_are_refused_with_a_reason(seen: dict[str, list[Observation]], why: str) -> None:
    found = regress(seen)
    assert found.odds == ()
    assert why in found.refused


def test_a_mode_that_another_one_determines_is_left_out() -> None:
    seen = traces(60, 10)
    seen["1.4"] = list(seen["1.1"])
    assert set(odds(regress(seen))) == {"1.1", "1.2"}


def test_traces_without_a_verdict_on_success_do_not_count() -> None:
    seen = traces(60, 10)
    more = {code: [*own, Observation("S0", None, "present")] for code, own in seen.items()}
    assert regress(more) == regress(seen)
