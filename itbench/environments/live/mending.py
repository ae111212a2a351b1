"""Repair an incident as its scenario and faults say it can be repaired."""

from __future__ import annotations

from collections.abc import Sequence

from itbench.cluster.protocol import Cluster
from itbench.model.errors import ClusterError, FaultError
from itbench.twin.incident.incident import Injected


def mend(injected: Sequence[Injected], cluster: Cluster) -> None:
    """Take an accepted fix of each fault, the last fault first.

    Args:
        injected: the faults.
        cluster: is changed; with whose rights, is the caller's choice.

    Raises:
        ClusterError: every fix of a fault is refused; the message is that of the first.
    """
    for item in reversed(injected):
        refused: list[Exception] = []
        for fix in item.fault.fixes():
            try:
                fix.apply(cluster, item.injection)
                break
            except (ClusterError, FaultError) as error:
                refused.append(error)
        else:
            if refused:
                raise refused[0]
