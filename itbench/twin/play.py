"""Play a file of changes on a fresh twin and record its watch stream: what `itbench twin play` does.

The form of the stream is that of kubectl's watch: one JSON object a line, `t` seconds relative to the first change,
`type` (ADDED, MODIFIED, DELETED) and `object`, without managedFields and tolerations.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from itbench.cluster.manifest import read_manifest
from itbench.cluster.protocol import KubeObject, WatchEvent
from itbench.model.errors import ClusterError, UsageError
from itbench.twin.changes import read_changes
from itbench.twin.clock import Clock
from itbench.twin.documents import Document, read_documents
from itbench.twin.kubelet.images import UnreachableRegistry
from itbench.twin.twin import Twin
from itbench.twin.workload.behaviour import image_behaviours, images_in, learnt
from itbench.twin.workload.process import KnownPrograms

SETTLE_SECONDS = 60.0
"""How long the objects have to become healthy before the first change."""
CALL_SECONDS = 0.1
"""What one call takes; changes of the same second follow each other."""
KINDS = frozenset(
    "Pod Deployment ReplicaSet StatefulSet DaemonSet Job CronJob Service EndpointSlice Event Node ResourceQuota "
    "HorizontalPodAutoscaler PodDisruptionBudget PersistentVolumeClaim".split()
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One line of a stream."""

    time: float
    event: WatchEvent

    def line(self) -> str:
        """As it is written."""
        shown = {"t": round(self.time, 2), "type": self.event.type, "object": _without_clutter(self.event.object)}
        return json.dumps(shown, separators=(", ", ": "), sort_keys=False)


def play(objects: Path, changes: Path, minutes: float, seed: int = 0) -> list[Recorded]:
    """Apply objects, let them settle, make the changes at their times, and record.

    The cluster has one node (`node-1`, 2 CPUs, 24 GiB) unless the objects contain nodes, and a namespace for every
    object. Nodes have the images of the objects; others cannot be pulled.

    Args:
        objects: manifests.
        changes: a list of changes in the order of their times.
        minutes: how long to record from the first change on.
        seed: of what varies, such as names and times between retries.

    Raises:
        UsageError: a file is wrong, or the API refuses what it asks for; with path, line and key.
    """
    manifests = list(_manifests(objects))
    steps = read_changes(changes)
    bodies = [body for _, body in manifests]
    nodes = [body for body in bodies if body["kind"] == "Node"]
    behaviour = learnt(image_behaviours(), bodies)
    twin = Twin(
        seed=seed,
        clock=Clock(start=-SETTLE_SECONDS),
        programs=KnownPrograms(behaviour),
        registry=UnreachableRegistry(),
        present=images_in(bodies),
        nodes=nodes or None,
    )
    stream: list[Recorded] = []
    twin.cluster.subscribe(lambda event: stream.append(Recorded(twin.clock.now, event)))
    kubectl = twin.cluster.acting_as("kubectl")
    _make_namespaces(twin, bodies)
    twin.advance(0.1)
    for document, body in manifests:
        if body["kind"] != "Node":
            try:
                kubectl.apply(body)
            except ClusterError as error:
                raise document.error((), error.message, error.hint) from error
    for step in steps:
        twin.run_until(max(step.at, twin.clock.now))
        step.make(twin)
        twin.advance(CALL_SECONDS)
    twin.run_until(max(minutes * 60, twin.clock.now))
    return [item for item in stream if item.event.object["kind"] in KINDS]


def write_stream(stream: Iterable[Recorded], path: Path) -> None:
    """Write a stream, one line an event.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{item.line()}\n" for item in stream)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", path=path) from error


def _manifests(path: Path) -> Iterator[tuple[Document, KubeObject]]:
    """The objects of a file; those of Lists one by one."""
    for document in read_documents(path):
        value = document.value
        if not isinstance(value, dict):
            raise document.error((), "a manifest is a mapping with apiVersion, kind and metadata")
        items = value.get("items") if str(value.get("kind", "")).endswith("List") else None
        for index, body in enumerate(items if isinstance(items, list) else [value]):
            key = ("items", index) if isinstance(items, list) else ()
            if not isinstance(body, dict):
                raise document.error(key, "a manifest is a mapping with apiVersion, kind and metadata")
            try:
                yield document, read_manifest(body)[1]
            except ClusterError as error:
                raise document.error((*key, "kind" if "kind" in body else ""), error.message, error.hint) from error


def _make_namespaces(twin: Twin, bodies: Iterable[KubeObject]) -> None:
    """Make the namespaces that manifests use, those first that they describe."""
    own = [body for body in bodies if body["kind"] == "Namespace"]
    for body in own:
        twin.cluster.apply(body)
    names = {str(body["metadata"]["namespace"]) for body in bodies if body["metadata"].get("namespace")}
    for name in sorted(names):
        if twin.store.get("Namespace", ("", name)) is None:
            twin.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def _without_clutter(obj: KubeObject) -> KubeObject:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    shown: KubeObject = {**obj, "metadata": metadata}
    if obj["kind"] == "Pod":
        shown["spec"] = {key: value for key, value in obj["spec"].items() if key != "tolerations"}
    return shown
