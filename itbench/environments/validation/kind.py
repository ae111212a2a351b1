"""Scenarios on a real cluster that is watched, without an agent: one cluster, one scenario after the other."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Self

from itbench.cluster.kinds import KINDS
from itbench.cluster.protocol import Cluster, KubeObject, WatchEvent
from itbench.cluster.quantity import quantity
from itbench.cluster.server_watch import ServerWatch
from itbench.cluster.transport import Transport
from itbench.environments.kind.health import watched
from itbench.environments.kind.injecting import inject
from itbench.environments.kind.settings import KindSettings
from itbench.environments.kind.system import KindSystem, KindSystems
from itbench.environments.kind.telemetry import Telemetry
from itbench.environments.live.stage import StageError
from itbench.environments.validation.counted import collected, shifts
from itbench.environments.validation.observed import Observed
from itbench.environments.validation.simulated import SETTLING, alert_key
from itbench.faults.nodes import labels_of, requested
from itbench.faults.pacing import WallPacer
from itbench.faults.undo import undo
from itbench.model.errors import ClusterError, ItbenchError
from itbench.snapshot.records import Alert
from itbench.twin.app.application import Application
from itbench.twin.base import node
from itbench.twin.compare.facts import is_compared
from itbench.twin.incident.incident import Injected
from itbench.twin.incident.plan import Plan
from itbench.twin.objects import is_finished, name_of, namespace_of, node_of
from itbench.twin.telemetry.history import Observation
from itbench.twin.telemetry.rules.load import rules_for

PATIENCE = 5.0
"""Seconds that a fault waits for one thing at most, as in trials: much of it is what the fault has just made impossible."""
ALERTS_AFTER = 240.0
"""Seconds of watching from which on alerts can have fired."""

_FORGOTTEN_SECONDS = 360.0  # in which rules, which look back for 5 minutes at most, forget how the application started
_BEFORE_SECONDS = 12.0  # over which levels are taken before the fault
_KINDS = tuple(kind for kind in KINDS if is_compared(kind.name))
_POLL = 0.3


class KindPlayer:
    """Plays scenarios on the one cluster of a run.

    Args:
        systems: have the cluster.
        settings: of it.
        window: seconds to watch after the last step.
    """

    patience = PATIENCE

    def __init__(self, systems: KindSystems, settings: KindSettings, window: float) -> None:
        self._systems = systems
        self._settings = settings
        self._window = window

    def play(self, plan: Plan, seed: int) -> Observed:
        """Play a scenario, watch what comes of it, and bring the cluster back to what it was.

        Raises:
            StageError: the application does not get healthy.
            ClusterError: a cluster cannot be had, or fails.
            DatasetError: a fault cannot be injected; with path, line and key.
        """
        with self._systems.turn():
            system, _ = self._systems.take()
            self._make_ready(system, plan)
            system.clean = False
            injected: list[Injected] = []
            try:
                return self._watched(system, plan, seed, injected)
            finally:
                self._settle(system, injected)

    def _make_ready(self, system: KindSystem, plan: Plan) -> None:
        reused = system.ensure(plan.application, repair=True)
        assert system.health is not None
        waits, window = self._settings.waits, 0.0 if reused else self._settings.window
        looks, well = watched(system.health, waits.healthy, window, self._settings.look)
        if not well:
            raise StageError(f"the application does not get healthy: {'; '.join(looks[-1].words[:5])}")
        if not reused:
            system.remember()

    def _watched(self, system: KindSystem, plan: Plan, seed: int, injected: list[Injected]) -> Observed:
        namespace = plan.application.namespace
        nodes = tuple(nodes_like(system.cluster, namespace))
        telemetry = Telemetry(system.cluster, system.transport, namespace) if self._window >= ALERTS_AFTER else None
        if telemetry is not None:
            WallPacer().until(lambda: is_quiet(telemetry), _FORGOTTEN_SECONDS)
        with Arrivals(system.transport) as arrivals:
            before = [collected(system.cluster, system.transport)]
            time.sleep(_BEFORE_SECONDS)
            before.append(collected(system.cluster, system.transport))
            begin, begun = time.monotonic(), datetime.now(UTC)
            moments = inject(plan, seed, system.cluster, PATIENCE, injected)
            under = []
            for seconds in (SETTLING, max(self._window - SETTLING, 1.0)):
                time.sleep(seconds)
                under.append(collected(system.cluster, system.transport))
            end = time.monotonic()
        first = injected[0].time  # what waiters did before belongs to the time before the fault
        return Observed(
            namespace=namespace,
            observations=arrivals.since(begin + first),
            seconds=end - begin - first,
            moments=tuple(moment - first for moment in moments),
            shifts=shifts((before[0], before[1]), (under[0], under[1])),
            alerts=None if telemetry is None else _onsets_in(telemetry, plan.application, begun + timedelta(seconds=first)),
            nodes=nodes,
        )

    def _settle(self, system: KindSystem, injected: list[Injected]) -> None:
        """Take the faults back; where that does not work, the next scenario gets a new cluster."""
        try:
            for item in reversed(injected):
                with suppress(ItbenchError):  # settling sets back what is left
                    undo(system.cluster, WallPacer(_POLL), item.injection, exact=False)
            if system.baseline is None:  # it never was well
                self._systems.close()
            else:
                system.settle()
        except ItbenchError:
            self._systems.close()


class Arrivals:
    """A watch of a cluster that notes when each change arrived; a context manager."""

    def __init__(self, transport: Transport) -> None:
        self._watch = ServerWatch(transport, _KINDS, None, optional=True)
        self._found: list[tuple[float, WatchEvent]] = []
        self._failure: ClusterError | None = None
        self._ended = Event()
        self._thread = Thread(target=self._run, name="arrivals", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._watch.close()

    def since(self, begin: float) -> list[Observation]:
        """What arrived, with seconds since a moment of `time.monotonic`, in the order of the store's revisions.

        Raises:
            ClusterError: the watch broke off.
        """
        if self._failure is not None:
            raise self._failure
        found = sorted(self._found, key=lambda item: int(item[1].object["metadata"]["resourceVersion"]))
        return [Observation(moment - begin, event.type, event.object) for moment, event in found]

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                arrived = self._watch.poll(_POLL)
                now = time.monotonic()
                self._found += [(now, event) for event in arrived]
        except ClusterError as error:
            self._failure = error


def nodes_like(cluster: Cluster, namespace: str) -> Iterator[KubeObject]:
    """Nodes for a twin as a cluster has them: of that size, less what others than the application ask for.

    Args:
        cluster: with rights to read everything.
        namespace: of the application.
    """
    pods = [pod for pod in cluster.list("Pod") if namespace_of(pod) != namespace and not is_finished(pod)]
    for real in cluster.list("Node"):
        here = [pod for pod in pods if node_of(pod) == name_of(real)]
        free = {
            resource: float(quantity(real["status"]["allocatable"][resource]))
            - sum(requested(pod["spec"], resource) for pod in here)
            for resource in ("cpu", "memory")
        }
        cpu, memory = f"{max(free['cpu'], 0) * 1000:.0f}m", f"{max(free['memory'], 0):.0f}"
        made = node(name_of(real), cpu=cpu, memory=memory, labels=labels_of(real))
        made["status"]["images"] = [{"names": item.get("names")} for item in real["status"].get("images") or ()]
        if taints := (real.get("spec") or {}).get("taints"):
            made["spec"]["taints"] = taints
        yield made


def is_quiet(telemetry: Telemetry) -> bool:
    """Whether Prometheus answers and no rule holds; after a scenario it is on its way back."""
    try:
        return not telemetry.alerts()
    except ClusterError:
        return False


def onsets(alerts: Iterable[Alert], holds: Mapping[str, float], begun: datetime) -> dict[str, float]:
    """How long after a moment each alert began to fire; those that fired before are left out, as on the twin.

    Args:
        alerts: that are active.
        holds: seconds for which a rule must hold until its alert fires. Prometheus says only since when it has held.
        begun: the moment.
    """
    found: dict[str, float] = {}
    for alert in alerts:
        fires = ((alert.active_since or alert.time) - begun).total_seconds() + holds.get(alert.name, 0.0)
        if alert.state == "firing" and fires > 0:
            found.setdefault(alert_key(alert), fires)
    return found


def _onsets_in(telemetry: Telemetry, application: Application, begun: datetime) -> dict[str, float]:
    return onsets(telemetry.alerts(), {rule.name: rule.hold for rule in rules_for(application.name)}, begun)


@contextmanager
def kind_player(settings: KindSettings, window: float, image: str | None) -> Iterator[KindPlayer]:
    """A player whose cluster is made when the first scenario needs it, and torn down at the end."""
    with KindSystems(settings, image) as systems:
        yield KindPlayer(systems, settings, window)
