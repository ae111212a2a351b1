"""Where errors and delays arise, by the names that the solver gave their causes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.twin.chaos.terms import records_of, spec_of
from itbench.twin.flow.flow import Flow
from itbench.twin.flow.moments import Array
from itbench.twin.flow.state import Cause, Kind
from itbench.twin.incident.impacts import Thresholds, lasting
from itbench.twin.objects import controller_of

_ON_THE_WAY = frozenset(("partition", "network chaos"))
"""Mechanisms of a network experiment: between two services if it has a target, else about those that it selects."""

_AT_THE_CALLER = frozenset(("egress policy",))
"""Mechanisms that keep a service from reaching another, which is well."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A place where trouble arises.

    Attributes:
        service: that is to blame, as its callers see it, or that cannot reach another.
        towards: whom it cannot reach; None where the trouble is its own.
        cause: the first of those that do the same here, with the objects that all of them blame.
        how: `errors`, or `latency` where requests succeed, but late.
        kind: of the errors.
        onset: seconds from the beginning of the recording.
    """

    service: str
    towards: str | None
    cause: Cause
    how: Literal["errors", "latency"]
    kind: Kind | None
    onset: float


def origins(
    flows: Sequence[Flow], healthy: Sequence[Flow], objects: Mapping[ObjectRef, KubeObject], limits: Thresholds | None = None
) -> tuple[Origin, ...]:
    """The origins of trouble in some flows that the flows of the healthy world do not have; sorted by onset.

    Args:
        flows: of the world with the fault, from tick 0 on.
        healthy: of the world without.
        objects: last known versions of the objects that causes name.
        limits: what counts.
    """
    limits = limits or Thresholds()
    ours, theirs = _shares(flows), _shares(healthy)
    found: dict[tuple[str, str | None, str, str], Origin] = {}
    for key, share in ours.items():
        cause, how, kind = key
        normal = theirs.get(key)
        limit = limits.errors if how == "errors" else limits.latency_seconds
        flags = lasting((share - (0 if normal is None else normal)) >= limit, flows[0].seconds, limits)
        if not flags.any():
            continue
        service, towards = _side(cause, objects)
        origin = Origin(service, towards, cause, how, kind, float(flags.argmax()) * flows[0].seconds)
        place = (service, towards, cause.mechanism, how)
        known = found.get(place)
        if known is not None:  # two faults may do the same to one service: both are to blame
            first, second = sorted((known, origin), key=lambda one: one.onset)
            blamed = tuple(dict.fromkeys((*first.cause.objects, *second.cause.objects)))
            origin = replace(first, cause=replace(first.cause, objects=blamed))
        found[place] = origin
    return tuple(sorted(found.values(), key=lambda origin: (origin.onset, origin.service, origin.how)))


_Key = tuple[Cause, Literal["errors", "latency"], Kind | None]


def _shares(flows: Sequence[Flow]) -> dict[_Key, Array]:
    """By cause, the largest share (t) of the requests of a route, or of the attempts of a call, that fail by it there;
    for delays the seconds that it adds.
    """
    ticks = sum(map(len, flows))
    shares: dict[_Key, Array] = defaultdict(lambda: np.zeros(ticks))
    first = 0
    for flow in flows:
        block = slice(first, first + len(flow))
        for key, values in _of_flow(flow):
            shares[key][block] = np.maximum(shares[key][block], values)
        first = block.stop
    return dict(shares)


def _of_flow(flow: Flow) -> Iterator[tuple[_Key, Array]]:
    given, graph = flow.given, flow.graph
    busy = flow.attempts > 1e-9
    failing = (flow.kept[0] + flow.late) * busy[..., None]
    calls = np.array([int(np.flatnonzero(graph.call_site == site)[0]) for site in range(len(graph.sites))], dtype=np.intp)
    for index, outcome in enumerate(flow.outcomes, 1):
        cause = outcome.cause
        if cause is None:
            continue
        # What overload drops has no place of its own in `given`: it follows from something else, and is no origin.
        born = given.call_kind[calls, index] >= 0
        if born.any():
            yield (cause, "errors", outcome.kind), failing[:, born, index].max(1)
        own = given.route_failures[:, index]
        if own.any():
            share = own * (flow.arrivals > 1e-9)
            yield (cause, "errors", outcome.kind), share.max(1)
        for added in (given.route_slow[:, index], given.call_slow[:, index]):
            if added.any():
                yield (cause, "latency", None), np.full(len(flow), float(added.max()))


def _side(cause: Cause, objects: Mapping[ObjectRef, KubeObject]) -> tuple[str, str | None]:
    """Who is to blame for trouble on the way between two services."""
    if cause.towards is None:
        return cause.at, None
    if cause.mechanism in _AT_THE_CALLER:
        return cause.at, cause.towards
    if cause.mechanism in _ON_THE_WAY:
        experiments = [objects[ref] for ref in cause.objects if ref.kind == "NetworkChaos" and ref in objects]
        if any(spec_of(experiment).get("target") for experiment in experiments):
            return cause.at, cause.towards
        selected = {name for experiment in experiments for name in _selected(experiment, objects)}
        of_the_caller = cause.at in selected and cause.towards not in selected
        return cause.at if of_the_caller else cause.towards, None
    names = {ref.name for ref in cause.objects if ref.kind in ("Deployment", "StatefulSet", "DaemonSet", "Pod")}
    return (cause.at, cause.towards) if cause.at in names else (cause.towards, None)


def _selected(experiment: KubeObject, objects: Mapping[ObjectRef, KubeObject]) -> Iterator[str]:
    """The workloads of the pods that an experiment ever took."""
    for record in records_of(experiment):
        namespace, name, *_ = str(record["id"]).split("/")
        ref = ObjectRef("Pod", name, namespace, "v1")
        while ref in objects and (owner := controller_of(objects[ref])) is not None:
            ref = ObjectRef(owner["kind"], owner["name"], namespace, owner["apiVersion"])
        yield ref.name
