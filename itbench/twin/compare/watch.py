"""Hold two watch streams against each other: which events came and when, how the pods were, who got traffic.

Names, uids and the times between single steps differ between any two clusters, so events are compared by the kind of
object and the reason, pods by what a person would say of them, and a state agrees if the other stream has it within ten
seconds.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from itbench.cluster.protocol import Change
from itbench.datasets.files import read_bytes
from itbench.model.base import Model
from itbench.model.errors import DatasetError, UsageError
from itbench.twin.objects import is_deleting, is_finished, is_ready, node_of

MAX_BYTES = 500_000_000
SAMPLE_SECONDS = 5.0
LAG_SECONDS = 10.0
EARLIEST = -1.0
"""Second from which events count; what comes before belongs to the start of the recording."""

Key: TypeAlias = tuple[str, str, str]
Scene: TypeAlias = tuple[tuple[tuple[str, int], ...], int, int]
"""Pods by state, ready addresses, services."""

_CHANGES = frozenset(("ADDED", "MODIFIED", "DELETED"))
_FAILING = frozenset({"CrashLoopBackOff", "Error", "OOMKilled", "RunContainerError", "StartError", "PostStartHookError"})
_PULLING = frozenset({"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"})


@dataclass
class Occurrence:
    """An event in one stream: how often it was counted, and when first."""

    count: int = 0
    first: float = math.inf


@dataclass
class Stream:
    """A stream, summed up.

    Attributes:
        events: by kind of object and reason.
        scenes: the state after each moment at which something changed.
    """

    events: dict[tuple[str, str], Occurrence] = field(default_factory=dict)
    scenes: list[tuple[float, Scene]] = field(default_factory=list)
    namespaces: frozenset[str] = frozenset()

    @property
    def end(self) -> float:
        """The last moment."""
        return self.scenes[-1][0] if self.scenes else 0.0

    def at(self, time: float) -> Scene:
        """The scene at a second."""
        index = bisect_right(self.scenes, time, key=lambda item: item[0])
        return self.scenes[index - 1][1] if index else ((), 0, 0)

    def near(self, time: float) -> list[Scene]:
        """All scenes within the lag around a second."""
        inside = [scene for moment, scene in self.scenes if abs(moment - time) <= LAG_SECONDS]
        return [self.at(time - LAG_SECONDS), *inside]


class EventRow(Model):
    """An event in both streams; None where one has it not."""

    kind: str
    reason: str
    first: int | None
    second: int | None
    first_seconds: float | None
    second_seconds: float | None


class Difference(Model):
    """A span of time in which the streams tell different states."""

    start: float
    end: float
    first: str
    second: str


class WatchComparison(Model):
    """How far two streams agree.

    Attributes:
        events: events (kind and reason) that both have, as a share of all.
        states: share of the time in which the pods are alike.
        endpoints: share of the time in which as many addresses get traffic and there are as many services.
    """

    events: float
    states: float
    endpoints: float
    rows: tuple[EventRow, ...]
    differences: tuple[Difference, ...]


def read_stream(path: Path, namespaces: frozenset[str] | None = None, until: float = math.inf) -> Stream:
    """Sum a stream up.

    Args:
        path: JSON lines with `t`, `type` and `object`.
        namespaces: look at these alone.
        until: the last second to look at.

    Raises:
        UsageError: a line is not of a watch stream; with its number.
    """
    stream, objects, seen = Stream(), dict[Key, Any](), set[str]()
    for time, change, obj in watch_lines(path):
        namespace = str(obj["metadata"].get("namespace") or "")
        if time > until or (namespaces is not None and namespace not in namespaces):
            continue
        seen.add(namespace)
        if obj["kind"] == "Event":
            if time >= EARLIEST and change != "DELETED":
                _count(stream, time, obj)
            continue
        key = (obj["kind"], namespace, str(obj["metadata"]["name"]))
        if change == "DELETED":
            objects.pop(key, None)
        else:
            objects[key] = obj
        stream.scenes.append((time, _scene(objects)))
    stream.namespaces = frozenset(seen)
    return stream


def compare_streams(first: Path, second: Path, until: float = math.inf) -> WatchComparison:
    """Hold two streams against each other in the namespaces that both have.

    Args:
        first: a file.
        second: another.
        until: the last second to look at; by default the end of the longer one.

    Raises:
        UsageError: a file is no watch stream.
    """
    common = read_stream(first).namespaces & read_stream(second).namespaces
    one, other = read_stream(first, common, until), read_stream(second, common, until)
    rows = [_row(key, one, other) for key in sorted({*one.events, *other.events})]
    end = until if math.isfinite(until) else max(one.end, other.end)  # a stream that falls silent stays as it is
    times = [SAMPLE_SECONDS * index for index in range(int(max(0.0, end) // SAMPLE_SECONDS) + 1)]
    return WatchComparison(
        events=_share(row.first is not None and row.second is not None for row in rows),
        states=_share(_alike(one, other, time, 0) for time in times),
        endpoints=_share(_alike(one, other, time, 1) and _alike(one, other, time, 2) for time in times),
        rows=tuple(rows),
        differences=tuple(_differences(one, other, times)),
    )


def state_of(pod: dict[str, Any]) -> str:
    """What a person would say of a pod."""
    status = pod.get("status") or {}
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    states = [container.get("state") or {} for container in containers]
    reasons = {str((state.get("waiting") or state.get("terminated") or {}).get("reason")) for state in states}
    restarts = max((int(item.get("restartCount") or 0) for item in status.get("containerStatuses") or ()), default=0)
    words = (
        ("leaving", is_deleting(pod)),
        (str(status.get("phase", "")).lower(), is_finished(pod)),
        ("failing", bool(reasons & _FAILING) or restarts > 1),
        ("pulling", bool(reasons & _PULLING)),
        ("misconfigured", "CreateContainerConfigError" in reasons),
        ("without a node", node_of(pod) is None),
        ("ready", is_ready(pod)),
        ("running", bool(states) and all("running" in state for state in states)),
    )
    return next((word for word, holds in words if holds), "starting")


def watch_lines(path: Path) -> Iterator[tuple[float, Change, dict[str, Any]]]:
    """The lines of a stream: second, what happened, object.

    Raises:
        UsageError: a line is not of a watch stream; with its number.
    """
    try:
        text = read_bytes(path, MAX_BYTES).decode("utf-8")
    except DatasetError as error:
        raise UsageError(error.message, path=path) from error
    except UnicodeDecodeError as error:
        raise UsageError("not UTF-8 text", path=path) from error
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            entry = json.loads(line)
            obj = entry["object"]
            if not isinstance(obj["kind"], str) or not isinstance(obj["metadata"]["name"], str):
                raise TypeError
            if entry["type"] not in _CHANGES:
                raise ValueError
            yield float(entry["t"]), entry["type"], obj
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UsageError("not a line of a watch stream", path=path, line=number) from error


def _count(stream: Stream, time: float, event: dict[str, Any]) -> None:
    involved = event.get("involvedObject") or event.get("regarding") or {}
    found = stream.events.setdefault((str(involved.get("kind")), str(event.get("reason"))), Occurrence())
    found.count += 1
    found.first = min(found.first, time)


def _scene(objects: dict[Key, Any]) -> Scene:
    pods = Counter(state_of(obj) for (kind, _, _), obj in objects.items() if kind == "Pod")
    del pods["leaving"]
    ready = sum(
        len(endpoint.get("addresses") or ())
        for (kind, _, _), obj in objects.items()
        if kind == "EndpointSlice"
        for endpoint in obj.get("endpoints") or ()
        if (endpoint.get("conditions") or {}).get("ready")
    )
    return tuple(sorted(pods.items())), ready, sum(kind == "Service" for kind, _, _ in objects)


def _row(key: tuple[str, str], one: Stream, other: Stream) -> EventRow:
    found = (one.events.get(key), other.events.get(key))
    counts = [None if item is None else item.count for item in found]
    times = [None if item is None else round(item.first, 1) for item in found]
    return EventRow(
        kind=key[0], reason=key[1], first=counts[0], second=counts[1], first_seconds=times[0], second_seconds=times[1]
    )


def _alike(one: Stream, other: Stream, time: float, part: int) -> bool:
    """Whether a part of the scenes is the same, give or take the lag; what fails comes and goes with its restarts."""
    here, there = one.at(time), other.at(time)
    if part == 1 and "failing" in dict(here[0]) and "failing" in dict(there[0]):
        return True
    return any(scene[part] == here[part] for scene in other.near(time)) or any(
        scene[part] == there[part] for scene in one.near(time)
    )


def _differences(one: Stream, other: Stream, times: Sequence[float]) -> Iterator[Difference]:
    """Spans of samples that do not agree, joined where both streams stay as they are."""
    span: Difference | None = None
    for start in times:
        if all(_alike(one, other, start, part) for part in (0, 1, 2)):
            continue
        told = _told(one.at(start)), _told(other.at(start))
        if span is not None and span.end == start and (span.first, span.second) == told:
            span = span.model_copy(update={"end": start + SAMPLE_SECONDS})
            continue
        if span is not None:
            yield span
        span = Difference(start=start, end=start + SAMPLE_SECONDS, first=told[0], second=told[1])
    if span is not None:
        yield span


def _told(scene: Scene) -> str:
    pods = ", ".join(f"{count} {state}" for state, count in scene[0]) or "no pods"
    return f"{pods}; {scene[1]} addresses of {scene[2]} services"


def _share(truths: Iterable[bool]) -> float:
    listed = list(truths)
    return sum(listed) / len(listed) if listed else 1.0
