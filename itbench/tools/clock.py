"""The times of an incident, and how an agent may write a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from itbench.tools.errors import ToolError

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhd])", re.ASCII)
_RELATIVE = re.compile(rf"(start|end|incident)?\s*(?:([+-])\s*({_DURATION.pattern}))?", re.IGNORECASE | re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?Z?", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
FORMATS = (
    "ISO 8601 (2026-03-03T10:05:00Z; no zone means UTC), 10:05 or 10:05:30 on the day of the incident, "
    "or relative: start, end, incident (when the first alert became active), start+5m, end-90s, incident-10m, -10m"
)


@dataclass(frozen=True, slots=True)
class Clock:
    """When telemetry begins and ends, and when the incident showed.

    Attributes:
        start: the first log record, span, sample or alert; events and objects may be older.
        end: the last of anything recorded.
        incident: when the first alert became active, or the middle where no alert tells.
        reason: why `incident` is what it is.
    """

    start: datetime
    end: datetime
    incident: datetime
    reason: str

    def parse(self, text: str) -> datetime:
        """The time that `text` means.

        Raises:
            ToolError: it is none of the formats.
        """
        text = text.strip()
        if text and (match := _RELATIVE.fullmatch(text)):
            base = {"start": self.start, "end": self.end}.get((match[1] or "").lower(), self.incident)
            return _moved(base, seconds(match[3]) * (-1 if match[2] == "-" else 1) if match[3] else 0.0, text)
        if match := _CLOCK.fullmatch(text):
            hour, minute, second = int(match[1]), int(match[2]), float(match[3] or 0)
            if hour < 24 and minute < 60 and second < 60:
                midnight = self.incident.replace(hour=0, minute=0, second=0, microsecond=0)
                return midnight + timedelta(hours=hour, minutes=minute, seconds=second)
        try:
            time = datetime.fromisoformat(text)
            return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
        except (ValueError, OverflowError):
            raise ToolError(f"{text[:80]!r} is not a time", hint=f"Write {FORMATS}. {self}") from None

    def __str__(self) -> str:
        return f"The recording covers {iso(self.start)} to {iso(self.end)}; the incident showed at {iso(self.incident)}"


def seconds(text: str) -> float:
    """The seconds in `90s`, `5m` or `1h30m`.

    Raises:
        ToolError: it is no duration.
    """
    text = text.strip().lower()
    if not _DURATION.fullmatch(text):
        raise ToolError(f"{text[:80]!r} is not a duration", hint="Write for example 30s, 5m, 1h30m or 1d")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def iso(time: datetime) -> str:
    """UTC to the second, or to the millisecond where there are any."""
    time = time.astimezone(UTC)
    return time.isoformat(timespec="milliseconds" if time.microsecond else "seconds").replace("+00:00", "Z")


def _moved(base: datetime, offset: float, text: str) -> datetime:
    try:
        return base + timedelta(seconds=offset)
    except OverflowError:
        raise ToolError(f"{text[:80]!r} is too far away", hint=f"Write {FORMATS}") from None
