"""What happened in an organisation besides the bill: deployments, scaling, prices, commitments, tags.

Causes leave the traces that they would leave, in plain words; most of what happens has nothing to do with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from itbench.model.cost import BenignClass, CauseClass
from itbench.model.cost_scenario import BenignChange, Cause
from itbench.twin.cost.preparation import Prepared
from itbench.twin.cost.world import World
from itbench.twin.randomness import Streams

_DEPLOYED = (
    "release {number} rolled out",
    "release {number} rolled out: dependencies updated",
    "release {number} rolled out: new settings for connection pools",
    "settings changed: feature flags",
    "release {number} rolled back to the one before",
)


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """Something that happened. `resource` is `application/NAME`, `family/NAME`, `commitment/NAME` or `account/NAME`."""

    time: datetime
    kind: str
    resource: str
    message: str


def events_of(prepared: Prepared, world: World) -> list[Event]:
    """Everything that is on record, in the order of time."""
    streams = Streams(prepared.seed)
    found = [*_everyday(prepared, streams), *_scaling(prepared, world)]
    for index, (cause, day) in enumerate(zip(prepared.scenario.causes, prepared.onsets, strict=True)):
        found.append(_event(prepared, streams, f"causes[{index}]", day, *_of_cause(cause)))
    for index, (change, day) in enumerate(zip(prepared.scenario.benign, prepared.benign, strict=True)):
        message = _of_benign(change)
        if message is not None:
            found.append(_event(prepared, streams, f"benign[{index}]", day, *message))
    return sorted(found)


def _event(prepared: Prepared, streams: Streams, entity: str, day: int, kind: str, resource: str, message: str) -> Event:
    minute = int(streams.uniform(entity, "minute") * 9 * 60)
    moment = datetime.combine(prepared.calendar.dates[max(day, 0)], time(0, 5), UTC)
    # In the night before, as far as the day's bill is concerned: it is charged from the first hour on.
    return Event(moment - timedelta(minutes=minute), kind, resource, message)


def _everyday(prepared: Prepared, streams: Streams) -> Iterator[Event]:
    """Deployments, about one each two weeks and application, and a change of tags or of an autoscaler now and then."""
    dates = prepared.calendar.dates[: prepared.scenario.days]
    for name, application in prepared.organisation.applications.items():
        draws = streams.generator(name, "deployments").random((len(dates), 4))
        number = 100 + int(100 * draws[0, 3])
        pooled = any(line.kind == "pool" for line in application.lines)
        for day, (happens, hour, which, _) in zip(dates, draws, strict=True):
            moment = datetime.combine(day, time(8), UTC) + timedelta(minutes=int(hour * 600))
            if happens < 0.07 and day.weekday() < 5:
                number += 1
                text = _DEPLOYED[int(which * len(_DEPLOYED))].format(number=number)
                yield Event(moment, "deployment", f"application/{name}", text)
            elif happens > 0.995 and pooled:
                yield Event(moment, "scaling", f"application/{name}", "autoscaler settings applied: limits reviewed")
            elif 0.985 < happens < 0.988:
                yield Event(moment, "tags", f"application/{name}", "tag owner corrected on one resource")


def _scaling(prepared: Prepared, world: World) -> Iterator[Event]:
    """Days on which a workload reached the most pods that its autoscaler may start."""
    for line in world.lines:
        service = line.use.service
        if line.plan.spec.kind != "pool" or service is None:
            continue
        full = service.replicas.max(axis=1) >= line.plan.most
        for day in range(1, prepared.scenario.days):
            if full[day] and not full[day - 1]:
                moment = datetime.combine(prepared.calendar.dates[day], time(int(service.replicas[day].argmax())), UTC)
                text = f"{line.plan.most[day]:.0f} replicas running, the maximum of the autoscaler"
                yield Event(moment, "scaling", f"application/{line.plan.application}", text)


_TRACES: Mapping[CauseClass, tuple[str, str, str]] = {
    CauseClass.RUNAWAY_AUTOSCALER: ("scaling", "application/{application}", "autoscaler settings applied: targets changed"),
    CauseClass.FORGOTTEN_ENVIRONMENT: ("deployment", "account/{account}", "stack {application} created"),
    CauseClass.WRONG_INSTANCE_FAMILY: (
        *("deployment", "application/{application}", "release rolled out: instance template updated"),
    ),
    CauseClass.LOST_COMMITMENT: ("commitment", "commitment/{commitment}", "term ended"),
    CauseClass.STORAGE_CLASS: (
        "deployment",
        "application/{application}",
        "bucket settings applied: lifecycle section rewritten",
    ),
    CauseClass.RETENTION: ("deployment", "application/{application}", "data policy applied"),
    CauseClass.LOG_EXPLOSION: ("deployment", "application/{application}", "release rolled out: logger configuration"),
    CauseClass.TRACE_EXPLOSION: ("deployment", "application/{application}", "release rolled out: telemetry configuration"),
    CauseClass.CROSS_ZONE: ("deployment", "application/{application}", "release rolled out: new client library for a peer"),
    CauseClass.RETRY_STORM: ("incident", "application/{application}", "error rate of calls above objective"),
    CauseClass.ORPHANED_RESOURCES: ("deployment", "account/{account}", "clean-up job removed from the nightly pipeline"),
    CauseClass.GPU_IDLE: ("deployment", "application/{application}", "scheduler settings applied"),
    CauseClass.PRICE_CHANGE: ("price", "family/{family}", "new prices in force"),
    CauseClass.MISTAGGING: ("tags", "application/{application}", "tag policy applied"),
}
"""Kind, resource and message of the trace that a cause leaves."""


def _of_cause(what: Cause) -> tuple[str, str, str]:
    kind, resource, message = _TRACES[CauseClass(what.cause)]
    names = {key: value for key, value in what.model_dump().items() if isinstance(value, str)}
    return kind, resource.format_map(names), message.format_map(names)


def _of_benign(what: BenignChange) -> tuple[str, str, str] | None:
    match what.cause:
        case BenignClass.LAUNCH:
            return "launch", f"application/{what.application}", "opened to new customers, as planned"
        case BenignClass.SEASONAL:
            return "campaign", f"application/{what.application}", f"campaign of {what.days} days begins, as planned"
        case BenignClass.GROWTH | BenignClass.MONTH_END:
            return None
