from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from itbench.authoring.branching import futures
from itbench.model.errors import ItbenchError


def test_futures_do_not_see_each_other_and_come_in_order() -> None:
    world = {"time": 1}

    def later(seconds: int) -> int:
        world["time"] += seconds
        return world["time"]

    assert futures([partial(later, 10), partial(later, 20), partial(later, 30)], at_once=2) == [11, 21, 31]
    assert world == {"time": 1}


def test_a_large_answer_passes_whole() -> None:
    assert futures([lambda: b"x" * 3_000_000]) == [b"x" * 3_000_000]


def test_an_error_and_a_death_are_told() -> None:
    def fails() -> int:
        raise ValueError("no such pod")

    def dies() -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    with pytest.raises(RuntimeError, match="ValueError: no such pod"):
        futures([fails])
    with pytest.raises(ItbenchError, match="has died"):
        futures([dies, dies], at_once=2)
