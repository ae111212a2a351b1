"""What goes on in any cluster and means nothing: harmless warnings, probes that are late once, changes that change nothing.

None of it depends on a fault: every draw has its own stream. Texts and rates are environments/noise.yaml.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from itbench.bundled import bundled
from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.datasets.source import read_source
from itbench.model.base import Model
from itbench.model.entity import Entity
from itbench.snapshot.records import Event, LogRecord
from itbench.twin.app.application import Application
from itbench.twin.app.routes import Severity
from itbench.twin.objects import is_ready, name_of, namespace_of, node_of
from itbench.twin.randomness import Streams
from itbench.twin.telemetry.counts import poisson
from itbench.twin.telemetry.history import History
from itbench.twin.telemetry.logs import SEVERITY_NUMBERS
from itbench.twin.telemetry.pods import Roster

# Noise is drawn for whole hours, of which a recording shows a part; so many things at most in each.
_BLOCK = 3600.0
_MOST = 1 << 16

Rate = Annotated[float, Field(ge=0)]


class _Rates(Model):
    warnings: Rate
    probes: Rate
    changes: Rate
    rollouts: Rate


class _Warning(Model):
    severity: Severity
    text: str


class _NoiseFile(Model):
    rates: _Rates
    warnings: Mapping[str, tuple[_Warning, ...]]
    changes: tuple[dict[str, Any], ...]
    rollouts: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class InnocentChange:
    """A strategic patch to make at second `time` of the recording; nothing follows from it but, if it `rolls`, new pods."""

    time: float
    ref: ObjectRef
    patch: dict[str, Any]
    rolls: bool


@dataclass(frozen=True, slots=True)
class Noise:
    """The noise of one recording.

    Attributes:
        streams: of the scenario's seed.
        begin, seconds: of the recording.
        level: 0 for none, 1 for what is usual; rates grow with it.
        skipped: seconds before the beginning, of which nothing is kept. What comes later does not depend on it, nor on
            how long the recording is.
    """

    streams: Streams
    begin: datetime
    seconds: float
    level: float = 1.0
    skipped: float = 0.0

    def changes(self, application: Application) -> list[InnocentChange]:
        """Changes to Deployments of the application, to be made while it runs; in the order of time."""
        file = _noise_file()
        deployments = sorted(name for name, body in application.services.items() if body.workload == "Deployment")
        found = []
        for purpose, rate, patches, rolls in (
            ("innocent change", file.rates.changes, file.changes, False),
            ("innocent roll-out", file.rates.rollouts, file.rollouts, True),
        ):
            for moment, choice, which in self._draws(application.name, purpose, rate):
                name = deployments[int(which * len(deployments))]
                ref = ObjectRef("Deployment", name, application.namespace, "apps/v1")
                patch = _about(name, patches[int(choice * len(patches))])
                found.append(InnocentChange(moment, ref, patch, rolls))
        return sorted(found, key=lambda change: change.time)

    def logs(self, application: Application, roster: Roster, tick_seconds: float) -> Iterator[LogRecord]:
        """Harmless lines of every service."""
        file = _noise_file()
        for name, service in application.services.items():
            texts = file.warnings.get(service.language, file.warnings["default"])
            for moment, choice, which in self._draws(name, "harmless warning", file.rates.warnings):
                line = texts[int(choice * len(texts))]
                resource = roster.pick(name, int(moment / tick_seconds), which)
                number = SEVERITY_NUMBERS[line.severity]
                yield LogRecord(self._at(moment), line.text, name, line.severity, number, resource=resource)

    def events(self, application: Application, history: History) -> Iterator[Event]:
        """Readiness probes of ready pods that are answered too late, once."""
        rate = _noise_file().rates.probes
        for versions in history.versions("Pod", application.namespace):
            name = name_of(versions[0].object)
            for count, (moment, _, _) in enumerate(self._draws(name, "late probe", rate), 1):
                pod = next((one.object for one in versions if one.begin <= moment < one.end), None)
                message = _late_probe(pod) if pod is not None and is_ready(pod) else None
                if pod is not None and message is not None:
                    involved = Entity(namespace=namespace_of(pod), kind="Pod", name=name)
                    time = self._at(float(int(moment)))
                    yield Event(time, involved, "Unhealthy", message, "Warning", count, "kubelet", recorded_at=time)

    def _draws(self, entity: str, purpose: str, rate: float) -> Iterator[tuple[float, float, float]]:
        """The moments of things that happen so often an hour, each with two numbers from [0, 1) to choose by; sorted."""
        mean = np.array([rate * self.level * _BLOCK / 3600])
        end = self.skipped + self.seconds
        for block in range(int(self.skipped // _BLOCK), math.ceil(end / _BLOCK)):
            count = int(poisson(mean, np.array([self.streams.uniform(entity, f"number of {purpose}", block)]))[0])
            draws = self.streams.uniforms(entity, purpose, block * _MOST, min(count, _MOST), 3)
            for moment, choice, which in sorted(draws.tolist()):
                second = (block + moment) * _BLOCK
                if self.skipped <= second < end:
                    yield second - self.skipped, choice, which

    def _at(self, second: float) -> datetime:
        return self.begin + timedelta(seconds=second)


def _about(container: str, patch: Any) -> Any:
    """A patch with the container's name in it."""
    match patch:
        case dict():
            return {key: _about(container, value) for key, value in patch.items()}
        case list() | tuple():
            return [_about(container, item) for item in patch]
        case "$container":
            return container
        case _:
            return patch


@cache
def _noise_file() -> _NoiseFile:
    return _NoiseFile.model_validate(read_source(bundled("environments") / "noise.yaml").value)


def _late_probe(pod: KubeObject) -> str | None:
    """What the kubelet says of a readiness probe that had no answer in time; None without a probe."""
    container = pod["spec"]["containers"][0]
    probe: KubeObject = container.get("readinessProbe") or {}
    address = (pod.get("status") or {}).get("podIP")
    if node_of(pod) is None or not address:
        return None
    if "httpGet" in probe:
        url = f"http://{address}:{probe['httpGet']['port']}{probe['httpGet'].get('path', '/')}"
        late = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        return f'Readiness probe failed: Get "{url}": {late}'
    if "tcpSocket" in probe:
        return f"Readiness probe failed: dial tcp {address}:{probe['tcpSocket']['port']}: i/o timeout"
    return None
