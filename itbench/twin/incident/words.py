"""What a step of the propagation chain says: the condition at its source and the effect at its target, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from itbench.faults.injection import FieldChange, Injection, ObjectChange
from itbench.twin.flow.state import Kind
from itbench.twin.incident.chain import Step
from itbench.twin.incident.impacts import Aspect, Impact

_HOW: dict[Kind | None, str] = {
    None: "fail",
    Kind.REFUSED: "are refused",
    Kind.TIMEOUT: "get no answer in time",
    Kind.NAME: "fail because the name does not resolve",
    Kind.RESET: "break off",
    Kind.STATUS: "are answered with errors",
}
_LONGEST = 80


def effect_of(step: Step) -> str:
    """What shows at the target of a step between services."""
    match step.spread:
        case "errors":
            return f"{_percent(step.share)} of the calls from {step.target} to {step.source} {_HOW[step.kind]}"
        case "latency":
            return f"calls from {step.target} to {step.source} take longer"
        case "starved":
            return (
                f"{step.target} gets fewer requests from {step.source}" if step.share > 0.01 else f"{step.target} gets none"
            )
        case "surge":
            return f"{step.target} gets {step.share:.1f} times as many requests from {step.source}"


def condition_of(service: str, impacts: Iterable[Impact], spread: str = "") -> str:
    """What is wrong with a service that trouble spreads from, the most telling thing first.

    Args:
        service: its name.
        impacts: of any services.
        spread: how it goes on; empty for any.
    """
    own = {impact.aspect: impact for impact in impacts if impact.service == service}
    order = _TELLING_OF_RATES if spread in ("starved", "surge") else _TELLING
    for aspect in order:
        if aspect in own:
            return describe(own[aspect])
    return f"{service} cannot be reached"


_TELLING: tuple[Aspect, ...] = (
    *("restarts", "missing", "unready", "errors", "throttled", "latency", "memory", "calls", "cpu"),
    *("surplus", "surge", "starved"),
)
_TELLING_OF_RATES: tuple[Aspect, ...] = ("surge", "missing", "errors", "restarts", "calls", "latency", "starved", "unready")


def describe(impact: Impact) -> str:
    """One impact in words."""
    name, healthy, peak = impact.service, impact.healthy, impact.peak
    more = peak - healthy
    texts: dict[Aspect, str] = {
        "errors": f"up to {_percent(peak)} of the requests to {name} fail",
        "calls": f"up to {_percent(peak)} of the calls that {name} makes fail",
        "latency": f"requests to {name} take {_time(peak)} instead of {_time(healthy)}",
        "starved": f"{name} gets {_rate(peak)} requests a second instead of {_rate(healthy)}",
        "surge": f"{name} gets {_rate(peak)} requests a second instead of {_rate(healthy)}",
        "missing": f"{name} has {_pods(peak)} ready instead of {_pods(healthy)}",
        "surplus": f"{name} has {_pods(peak)} ready instead of {_pods(healthy)}",
        "unready": f"{_pods(more)} of {name} {'is' if more < 2 else 'are'} not ready",
        "restarts": f"containers of {name} end and are started again",
        "cpu": f"{name} uses {peak:.2g} cores instead of {healthy:.2g}",
        "memory": f"{name} uses {peak / 2**20:.0f} MiB of memory instead of {healthy / 2**20:.0f}",
        "throttled": f"{name} is throttled in {_percent(peak)} of the time",
    }
    return texts[impact.aspect]


def condition_of_root(injection: Injection) -> str:
    """What was changed, as the first of its changes says."""
    changes = [change for item in injection.objects if item.object in injection.roots for change in _telling(item)]
    return changes[0] if changes else f"{injection.roots[0].kind} {injection.roots[0].name} was changed"


def _telling(item: ObjectChange) -> list[str]:
    ref = f"{item.object.kind} {item.object.name}"
    if item.deed == "changed":
        return [f"{ref}: {change_in_words(change)}" for change in item.fields]
    return [f"{ref} was {item.deed}"]


def change_in_words(change: FieldChange) -> str:
    """One field: what it was and what it became."""
    if change.old is None:
        return f"{change.field} was set to {_value(change.new)}"
    if change.new is None:
        return f"{change.field} was removed (it was {_value(change.old)})"
    return f"{change.field} was changed from {_value(change.old)} to {_value(change.new)}"


def _value(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"


def _rate(value: float) -> str:
    return "no" if value < 1e-3 else f"{value:.3g}"


def _pods(count: float) -> str:
    return "no pod" if count < 1 else "1 pod" if count < 2 else f"{count:.0f} pods"
