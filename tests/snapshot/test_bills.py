"""Bills: every row is used, or refused with its line; nothing is guessed, and size does not matter."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from itbench.snapshot.cost_columns import bill_columns
from itbench.snapshot.snapshot import Snapshot, open_snapshot

HEADER = "date,Account ID,CSP,Cloud_Service,Application,Instance_Family,Price ($/hr),Num_Instances,unblended_cost"


def bill(tmp_path: Path, *rows: str, header: str = HEADER) -> Snapshot:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "data.csv").write_text("\n".join((header, *rows)) + "\n")
    return open_snapshot(tmp_path / "s", cache_dir=tmp_path / "cache")


def row(day: str = "2026-05-01", cost: str = "1", instances: str = "1", application: str = "web") -> str:
    return f"{day},7,AWS,EC2,{application},m5,0.1,{instances},{cost}"


def told(snapshot: Snapshot) -> list[tuple[int | None, str]]:
    return [(problem.line, problem.message) for problem in snapshot.problems]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row(cost="NaN"), "no readable cost: NaN"),
        (row(cost="inf"), "no readable cost: inf"),
        (row(cost=""), "no readable cost: (empty)"),
        (row(cost='"1,234"'), "no readable cost: 1,234"),
        (row(cost="$5"), "no readable cost: $5"),
        (row(day="10/13/2025"), "no readable date: 10/13/2025"),
        (row(day="2026-02-30"), "no readable date: 2026-02-30"),
        ("2026-05-01,7,AWS", "3 fields where the header has 9"),
        (row() + ",more", "10 fields where the header has 9"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_with_its_line(tmp_path: Path, bad: str, message: str) -> None:
    with bill(tmp_path, row(application="a"), "", bad, row(application="b")) as snapshot:
        assert told(snapshot) == [(4, message)]
        assert snapshot.query("SELECT application FROM stored.costs ORDER BY row") == [("a",), ("b",)]


def test_lines_are_counted_through_quoted_newlines(tmp_path: Path) -> None:
    with bill(tmp_path, row(application='"two\nlines"'), row(cost="x"), "a,b") as snapshot:
        assert told(snapshot) == [(4, "no readable cost: x"), (5, "2 fields where the header has 9")]


def test_separators_that_can_mean_nothing_else_are_removed_and_said(tmp_path: Path) -> None:
    with bill(tmp_path, row(cost='"1,234.56"'), row(cost='"-1,234,567"')) as snapshot:
        assert [line for line, message in told(snapshot) if "thousands separators" in message] == [2, 3]
        assert snapshot.query("SELECT cost FROM stored.costs ORDER BY row") == [(1234.56,), (-1234567.0,)]


def test_refunds_are_kept(tmp_path: Path) -> None:
    with bill(tmp_path, row(cost="10"), row(cost="-4")) as snapshot:
        assert told(snapshot) == []
        assert snapshot.query("SELECT sum(cost) FROM stored.costs") == [(6.0,)]


def test_a_repeated_row_is_counted_and_said(tmp_path: Path) -> None:
    with bill(tmp_path, row(), row(application="x"), row()) as snapshot:
        assert told(snapshot) == [(4, "the same as line 2; both are counted")]


def test_missing_days_are_said_where_they_end(tmp_path: Path) -> None:
    with bill(tmp_path, row("2026-05-01"), row("2026-05-04")) as snapshot:
        assert told(snapshot) == [(3, "no rows between 2026-05-01 and 2026-05-04 (2 days missing)")]


def test_currencies_are_not_added_up(tmp_path: Path) -> None:
    rows = [row(application=name) + f",{code}" for name, code in (("a", "USD"), ("b", "EUR"), ("c", "usd"))]
    with bill(tmp_path, *rows, header=HEADER + ",currency") as snapshot:
        assert told(snapshot) == [(3, "not added up with the others, whose currency is USD: EUR")]
        found = snapshot.bill()
        assert found is not None
        assert (found.currency, found.rows) == ("USD", 2)


def test_one_zone_is_as_written_and_several_become_utc(tmp_path: Path) -> None:
    with bill(tmp_path, row("2026-05-01T23:30:00-05:00"), row("2026-05-02T23:30:00-05:00")) as snapshot:
        assert snapshot.query("SELECT min(day) FROM stored.costs") == [(date(2026, 5, 1),)]
    (tmp_path / "b").mkdir()
    with bill(tmp_path / "b", row("2026-05-01T23:30:00-05:00"), row("2026-05-02T10:00:00Z")) as snapshot:
        assert "times state different zones (-05:00, Z): days are those of UTC" in [message for _, message in told(snapshot)]
        assert snapshot.query("SELECT day FROM stored.costs ORDER BY row") == [(date(2026, 5, 2),), (date(2026, 5, 2),)]


def test_an_unreadable_number_of_instances_is_unknown_not_0(tmp_path: Path) -> None:
    with bill(tmp_path, row(instances="many")) as snapshot:
        assert told(snapshot) == [(2, "instances is no number, and read as unknown: many")]
        assert snapshot.query("SELECT instances, cost FROM stored.costs") == [(None, 1.0)]


def test_a_quote_that_is_never_closed_is_noticed(tmp_path: Path) -> None:
    with bill(tmp_path, row(), row(application='"web'), row()) as snapshot:
        assert told(snapshot), "rows went missing without a word"


def test_columns_may_be_called_otherwise() -> None:
    columns = bill_columns(("Usage_Date", "linked account", "provider", "service", "App", "instance type", "cost", "team"))
    assert columns.names == ("day", "account", "csp", "service", "application", "family", "cost", "team")
    assert ("Usage_Date", "date") in columns.renamed()
    assert columns.unknown() == ("team",)
    assert columns.absent() == ("Price ($/hr)", "Num_Instances")
    assert columns.find("Application") == "application"


def test_other_tables_are_read_beside_the_bill(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "usage.csv").write_text(
        "date,resource_id,metric,value,unit\n2026-05-01,a,requests,5,r\n2026-05-02,a,requests,x,r\n"
    )
    (tmp_path / "s" / "alerts.csv").write_text("rule,scope\nBudget,7\n")
    (tmp_path / "s" / "budgets.csv").write_text("budget_id,budget_name,month,amount\nbudget-7,Team 7,2026-05,x\n")
    (tmp_path / "s" / "data.csv").write_text(f"{HEADER}\n{row()}\n")
    with open_snapshot(tmp_path / "s", cache_dir=tmp_path / "cache") as snapshot:
        assert told(snapshot) == [
            (3, "value is no number: x"),
            (2, "amount is no number: x"),  # a budget's id and name are none either, and need not be
            (1, "there is no column fired_on; the file is left out"),
        ]
        assert snapshot.query("SELECT value FROM stored.usage ORDER BY row") == [(5.0,), (None,)]
        assert snapshot.sql("SELECT count(*) AS n FROM usage").rows == ((2,),)
        assert not snapshot.has("cost_alerts")


_MEASURED = """
import resource, sys, pathlib
from itbench.snapshot.snapshot import open_snapshot
with open_snapshot(pathlib.Path(sys.argv[1]), cache_dir=pathlib.Path(sys.argv[2])) as snapshot:
    print(snapshot.bill().rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.integration
def test_a_large_bill_is_read_in_bounded_memory(tmp_path: Path) -> None:
    """A stand-in for one of 2 GB: 120 MB take far less than a GB of memory, as they would if rows were kept."""
    (tmp_path / "s").mkdir()
    lines = [
        row(f"2026-05-{day:02d}", f"{day}.{number}", application=f"application-{number:05d}")
        for day in range(1, 21)
        for number in range(900)
    ]
    block = "\n".join(lines) + "\n"
    with (tmp_path / "s" / "data.csv").open("w") as stream:
        stream.write(HEADER + "\n")
        for part in range(110):
            stream.write(block.replace("application-", f"application-{part:03d}-"))
    size = (tmp_path / "s" / "data.csv").stat().st_size
    assert size > 100e6
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(tmp_path / "s"), str(tmp_path / "c")],
        capture_output=True,
        text=True,
        check=True,
    )
    rows, megabytes = map(int, done.stdout.split())
    assert rows == 110 * len(lines)
    assert megabytes < 1000
