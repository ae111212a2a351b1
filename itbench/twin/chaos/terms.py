"""The terms of Chaos Mesh objects: kinds, amounts and durations as they are written, and what a status tells."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from itbench.cluster.protocol import KubeObject
from itbench.cluster.quantity import quantity
from itbench.model.errors import InvalidError
from itbench.twin.objects import annotations_of

API = "chaos-mesh.org/v1alpha1"
EMBEDDED = {
    "NetworkChaos": "networkChaos",
    "PodChaos": "podChaos",
    "StressChaos": "stressChaos",
    "HTTPChaos": "httpChaos",
    "JVMChaos": "jvmChaos",
    "IOChaos": "ioChaos",
    "DNSChaos": "dnsChaos",
}
"""The kinds of experiments, and the field in which a Schedule holds the spec of one."""
KINDS = tuple(EMBEDDED)

INJECTED, NOT_INJECTED = "Injected", "Not Injected"
RUN, STOP = "Run", "Stop"
SELF, TARGET = ".", ".Target"
"""The names of an experiment's selectors."""
# Pods are taken by these; by all others, one or more containers of a pod.
_OF_PODS = frozenset({"NetworkChaos", "HTTPChaos"})
_PAUSE = "experiment.chaos-mesh.org/pause"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: object) -> float:
    """A duration as Go writes it, `1m30s` or `200ms`, in seconds; 0 for anything else."""
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(str(text or "")))


def number_of(value: object) -> float:
    """`25`, `"25"` or `25.5` as a number that is not negative; 0 for anything else."""
    try:
        number = float(str(value))
    except ValueError:
        return 0.0
    return max(number, 0.0) if math.isfinite(number) else 0.0


def percent_of(value: object) -> float:
    """The same as a share of 100."""
    return min(number_of(value) / 100, 1.0)


def bytes_of(text: object) -> float:
    """`256MB`, `1GiB` or a Kubernetes quantity in bytes; 0 for anything else."""
    plain = str(text or "0").strip().removesuffix("B").removesuffix("b")
    try:
        return float(quantity(plain))
    except InvalidError:
        return 0.0


def spec_of(experiment: KubeObject) -> Mapping[str, Any]:
    """The spec of an experiment."""
    spec: Mapping[str, Any] = experiment.get("spec") or {}
    return spec


def action_of(experiment: KubeObject) -> str:
    """What an experiment does, in the words of its kind; empty where a kind has only one action."""
    return str(spec_of(experiment).get("action") or "")


def stressor_of(experiment: KubeObject, kind: str) -> Mapping[str, Any]:
    """The `cpu` or `memory` stressor of a StressChaos; empty without one."""
    stressors: Mapping[str, Any] = spec_of(experiment).get("stressors") or {}
    return stressors.get(kind) or {}


def memory_stress(experiment: KubeObject, total: float) -> float:
    """Bytes that the workers of a StressChaos take together.

    Each worker takes `size`; a percentage is one of the machine's memory, which is what a process in a container sees.

    Args:
        experiment: the object.
        total: bytes of the machine.
    """
    stressor = stressor_of(experiment, "memory")
    size = str(stressor.get("size") or "0")
    each = number_of(size[:-1]) / 100 * total if size.endswith("%") else bytes_of(size)
    return each * number_of(stressor.get("workers", 1))


def is_paused(obj: KubeObject) -> bool:
    """Whether somebody has paused a Schedule or an experiment."""
    return annotations_of(obj).get(_PAUSE) == "true"


def pausing(paused: bool) -> dict[str, dict[str, dict[str, str]]]:
    """The merge patch that pauses an experiment or lets it go on."""
    return {"metadata": {"annotations": {_PAUSE: str(paused).lower()}}}


def is_one_shot(experiment: KubeObject) -> bool:
    """Whether there is nothing to recover from."""
    return experiment["kind"] == "PodChaos" and action_of(experiment) in ("pod-kill", "container-kill")


def takes_containers(experiment: KubeObject) -> bool:
    """Whether it acts on containers rather than on whole pods."""
    if experiment["kind"] == "PodChaos":
        return action_of(experiment) == "container-kill"
    return experiment["kind"] not in _OF_PODS


def state_of(experiment: KubeObject) -> Mapping[str, Any]:
    """`status.experiment`."""
    state: Mapping[str, Any] = (experiment.get("status") or {}).get("experiment") or {}
    return state


def records_of(experiment: KubeObject) -> list[KubeObject]:
    """What the controller wrote down of each target; empty before it has chosen them."""
    return list(state_of(experiment).get("containerRecords") or ())


def injected(experiment: KubeObject, selector: str = SELF) -> Iterator[tuple[str, str, str]]:
    """Namespace and name of the pods on which an experiment acts, and when it was put there."""
    for record in records_of(experiment):
        if record["selectorKey"] == selector and record["phase"] == INJECTED:
            namespace, name, *_ = str(record["id"]).split("/")
            applied = [item["timestamp"] for item in record.get("events") or () if item["operation"] == "Apply"]
            yield namespace, name, str(applied[-1]) if applied else ""
