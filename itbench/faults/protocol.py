"""What a fault is: arguments, preconditions, an injection that can be undone exactly, alerts and accepted fixes.

broken = fault("scaled-to-zero-kubernetes-workload", {"kubernetesObject": {...}})
broken.check(cluster)
injection = broken.inject(cluster, pacer, rng)
Path("injection.json").write_text(injection.model_dump_json())
broken.undo(cluster, pacer, injection)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from itbench.cluster.protocol import Cluster
from itbench.cluster.reference import ObjectRef
from itbench.faults.arguments import Arguments
from itbench.faults.fixes import Fix
from itbench.faults.injection import FieldChange, Injection, ObjectChange
from itbench.faults.operation import Operation
from itbench.faults.pacing import Pacer, WallPacer
from itbench.faults.undo import Undone, undo
from itbench.model.errors import FaultError, ItbenchError

if TYPE_CHECKING:
    from numpy.random import Generator

__all__ = ["Fault", "FieldChange", "Fix", "Injection", "ObjectChange", "Operation", "Pacer", "Undone", "WallPacer"]

A = TypeVar("A", bound=Arguments)


class Fault(ABC, Generic[A]):
    """One fault with its arguments.

    Attributes:
        id: the public library's.
        number: its number there; None for ours.
        title: in a few words.
        description: what it changes, and what follows.
        alerts: the alerts that it should raise.
        crowds: whether it lasts only as long as others take the room that they had: new pods elsewhere may end it.
        departure: where it differs from the public library's fault of this id, and why; empty where it does not.
        model: of the arguments.
        args: the arguments.
        ignored: keys of arguments that were given but mean nothing.
    """

    id: ClassVar[str]
    number: ClassVar[int | None] = None
    title: ClassVar[str]
    description: ClassVar[str]
    alerts: ClassVar[tuple[str, ...]] = ()
    crowds: ClassVar[bool] = False
    departure: ClassVar[str] = ""
    model: ClassVar[type[Arguments]]

    def __init__(self, args: A, ignored: tuple[str, ...] = ()) -> None:
        self.args = args
        self.ignored = ignored

    @abstractmethod
    def fixes(self) -> tuple[Fix, ...]:
        """The accepted fixes, the usual one first."""

    @abstractmethod
    def check(self, cluster: Cluster) -> None:
        """See whether the fault can be injected and would change something.

        Raises:
            FaultError: it cannot; `key` is the argument to blame.
        """

    @abstractmethod
    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:
        """Change the objects; gives the roots. Called by `inject`, which checks, records and breaks off cleanly."""

    def inject(
        self,
        cluster: Cluster,
        pacer: Pacer,
        rng: Generator | None = None,
        *,
        noted: Callable[[Injection], None] = lambda _: None,
    ) -> Injection:
        """Break the cluster.

        Waiting is bounded: where a roll-out does not end, the fault goes on. Whether it shows is for the caller to see.

        Args:
            cluster: what is changed.
            pacer: lets time pass in it.
            rng: decides names, and which node is taken; without one always the same.
            noted: called after each change with all that was done so far, without roots. Who writes that to disk can
                undo even what was broken off by a crash.

        Raises:
            FaultError: a precondition does not hold; nothing was changed.
            ClusterError: the server refused a change; what was changed before it has been undone.
        """
        from numpy.random import default_rng

        self.check(cluster)
        operation = Operation(cluster, lambda done: noted(self._injection((), done)))
        try:
            roots = self.change(operation, pacer, rng if rng is not None else default_rng(0))
            if not operation.objects:
                raise FaultError(f"{self.id} changes nothing here")
        except (ItbenchError, KeyboardInterrupt):
            if operation.objects:
                undo(cluster, pacer, self._injection((), operation), exact=False)
            raise
        return self._injection(roots, operation)

    def undo(self, cluster: Cluster, pacer: Pacer, injection: Injection, *, exact: bool = True) -> Undone:
        """Set back what `inject` changed; see `itbench.faults.undo.undo`."""
        return undo(cluster, pacer, injection, exact=exact)

    def _injection(self, roots: tuple[ObjectRef, ...], operation: Operation) -> Injection:
        return Injection(
            fault=self.id,
            arguments=self.args.model_dump(mode="json", exclude_unset=True),
            roots=roots,
            objects=operation.objects,
        )
