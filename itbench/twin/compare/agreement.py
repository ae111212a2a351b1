"""How far a twin and another environment tell the same of one fault: six aspects, each with what only one of them says.

The denominators have only what the fault moved in at least one of the worlds: objects that stay as they are in both would
make any twin look good.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal, TypeAlias

from itbench.model.base import Model
from itbench.twin.compare.service_levels import Shift
from itbench.twin.compare.worlds import World

AspectName = Literal["events", "states", "order", "alerts", "onsets", "errors", "latency"]
ASPECTS: tuple[AspectName, ...] = ("events", "states", "order", "alerts", "onsets", "errors", "latency")

TIE_SECONDS = 1.0
"""Of what is so close together in either world no order is told."""

AlertKey: TypeAlias = str
"""An alert's rule and what it is about."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one environment tells of a fault.

    Attributes:
        world: its objects.
        shifts: of the services.
        alerts: seconds from the fault until each first fired; None where alerts were not waited for.
    """

    world: World
    shifts: Mapping[str, Shift] = field(default_factory=dict)
    alerts: Mapping[AlertKey, float] | None = None


class Aspect(Model):
    """One aspect of one fault.

    Attributes:
        agreement: from 0 to 1; None where there is nothing to compare, and `note` says why.
        both: what both tell.
        twin_only, other_only: what one of them tells.
    """

    agreement: float | None
    both: tuple[str, ...] = ()
    twin_only: tuple[str, ...] = ()
    other_only: tuple[str, ...] = ()
    note: str = ""


def compare(twin: Told, other: Told, onset_tolerance: float) -> dict[AspectName, Aspect]:
    """Hold what a twin tells of a fault against what another environment tells.

    Args:
        twin: with as many seconds under the fault as the other.
        other: the same.
        onset_tolerance: seconds by which alerts may begin at different times.
    """
    return {
        "events": _events(twin.world, other.world),
        "states": _states(twin.world, other.world),
        "order": _order(twin.world, other.world),
        "alerts": _alerts(twin.alerts, other.alerts),
        "onsets": _onsets(twin.alerts, other.alerts, onset_tolerance),
        "errors": _directions({name: shift.errors() for name, shift in twin.shifts.items()}, other.shifts, "errors"),
        "latency": _directions({name: shift.latency() for name, shift in twin.shifts.items()}, other.shifts, "latency"),
    }


def _events(twin: World, other: World) -> Aspect:
    """Which events there were, by what they are about and their reason."""
    ours, theirs = ({f"{about}: {reason}" for about, reason in world.events} for world in (twin, other))
    return _sets(ours, theirs, "no events")


def _states(twin: World, other: World) -> Aspect:
    """How the objects are in the end: facts that moved, fields that were changed, and why pods wait or end."""
    verdicts = (*_facts(twin, other), *_fields(twin, other), *_reasons(twin, other))
    return _judged(
        ((f"{name}: {ours}", f"{name}: {theirs}", alike) for name, (ours, theirs), alike in verdicts), "no object moved"
    )


_Verdict: TypeAlias = tuple[str, tuple[str, str], bool]
"""What it is about, what each world says, and whether that is the same."""


def _facts(twin: World, other: World) -> Iterator[_Verdict]:
    for item in sorted({*twin.histories, *other.histories}):
        values = twin.last(item), other.last(item)
        # What comes and goes, as a crash loop does, is the same if the other world had it just now.
        alike = values[0] in other.late(item) or values[1] in twin.late(item)
        if not alike or twin.before(item) != values[0] or other.before(item) != values[1]:
            yield f"{item[0]} {item[1]}", values, alike


def _fields(twin: World, other: World) -> Iterator[_Verdict]:
    for subject in sorted({*twin.fields, *other.fields}):
        values = twin.fields.get(subject, "as before"), other.fields.get(subject, "as before")
        yield f"{subject} fields", values, values[0] == values[1]


def _reasons(twin: World, other: World) -> Iterator[_Verdict]:
    for subject, reason in sorted({*twin.reasons, *other.reasons}):
        values = tuple(reason if (subject, reason) in world.reasons else "never" for world in (twin, other))
        yield f"{subject} a pod", (values[0], values[1]), values[0] == values[1]


def _order(twin: World, other: World) -> Aspect:
    """Of any two states that came up in both worlds, whether they did so in the same order."""
    ours, theirs = _milestones(twin), _milestones(other)
    common = sorted(ours.keys() & theirs.keys())
    alike, otherwise = 0, []
    for one, two in combinations(common, 2):
        apart = ours[two] - ours[one], theirs[two] - theirs[one]
        if min(abs(apart[0]), abs(apart[1])) < TIE_SECONDS:
            continue
        if apart[0] * apart[1] > 0:
            alike += 1
        else:
            otherwise.append((one, two) if apart[0] > 0 else (two, one))
    total = alike + len(otherwise)
    return Aspect(
        agreement=alike / total if total else None,
        twin_only=tuple(f"{first} before {second}" for first, second in otherwise),
        other_only=tuple(f"{second} before {first}" for first, second in otherwise),
        note="" if total else "nothing comes one after the other",
    )


def _milestones(world: World) -> dict[str, float]:
    """When each state first came up."""
    found: dict[str, float] = {}
    for (subject, aspect), values in world.histories.items():
        for second, value in values:
            if second >= 0:
                found.setdefault(f"{subject} {aspect}: {value}", second)
    for (subject, reason), second in world.reasons.items():
        found[f"{subject} {reason}"] = second
    return found


_NO_ALERTS = "not waited for: alerts take minutes"


def _alerts(twin: Mapping[AlertKey, float] | None, other: Mapping[AlertKey, float] | None) -> Aspect:
    if twin is None or other is None:
        return Aspect(agreement=None, note=_NO_ALERTS)
    return _sets(set(twin), set(other), "none fires")


def _onsets(twin: Mapping[AlertKey, float] | None, other: Mapping[AlertKey, float] | None, tolerance: float) -> Aspect:
    if twin is None or other is None:
        return Aspect(agreement=None, note=_NO_ALERTS)
    verdicts = (
        (f"{key} after {twin[key]:.0f} s", f"{key} after {other[key]:.0f} s", abs(twin[key] - other[key]) <= tolerance)
        for key in sorted(twin.keys() & other.keys())
    )
    return _judged(verdicts, "none fires in both")


def _directions(twin: Mapping[str, str | None], other: Mapping[str, Shift], of: Literal["errors", "latency"]) -> Aspect:
    """Whether services move in the same direction; those that stay as they are in both are not counted."""
    words = {
        name: (twin[name], other[name].errors() if of == "errors" else other[name].latency())
        for name in sorted(twin.keys() & other.keys())
    }
    verdicts = (
        (f"{name} {ours}", f"{name} {theirs}", ours == theirs)
        for name, (ours, theirs) in words.items()
        if None not in (ours, theirs) and (ours, theirs) != ("same", "same")
    )
    return _judged(verdicts, "no service moved" if other else "nobody counted requests")


def _judged(verdicts: Iterable[tuple[str, str, bool]], empty: str) -> Aspect:
    """What each world says of something, and whether that is the same."""
    told = tuple(verdicts)
    both = tuple(ours for ours, _, alike in told if alike)
    return Aspect(
        agreement=len(both) / len(told) if told else None,
        both=both,
        twin_only=tuple(ours for ours, _, alike in told if not alike),
        other_only=tuple(theirs for _, theirs, alike in told if not alike),
        note="" if told else empty,
    )


def _sets(ours: Collection[str], theirs: Collection[str], empty: str) -> Aspect:
    union = {*ours, *theirs}
    return Aspect(
        agreement=len({*ours} & {*theirs}) / len(union) if union else None,
        both=_sorted({*ours} & {*theirs}),
        twin_only=_sorted({*ours} - {*theirs}),
        other_only=_sorted({*theirs} - {*ours}),
        note="" if union else empty,
    )


def _sorted(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(words))


def differing(aspects: Mapping[AspectName, Aspect]) -> Iterator[tuple[AspectName, Aspect]]:
    """The aspects in which not all is alike."""
    return ((name, aspect) for name, aspect in aspects.items() if aspect.agreement is not None and aspect.agreement < 1)
