"""What Kubernetes workloads cost: nodes divided among the pods on them, as OpenCost does it.

A node's price is divided into that of a core and of a GB of memory by the ratio of OpenCost's default prices; a pod costs
what it requests, what no pod requests is idle. Volumes, traffic and load balancers of an application are divided among its
pods by the hours that they ran. Shape of the table: docs/finops-twin.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from itbench.twin.cost.calendar import Floats
from itbench.twin.cost.organisation import Pool
from itbench.twin.cost.world import LineCost, World

CORE_WEIGHT, GB_WEIGHT = 10.0, 5.0
"""Of the custom prices that the upstream project gives OpenCost: a core to a GB of memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """A Deployment on nodes of its own, by day; costs in US dollars.

    Attributes:
        pod_hours: of all pods.
        cpu_cost, memory_cost: of what pods request.
        idle: of what is left of the nodes.
        cpu_use, memory_use: of what is requested, averaged over pods and hours.
        extras: cost of volumes, traffic, load balancers.
    """

    line: LineCost
    cluster: str
    namespace: str
    name: str
    pod_hours: Floats
    cpu_cost: Floats
    memory_cost: Floats
    idle: Floats
    cpu_use: Floats
    memory_use: Floats
    extras: dict[str, Floats]

    @property
    def spec(self) -> Pool:
        """Its pool."""
        spec = self.line.plan.spec
        assert isinstance(spec, Pool)
        return spec


@dataclass(frozen=True, slots=True, eq=False)
class Namespace:
    """What the workloads of a namespace come to, by day."""

    cpu_cost: Floats
    memory_cost: Floats
    cpu_efficiency: Floats
    memory_efficiency: Floats


def workloads_of(world: World) -> Iterator[Workload]:
    """Every Deployment."""
    for line in world.lines:
        if isinstance(line.plan.spec, Pool):
            yield _workload(world, line, line.plan.spec)


def _workload(world: World, line: LineCost, spec: Pool) -> Workload:
    application = world.plan.applications[line.plan.application]
    service = line.use.service
    assert service is not None
    hours = service.replicas.sum(axis=1)
    nodes = np.maximum(line.use.units.sum(axis=1), 1e-9)
    days = range(world.calendar.days)
    families = [world.plan.families[line.family(day)] for day in days]
    cores, memory = (np.array([getattr(it, name) for it in families]) for name in ("vcpu", "memory"))
    node_hour = line.cost / nodes
    per_weight = node_hour / (CORE_WEIGHT * cores + GB_WEIGHT * memory)
    cpu_cost = hours * spec.cpu * CORE_WEIGHT * per_weight
    memory_cost = hours * spec.memory * GB_WEIGHT * per_weight
    return Workload(
        line=line,
        cluster=f"{line.plan.account}-1",
        namespace=application.spec.namespace or line.plan.application,
        name=line.plan.application,
        pod_hours=hours,
        cpu_cost=cpu_cost,
        memory_cost=memory_cost,
        idle=np.maximum(line.cost - cpu_cost - memory_cost, 0.0),
        cpu_use=(service.utilisation * service.replicas).sum(axis=1) / np.maximum(hours, 1e-9),
        memory_use=(service.memory * service.replicas).sum(axis=1) / np.maximum(hours, 1e-9),
        extras=_extras(world, line),
    )


def _extras(world: World, pool: LineCost) -> dict[str, Floats]:
    found = {name: np.zeros(world.calendar.days) for name in ("pv", "network", "load_balancer", "cross_zone")}
    for line in world.of(pool.plan.application):
        family = world.plan.families[line.plan.spec.family]
        if line.plan.spec.family in ("gp3", "premium-ssd", "pd-balanced"):
            found["pv"] += line.cost
        elif line.plan.spec.family in ("cross-zone", "inter-zone", "zone-transfer"):
            found["cross_zone"] += line.cost
            found["network"] += line.cost
        elif family.category == "Networking" and family.unit == "flow":
            found["network"] += line.cost
        elif line.plan.spec.family == "alb":
            found["load_balancer"] += line.cost
    return found


def namespaces_of(workloads: list[Workload]) -> dict[tuple[str, str], Namespace]:
    """What each namespace comes to, by cluster and name; efficiencies are averaged by the cost of what is requested."""
    groups: dict[tuple[str, str], list[Workload]] = {}
    for workload in workloads:
        groups.setdefault((workload.cluster, workload.namespace), []).append(workload)
    return {key: _namespace(group) for key, group in sorted(groups.items())}


def _namespace(group: list[Workload]) -> Namespace:
    cpu: Floats = np.sum([it.cpu_cost for it in group], axis=0)
    memory: Floats = np.sum([it.memory_cost for it in group], axis=0)
    cpu_used: Floats = np.sum([it.cpu_cost * it.cpu_use for it in group], axis=0)
    memory_used: Floats = np.sum([it.memory_cost * it.memory_use for it in group], axis=0)
    return Namespace(cpu, memory, cpu_used / np.maximum(cpu, 1e-9), memory_used / np.maximum(memory, 1e-9))
