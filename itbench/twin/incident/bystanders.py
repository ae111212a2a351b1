"""Which workloads of a scenario have nothing to do with its faults.

Roll-outs that mean nothing must not repair or change what a fault did: after the first disruption only bystanders get them.
What a fault is about is read from its arguments alone, since the world without the fault must make the same roll-outs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from itbench.twin.app.application import Application
from itbench.twin.app.objects import pod_labels
from itbench.twin.app.services import FromConfigMap, FromSecret
from itbench.twin.incident.plan import Plan

_ELSEWHERE = frozenset(("namespace", "namespaces", "apiVersion", "kind"))
"""Keys whose values say nothing about a workload."""


def bystanders(plan: Plan) -> frozenset[str]:
    """The services that no fault or waiter is about.

    None at all where a fault does not say whom it is about, or depends on the room that others take.
    """
    application = plan.application
    touched: set[str] = set()
    for step in plan.steps:
        acting = step.fault or step.waiter
        assert acting is not None
        args = acting.args.model_dump(mode="json", exclude_unset=True)
        words = set(_words(args))
        about = {name for name in application.services if words & _known_by(application, name)}
        if step.fault is not None and (not about or step.fault.crowds or _takes_all(args)):
            return frozenset()
        touched |= about
    return frozenset(application.services) - touched


def _words(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for key, item in value.items():
                if key not in _ELSEWHERE:
                    yield from _words(item)
        case list() | tuple():
            for item in value:
                yield from _words(item)


def _takes_all(value: Any) -> bool:
    """Whether a selector somewhere chooses pods by nothing but their namespace."""
    match value:
        case Mapping():
            chosen = value.get("selector")
            bare = isinstance(chosen, Mapping) and not set(chosen) - {"namespaces"}
            return bare or any(map(_takes_all, value.values()))
        case list() | tuple():
            return any(map(_takes_all, value))
        case _:
            return False


def _known_by(application: Application, name: str) -> set[str]:
    """The words that mean a service: its name, labels, and what it is configured by."""
    service = application.services[name]
    words = {name, *pod_labels(application, name).values(), *(mount.config_map for mount in service.mounts)}
    for value in service.env.values():
        match value:
            case FromSecret(secret=source) | FromConfigMap(config_map=source):
                words.add(source.name)
            case _:
                pass
    if service.exposed.name:
        words.add(service.exposed.name)
    return words
