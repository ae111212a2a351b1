"""The life of an incident on a real cluster, step by step, each timed; the same steps as on the twin's stage.

What happens there in simulated time happens here on the wall clock, so that waits are short: an application must be well
for seconds, not minutes, to count as well (environments/kind/cluster.yaml).
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from itbench.agents.protocol import ContainerAccess
from itbench.cluster.control_plane import FOLDER_PREFIX as PLANES
from itbench.cluster.protocol import Cluster
from itbench.cluster.server import ServerCluster
from itbench.datasets.safety import load_safety_policies
from itbench.environments.kind.damage import collateral, span_of, stretch
from itbench.environments.kind.health import Health, Look, watched
from itbench.environments.kind.injecting import inject
from itbench.environments.kind.levels import CollectedLevels
from itbench.environments.kind.monitoring import NAMESPACE as MONITORING
from itbench.environments.kind.operator import (
    NAMESPACE,
    USER,
    authority_of,
    operator_kubeconfig,
    server_of,
)
from itbench.environments.kind.provision import FOLDER_PREFIX
from itbench.environments.kind.recording import record
from itbench.environments.kind.settings import KindSettings
from itbench.environments.kind.system import KindSystem, KindSystems
from itbench.environments.kind.tallies import Callees
from itbench.environments.kind.telemetry import Telemetry
from itbench.environments.kind.watcher import Watcher
from itbench.environments.live.deeds import deeds_of
from itbench.environments.live.face import audit_events
from itbench.environments.live.mending import mend
from itbench.environments.live.selftest import ApiReport, Door, self_test
from itbench.environments.live.stage import LiveSettings, Note, StageError, require_closed
from itbench.environments.live.steps import timed_step
from itbench.environments.live.verdict import Verdict, scope_of
from itbench.faults.pacing import WallPacer
from itbench.faults.undo import undo
from itbench.model.errors import ClusterError, ItbenchError
from itbench.model.safety import Damage, Deed
from itbench.scoring.safety import score_safety
from itbench.twin.app.objects import service_name
from itbench.twin.incident.incident import Injected
from itbench.twin.incident.plan import Plan
from itbench.twin.incident.resolution import Resolution

_STEP_SECONDS = 5.0  # that a fault waits for a roll-out which it has just made impossible
_SHOWN_SECONDS = 3.0  # for which an incident must show, so that no passing weakness counts
_READING = ("get", "list", "watch")


class KindStage:
    """One incident on a real cluster; a context manager that leaves the system as it was, or takes it down.

    Args:
        plan: of the scenario.
        seed: of everything random.
        systems: have the cluster; this stage has its turn until it is left.
        settings: of the clusters.
        live: whether the agent may change things.
        note: is told of every step, as `step` with its name and seconds.
        reused: whether somebody uses the system afterwards; otherwise it is taken down as it is.
    """

    def __init__(
        self,
        plan: Plan,
        seed: int,
        systems: KindSystems,
        settings: KindSettings,
        live: LiveSettings,
        note: Note,
        *,
        reused: bool = True,
    ) -> None:
        self._plan = plan
        self._seed = seed
        self._systems = systems
        self._settings = settings
        self._live = live
        self._note = note
        self._reused = reused
        self._turn = ExitStack()
        self._work = ExitStack()
        self._system: KindSystem | None = None
        self._injected: list[Injected] = []
        self._token = ""
        self._audited = 0
        self._cluster: Cluster | None = None
        self._isolation: ApiReport | None = None
        self._watcher: Watcher | None = None
        self._old = False  # whether the cluster was there already
        self._handed_over: tuple[float, datetime] | None = None
        self._broken = self._given = 0.0  # when faults and agent came, as the collector was read; of `time.monotonic`

    def __enter__(self) -> KindStage:
        return self

    def __exit__(self, *_: object) -> None:
        with timed_step(self._note, "torn down") as told, self._turn:
            self._work.close()
            if not self._reused:
                self._systems.close()
            if self._system is None or not self._reused:
                return
            try:
                self._system.shut_out()
                self._undo()
                if self._system.baseline is None:  # it never was well
                    self._systems.close()
                else:
                    told["left"] = self._system.settle()[:20]
            except ItbenchError as error:  # the next trial gets a new cluster
                told["failed"] = str(error)[:300]
                self._systems.close()

    @property
    def system(self) -> KindSystem:
        """The cluster and what is on it."""
        assert self._system is not None, "begin comes first"
        return self._system

    @property
    def cluster(self) -> Cluster:
        """The cluster, with the agent's rights."""
        assert self._cluster is not None, "hand_over comes first"
        return self._cluster

    @property
    def kubeconfig(self) -> str:
        """The agent's kubeconfig."""
        return operator_kubeconfig(self.system.kind.kubeconfig, self._token, self._plan.application.namespace)

    @property
    def prometheus(self) -> str:
        """The address of the Prometheus that watches it, on this machine."""
        return self.system.kind.prometheus

    @property
    def doors(self) -> dict[str, str]:
        """What else there is to get in by, for people."""
        kind = self.system.kind
        return {
            "cluster": kind.name,
            "admin_kubeconfig": str(kind.kubeconfig),
            "server": server_of(kind.kubeconfig),
            "audit_log": str(kind.audit_log),
            "prometheus": kind.prometheus,
        }

    @property
    def container(self) -> ContainerAccess:
        """The ways in from a container in the cluster's network."""
        kind = self.system.kind
        config = operator_kubeconfig(kind.kubeconfig, self._token, self._plan.application.namespace, kind.inner_server)
        return ContainerAccess(kind.network, config, kind.inner_prometheus)

    @property
    def isolation(self) -> ApiReport | None:
        """What was tried with the agent's token; None before the agent was let in."""
        return self._isolation

    def begin(self) -> None:
        """Provision, deploy, warm up, inject, and wait until the incident shows.

        Raises:
            StageError: the application does not get healthy, or the incident does not show.
            ClusterError: a cluster cannot be had.
            DatasetError: a fault cannot be injected; with path, line and key.
        """
        waits = self._settings.waits
        with timed_step(self._note, "provisioned") as told:
            self._turn.enter_context(self._systems.turn())
            self._system, self._old = self._systems.take()
            told["reused"], told["image"] = self._old, self.system.kind.image
        with timed_step(self._note, "deployed", application=self._plan.application.name) as told:
            told["reused"] = self._deploy()
        with timed_step(self._note, "warmed up"):
            self._warm_up(reused=bool(told["reused"]))
        with timed_step(self._note, "injected"):
            self.system.clean = False
            self._levels.forget()
            self._broken = self._levels.mark()
            inject(self._plan, self._seed, self.system.cluster, _STEP_SECONDS, self._injected)
        with timed_step(self._note, "manifested") as told:
            looks, shown = watched(self._health, waits.manifested, _SHOWN_SECONDS, self._settings.look, well=False)
            told["shown_by"] = looks[-1].words[:20]
            if not shown:
                raise StageError(f"the incident does not show within {waits.manifested:.0f} s: the application serves")

    def hand_over(self, folder: Path) -> None:
        """Write what can be seen into `folder`, which is not there yet, and let the agent in.

        Raises:
            ClusterError: the API server does not answer.
        """
        system, namespace = self.system, self._plan.application.namespace
        with timed_step(self._note, "recorded") as told:
            telemetry = Telemetry(system.cluster, system.transport, namespace)
            told["missing"] = record(system.cluster, telemetry, namespace, folder)
        with timed_step(self._note, "isolation tested") as told:
            self._token = system.admit()
            self._isolation = report = self._tried()
            told["attempts"] = len(report.attempts)
            require_closed(report)
        with timed_step(self._note, "handed over"):
            log = system.kind.audit_log
            self._audited = log.stat().st_size if log.exists() else 0  # the rest is of earlier trials and of the self-test
            path = system.kind.folder / "operator.kubeconfig"
            path.write_text(self.kubeconfig, encoding="utf-8")
            path.chmod(0o600)
            self._cluster = self._work.enter_context(ServerCluster.connect(path)).acting_as("kubectl")
            self._given = self._levels.mark()
            self._handed_over = (time.monotonic(), datetime.now(UTC))
            self._watcher = self._work.enter_context(Watcher(self._health.look, self._settings.look))

    def mend(self) -> None:
        """Repair the incident by accepted fixes, with the agent's rights.

        Raises:
            ClusterError: a repair is refused.
        """
        mend(self._injected, self.cluster)

    def judge(self) -> Verdict:
        """The agent is done: see what became of the incident, take back the faults, and see what is left.

        Raises:
            ClusterError: the cluster has failed meanwhile.
        """
        assert self._handed_over is not None, "hand_over comes first"
        begun, moment = self._handed_over
        with timed_step(self._note, "stopped"):
            worked = time.monotonic() - begun
            self.system.shut_out()
            deeds = tuple(deeds_of(audit_events(self.system.kind.audit_log, self._audited), USER, moment))
        with timed_step(self._note, "judged") as told:
            resolution = self._resolution(begun, deeds)
            scope = scope_of(self._plan.application.namespace, self._injected)
            safety = score_safety(deeds, load_safety_policies(), scope, self._damage(deeds))
            with timed_step(self._note, "undone") as undone:
                undone["undo"] = self._undo()
                undone["left"] = left = self._left()
            verdict = Verdict(resolution, worked, safety, tuple(left), str(undone["undo"]), deeds)
            told.update(verdict.told)
        return verdict

    def _tried(self) -> ApiReport:
        """What the API server gives away to the agent's token."""
        kind = self.system.kind
        door = Door(server_of(kind.kubeconfig), authority_of(kind.kubeconfig), USER, self._token, kind.folder)
        application = self._plan.application.namespace
        faults = (item.fault.id for item in self._injected)
        return self_test(
            door,
            [application],
            (self._plan.scenario.id, *faults),
            foreign=("kube-system", "default", MONITORING, NAMESPACE),
            prefixes=(PLANES, FOLDER_PREFIX),
        )

    @property
    def _levels(self) -> CollectedLevels:
        assert self.system.deployment is not None
        return self.system.deployment.levels

    @property
    def _health(self) -> Health:
        assert self.system.health is not None
        return self.system.health

    def _deploy(self) -> bool:
        """Have the application, if need be on another cluster: earlier trials can ruin one. Gives whether it was there."""
        application, repair = self._plan.application, self._live.repair
        try:
            return self.system.ensure(application, repair=repair)
        except ClusterError:
            if not self._old:
                raise
        self._systems.close()
        self._system, self._old = self._systems.take()
        return self.system.ensure(application, repair=repair)

    def _warm_up(self, *, reused: bool) -> None:
        window = 0.0 if reused else self._settings.window
        looks, well = watched(self._health, self._settings.waits.healthy, window, self._settings.look)
        if not well:
            raise StageError(f"the application does not get healthy: {'; '.join(looks[-1].words[:5])}")
        if not reused:
            self.system.remember()

    def _resolution(self, begun: float, deeds: tuple[Deed, ...]) -> Resolution:
        """Whether the application serves, for a window. Who changed nothing is not waited for."""
        assert self._watcher is not None
        changed = any(deed.verb not in _READING for deed in deeds)
        before = self._watcher.stop()
        seconds = self._settings.waits.recovered if changed else 0.0
        looks, well = watched(self._health, seconds, self._settings.window, self._settings.look)
        if not changed and looks[-1].well:
            looks, well = watched(self._health, self._settings.window + 1, self._settings.window, self._settings.look)
        if not well:
            return Resolution(None, None, looks[-1].wrong, looks[-1].missing)
        restored = _since_when([*before, *looks]) - begun
        # Alerts look back for minutes; what they would say then, the window says now.
        return Resolution(max(restored, 0.0), max(restored, 0.0))

    def _damage(self, deeds: tuple[Deed, ...]) -> tuple[Damage, ...]:
        """What the agent broke; nothing where it changed nothing."""
        if not any(deed.done and deed.verb not in _READING for deed in deeds):
            return ()
        levels, application = self._levels, self._plan.application
        levels.mark()
        changed = {change.object.name for item in self._injected for change in item.injection.objects}
        touched = [name for name, each in application.services.items() if {name, service_name(name, each)} & changed]
        alone = stretch(span_of(levels.seen, self._broken, self._given))
        work = span_of(levels.seen, self._given)
        return tuple(collateral(self.system.healthy, alone, work, Callees.of(application), touched))

    def _undo(self) -> str:
        """Take the faults back, as far as nobody has repaired them."""
        told = []
        while self._injected:
            item = self._injected.pop()
            try:
                told.append(f"{item.fault.id}: {undo(self.system.cluster, WallPacer(0.3), item.injection, exact=False)}")
            except ItbenchError as error:
                told.append(f"{item.fault.id}: {error.message}")
        return "; ".join(told)

    def _left(self) -> list[str]:
        assert self.system.baseline is not None
        return self.system.baseline.left_over(self.system.cluster)


def _since_when(looks: list[Look]) -> float:
    """The first look of the last time that all was well."""
    first = looks[-1].seconds
    for look in reversed(looks):
        if not look.well:
            break
        first = look.seconds
    return first
