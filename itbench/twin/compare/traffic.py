"""Hold two recordings of traffic against each other: which calls fail, how, how many, and how latency moves.

A recording has one line a second and service (see `flow.recording`); two lines of a service in a second are two of its
pods. Machines differ and share their processors, so latency is compared by how it moves against the same recording's
time before the change, and error texts by the kind of failure that they tell of.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from pydantic import Field, ValidationError

from itbench.datasets.files import read_bytes
from itbench.model.base import Model
from itbench.model.errors import DatasetError, UsageError

MAX_BYTES = 200_000_000

# A share of errors below this is taken for chance, unless the other recording has more than three times as much.
_SOME = 0.02
SHARE_TOLERANCE = 0.15
SECONDS_TOLERANCE = 10.0
# Latency has moved when it changed by half a decade; by less it may be the machine.
_MOVED = 0.5
_DECADE = 1.0

Place: TypeAlias = tuple[str, str]
"""A service and a side of it: `serve`, or `call:` and the callee."""

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("refused", r"refused"),
        ("name resolution", r"gaierror|getaddrinfo|name resolution|resolve|no such host|unknownhost|not known"),
        ("time-out", r"time-?d? ?out|deadline"),
        ("reset", r"reset|broken pipe|EOF\b|disconnected|closed"),
    )
)
_STATUS = re.compile(r"\b([45]\d\d)\b")


def kind_of(text: str, side: str) -> str:
    """The kind of failure that an error text tells of; of a server's failures also the callee that it names."""
    callee, colon, reason = text.partition(": ")
    prefix = f"{callee}: " if side == "serve" and colon else ""
    told = reason if prefix else text
    for kind, pattern in _KINDS:
        if pattern.search(told):
            return prefix + kind
    status = _STATUS.search(told)
    return prefix + (f"HTTP {status[1]}" if status else "other")


class _Side(Model):
    n: int = Field(ge=0)
    err: dict[str, int] = Field(default_factory=dict)
    p50: float | None = None
    p95: float | None = None


@dataclass(slots=True)
class Tally:
    """What was seen at a place during some time.

    Attributes:
        count: requests or calls.
        kinds: failures by kind.
        milliseconds: sum over the requests of their second's median.
        first, last: second of the first and the last failure.
    """

    count: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    milliseconds: float = 0.0
    first: float = math.inf
    last: float = -math.inf

    def share(self, kind: str) -> float:
        """How many of the requests failed in this way."""
        return self.kinds[kind] / self.count if self.count else 0.0

    @property
    def latency(self) -> float:
        """Mean over the requests of their second's median, in ms; nan without requests."""
        return self.milliseconds / self.count if self.count else math.nan


@dataclass(slots=True)
class Recording:
    """A recording, summed up before the change, under it, and all in all.

    Attributes:
        seconds: how long the time under the change was.
    """

    before: dict[Place, Tally]
    under: dict[Place, Tally]
    seconds: float


def read_recording(path: Path, start: float = 0.0, end: float = math.inf) -> Recording:
    """Sum up a recording.

    Args:
        path: JSON lines.
        start: second of the change; the five seconds around it count for neither side.
        end: second at which the change was taken back.

    Raises:
        UsageError: a line is not of a recording of traffic; with its number.
    """
    before: dict[Place, Tally] = defaultdict(Tally)
    under: dict[Place, Tally] = defaultdict(Tally)
    last = start
    for second, place, side in _sides(path):
        if start + 5 <= second < end:
            _add(under[place], second, place[1], side)
            last = max(last, second)
        elif second < start - 1:
            _add(before[place], second, place[1], side)
    return Recording(dict(before), dict(under), max(last - start - 5, 1.0))


def _add(tally: Tally, second: float, name: str, side: _Side) -> None:
    tally.count += side.n
    tally.milliseconds += side.n * (side.p50 or 0.0)
    for text, number in side.err.items():
        tally.kinds[kind_of(text, name)] += number
    if side.err:
        tally.first, tally.last = min(tally.first, second), max(tally.last, second)


def _sides(path: Path) -> Iterator[tuple[float, Place, _Side]]:
    try:
        lines = read_bytes(path, MAX_BYTES).decode("utf-8").splitlines()
    except DatasetError as error:
        raise UsageError(error.message, path=path) from error
    except UnicodeDecodeError as error:
        raise UsageError("not UTF-8 text", path=path) from error
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            second, service = float(entry.pop("t")), str(entry.pop("s"))
            for name, side in entry.items():
                yield second, (service, name), _Side.model_validate(side)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ValidationError) as error:
            raise UsageError("not a line of a recording of traffic", path=path, line=number) from error


