"""The pods of a cluster as traffic meets them."""

from __future__ import annotations

from collections.abc import Mapping

from itbench.cluster.protocol import KubeObject
from itbench.twin.app.application import Application
from itbench.twin.app.programs import own_run
from itbench.twin.app.services import Service
from itbench.twin.kubelet.mounts import mounted_files
from itbench.twin.objects import is_finished, name_of, namespace_of
from itbench.twin.wiring.environment import Environments
from itbench.twin.wiring.view import Peer, View, gets_traffic, is_running
from itbench.twin.workload.shell import Run

Peers = Mapping[tuple[str, str], Peer]
"""By namespace and name."""


def find_peers(application: Application, view: View, environments: Environments) -> dict[tuple[str, str], Peer]:
    """Every pod that has not ended, sorted by namespace and name."""
    found = {}
    for pod in view.all("Pod"):
        if is_finished(pod):
            continue
        name = _service_of(application, view, pod)
        env = environments.of(view.store, pod)
        service = None if name is None else application.services[name]
        run = Run() if service is None else _own_run(service, view, pod, env)
        found[namespace_of(pod), name_of(pod)] = Peer(
            pod=pod,
            service=name,
            running=run is not None and is_running(pod),
            ready=gets_traffic(pod),
            reachable=view.node_is_up(pod),
            env=env,
            ports=_declared(pod) if service is None else _listens(service, env),
            growth=0.0 if run is None else run.growth,
        )
    return found


def _service_of(application: Application, view: View, pod: KubeObject) -> str | None:
    workload = view.workload(pod)
    known = workload is not None and workload.namespace == application.namespace and workload.name in application.services
    return workload.name if workload is not None and known else None


def _own_run(service: Service, view: View, pod: KubeObject, env: Mapping[str, str]) -> Run | None:
    """How the program of a service comes to run in its pod; None if another one runs there."""
    container = pod["spec"]["containers"][0]
    return own_run(service, container, env, mounted_files(pod, container, view.store))


def _listens(service: Service, env: Mapping[str, str]) -> frozenset[int]:
    """Where the program listens: what its environment says, else what its description says."""
    for variable, setting in service.settings.items():
        if setting.sets == "port" and env.get(variable, "").isdecimal():
            return frozenset({int(env[variable])})
    return frozenset() if service.port is None else frozenset({service.port})


def _declared(pod: KubeObject) -> frozenset[int] | None:
    """The ports that a stranger declares; None if it declares none."""
    ports = {port["containerPort"] for container in pod["spec"]["containers"] for port in container.get("ports") or ()}
    return frozenset(ports) or None
