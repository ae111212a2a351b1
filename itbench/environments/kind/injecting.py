"""The steps of a scenario on a real cluster: waiters and faults in their order, each as soon as the one before is done."""

from __future__ import annotations

import time
from collections.abc import Callable

from itbench.cluster.protocol import Cluster
from itbench.faults.pacing import WallPacer
from itbench.model.errors import ClusterError, ItbenchError
from itbench.twin.incident.incident import Injected
from itbench.twin.incident.plan import Plan, PlannedStep
from itbench.twin.randomness import Streams

_POLL = 0.3


class HastyPacer(WallPacer):
    """Waits in real time, but for nothing longer than `most` seconds.

    Faults wait for roll-outs that they have just made impossible; on a twin that costs nothing.
    """

    def __init__(self, most: float) -> None:
        super().__init__(_POLL)
        self._most = most

    def sleep(self, seconds: float) -> None:
        """Wait."""
        super().sleep(min(seconds, self._most))

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until a condition holds."""
        return super().until(condition, min(seconds, self._most))


def inject(plan: Plan, seed: int, cluster: Cluster, most: float, injected: list[Injected]) -> list[float]:
    """Do all steps. Times between disruptions are not waited for; their order is kept.

    Args:
        plan: of the scenario.
        seed: of everything random.
        cluster: is broken.
        most: seconds to wait at most for one thing.
        injected: gets each fault as soon as it is in, so that what was broken off can be undone.

    Returns:
        When each step began, seconds from the first.

    Raises:
        DatasetError: a fault cannot be injected; with path, line and key.
    """
    streams, pacer, begin = Streams(seed), HastyPacer(most), time.monotonic()
    moments = []
    for step in plan.steps:
        moments.append(time.monotonic() - begin)
        try:
            _do(step, cluster, pacer, streams, injected, begin)
        except ClusterError as error:
            raise plan.file.error(step.key, error.message, error.hint) from error
        except ItbenchError as error:
            if error.path is not None:
                raise
            parts = tuple(error.key.split(".")) if error.key else ()
            raise plan.file.error((*step.key, *parts), error.message, error.hint) from error
    return moments


def _do(
    step: PlannedStep, cluster: Cluster, pacer: HastyPacer, streams: Streams, injected: list[Injected], begin: float
) -> None:
    if step.waiter is not None:
        step.waiter.run(cluster, pacer)
    elif step.fault is not None:
        step.fault.check(cluster)
        began = time.monotonic() - begin
        rng = streams.generator(f"{step.fault.id} {len(injected)}", "fault")
        injection = step.fault.inject(cluster, pacer, rng)
        injected.append(Injected(step.fault, injection, began, step.key))
