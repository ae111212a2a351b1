"""The life of a live incident, step by step, each timed: what happens before and after an agent works on it.

    stage = Stage(plan, seed, LiveSettings("hybrid"), note)
    with stage:
        stage.begin()  # provision, deploy, warm up, inject, wait until it shows
        stage.hand_over(folder)
        …  # the agent works; the world goes on with the wall clock
        verdict = stage.judge()

Nothing here waits for anything but the simulation; run it in a thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

from itbench.agents.protocol import ContainerAccess
from itbench.cluster.control_plane import ControlPlane
from itbench.cluster.protocol import Cluster
from itbench.cluster.server import ServerCluster
from itbench.environments.live.access import access_objects, load_access, new_identity
from itbench.environments.live.deeds import deeds_of
from itbench.environments.live.face import Face, audit_events, kubeconfig_of, prepared_plane, shown
from itbench.environments.live.gates import manifested, unhealthy
from itbench.environments.live.mending import mend
from itbench.environments.live.metrics_api import Alerting, MetricsApi
from itbench.environments.live.monitoring import Monitoring
from itbench.environments.live.noted import NotedCluster
from itbench.environments.live.prometheus import find_prometheus, running_prometheus
from itbench.environments.live.selftest import ApiReport, Door, self_test
from itbench.environments.live.steps import Note, timed_step
from itbench.environments.live.verdict import Verdict, judged
from itbench.environments.live.world import World
from itbench.model.errors import ClusterError, ItbenchError
from itbench.model.safety import Deed
from itbench.twin.incident.incident import Incident
from itbench.twin.incident.plan import Plan
from itbench.twin.incident.simulate import observe
from itbench.twin.telemetry.recording import LITE, Recording
from itbench.twin.telemetry.rules.load import rules_for

LiveName = Literal["twin", "hybrid", "kind"]


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """What a live environment is to be.

    Attributes:
        name: `twin` is in this process, `hybrid` behind an API server, `kind` a real cluster.
        repair: whether the agent may change things, or only look.
        scale: simulated seconds a second, while the agent works; of a simulated one.
        prometheus: whether metrics are served over HTTP, too, where this machine has a Prometheus.
    """

    name: LiveName
    repair: bool = True
    scale: float = 1.0
    prometheus: bool = True


class LiveStage(Protocol):
    """One incident, from nothing to nothing, whatever it runs in; a context manager that tears everything down."""

    def __enter__(self) -> LiveStage: ...

    def __exit__(self, *_: object) -> None: ...

    @property
    def cluster(self) -> Cluster:
        """The cluster, with the agent's rights; what is done with it counts as the agent's deeds."""
        ...

    @property
    def kubeconfig(self) -> str | None:
        """The agent's kubeconfig; None where there is no API server."""
        ...

    @property
    def prometheus(self) -> str | None:
        """The address of the Prometheus that watches it; None where none does."""
        ...

    @property
    def doors(self) -> dict[str, str]:
        """What else there is to get in by, for people: files and addresses by what they are."""
        ...

    @property
    def container(self) -> ContainerAccess | None:
        """The ways in from a container; None where there are none."""
        ...

    @property
    def isolation(self) -> ApiReport | None:
        """What was tried with the agent's identity; None where nothing was."""
        ...

    def begin(self) -> None:
        """Provision, deploy, warm up, inject, and wait until the incident shows."""
        ...

    def hand_over(self, folder: Path) -> None:
        """Write what monitoring has seen into `folder`, which is not there yet, and let the agent in."""
        ...

    def mend(self) -> None:
        """Repair the incident by accepted fixes, with the agent's rights."""
        ...

    def judge(self) -> Verdict:
        """The agent is done: see what became of the incident, take back the faults, and see what is left."""
        ...


class StageError(ItbenchError):
    """The environment did not become what the scenario says; never the agent's fault."""


def require_closed(report: ApiReport) -> None:
    """Refuse an environment that gives something away.

    Raises:
        StageError: the report names a leak.
    """
    if report.leaked:
        leak = report.leaks[0]
        raise StageError(f"the agent could learn what it must not: {leak.how} {leak.target} {leak.detail}".rstrip())


