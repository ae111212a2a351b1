"""Checks of what alerts: without the faults nothing, with them what the scenario promises."""

from __future__ import annotations

from collections.abc import Sequence

from itbench.authoring.rehearsal import Rehearsal, names_of
from itbench.authoring.verdict import Check
from itbench.model.scenario import ExpectedAlert, Scenario
from itbench.snapshot.records import Alert

NOISY = 1.0
"""From this level of declared noise on alerts of severity `info` may fire without a fault."""
_TOLD = 4


def healthy(rehearsal: Rehearsal) -> Check:
    """Without the faults nothing fires but what the scenario calls innocent; with noise of at least `NOISY` declared,
    alerts of severity `info` may.
    """
    scenario = rehearsal.plan.scenario
    level = scenario.noise
    firing = [alert for alert in rehearsal.quiet if alert.state == "firing"]
    declared = [alert for alert in firing if any(_fits(one, alert) for one in scenario.innocent_alerts)]
    allowed = [alert for alert in firing if alert in declared or (level >= NOISY and alert.severity == "info")]
    unexpected = [alert for alert in firing if alert not in allowed]
    numbers = {
        "noise": level,
        "unexpected": names_of(unexpected),
        "allowed": names_of(allowed),
    }
    if unexpected:
        return Check(
            name="healthy",
            passed=False,
            evidence=f"{told(names_of(unexpected))} fires without the faults too (noise {level:g})",
            remedy="Lower the load, have waiters disturb less, or declare innocent_alerts: what fires anyway tells nothing.",
            numbers=numbers,
        )
    beside = f"; {told(names_of(allowed))} is innocent" if allowed else ""
    minutes = scenario.timeline.seconds / 60
    text = f"no alert in {minutes:.0f} minutes without the faults{beside}"
    return Check(name="healthy", passed=True, evidence=text, numbers=numbers)


def manifests(rehearsal: Rehearsal) -> Check:
    """Every expected alert fires, after the first injection and before the recording ends."""
    expected = expected_alerts(rehearsal.plan.scenario, rehearsal)
    deadline = rehearsal.plan.scenario.timeline.seconds - rehearsal.injected_at
    firing = rehearsal.incident_alerts
    first = {name: _first(alert, firing) for alert in expected if (name := _written(alert))}
    missing = [name for name, seen in first.items() if seen is None]
    times = {name: rehearsal.seconds(seen) - rehearsal.injected_at for name, seen in first.items() if seen is not None}
    beyond = [alert for alert in firing if not any(_fits(one, alert) for one in expected)]
    onset = rehearsal.measured.onset
    numbers: dict[str, float | int | list[str] | None] = {
        "deadline_seconds": deadline,
        "first_impact_after_seconds": None if onset is None else onset - rehearsal.injected_at,
        "first_alert_after_seconds": min(times.values(), default=None),
        **{f"after_seconds {name}": time for name, time in times.items()},
        "missing": missing,
        "beyond_the_expected": names_of(beyond),
    }
    if not firing or missing:
        what = f"{told(missing)} does not fire" if missing else "no alert fires"
        others = f"; what fires: {told(names_of(firing))}" if firing else "; nothing fires"
        return Check(
            name="manifests",
            passed=False,
            evidence=f"{what} within {deadline:.0f} s of the injection{others if missing else ''}",
            remedy="Name the alerts that do fire in expected_alerts, let timeline.after be longer, or break something "
            "that is used.",
            numbers=numbers,
        )
    if not expected:
        seconds = rehearsal.seconds(firing[0]) - rehearsal.injected_at
        text = f"none is expected in particular; {told(names_of(firing))} fire, the first after {seconds:.0f} s"
    else:
        text = ", ".join(f"{name} after {time:.0f} s" for name, time in times.items())
        text += f" of {deadline:.0f} s" + (f"; beside these {told(names_of(beyond))}" if beyond else "")
    return Check(name="manifests", passed=True, evidence=text, numbers=numbers)


def expected_alerts(scenario: Scenario, rehearsal: Rehearsal) -> tuple[ExpectedAlert, ...]:
    """The alerts that must fire: the scenario's own list, or, where it has none, those that its faults name."""
    if scenario.expected_alerts:
        return scenario.expected_alerts
    names = dict.fromkeys(name for item in rehearsal.measured.worlds.injected for name in item.fault.alerts)
    return tuple(ExpectedAlert(name=name) for name in names)


def fired(rehearsal: Rehearsal) -> frozenset[str]:
    """Which of the expected alerts fire."""
    expected = expected_alerts(rehearsal.plan.scenario, rehearsal)
    return frozenset(_written(alert) for alert in expected if _first(alert, rehearsal.incident_alerts))


def told(names: Sequence[str]) -> str:
    """A list in one line, cut short."""
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return ", ".join(names[:_TOLD]) + more


def counted(number: int, what: str) -> str:
    """Such as `1 fix` or `2 fixes`."""
    ending = "" if number == 1 else "es" if what.endswith(("s", "x")) else "s"
    return f"{number} {what}{ending}"


def _written(alert: ExpectedAlert) -> str:
    labels = ", ".join(f"{key}={value}" for key, value in sorted(alert.labels.items()))
    return f"{alert.name} {{{labels}}}" if labels else alert.name


def _first(expected: ExpectedAlert, alerts: Sequence[Alert]) -> Alert | None:
    return next((alert for alert in alerts if _fits(expected, alert)), None)


def _fits(expected: ExpectedAlert, alert: Alert) -> bool:
    return alert.name == expected.name and all(alert.labels.get(key) == value for key, value in expected.labels.items())
