"""Whether an application serves: its parts are there, its pods are ready, its Services lead to them, and requests succeed.

What is wrong is told in words; nothing wrong is health. The same look decides that an incident shows and that it is over,
so that what the one sees the other does not overlook.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.twin.app.application import Application
from itbench.twin.app.objects import manifests
from itbench.twin.objects import controller_of, is_deleting, is_ready, name_of

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


class Levels(Protocol):
    """The service levels of an application, as monitoring sees them."""

    def problems(self) -> list[str]:
        """What service levels lack at the moment, in words."""
        ...


class NoLevels:
    """Nobody watches requests: only objects tell."""

    def problems(self) -> list[str]:
        """None."""
        return []


@dataclass(frozen=True, slots=True)
class Look:
    """One look at an application.

    Attributes:
        seconds: of `time.monotonic`.
        wrong: what is wrong with pods, Services and requests, in words.
        missing: parts of the application that are gone, or scaled to nothing.
    """

    seconds: float
    wrong: tuple[str, ...] = ()
    missing: tuple[ObjectRef, ...] = ()

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong and not self.missing

    @property
    def words(self) -> list[str]:
        """All that is wrong."""
        return [*(f"{ref} is gone" for ref in self.missing), *self.wrong]


class Health:
    """Looks at an application again and again.

    Args:
        cluster: with rights to read everything.
        application: what must be there.
        levels: of its services.
    """

    def __init__(self, cluster: Cluster, application: Application, levels: Levels) -> None:
        self._cluster = cluster
        self._namespace = application.namespace
        self._levels = levels
        self._parts = [ObjectRef.of(each) for each in manifests(application) if each["kind"] in (*_WORKLOADS, "Service")]

    def look(self) -> Look:
        """One look.

        Raises:
            ClusterError: the API server does not answer.
        """
        found: dict[ObjectRef, KubeObject] = {}
        for kind in (*_WORKLOADS, "Service"):
            found |= {
                ObjectRef.of(each): each for each in self._cluster.list(kind, self._namespace) if not is_deleting(each)
            }
        missing = tuple(ref for ref in self._parts if ref not in found)
        pods = self._cluster.list("Pod", self._namespace)
        there = [found[ref] for ref in self._parts if ref in found]
        wrong = [
            *(text for each in there if each["kind"] != "Service" for text in _workload_problems(each)),
            *(text for pod in pods for text in _pod_problems(pod)),
            *(text for each in there if each["kind"] == "Service" for text in self._unserved(each, pods)),
            *self._levels.problems(),
        ]
        return Look(time.monotonic(), tuple(dict.fromkeys(wrong)), missing)

    def _unserved(self, service: KubeObject, pods: Any) -> Iterator[str]:
        """Whether a Service leads to no ready pod, or to a port on which its pods do not listen."""
        wanted: Mapping[str, str] = (service.get("spec") or {}).get("selector") or {}
        if not wanted:
            return
        chosen = [pod for pod in pods if is_ready(pod) and wanted.items() <= (pod["metadata"].get("labels") or {}).items()]
        if not chosen:
            yield f"service {name_of(service)} leads to no ready pod"
            return
        for port in service["spec"].get("ports") or ():
            target = port.get("targetPort", port["port"])
            if not any(_listens(pod, target) for pod in chosen):
                yield f"service {name_of(service)} leads to port {target}, which its pods do not declare"


def watched(health: Health, seconds: float, window: float, every: float, *, well: bool = True) -> tuple[list[Look], bool]:
    """Look until an application has been well (or unwell) for `window` seconds on end, but no longer than `seconds`.

    Returns:
        All looks, and whether it came to be.
    """
    return watched_until(health.look, seconds, window, every, well=well)


def watched_until(
    look: Callable[[], Look], seconds: float, window: float, every: float, *, well: bool = True
) -> tuple[list[Look], bool]:
    """As `watched`, with any way to look."""
    end = time.monotonic() + seconds
    looks: list[Look] = []
    since: float | None = None
    while True:
        looks.append(look())
        if looks[-1].well is not well:
            since = None
        elif since is None:
            since = looks[-1].seconds
        if since is not None and looks[-1].seconds - since >= window:
            return looks, True
        if time.monotonic() >= end:
            return looks, False
        time.sleep(every)


def _workload_problems(workload: KubeObject) -> Iterator[str]:
    status, spec = workload.get("status") or {}, workload.get("spec") or {}
    if workload["kind"] == "DaemonSet":
        wanted, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
    else:
        wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    name = f"{workload['kind'].lower()} {name_of(workload)}"
    if wanted < 1:
        yield f"{name} is scaled to {wanted}"
    elif ready < wanted:
        yield f"{name} has {ready or 0} of {wanted} pods ready"


def _pod_problems(pod: KubeObject) -> Iterator[str]:
    """Pods of workloads that cannot start; what others started is none of the application's."""
    if is_deleting(pod) or controller_of(pod) is None or is_ready(pod):
        return
    status = pod.get("status") or {}
    for each in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        waiting = (each.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            yield f"a pod of {controller_of(pod)['name']} waits: {waiting['reason']}"  # type: ignore[index]  # asked above
            return
    scheduled = [each for each in status.get("conditions") or () if each["type"] == "PodScheduled"]
    if scheduled and scheduled[0]["status"] == "False":
        yield f"a pod of {controller_of(pod)['name']} finds no node"  # type: ignore[index]


def _listens(pod: KubeObject, target: int | str) -> bool:
    """Whether a pod declares a port, or declares none at all."""
    ports = [port for container in pod["spec"]["containers"] for port in container.get("ports") or ()]
    return not ports or any(target in (port.get("containerPort"), port.get("name")) for port in ports)
