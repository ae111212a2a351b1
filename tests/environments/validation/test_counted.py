from __future__ import annotations

import pytest

from itbench.environments.validation.counted import between, counted, shifts


def metrics(made: int, failed: int, milliseconds: float, service: str = "cart", kind: str = "SERVER") -> str:
    labels = f'service_name="{service}",span_name="GET",span_kind="SPAN_KIND_{kind}"'
    family = "traces_span_metrics_calls_total"
    return (
        f'{family}{{{labels},status_code="STATUS_CODE_UNSET"}} {made - failed}\n'
        f'{family}{{{labels},status_code="STATUS_CODE_ERROR"}} {failed}\n'
        f"traces_span_metrics_duration_milliseconds_sum{{{labels}}} {milliseconds}\n"
    )


def test_answers_are_counted_by_service() -> None:
    text = metrics(100, 5, 2500) + metrics(7, 0, 70, "mail", "CONSUMER") + metrics(50, 50, 9, "cart", "CLIENT")
    found = counted("# HELP\n" + text)
    assert set(found) == {"cart", "mail"}
    assert (found["cart"].requests, found["cart"].failed, found["cart"].seconds) == (100, 5, 2.5)


def test_the_difference_is_what_happened_meanwhile() -> None:
    level = between(counted(metrics(100, 5, 1000)), counted(metrics(150, 25, 6000)))["cart"]
    assert (level.requests, level.share, level.latency) == (50, 0.4, pytest.approx(0.1))


def test_counters_that_began_anew_lose_what_was_before() -> None:
    assert between(counted(metrics(100, 5, 1000)), counted(metrics(20, 1, 100)))["cart"].requests == 20


def test_services_move_from_one_stretch_to_the_other() -> None:
    moments = [
        counted(metrics(*numbers)) for numbers in ((100, 0, 1000), (200, 0, 2000), (300, 0, 3000), (400, 90, 103_000))
    ]
    found = shifts((moments[0], moments[1]), (moments[2], moments[3]))["cart"]
    assert (found.errors(), found.latency()) == ("up", "up")


def test_a_service_that_only_one_stretch_knows_did_nothing_in_the_other() -> None:
    nothing = counted("")
    now = counted(metrics(100, 0, 1000))
    assert shifts((nothing, nothing), (nothing, now))["cart"].errors() is None