class Stage:
    """One incident, from nothing to nothing; a context manager that tears everything down, however it ends.

    Args:
        plan: of the scenario.
        seed: of everything random.
        settings: what it runs in.
        note: is told of every step, as `step` with its name and seconds.
    """

    def __init__(self, plan: Plan, seed: int, settings: LiveSettings, note: Note) -> None:
        self._plan = plan
        self._seed = seed
        self._settings = settings
        self._note = note
        self._identity = new_identity()
        self._open = ExitStack()
        self._plane: ControlPlane | None = None
        self._face: Face | None = None
        self._monitoring: Monitoring | None = None
        self._metrics: MetricsApi | None = None
        self._work = ExitStack()
        self._noted: list[Deed] = []
        self._handed_over: tuple[float, datetime] | None = None
        self._cluster: Cluster | None = None
        self._isolation: ApiReport | None = None
        self._incident: Incident | None = None

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        with timed_step(self._note, "torn down"):
            self._work.close()
            self._open.close()

    @property
    def incident(self) -> Incident:
        """The world with the faults."""
        assert self._incident is not None, "begin comes first"
        return self._incident

    @property
    def cluster(self) -> Cluster:
        """The cluster, with the agent's rights; what is done with it counts as the agent's deeds."""
        assert self._cluster is not None, "hand_over comes first"
        return self._cluster

    @property
    def kubeconfig(self) -> str | None:
        """The agent's kubeconfig; None where there is no API server."""
        if self._plane is None:
            return None
        return kubeconfig_of(self._plane, self._identity, self._plan.application.namespace)

    @property
    def doors(self) -> dict[str, str]:
        """What else there is to get in by, for people."""
        metrics = {} if self.prometheus is None else {"prometheus": self.prometheus}
        if self._plane is None:
            return metrics
        return {
            **metrics,
            "admin_kubeconfig": str(self._plane.kubeconfig),
            "server": self._plane.address,
            "audit_log": str(self._plane.audit_log),
        }

    @property
    def plane(self) -> ControlPlane | None:
        """The control plane; None where there is none."""
        return self._plane

    @property
    def prometheus(self) -> str | None:
        """Address of a Prometheus that reads only; None where there is none."""
        return None if self._metrics is None else self._metrics.url

    @property
    def container(self) -> None:
        """None: everything listens on 127.0.0.1."""
        return

    @property
    def isolation(self) -> ApiReport | None:
        """What was tried with the agent's token; None where there is no API server, or not yet."""
        return self._isolation

    @property
    def monitoring_failure(self) -> Exception | None:
        """Why monitoring has ended while the agent works, if it has."""
        return None if self._monitoring is None else self._monitoring.failure

    def begin(self) -> None:
        """Provision, deploy, warm up, inject, and wait until the incident shows.

        Raises:
            StageError: the application does not get healthy, or the incident does not show.
            ClusterError: the control plane cannot be had.
            DatasetError: a fault cannot be injected; with path, line and key.
        """
        with self._provisioned() as plane:
            timeline = self._plan.scenario.timeline
            # The recorded time has passed when the agent comes, so that the cluster's clock is then the wall's.
            epoch = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=timeline.seconds)
            with timed_step(self._note, "deployed", application=self._plan.application.name):
                self._incident = incident = Incident(self._plan, self._seed, epoch=epoch)
            with timed_step(self._note, "warmed up", simulated_seconds=timeline.before):
                incident.wait_until(timeline.before)
                if problems := unhealthy(incident):
                    raise StageError(f"the application does not get healthy: {'; '.join(problems[:5])}")
            with timed_step(self._note, "injected", simulated_seconds=timeline.after):
                incident.play()
            with timed_step(self._note, "manifested") as told:
                told["shown_by"], told["missing"] = manifested(incident)
                if told["missing"] or not told["shown_by"]:
                    what = ", ".join(map(str, told["missing"])) or "anything"  # type: ignore[call-overload]  # a list, put there just now
                    raise StageError(f"the incident does not show: nothing is seen of {what}")
            if plane is not None:
                with timed_step(self._note, "provisioned"):
                    self._plane = plane.result()

    def hand_over(self, folder: Path) -> None:
        """Write what monitoring has seen into `folder`, which is not there yet, and let the world go on by itself.

        Raises:
            ClusterError: the control plane does not answer.
        """
        incident = self.incident
        with timed_step(self._note, "recorded"):
            recorded = observe(self._plan, self._seed, incident.happened(), LITE)
            try:
                recorded.write(folder)
            except OSError as error:
                raise StageError(
                    f"the recording cannot be written: {error.strerror}", path=error.filename or folder
                ) from error
        with timed_step(self._note, "handed over") as told:
            tick = incident.running.tick
            late = (datetime.now(UTC) - incident.running.twin.clock.moment()).total_seconds()
            incident.advance(max(late // tick, 0) * tick)
            if self._plane is None:
                world = World(incident, scale=self._settings.scale)
                self._handed_over = (incident.now, datetime.now(UTC))
                self._work.enter_context(world)
                self._monitor(world, folder, recorded)
                self._cluster = NotedCluster(
                    incident.running.twin.cluster.acting_as("operator"), world.lock, self._noted.append, self._seconds
                )
            else:
                self._monitor(self._show(self._plane, incident, recorded).world, folder, recorded)
            told["prometheus"] = self._metrics is not None
            told["simulated_seconds"] = incident.now

    def mend(self) -> None:
        """Repair the incident by accepted fixes, with the agent's rights.

        Raises:
            ClusterError: a repair is refused.
        """
        mend(self.incident.injected, self.cluster)

    def judge(self) -> Verdict:
        """The agent is done: see what became of the incident, take back the faults, and see what is left.

        Raises:
            ClusterError: the control plane has failed meanwhile.
        """
        assert self._handed_over is not None, "hand_over comes first"
        begun, moment = self._handed_over
        worked = self.incident.now - begun  # to stop everything takes a while, which is not the agent's
        deeds = self._noted
        with timed_step(self._note, "stopped"):
            if self._face is not None:
                self._require_server()
                self._face.catch_up()
            self._work.close()
            self._cluster = self._metrics = None
            if self.monitoring_failure is not None:
                raise StageError(f"monitoring has failed: {self.monitoring_failure}")
        if self._plane is not None:
            deeds = deeds_of(audit_events(self._plane.audit_log), self._identity.name, moment)
            with timed_step(self._note, "disconnected"):
                self._open.close()
                self._plane = None
        with timed_step(self._note, "judged") as told:
            verdict = judged(self.incident, begun, worked, tuple(deeds))
            told.update(verdict.told)
        return verdict

    def _require_server(self) -> None:
        """See that the API server still answers: what an agent could not do without it is not held against it."""
        assert self._plane is not None
        try:
            with ServerCluster.connect(self._plane.kubeconfig) as admin:
                admin.list("Namespace")
        except ItbenchError as error:
            raise StageError(f"the API server has ended during the trial ({error.message})") from error

    def _seconds(self) -> float:
        """Since the agent was let in."""
        assert self._handed_over is not None
        return round((datetime.now(UTC) - self._handed_over[1]).total_seconds(), 3)

    def _show(self, plane: ControlPlane, incident: Incident, recorded: Recording) -> Face:
        namespaces = self._namespaces(incident)
        objects = list(access_objects(load_access(), namespaces, repair=self._settings.repair))
        self._face = self._work.enter_context(shown(incident, plane, objects, recorded, self._settings.scale))
        with timed_step(self._note, "isolation tested") as told:
            faults = (item.fault.id for item in incident.injected)
            door = Door(plane.address, plane.authority, self._identity.name, self._identity.token, plane.folder)
            self._isolation = report = self_test(door, namespaces, (self._plan.scenario.id, *faults))
            told["attempts"] = len(report.attempts)
            require_closed(report)
        self._handed_over = (incident.now, datetime.now(UTC))
        path = plane.folder / "operator.kubeconfig"
        path.write_text(self.kubeconfig or "", encoding="utf-8")
        server = self._work.enter_context(ServerCluster.connect(path))
        self._cluster = server.acting_as("kubectl")
        return self._face

    def _monitor(self, world: World, folder: Path, recorded: Recording) -> None:
        """Let monitoring go on with the world."""
        program = find_prometheus() if self._settings.prometheus else None
        prometheus = None if program is None else self._work.enter_context(running_prometheus(program))
        monitoring = Monitoring(self.incident, world.lock, folder, recorded, prometheus)
        self._monitoring = self._work.enter_context(monitoring)
        if prometheus is not None:
            alerting = Alerting(rules_for(self._plan.application.name), monitoring.alerts)
            self._metrics = self._work.enter_context(MetricsApi(prometheus, alerting))

    def _namespaces(self, incident: Incident) -> list[str]:
        """The application's, and those in which its experiments may be."""
        there = {str(obj["metadata"]["name"]) for obj in incident.running.twin.store.list("Namespace")}
        wanted = (self._plan.application.namespace, *load_access().namespaces)
        return [name for name in dict.fromkeys(wanted) if name in there]

    @contextmanager
    def _provisioned(self) -> Iterator[Future[ControlPlane] | None]:
        """A control plane that starts while the world is simulated."""
        if self._settings.name == "twin":
            yield None
            return
        # Its end is the stage's: the plane is entered in a thread, and left with `_open`.
        pool = ThreadPoolExecutor(1)
        try:
            plane = pool.submit(self._open.enter_context, prepared_plane([self._identity]))
            yield plane
        finally:
            pool.shutdown(wait=True)


__all__ = ["ClusterError", "LiveName", "LiveSettings", "LiveStage", "Note", "Stage", "StageError"]