class Row(Model):
    """What two recordings say of one place and one kind of failure.

    Attributes:
        kind: None for the latency of the place.
        first, second: shares of failures; for latency the factor by which it moved.
        first_when, second_when: first and last second at which failures of any kind show at the place; None for latency,
            and where there are none.
        agrees: whether that is the same within what such recordings can tell.
        note: why not.
    """

    service: str
    side: str
    kind: str | None
    first: float | None
    second: float | None
    first_when: tuple[float, float] | None = None
    second_when: tuple[float, float] | None = None
    agrees: bool
    note: str = ""


class TrafficComparison(Model):
    """How far two recordings agree.

    Attributes:
        places: share of the places at which the same kinds of failures show.
        shares: share of the kinds of failures whose frequency agrees within ±0.15.
        latency: share of the places whose latency moves in the same direction, by the same order of magnitude.
        times: share of the failing places where failures begin and end together, within 10 s.
        rates: share of the places that see the same change of traffic.
    """

    places: float
    shares: float
    latency: float
    times: float
    rates: float
    rows: tuple[Row, ...]


def compare_traffic(first: Recording, second: Recording) -> TrafficComparison:
    """Hold two recordings of the same change against each other."""
    places = sorted({*first.before, *first.under, *second.before, *second.under})
    failures = {place: list(_failures(first, second, place)) for place in places}
    latency = [row for place in places for row in _latency(first, second, place)]
    shares = [row for rows in failures.values() for row in rows]
    return TrafficComparison(
        places=_part(all(not row.note for row in rows) for rows in failures.values()),
        shares=_part(row.agrees for row in shares),
        latency=_part(row.agrees for row in latency),
        times=_part(_together(first, second, place) for place, rows in failures.items() if rows),
        rates=_part(_same_rate(first, second, place) for place in places),
        rows=tuple(sorted((*shares, *latency), key=lambda row: (row.service, row.side, row.kind or ""))),
    )


def _failures(first: Recording, second: Recording, place: Place) -> Iterator[Row]:
    one, other = first.under.get(place, Tally()), second.under.get(place, Tally())
    for kind in sorted({*one.kinds, *other.kinds}):
        shares = one.share(kind), other.share(kind)
        if max(shares) < _SOME:
            continue
        # Where a place is hardly reached any more in one recording, nothing can be said.
        seen = min(one.count, other.count) >= 0.02 * max(one.count, other.count)
        missing = seen and min(shares) < _SOME and max(shares) > 3 * _SOME
        agrees = not seen or abs(shares[0] - shares[1]) <= SHARE_TOLERANCE
        yield Row(
            service=place[0],
            side=place[1],
            kind=kind,
            first=shares[0],
            second=shares[1],
            first_when=_when(one),
            second_when=_when(other),
            agrees=agrees and not missing,
            note="only in one" if missing else "",
        )


def _when(tally: Tally) -> tuple[float, float] | None:
    return (tally.first, tally.last) if tally.first <= tally.last else None


def _latency(first: Recording, second: Recording, place: Place) -> Iterator[Row]:
    factors = [_factor(recording, place) for recording in (first, second)]
    if not all(math.isfinite(factor) for factor in factors):
        return
    one, other = (math.log10(factor) for factor in factors)
    opposite = max(abs(one), abs(other)) >= _MOVED and (one * other < 0 or min(abs(one), abs(other)) < _MOVED / 2)
    agrees = not opposite and abs(one - other) < _DECADE
    yield Row(
        service=place[0],
        side=place[1],
        kind=None,
        first=factors[0],
        second=factors[1],
        agrees=agrees,
        note="" if agrees else "moves otherwise" if opposite else "another order of magnitude",
    )


def _factor(recording: Recording, place: Place) -> float:
    """By what factor latency moved at a place; nan where it cannot be told."""
    before, under = recording.before.get(place, Tally()).latency, recording.under.get(place, Tally()).latency
    return under / before if before > 0 and under > 0 else math.nan


def _together(first: Recording, second: Recording, place: Place) -> bool:
    one, other = first.under.get(place, Tally()), second.under.get(place, Tally())
    if not (one.kinds and other.kinds):
        return False
    return abs(one.first - other.first) <= SECONDS_TOLERANCE and abs(one.last - other.last) <= SECONDS_TOLERANCE


def _same_rate(first: Recording, second: Recording, place: Place) -> bool:
    """Whether the traffic under the change is the same share of all that reaches the application, within a quarter."""
    shares = []
    for recording in (first, second):
        most = max((tally.count for tally in recording.under.values()), default=0)
        shares.append(recording.under.get(place, Tally()).count / most if most else 0.0)
    return abs(shares[0] - shares[1]) <= 0.25


def _part(truths: Iterable[bool]) -> float:
    listed = list(truths)
    return sum(listed) / len(listed) if listed else 1.0


def worst(comparison: TrafficComparison) -> Mapping[str, float]:
    """The measures by name, the lowest first."""
    values = comparison.model_dump(exclude={"rows"})
    return dict(sorted(values.items(), key=lambda item: item[1]))
