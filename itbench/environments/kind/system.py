"""A cluster with an application on it, in which one trial happens after the other.

Making a cluster takes a minute, so it is made once. Between trials it is brought back to what it was: objects field by
field, and what tells of the past (events, old revisions, who changed what) goes. If that does not succeed, the application
is deployed anew; if the API server is gone, the cluster is.
"""

from __future__ import annotations

import atexit
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock

from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.cluster.server import ServerCluster
from itbench.cluster.transport import Transport
from itbench.environments.kind.baseline import Baseline
from itbench.environments.kind.damage import span_of, stretch
from itbench.environments.kind.deploy import Deployment, deploy
from itbench.environments.kind.engine import Engine
from itbench.environments.kind.health import Health, watched
from itbench.environments.kind.history import forget
from itbench.environments.kind.operator import NAMESPACE as OPERATORS
from itbench.environments.kind.operator import SUBJECT, close_account, new_account
from itbench.environments.kind.owners import owner, owner_of
from itbench.environments.kind.programs import kind_program
from itbench.environments.kind.provision import KindCluster, kind_cluster, node_image, reap_clusters
from itbench.environments.kind.settings import KindSettings
from itbench.environments.kind.tallies import Tallies
from itbench.environments.live.access import access_objects, load_access
from itbench.model.errors import AlreadyExistsError, ClusterError, ItbenchError, NotFoundError
from itbench.twin.app.application import Application
from itbench.twin.objects import name_of

_GONE_SECONDS = 120.0
_CREATOR = "kubectl-create"


@dataclass(slots=True)
class KindSystem:
    """A cluster that runs, and what is on it.

    Attributes:
        kind: the cluster.
        cluster: the same, with all rights.
        transport: the same, for what is not an object.
        deployment: of the application; None before it is deployed.
        health: of the application.
        baseline: its objects when all was well.
        healthy: its requests then.
        bindings: that give the agent its rights, while there is one.
        clean: whether it is as it was then.
    """

    engine: Engine
    kind: KindCluster
    cluster: ServerCluster
    transport: Transport
    settings: KindSettings
    deployment: Deployment | None = None
    health: Health | None = None
    baseline: Baseline | None = None
    healthy: Tallies = field(default_factory=dict)
    bindings: tuple[KubeObject, ...] = ()
    clean: bool = False

    def ensure(self, application: Application, *, repair: bool) -> bool:
        """Have a clean application; gives whether it was there already.

        Args:
            application: what to deploy.
            repair: whether agents may change things.

        Raises:
            ClusterError: it cannot be deployed.
        """
        if self.clean and self.deployment is not None and self.deployment.application == application:
            return True
        if self.deployment is not None:
            self._clear(self.deployment)
        self.deployment = self.health = self.baseline = None
        self.deployment = deploy(self.kind, self.cluster, self.transport, application, self.settings.load)
        self.health = Health(self.cluster, application, self.deployment.levels)
        self._prepare_access(self.deployment, repair=repair)
        return False

    def admit(self) -> str:
        """Let an agent in; gives its token.

        Raises:
            ClusterError: the API server does not answer.
        """
        return new_account(self.cluster.acting_as(_CREATOR), self.transport, self.bindings)

    def shut_out(self) -> None:
        """Let no agent in any more.

        Raises:
            ClusterError: the API server does not answer.
        """
        close_account(self.cluster, self.bindings)

    def remember(self) -> None:
        """All has been well for the window: take the objects, and the requests of that time, for the baseline."""
        assert self.deployment is not None
        levels = self.deployment.levels
        self.baseline = Baseline(self.cluster)
        self.healthy = stretch(span_of(levels.seen, levels.mark() - self.settings.window))
        self.clean = True

    def _prepare_access(self, deployment: Deployment, *, repair: bool) -> None:
        """The agent's namespace and roles; what binds them to it comes with an agent and goes with it."""
        creator = self.cluster.acting_as(_CREATOR)
        there = {name_of(each) for each in self.cluster.list("Namespace")}
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OPERATORS}}
        access = load_access()
        namespaces = [deployment.application.namespace, *(name for name in access.namespaces if name in there)]
        objects = list(access_objects(access, namespaces, repair=repair, subject=SUBJECT))
        self.bindings = tuple(obj for obj in objects if obj["kind"].endswith("Binding"))
        for obj in (namespace, *(obj for obj in objects if obj not in self.bindings)):
            with suppress(AlreadyExistsError):
                creator.create(obj)

    def settle(self) -> list[str]:
        """Bring everything back to the baseline and forget what happened; gives what could not be.

        Raises:
            ClusterError: the API server does not answer.
        """
        assert self.deployment is not None
        assert self.baseline is not None
        assert self.health is not None
        self.clean = False
        left = self.baseline.left_over(self.cluster)
        if left:
            self.baseline.restore(self.cluster)
        looks, well = watched(self.health, self.settings.waits.undone, 0.0, self.settings.look)
        if left:
            left = self.baseline.left_over(self.cluster)
        forget(self.cluster, self.transport, self.deployment.application.namespace, self.baseline.kinds)
        problems = [*left, *([] if well else looks[-1].words)]
        self.clean = not problems
        return problems

    def _clear(self, deployment: Deployment) -> None:
        """Remove an application, and wait until its namespaces are gone."""
        refs = [ObjectRef("Namespace", name) for name in deployment.namespaces]
        for ref in refs:
            with suppress(NotFoundError):
                self.cluster.delete(ref)
        end = time.monotonic() + _GONE_SECONDS
        while any(self._is_there(ref) for ref in refs):
            if time.monotonic() > end:
                raise ClusterError(f"the application's namespaces are not gone after {_GONE_SECONDS:.0f} s")
            time.sleep(self.settings.look)

    def _is_there(self, ref: ObjectRef) -> KubeObject | None:
        try:
            return self.cluster.get(ref)
        except NotFoundError:
            return None


