"""Waiting on a real cluster."""

from __future__ import annotations

from itbench.environments.kind.injecting import HastyPacer


def test_what_will_never_be_is_not_waited_for() -> None:
    asked = 0

    def never() -> bool:
        nonlocal asked
        asked += 1
        return False

    assert not HastyPacer(0.0).until(never, 3600)
    assert asked == 1


def test_what_is_there_is_seen_at_once() -> None:
    assert HastyPacer(0.0).until(lambda: True, 3600)
