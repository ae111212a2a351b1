"""When a Schedule is due: cron fields, or `@every 5m` counted from the last time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from itbench.twin.chaos.terms import seconds_of
from itbench.twin.control.schedule import Schedule


class Timetable(Protocol):
    """When something is due."""

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time after `moment`; None if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Every:
    """A constant distance."""

    seconds: float

    def next_after(self, moment: datetime) -> datetime:
        """So much later, on a whole second."""
        return (moment + timedelta(seconds=self.seconds)).replace(microsecond=0)


def read_timetable(text: str) -> Timetable:
    """Read `spec.schedule` of a Schedule.

    Raises:
        ValueError: it is none.
    """
    if not text.startswith("@every "):
        return Schedule.parse(text)
    seconds = seconds_of(text.removeprefix("@every "))
    if seconds <= 0:
        raise ValueError(f"failed to parse duration {text}")
    return Every(max(seconds // 1, 1.0))
