"""Where the fault library and the bill meet: what a fault makes of a workload's autoscaler.

The autoscaler is created in a cluster in memory, the fault is injected as on any cluster, and its new targets are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from itbench.cluster.memory import MemoryCluster
from itbench.cluster.reference import ObjectRef
from itbench.faults.pacing import WallPacer
from itbench.faults.registry import fault
from itbench.model.errors import FaultError
from itbench.twin.cost.organisation import Pool
from itbench.twin.cost.plan import MEMORY_TARGET

_REF = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler"}
_METADATA = {"name": "workload", "namespace": "default"}


@dataclass(frozen=True, slots=True)
class Targets:
    """What an autoscaler aims for: shares of the requested CPU and memory."""

    cpu: float
    memory: float


def targets_after(fault_id: str, pool: Pool) -> Targets:
    """The targets of a pool's autoscaler after a fault of the library.

    Raises:
        ValueError: there is no such fault, or it does not act on autoscalers.
    """
    return _targets_after(fault_id, round(100 * pool.target), pool.least, pool.most)


@lru_cache(maxsize=256)
def _targets_after(fault_id: str, percent: int, least: int, most: int) -> Targets:
    cluster = MemoryCluster(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    cluster.create(_autoscaler(percent, least, most))
    try:
        broken = fault(fault_id, {"kubernetesObject": {**_REF, "metadata": _METADATA}})
        broken.inject(cluster, WallPacer())
    except FaultError as error:
        raise ValueError(f"fault: {error.message}") from error
    return _targets(cluster.get(ObjectRef.parse(f"{_REF['kind']}/{_METADATA['name']}", _METADATA["namespace"])))


def _autoscaler(percent: int, least: int, most: int) -> dict[str, Any]:
    return {
        **_REF,
        "metadata": dict(_METADATA),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "workload"},
            "minReplicas": least,
            "maxReplicas": most,
            "metrics": [_metric("cpu", percent), _metric("memory", round(100 * MEMORY_TARGET))],
        },
    }


def _metric(name: str, percent: int) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": name, "target": target}}


def _targets(autoscaler: dict[str, Any]) -> Targets:
    found = {
        metric["resource"]["name"]: metric["resource"]["target"]["averageUtilization"] / 100
        for metric in autoscaler["spec"]["metrics"]
    }
    return Targets(found["cpu"], found["memory"])
