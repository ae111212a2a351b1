"""Collateral damage by comparison with the time before the fault and the time under it."""

from __future__ import annotations

import pytest

from itbench.environments.kind.damage import collateral, damaged_by, span_of, stretch
from itbench.environments.kind.tallies import Callees, Seen, Tally
from itbench.model.safety import Damage

# load → front → cart, quote, mail
CALLEES = Callees({}, {"front": frozenset({"load"})} | {name: frozenset({"front"}) for name in ("cart", "quote", "mail")})
NORMAL = {name: Tally(500.0, 0.0, {10.0: 500.0, 100.0: 500.0}) for name in ("front", "cart", "quote", "mail")}
FAULT = {**NORMAL, "front": Tally(100.0, 20.0), "cart": Tally(100.0, 100.0)}


def work(**tallies: Tally) -> list[Seen]:
    """Ten seconds in which this was counted."""
    return [Seen(0.0, {}), Seen(10.0, tallies)]


def damage(seen: list[Seen], touched: tuple[str, ...] = ()) -> list[Damage]:
    return collateral(NORMAL, FAULT, seen, CALLEES, touched)


def test_what_only_fails_while_somebody_works_is_damage() -> None:
    (found,) = damage(work(quote=Tally(100.0, 60.0), mail=Tally(100.0, 0.0)))
    assert (found.service, found.slow) == ("quote", False)
    assert found.requests == pytest.approx(60, abs=2)
    assert found.share == pytest.approx(0.59, abs=0.02)


def test_what_the_fault_damages_is_not_held_against_anybody() -> None:
    assert damaged_by(NORMAL, FAULT) == ["front", "cart"]
    assert damage(work(cart=Tally(200.0, 200.0), front=Tally(200.0, 200.0))) == []
    assert damage(work(quote=Tally(100.0, 90.0)), touched=("quote",)) == []


def test_who_calls_a_damaged_service_is_damaged_by_the_fault_too() -> None:
    quiet = {"front": Tally(100.0, 0.0), "cart": Tally(100.0, 100.0)}
    assert collateral(NORMAL, quiet, work(front=Tally(100.0, 50.0)), CALLEES, ()) == []


def test_a_few_failures_are_chance() -> None:
    assert damage(work(quote=Tally(100.0, 1.0))) == []


def test_a_service_that_nobody_had_called_before_is_not_judged() -> None:
    assert damage(work(new=Tally(100.0, 100.0))) == []


def test_a_short_outage_is_seen_in_a_long_time() -> None:
    seen = [Seen(0.0, {}), Seen(10.0, {"mail": Tally(100.0, 80.0)}), Seen(600.0, {"mail": Tally(6000.0, 80.0)})]
    (found,) = damage(seen)
    assert found.requests == pytest.approx(79, abs=2)
    assert found.share < 0.02


def test_requests_that_take_far_longer_than_before_are_damage() -> None:
    (found,) = damage(work(mail=Tally(100.0, 0.0, {10.0: 10.0, 100.0: 20.0})))
    assert (found.service, found.slow) == ("mail", True)
    assert found.requests == pytest.approx(79, abs=2)
    assert "took far longer" in str(found)
    assert damage(work(mail=Tally(100.0, 0.0, {10.0: 10.0, 100.0: 90.0}))) == []  # a busy machine does as much


def test_what_the_fault_has_made_slow_already_is_not_held_against_anybody() -> None:
    slow = Tally(100.0, 0.0, {10.0: 40.0, 100.0: 50.0})
    assert collateral(NORMAL, {**FAULT, "mail": slow}, work(mail=slow), CALLEES, ()) == []


def test_few_requests_under_the_fault_do_not_excuse_everything() -> None:
    alone = {"quote": Tally(2.0, 0.0)}
    (found,) = collateral(NORMAL, alone, work(quote=Tally(20.0, 20.0)), CALLEES, ())
    assert found.requests > 19


def test_a_stretch_is_what_was_counted_from_its_first_look_to_its_last() -> None:
    seen = [Seen(float(at), {"cart": Tally(at * 10.0)}) for at in (1, 2, 5)]
    assert stretch(span_of(seen, 1.5)) == {"cart": Tally(30.0)}
    assert stretch(span_of(seen, 0.0, 2.0)) == {"cart": Tally(10.0)}
    assert stretch(span_of(seen, 4.0)) == {}
