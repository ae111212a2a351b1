"""Which pods an experiment takes (https://chaos-mesh.org/docs/define-chaos-experiment-scope/)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from itbench.cluster.protocol import KubeObject
from itbench.cluster.selectors import Selector
from itbench.twin.chaos.terms import SELF, TARGET, number_of, spec_of, takes_containers
from itbench.twin.control.store import Store, key_of
from itbench.twin.objects import annotations_of, labels_of, name_of, namespace_of, phase_of
from itbench.twin.randomness import Streams


def selectors_of(experiment: KubeObject) -> dict[str, Mapping[str, Any]]:
    """The selectors of an experiment by name: its own, and that of the other side of a network experiment."""
    spec = spec_of(experiment)
    found: dict[str, Mapping[str, Any]] = {SELF: spec}
    if experiment["kind"] == "NetworkChaos" and spec.get("target"):
        found[TARGET] = spec["target"]
    return found


def targets(store: Store, streams: Streams, experiment: KubeObject, selector: Mapping[str, Any]) -> list[str]:
    """What a selector takes now: `namespace/pod`, or `namespace/pod/container` where containers are meant.

    Args:
        store: the objects.
        streams: decide where `mode` leaves it to chance.
        experiment: gives the namespace to look in unless the selector names others.
        selector: `selector`, `mode` and `value`, and perhaps `containerNames`.
    """
    pods = sorted(_selected(store, selector.get("selector") or {}, namespace_of(experiment)), key=key_of)
    wanted = _how_many(selector, len(pods))
    if wanted < len(pods):
        order = streams.generator(namespace_of(experiment) + "/" + name_of(experiment), "targets").permutation(len(pods))
        pods = [pods[index] for index in sorted(order[:wanted].tolist())]
    if not takes_containers(experiment):
        return [f"{namespace_of(pod)}/{name_of(pod)}" for pod in pods]
    return [
        f"{namespace_of(pod)}/{name_of(pod)}/{name}"
        for pod in pods
        for name in _containers(pod, selector.get("containerNames") or ())
    ]


def _containers(pod: KubeObject, wanted: Sequence[str]) -> list[str]:
    names = [str(container["name"]) for container in pod["spec"]["containers"]]
    return [name for name in names if name in wanted] if wanted else names[:1]


def _selected(store: Store, selector: Mapping[str, Any], own_namespace: str) -> list[KubeObject]:
    namespaces = selector.get("namespaces") or [own_namespace]
    labels = Selector.of(
        {"matchLabels": selector.get("labelSelectors") or {}, "matchExpressions": selector.get("expressionSelectors") or []}
    )
    listed = selector.get("pods")
    if listed:
        keys = [(namespace, name) for namespace, names in listed.items() for name in names]
        return [pod for key in keys if (pod := store.get("Pod", key)) is not None]
    phases, nodes = selector.get("podPhaseSelectors"), selector.get("nodes")
    annotations = Selector.equal_to(selector.get("annotationSelectors") or {})
    return [
        pod
        for pod in store.list("Pod", selector=labels)
        if namespace_of(pod) in namespaces
        and annotations.matches(annotations_of(pod))
        and (not phases or phase_of(pod) in phases)
        and (not nodes or pod["spec"].get("nodeName") in nodes)
        and _on_nodes(store, pod, selector.get("nodeSelectors") or {})
    ]


def _on_nodes(store: Store, pod: KubeObject, wanted: Mapping[str, str]) -> bool:
    node = store.get("Node", ("", pod["spec"].get("nodeName") or "")) if wanted else None
    return not wanted or (node is not None and Selector.equal_to(wanted).matches(labels_of(node)))


def _how_many(selector: Mapping[str, Any], total: int) -> int:
    number = number_of(selector.get("value"))
    match selector.get("mode") or "all":
        case "one":
            return 1
        case "fixed":
            return min(int(number), total)
        case "fixed-percent" | "random-max-percent":
            return min(math.ceil(total * number / 100), total)
        case _:
            return total