class KindSystems:
    """The one system of a run. A context manager that tears it down; trials take turns.

    Args:
        settings: of the clusters.
        image: the node image that the user wants; None leaves the choice to us.
    """

    def __init__(self, settings: KindSettings, image: str | None = None) -> None:
        self._settings = settings
        self._image = image
        self._turn = Lock()
        self._open = ExitStack()
        self._system: KindSystem | None = None
        self._failed: ClusterError | None = None
        self._coming: Future[KindSystem] | None = None
        self._abandoned = False

    def __enter__(self) -> KindSystems:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Begin to make the cluster; `take` waits for it. It is torn down with the process at the latest."""
        atexit.register(self.close)
        pool = ThreadPoolExecutor(1)
        self._coming = pool.submit(self._made)
        pool.shutdown(wait=False)

    def close(self) -> None:
        """Tear down what there is, or is on its way."""
        coming, self._coming = self._coming, None
        if coming is not None:
            coming.exception()  # waits; whoever wants the cluster is told
        self._system = None
        self._open.close()
        self._open = ExitStack()

    def abandon(self) -> None:
        """Remove the nodes at once, so that whoever waits for something in the cluster fails and ends."""
        self._abandoned = True
        with suppress(ItbenchError), Engine.connect() as engine:
            for name in engine.clusters():
                if owner_of(name) == owner():
                    engine.remove(name)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Have the system alone, from `take` to the trial's end."""
        with self._turn:
            yield

    def take(self) -> tuple[KindSystem, bool]:
        """The system, and whether it was there already. Within a turn.

        Raises:
            ClusterError: a cluster cannot be had.
        """
        if self._abandoned:
            raise ClusterError("the run was cancelled")
        if self._failed is not None:
            raise self._failed
        if self._system is not None and _answers(self._system.transport):
            return self._system, True
        coming, self._coming = self._coming, None
        if coming is None:
            self.close()
        try:
            self._system = self._made() if coming is None else coming.result()
        except ClusterError as error:
            self._failed = error  # the next trial would fare no better
            raise
        return self._system, False

    def _made(self) -> KindSystem:
        engine = self._open.enter_context(Engine.connect())
        reap_clusters(engine)
        image = node_image(engine, self._settings, self._image)
        kind = self._open.enter_context(kind_cluster(engine, self._settings, image))
        cluster = self._open.enter_context(ServerCluster.connect(kind.kubeconfig))
        transport = Transport.open(kind.kubeconfig, None)
        self._open.callback(transport.close)
        return KindSystem(engine, kind, cluster, transport, self._settings)


def _answers(transport: Transport) -> bool:
    try:
        return transport.text("GET", "/readyz").strip() == "ok"
    except ClusterError:
        return False


def require_kind() -> None:
    """Refuse at once what cannot work.

    Raises:
        MissingExtraError: a client is not installed.
        ClusterError: no Docker daemon answers, or kind is missing.
    """
    with Engine.connect():
        kind_program()
