"""The gates before an agent is let in: the application was healthy, and the incident shows."""

from __future__ import annotations

from itbench.snapshot.records import Alert
from itbench.twin.incident.incident import Incident
from itbench.twin.objects import is_deleting, is_ready, name_of
from itbench.twin.randomness import Streams
from itbench.twin.telemetry.alerts import INTERVAL, identity
from itbench.twin.telemetry.recording import LITE, alerts_of
from itbench.twin.telemetry.rules.load import rules_for

DEADLINE = 600.0
"""Seconds after the recording's end within which an incident must show."""


def unhealthy(incident: Incident) -> list[str]:
    """The workloads of the application that lack ready pods, in words; empty if all is well."""
    store, application = incident.running.twin.store, incident.plan.application
    problems = []
    for name, service in application.services.items():
        workload = store.get(service.workload, (application.namespace, name))
        status = (workload or {}).get("status") or {}
        if service.workload == "DaemonSet":
            wanted, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
        else:
            wanted, ready = ((workload or {}).get("spec") or {}).get("replicas", 0), status.get("readyReplicas", 0)
        if workload is None or ready < wanted:
            problems.append(f"{service.workload} {name} has {ready} of {wanted} pods ready")
    return problems


def alerts_in(incident: Incident) -> tuple[Alert, ...]:
    """All sightings of alerts in a world so far, as a recording has them."""
    rules = rules_for(incident.plan.application.name)
    return alerts_of(incident.happened(), Streams(incident.seed), rules, LITE)


def manifested(incident: Incident) -> tuple[list[str], list[str]]:
    """What the incident is seen by, and which of the expected alerts are not seen.

    Time passes until the expected alerts have fired, at most `DEADLINE` seconds. Where the scenario expects none, any alert
    counts that fires since the first fault and did not fire before, or a pod that is not ready.
    """
    begins = min((item.time for item in incident.injected), default=0.0)
    end = incident.now + DEADLINE
    while True:
        firing = [alert for alert in alerts_in(incident) if alert.state == "firing"]
        epoch = incident.running.twin.clock.epoch
        before = {identity(alert) for alert in firing if (alert.time - epoch).total_seconds() <= begins}
        fresh = [alert for alert in firing if identity(alert) not in before]
        missing = [
            wanted.name
            for wanted in incident.plan.scenario.expected_alerts
            if not any(alert.name == wanted.name and wanted.labels.items() <= alert.labels.items() for alert in fresh)
        ]
        seen = list(dict.fromkeys(f"{alert.name} ({alert.entity})" for alert in fresh)) or _sick_pods(incident)
        if (seen and not missing) or incident.now >= end:
            return seen, missing
        incident.wait_until(incident.now + INTERVAL)


def _sick_pods(incident: Incident) -> list[str]:
    pods = incident.running.twin.store.list("Pod", incident.plan.application.namespace)
    return [f"pod {name_of(pod)} is not ready" for pod in pods if not is_ready(pod) and not is_deleting(pod)]
