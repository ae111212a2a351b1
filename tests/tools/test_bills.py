"""The arithmetic of bills, and the tools over it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itbench.snapshot.snapshot import open_snapshot
from itbench.tools.bills.decompose import Side, decompose
from itbench.tools.bills.detect import esd, outliers
from itbench.tools.bills.shift import find_shift
from itbench.tools.bills.usual import calendar, fit
from itbench.tools.toolbox import Toolbox

FIRST = date(2026, 2, 2)  # a Monday
WEEK = np.array([1.0, 1, 1, 1, 1, 0.5, 0.5])
MONEY = st.floats(-1e6, 1e6, allow_nan=False)
SIDES = st.dictionaries(st.sampled_from("abcde"), st.builds(Side, MONEY, st.none() | st.floats(0, 1e5)), max_size=5)


def usual(days: int = 140, level: float = 100.0, noise: float = 0.02) -> np.ndarray:
    return level * WEEK[np.arange(days) % 7] * (1 + noise * np.random.default_rng(1).standard_normal(days))


@given(SIDES, SIDES)
def test_the_parts_of_a_change_add_up(before: dict[str, Side], after: dict[str, Side]) -> None:
    found = decompose(before, after)
    scale = 1 + sum(abs(side.cost) for side in (*before.values(), *after.values()))
    units = 1 + max((side.units or 0 for side in (*before.values(), *after.values())), default=0)
    assert sum(found.parts) == pytest.approx(found.change, abs=1e-9 * scale * units)


def test_price_quantity_and_mix_are_told_apart() -> None:
    assert decompose({"a": Side(10, 10)}, {"a": Side(20, 10)}).price == 10
    assert decompose({"a": Side(10, 10)}, {"a": Side(20, 20)}).quantity == 10
    mixed = decompose({"a": Side(10, 10), "b": Side(30, 10)}, {"a": Side(0.0001, 0.0001), "b": Side(60, 20)})
    assert mixed.mix == pytest.approx(20, abs=0.01)
    assert mixed.quantity == pytest.approx(0, abs=0.01)
    assert decompose({"a": Side(5, 1)}, {"b": Side(7, 1)}).parts == (0, 0, 0, 7, -5, 0)
    assert decompose({"a": Side(5, None)}, {"a": Side(7, None)}).uncounted == 2


def test_weekdays_are_usual_and_a_new_level_is_a_shift() -> None:
    values = usual()
    assert outliers(values, FIRST) == []
    values[125:] += 30
    shift = find_shift(values, FIRST)
    assert shift is not None
    assert (shift.place, shift.ramp) == (125, False)
    assert shift.amount == pytest.approx(15 * 30, rel=0.1)
    assert {one.place for one in outliers(values, FIRST)} == set(range(125, 140))


def test_a_ramp_is_dated_at_its_beginning() -> None:
    values = usual()
    values[120:] += 3 * np.arange(1, 21)
    shift = find_shift(values, FIRST)
    assert shift is not None
    assert shift.ramp
    assert abs(shift.place - 120) <= 1


def test_a_trend_is_carried_on() -> None:
    values = usual() * (1 + 0.004 * np.arange(140))
    shift = find_shift(values, FIRST)
    assert shift is not None
    assert abs(shift.amount) < 0.02 * values[shift.place :].sum() + 30


def test_a_job_at_the_end_of_each_month_is_usual() -> None:
    place = calendar(FIRST, 140).place
    values = np.where(place >= 37, 200.0, 0.0)  # the last three days
    expected = fit(values[:110], FIRST).expected(FIRST, 140)
    assert np.abs(expected - values)[60:].max() == 0


def test_stl_finds_the_same(tmp_path: Path) -> None:
    pytest.importorskip("statsmodels")
    values = usual()
    values[70] += 60
    assert 70 in [one.place for one in outliers(values, FIRST, "stl")]
    assert [one.place for one in outliers(values, FIRST, "esd")] == [70]


@given(st.lists(st.floats(-1, 1), min_size=25, max_size=60), st.integers(0, 24))
def test_esd_finds_what_is_far_away(values: list[float], place: int) -> None:
    series = np.array(values)
    series[place] = 1e6
    assert place in esd(series, 0.05, 5)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Toolbox]:
    """Ten weeks of two applications in two services; batch doubles its instances ten days before the end."""
    lines = ["date,Account ID,CSP,Cloud_Service,Application,Instance_Family,Price ($/hr),Num_Instances,unblended_cost"]
    for number in range(70):
        day = FIRST + timedelta(days=number)
        count = 8 if number >= 60 else 4
        lines.append(f"{day},7,AWS,EC2,batch,m5,0.5,{count},{count * 12}")
        lines.append(f"{day},7,AWS,S3,web,standard,0.01,1000,{240 + number % 3}")
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "data.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "s" / "anomaly.json").write_text(f'{{"date": "{FIRST + timedelta(days=62)}", "account_id": "7"}}')
    (tmp_path / "s" / "allocation.csv").write_text(
        "date,namespace,controller,cpuCost,totalCost\n"
        + "".join(f"{FIRST + timedelta(days=number)},shop,batch,{2 if number >= 62 else 1},{5}\n" for number in range(70))
    )
    with Toolbox(open_snapshot(tmp_path / "s", cache_dir=tmp_path / "cache"), "finops") as opened:
        yield opened


def test_drilldown_says_since_when_and_how_much(box: Toolbox) -> None:
    text = box.call("drilldown", {"group_by": "Application"}).text
    assert f"batch | {FIRST + timedelta(days=60)} | +480.00 | 100% | +48.00 | step" in text


def test_decompose_says_why(box: Toolbox) -> None:
    periods = {"before": f"{FIRST}..{FIRST + timedelta(days=27)}", "after": f"{FIRST + timedelta(days=63)}.."}
    periods["after"] += str(FIRST + timedelta(days=69))
    answer = box.call("decompose", {"group_by": "Application", "where": "Application=batch", **periods})
    assert "48.00 | 96.00 | +48.00 (+100%) | 0 | 48.00 | 0 | 0 | 0 | 0 | quantity" in answer.text


def test_periods_are_compared(box: Toolbox) -> None:
    first, last = FIRST, FIRST + timedelta(days=6)
    answer = box.call("compare_periods", {"before": f"{first}..{last}", "after": f"{FIRST + timedelta(days=63)}.."})
    assert "48.00 | 96.00 | +48.00 (+100%) | 4 → 8 | 0.5 → 0.5" in answer.text
    assert box.call("compare_periods", {"before": "2020-01-01..2020-01-07"}).is_error


def test_stretches_of_anomalous_days_are_told_once(box: Toolbox) -> None:
    text = box.call("anomalies", {"group_by": "Application"}).text
    assert "stretches 1–1 of 1" in text
    assert f"batch | {FIRST + timedelta(days=60)} | {FIRST + timedelta(days=69)} | 10 | 960.00 | 480.00 | +480.00" in text


def test_allocation_is_by_workload(box: Toolbox) -> None:
    text = box.call("allocation", {"period": f"{FIRST + timedelta(days=63)}..{FIRST + timedelta(days=69)}"}).text
    assert "shop | batch" in text
    assert "2.00 | 5.00" in text


def test_overview_and_sql_know_the_bill(box: Toolbox) -> None:
    assert "costs: 140 rows" in box.call("overview", {}).text
    assert "batch" in box.call("sql", {"query": "SELECT application, sum(cost) FROM costs GROUP BY 1"}).text


@pytest.mark.parametrize("tool", ["overview", "drilldown", "anomalies", "compare_periods", "decompose"])
def test_without_a_bill_every_tool_says_so(toolbox: Toolbox, tool: str) -> None:
    answer = toolbox.call(tool, {})
    assert not answer.is_error
    assert "no bills" in answer.text
