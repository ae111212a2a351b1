"""metric_names, metrics and metric_anomalies against answers worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from itbench.snapshot.records import Series
from itbench.tools.toolbox import Toolbox
from tests.tools.conftest import Story, at

Rows = Callable[[str], list[dict[str, str]]]


def counter(code: str, *values: float, metric: str = "calls_total", service: str = "cart", **labels: str) -> Series:
    return Series(
        metric, "service", service, {"code": code, **labels}, tuple((at(n), value) for n, value in enumerate(values))
    )  # fmt: skip


@pytest.fixture
def box(tell: Callable[[Story], Toolbox]) -> Toolbox:
    """Calls of cart: 60 a minute, restarting at minute 3; errors: a quarter from minute 2 on. Calls of db: 120 a minute."""
    buckets = {"100": (0, 40, 80), "200": (0, 80, 160), "+Inf": (0, 100, 200)}
    return tell(
        Story(
            series=[
                counter("ok", 0, 60, 105, 45, 90),
                counter("err", 0, 0, 15, 30, 45),
                counter("ok", 0, 120, 240, 360, 480, service="db"),
                *(
                    Series(
                        "ms_bucket", "service", "cart", {"le": le}, tuple((at(n), float(v)) for n, v in enumerate(values))
                    )
                    for le, values in buckets.items()
                ),
                Series("memory_bytes", "pod", "cart-0", {}, ((at(0), 100.0), (at(1), 300.0), (at(4), 500.0))),
            ]
        )
    )


def ask(box: Toolbox, rows: Rows, expression: str, **arguments: object) -> dict[str, dict[str, str]]:
    answer = box.call("metrics", {"expression": expression, "step": "1m", "since": "12:00", "until": "12:05", **arguments})
    assert not answer.is_error, answer.text
    found = rows(answer.text)
    first = next(iter(found[0]), "") if found else ""
    return {row[first]: row for row in found}


def test_rates_are_per_second_and_survive_a_restart(box: Toolbox, rows: Rows) -> None:
    # ok gains 60, 45, 45 (restart at 45), 45 and err 0, 15, 15, 15: together one a second throughout.
    found = ask(box, rows, "calls_total")
    assert [found["cart"][f"12:0{n}:00"] for n in range(5)] == ["-", "1", "1", "1", "1"]
    assert found["db"]["mean"] == "2"


def test_shares_are_quotients_of_groups(box: Toolbox, rows: Rows) -> None:
    found = ask(box, rows, 'rate(calls_total{code="err"}) / rate(calls_total)')
    assert [found["cart"][f"12:0{n}:00"] for n in range(1, 5)] == ["0", "0.25", "0.25", "0.25"]
    assert "db" not in found  # no errors were recorded there


def test_arithmetic_with_numbers_and_increase_over_the_step(box: Toolbox, rows: Rows) -> None:
    found = ask(box, rows, 'increase(calls_total{object="db"}) * 2 + 1')
    assert found["db"]["max"] == "241"


def test_groups_are_by_labels_and_aggregated(box: Toolbox, rows: Rows) -> None:
    assert set(ask(box, rows, "calls_total", group_by="code")) == {"ok", "err"}
    assert ask(box, rows, "calls_total", group_by=["code"])["ok"]["12:02:00"] == "2.75"
    assert ask(box, rows, "calls_total", group_by=["code"], agg="max")["ok"]["12:02:00"] == "2"
    assert ask(box, rows, "calls_total", group_by=["code"], agg="avg")["ok"]["12:02:00"] == "1.375"
    whole = box.call("metrics", {"expression": "calls_total", "group_by": []}).text
    assert "calls_total, sum by nothing" in whole


def test_quantiles_are_of_what_was_counted_in_the_step(box: Toolbox, rows: Rows) -> None:
    # 100 observations a minute: 40 up to 100, 40 more up to 200. The 50th lies a quarter into the second bucket.
    found = ask(box, rows, "p50(ms_bucket)")
    assert [found["cart"][f"12:0{n}:00"] for n in range(3)] == ["-", "125", "125"]


def test_patterns_match_whole_values(box: Toolbox, rows: Rows) -> None:
    assert set(ask(box, rows, 'calls_total{code=~"o."}', group_by="code")) == {"ok"}
    assert set(ask(box, rows, 'calls_total{code!~"o.*"}', group_by="code")) == {"err"}
    assert set(ask(box, rows, 'calls_total{code!="ok"}', group_by="code")) == {"err"}
    assert "no groups" in box.call("metrics", {"expression": 'calls_total{code=~"o"}'}).text


def test_gauges_keep_their_values_and_one_object_can_be_asked(box: Toolbox, rows: Rows) -> None:
    found = ask(box, rows, "memory_bytes", object="shop/Pod/cart-0")
    assert [found["cart-0"][each] for each in ("min", "mean", "max", "12:02:00")] == ["100", "300", "500", "-"]


@pytest.mark.parametrize(
    ("arguments", "lesson"),
    [
        ({"expression": "cals_total"}, "Did you mean calls_total"),
        ({"expression": "p95(calls_total)"}, "needs a metric of buckets"),
        ({"expression": "calls_total", "group_by": "colour"}, "Labels: code, object, object_kind"),
        ({"expression": "calls_total", "object": "crt"}, "Did you mean cart"),
        ({"expression": "calls_total", "step": "1s"}, "more than 60 steps"),
        ({"expression": "calls_total", "step": "0s"}, "more than 60 steps"),
        ({"expression": "calls_total", "step": "soon"}, "not a duration"),
        ({"expression": 'calls_total{code=~"("}'}, "missing )"),
        ({"expression": "rate(calls_total[5m])"}, "choose the resolution with step"),
        ({"expression": 'p50(ms_bucket{le!="+Inf"})'}, "kept no bucket le=+Inf, only 100, 200"),
    ],
)
def test_mistakes_are_answered_with_what_would_be_right(box: Toolbox, arguments: dict, lesson: str) -> None:
    answer = box.call("metrics", arguments)
    assert answer.is_error
    assert lesson in answer.text


def test_a_number_alone_is_just_that(box: Toolbox) -> None:
    assert "6 * 7 is 42" in box.call("metrics", {"expression": "6 * 7"}).text


def test_a_pattern_that_others_choke_on_takes_no_time(box: Toolbox) -> None:
    assert not box.call("metrics", {"expression": 'calls_total{code=~"(o+)+$"}'}).is_error


def test_names_tell_type_counts_and_labels(box: Toolbox, rows: Rows) -> None:
    found = {row["metric"]: row for row in rows(box.call("metric_names", {}).text)}
    assert (found["calls_total"]["type"], found["calls_total"]["series"], found["calls_total"]["samples"]) == (
        "counter",
        "3",
        "15",
    )
    assert (found["ms_bucket"]["type"], found["ms_bucket"]["labels"]) == ("histogram", "le")
    assert found["memory_bytes"]["type"] == "gauge"
    assert [row["metric"] for row in rows(box.call("metric_names", {"contains": "MEM"}).text)] == ["memory_bytes"]


def test_anomalies_are_per_series_and_the_steady_one_is_none(toolbox: Toolbox, rows: Rows) -> None:
    # cart: 100, 101, 100, … until minute 11, 300 from then on; front keeps on alternating.
    text = toolbox.call("metric_anomalies", {}).text
    (found,) = rows(text)
    assert text.startswith("2 series compared before and after 2026-03-01T12:11:00Z")
    assert (found["object"], found["median_before"], found["median_after"]) == ("cart-7d9f-x1", "100", "300")
    # MAD is 0, so a deviation is 1 % of the largest value, 3.
    assert found["score"] == "+66.7"


def test_anomalies_of_counters_are_of_their_rates(tell: Callable[[Story], Toolbox], rows: Rows) -> None:
    grows = tuple(60.0 * n if n < 11 else 600.0 + 600 * (n - 10) for n in range(20))
    box = tell(Story(series=[counter("ok", *grows), counter("ok", *(30.0 * n for n in range(20)), service="db")]))
    (found,) = rows(box.call("metric_anomalies", {"pivot": "12:11"}).text)
    assert (found["object"], found["median_before"], found["median_after"]) == ("cart", "1/s", "10/s")


def test_series_that_are_too_short_are_counted(tell: Callable[[Story], Toolbox]) -> None:
    late = Series("memory_bytes", "pod", "new", {}, tuple((at(n), 1.0) for n in range(15, 20)))
    long = Series("memory_bytes", "pod", "old", {}, tuple((at(n), 1.0) for n in range(20)))
    text = tell(Story(series=[late, long])).call("metric_anomalies", {"pivot": "12:11"}).text
    assert "1 have fewer than 3 samples on a side, 1 of them are new" in text
