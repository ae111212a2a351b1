"""Costs against baselines worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from itbench.snapshot.snapshot import open_snapshot
from itbench.tools.toolbox import Toolbox

Rows = Callable[[str], list[dict[str, str]]]
DAY = date(2026, 2, 25)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Toolbox]:
    """Four weeks at 10 a day for web (2 instances at 0.2), 30 of batch on the day and on no other; api costs less by 4."""
    lines = ["date,Account ID,CSP,Application,Price ($/hr),Num_Instances,unblended_cost"]
    for back in range(28, -1, -1):
        day = DAY - timedelta(days=back)
        lines.append(f"{day},1,AWS,web,{0.4 if back == 0 else 0.2},2,{20 if back == 0 else 10}")
        lines.append(f"{day},1,AWS,api,0.1,{1 if back == 0 else 3},{2 if back == 0 else 6}")
        if back == 0:
            lines.append(f'{day},1,AWS,"batch, nightly",0.5,4,30')
    lines += ["not-a-day,1,AWS,web,0.2,2,10", f"{DAY},1,AWS,web,0.2,2,lots"]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "data.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "data" / "anomaly.json").write_text('{"date": "2026-02-25", "account_id": "1"}')
    with Toolbox(open_snapshot(tmp_path / "data", cache_dir=tmp_path / "cache"), "finops") as opened:
        yield opened


def test_the_largest_changes_come_first_with_price_and_quantity(box: Toolbox, rows: Rows) -> None:
    text = box.call("costs", {"group_by": "application"}).text
    batch, web, api = rows(text)
    assert "total: 52.00, median before 16.00" in text
    assert (batch["Application"], batch["cost"], batch["change"], batch["first_day"]) == (
        "batch, nightly", "30.00", "+30.00 (new)", "2026-02-25",
    )  # fmt: skip
    assert (web["baseline"], web["change"], web["instances"], web["price"]) == (
        "10.00",
        "+10.00 (+100%)",
        "2 → 2",
        "0.2 → 0.4",
    )
    assert (api["change"], api["same_weekday"], api["instances"], api["price"]) == (
        "-4.00 (-67%)",
        "6.00",
        "3 → 1",
        "0.1 → 0.1",
    )


def test_rows_can_be_chosen(box: Toolbox, rows: Rows) -> None:
    (web,) = rows(box.call("costs", {"where": "Application=web", "day": "2026-02-24"}).text)
    assert (web["cost"], web["change"]) == ("10.00", "+0.00 (+0%)")


@pytest.mark.parametrize(
    ("arguments", "lesson"),
    [
        ({"group_by": "Colour"}, "Columns: Account ID, CSP, Application"),
        ({"where": ["Application=wb"]}, "Did you mean web"),
        ({"where": ["web"]}, "Write Column=value"),
        ({"day": "soon"}, "the bills go from 2026-01-28 to 2026-02-25"),
    ],
)
def test_mistakes_are_answered_with_what_would_be_right(box: Toolbox, arguments: dict, lesson: str) -> None:
    answer = box.call("costs", arguments)
    assert answer.is_error
    assert lesson in answer.text


def test_bad_rows_are_counted_with_their_lines(tmp_path: Path, box: Toolbox) -> None:
    with open_snapshot(tmp_path / "data", cache_dir=tmp_path / "cache") as snapshot:
        assert [(problem.file, problem.line) for problem in snapshot.problems] == [("data.csv", 61), ("data.csv", 62)]
        bill = snapshot.bill()
        assert bill is not None
        assert (bill.anomaly_day, bill.account, bill.rows) == (DAY, "1", 59)
        assert snapshot.query("SELECT price FROM stored.costs ORDER BY row LIMIT 1") == [(0.2,)]


def test_a_file_without_costs_says_which_column_is_missing(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("date,what\n2026-01-01,x\n")
    with open_snapshot(tmp_path, cache_dir=tmp_path / "cache") as snapshot:
        assert [str(problem.message) for problem in snapshot.problems] == ["there is no column unblended_cost"]


def test_a_snapshot_without_bills_has_none(toolbox: Toolbox) -> None:
    answer = toolbox.call("costs", {})
    assert not answer.is_error
    assert "no bills" in answer.text
