"""Times as agents write them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from itbench.snapshot.records import Alert, LogRecord
from itbench.tools.clock import Clock, iso, seconds
from itbench.tools.errors import ToolError
from itbench.tools.session import Session
from tests.tools.conftest import Story, at, incident

CLOCK = Clock(at(0), at(20), at(11), "because")


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("2026-03-01T12:05:00Z", 5), ("2026-03-01 12:05", 5), ("2026-03-01T13:05:00+01:00", 5), ("12:05", 5),
        ("12:05:30", 5.5),
        ("12:05Z", 5), ("start", 0), ("end", 20), ("incident", 11), ("start+5m", 5), ("end-90s", 18.5),
        ("incident - 1m30s", 9.5),
        ("-10m", 1), ("+2m", 13), ("Start+1h", 60), (" start ", 0),
    ],
)  # fmt: skip
def test_each_spelling_means_its_time(text: str, minutes: float) -> None:
    assert CLOCK.parse(text) == at(minutes)


@pytest.mark.parametrize(
    "text", ["", " ", "soon", "25:00", "12:61", "start+5", "start*2", "5m", "2026-13-01", "end-+5m", "٣:00"]
)
def test_anything_else_is_refused_with_the_formats_and_the_range(text: str) -> None:
    with pytest.raises(ToolError) as caught:
        CLOCK.parse(text)
    assert "ISO 8601" in str(caught.value)
    assert "2026-03-01T12:00:00Z to 2026-03-01T12:20:00Z" in str(caught.value)


def test_durations_add_their_parts() -> None:
    assert seconds("1h30m5s") == 5405
    assert seconds("1.5d") == 129_600
    with pytest.raises(ToolError):
        seconds("5 minutes")


def test_milliseconds_are_shown_where_there_are_any() -> None:
    assert iso(at(0)) == "2026-03-01T12:00:00Z"
    assert iso(at(0) + timedelta(milliseconds=7)) == "2026-03-01T12:00:00.007Z"


def test_the_incident_is_when_the_first_alert_became_active(session_of: Callable[[Story], Session]) -> None:
    clock = session_of(incident()).clock
    assert (clock.start, clock.incident, clock.end) == (at(0), at(11), at(20))


def alert(minute: float, active: datetime) -> Alert:
    return Alert(at(minute), {"alertname": "A", "pod": f"p{minute}"}, "firing", active)


def test_an_alert_that_was_active_before_the_recording_does_not_tell(session_of: Callable[[Story], Session]) -> None:
    story = Story(logs=[LogRecord(at(0), "x"), LogRecord(at(20), "y")], alerts=[alert(1, at(-60)), alert(8, at(7))])
    assert session_of(story).clock.incident == at(7)


def test_without_a_telling_alert_it_is_the_middle_and_says_so(session_of: Callable[[Story], Session]) -> None:
    clock = session_of(Story(logs=[LogRecord(at(0), "x"), LogRecord(at(20), "y")])).clock
    assert clock.incident == at(10)
    assert "no alert fired" in clock.reason
