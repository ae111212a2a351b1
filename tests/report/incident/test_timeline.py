from __future__ import annotations

from datetime import UTC, datetime, timedelta

from itbench.report.incident.timeline import Bar, Reports, bars_of, folded, marks_of, ordinary, reports_of
from itbench.snapshot.records import Alert
from itbench.twin.incident.simulate import Simulation

BEGIN = datetime(2026, 3, 1, 10, tzinfo=UTC)


def sightings(name: str, since: int, fires: int, last: int, **labels: str) -> list[Alert]:
    """Minutes."""
    return [
        Alert(
            time=BEGIN + timedelta(minutes=minute),
            labels={"alertname": name, **labels},
            state="firing" if minute >= fires else "pending",
            active_since=BEGIN + timedelta(minutes=since),
        )
        for minute in range(since, last + 1)
    ]


def test_a_bar_runs_from_activation_over_firing_to_the_end() -> None:
    (bar,) = bars_of(sightings("Slow", 3, 5, 9, service_name="cart"), [], BEGIN, {})
    assert bar == Bar("Slow", "cart", since=180, fires=300, until=600, innocent=False)


def test_what_never_fires_has_no_bar_and_what_comes_back_has_two() -> None:
    alerts = [*sightings("A", 1, 99, 4, pod="x"), *sightings("B", 1, 2, 3, pod="x-1"), *sightings("B", 7, 8, 9, pod="x-1")]
    bars = bars_of(alerts, [], BEGIN, {"x-1": "x"})
    assert [(bar.name, bar.about, bar.since) for bar in bars] == [("B", "x", 60), ("B", "x", 420)]


def test_alerts_of_the_healthy_world_are_innocent() -> None:
    alerts = [*sightings("A", 1, 2, 3, service_name="x"), *sightings("A", 1, 2, 3, service_name="y")]
    bars = bars_of(alerts, sightings("A", 5, 6, 7, service_name="x"), BEGIN, {})
    assert {bar.about: bar.innocent for bar in bars} == {"x": True, "y": False}


def test_too_many_bars_become_one_for_each_alert() -> None:
    bars = [Bar("A", f"s{number}", 60.0 + number, 120, 180 + number, False) for number in range(5)]
    bars.append(Bar("B", "x", 0, 1, 2, False))
    assert [count for _, count in folded(bars, 6)] == [1] * 6
    assert list(folded(bars, 5)) == [(Bar("A", "5 services", 60, 120, 184, False), 5), (Bar("B", "x", 0, 1, 2, False), 1)]


def test_events_that_are_no_warnings_share_a_row() -> None:
    reports = [
        Reports("Failed", "x", True, (3,)),
        Reports("Pulled", "x", False, (2,)),
        Reports("Started", "x", False, (1, 4)),
    ]
    assert list(ordinary(reports)) == [reports[0], Reports("ordinary events", "x", False, (1, 2, 4))]


def test_marks_are_the_faults_at_their_times(simulation: Simulation) -> None:
    assert [(mark.time, mark.what, mark.text) for mark in marks_of(simulation.measured.worlds)] == [
        (300.0, "fault", "Deployment/store"),
        (420.0, "fault", "Deployment/reco"),
    ]


def test_events_are_those_that_the_healthy_world_does_not_have(simulation: Simulation) -> None:
    reports = reports_of(simulation.measured.worlds)
    assert {item.about for item in reports} == {"store", "reco"}
    assert any(item.reason == "Failed" and item.about == "reco" and item.warning for item in reports)
    assert any(item.reason == "Killing" and item.about == "store" and not item.warning for item in reports)
    assert min(time for item in reports for time in item.times) >= 300
