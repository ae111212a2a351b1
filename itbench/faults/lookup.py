"""Finding what arguments name, with messages that say what there is instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from itbench.cluster.kinds import kind_named
from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.faults.arguments import near
from itbench.model.errors import FaultError, NotFoundError

_NAME_KEY = "kubernetesObject.metadata.name"
_NAMESPACE_KEY = "kubernetesObject.metadata.namespace"


def find(cluster: Cluster, ref: ObjectRef, key: str = _NAME_KEY) -> KubeObject:
    """An object that must be there.

    Raises:
        FaultError: it is not; or its namespace is not.
    """
    try:
        found = cluster.get(ref)
    except NotFoundError:
        pass
    else:
        if "deletionTimestamp" in found["metadata"]:
            raise FaultError(f"{ref} is being deleted", key=key)
        return found
    if ref.namespace is not None:
        find_namespace(cluster, ref.namespace)
    kind = kind_named(ref.kind, ref.api_version)
    names = [item["metadata"]["name"] for item in cluster.list(kind.qualified_plural, ref.namespace)]
    where = f" in namespace {ref.namespace}" if ref.namespace else ""
    raise FaultError(f"there is no {kind.name} {ref.name!r}{where}", key=key, hint=near(ref.name, names, "There are"))


def find_namespace(cluster: Cluster, name: str) -> KubeObject:
    """A namespace that must be there."""
    try:
        return cluster.get(ObjectRef("Namespace", name, None, "v1"))
    except NotFoundError:
        names = [item["metadata"]["name"] for item in cluster.list("Namespace")]
        hint = near(name, names, "There are")
        raise FaultError(f"there is no namespace {name!r}", key=_NAMESPACE_KEY, hint=hint) from None


def must_be_free(cluster: Cluster, ref: ObjectRef, key: str = _NAME_KEY) -> None:
    """Refuse to make an object where one of its name is.

    Raises:
        FaultError: there is one.
    """
    try:
        cluster.get(ref)
    except NotFoundError:
        return
    raise FaultError(f"there is a {ref.kind} {ref.name!r} already, which the fault would have to make", key=key)


def pod_spec(workload: Mapping[str, Any]) -> dict[str, Any]:
    """The pod spec of a workload's template, to be read or changed."""
    spec: dict[str, Any] = workload["spec"]["template"]["spec"]
    return spec


def container_of(workload: Mapping[str, Any], name: str | None) -> dict[str, Any]:
    """A container of a workload's template; without a name its only one.

    Raises:
        FaultError: there is none of that name, or several to choose from.
    """
    containers: list[dict[str, Any]] = pod_spec(workload)["containers"]
    names = [item["name"] for item in containers]
    subject = f"{workload['kind']} {workload['metadata']['name']}"
    if name is None:
        if len(containers) == 1:
            return containers[0]
        raise FaultError(f"{subject} has several containers", key="container.name", hint=f"Choose one: {', '.join(names)}.")
    for item in containers:
        if item["name"] == name:
            return item
    hint = near(name, names, "There are")
    raise FaultError(f"{subject} has no container {name!r}", key="container.name", hint=hint)


def variable_of(container: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A variable of a container's environment that has a plain value.

    Raises:
        FaultError: there is none, or it takes its value from elsewhere.
    """
    known: Sequence[dict[str, Any]] = container.get("env") or ()
    subject = f"container {container['name']}"
    for item in known:
        if item["name"] == name:
            if "valueFrom" in item:
                source = next(iter(item["valueFrom"]), "valueFrom")
                raise FaultError(f"{name} of {subject} takes its value from a {source}", key="container.env.name")
            return item
    hint = near(name, (item["name"] for item in known), "There are")
    raise FaultError(f"{subject} has no variable {name!r} in its env", key="container.env.name", hint=hint)
