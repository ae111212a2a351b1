"""Waiters: what a scenario does before and after an injection, besides the fault itself.

Ids and arguments are those of the public library. Unlike its waiters, ours wait until roll-outs have ended, within a
bound: what follows then finds the cluster in a state that does not depend on luck.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from pydantic import Field

from itbench.cluster.protocol import Cluster
from itbench.cluster.reference import ObjectRef
from itbench.faults.arguments import Arguments, Unknown, WorkloadArguments, near, read_arguments
from itbench.faults.lookup import find
from itbench.faults.pacing import Pacer
from itbench.faults.workload import wait_for_rollout
from itbench.model.errors import FaultError

_ROLLOUT_SECONDS = 300.0
_STOP_SECONDS = 120.0
A = TypeVar("A", bound=Arguments)


class Waiter(ABC, Generic[A]):
    """One thing to do or to wait for.

    Attributes:
        id: the public library's.
        title: in a few words.
        departure: where it differs from the public library's waiter.
        model: of the arguments.
        args: the arguments.
        ignored: keys of arguments that were given but mean nothing.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    departure: ClassVar[str] = ""
    model: ClassVar[type[Arguments]]

    def __init__(self, args: A, ignored: tuple[str, ...] = ()) -> None:
        self.args = args
        self.ignored = ignored

    def check(self, cluster: Cluster) -> None:
        """See whether what it names is there.

        Raises:
            FaultError: it is not.
        """

    @abstractmethod
    def run(self, cluster: Cluster, pacer: Pacer) -> bool:
        """Do it, and wait.

        Returns:
            Whether what was waited for came about in time.

        Raises:
            FaultError: what it names is not there.
        """


class SecondsArguments(Arguments):
    """A time."""

    seconds: int = Field(ge=0, le=86400)


class ReplicasArguments(WorkloadArguments):
    """A workload and how many pods it shall have."""

    replicas: int = Field(gt=0, le=1000)


W = TypeVar("W", bound=WorkloadArguments)


class _OfWorkload(Waiter[W]):
    model: ClassVar[type[Arguments]] = WorkloadArguments

    @property
    def ref(self) -> ObjectRef:
        """The workload."""
        return self.args.kubernetesObject.ref

    def check(self, cluster: Cluster) -> None:
        """The workload must be there."""
        find(cluster, self.ref)


class DeletePods(_OfWorkload[WorkloadArguments]):
    """All pods of a workload are replaced at once."""

    id = "delete-workload-pods"
    title = "Replace all pods of a workload at once"
    departure = "Waits until the new pods are available; theirs does not."

    def run(self, cluster: Cluster, pacer: Pacer) -> bool:
        """Scale to zero, wait until the pods are gone, and scale back."""
        replicas = int(find(cluster, self.ref)["spec"].get("replicas", 1))
        operator = cluster.acting_as("kubectl")
        operator.scale(self.ref, 0)
        pacer.until(lambda: not (cluster.get(self.ref).get("status") or {}).get("replicas"), _STOP_SECONDS)
        operator.scale(self.ref, replicas)
        return wait_for_rollout(cluster, pacer, self.ref, _ROLLOUT_SECONDS)


class Pause(Waiter[SecondsArguments]):
    """Time passes."""

    id = "pause-execution"
    title = "Let time pass"
    model = SecondsArguments

    def run(self, cluster: Cluster, pacer: Pacer) -> bool:  # noqa: ARG002  as the others
        """Let the seconds pass."""
        pacer.sleep(self.args.seconds)
        return True


class Restart(_OfWorkload[WorkloadArguments]):
    """A workload's pods are rolled anew."""

    id = "restart-kubernetes-workload"
    title = "Restart a workload"
    departure = "Waits until the roll-out has ended; theirs does not, though its description says so."

    def run(self, cluster: Cluster, pacer: Pacer) -> bool:
        """Restart, and wait for the roll-out."""
        find(cluster, self.ref)
        cluster.acting_as("kubectl-rollout").restart(self.ref)
        return wait_for_rollout(cluster, pacer, self.ref, _ROLLOUT_SECONDS)


class Scale(_OfWorkload[ReplicasArguments]):
    """A workload has another number of pods."""

    id = "scale-kubernetes-workload"
    title = "Scale a workload"
    departure = "Waits up to 300 s until the pods are available; theirs up to 60 s."
    model = ReplicasArguments

    def run(self, cluster: Cluster, pacer: Pacer) -> bool:
        """Scale, and wait until the pods are available."""
        find(cluster, self.ref)
        cluster.acting_as("kubectl").scale(self.ref, self.args.replicas)
        return wait_for_rollout(cluster, pacer, self.ref, _ROLLOUT_SECONDS)


AnyWaiter: TypeAlias = Waiter[Any]
WAITERS: Mapping[str, type[AnyWaiter]] = MappingProxyType({each.id: each for each in (DeletePods, Pause, Restart, Scale)})
"""The waiters by id."""


def waiter(id: str, args: object, *, unknown: Unknown = "refuse") -> AnyWaiter:  # noqa: A002  the library's own word
    """The waiter of an id with its arguments; see `itbench.faults.registry.fault`.

    Raises:
        FaultError: there is no such waiter.
        ArgumentsError: the arguments do not fit.
    """
    kind = WAITERS.get(id)
    if kind is None:
        raise FaultError(f"there is no waiter {id!r}", hint=near(id, WAITERS))
    model, ignored = read_arguments(kind.model, id, args, unknown)
    return kind(model, ignored)
