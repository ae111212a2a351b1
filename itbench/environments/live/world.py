"""A simulated world that goes on by itself: its seconds pass as those of the wall clock, in a thread of its own.

    world = World(incident)
    with world:
        with world.lock:
            incident.running.twin.cluster.get(...)
    # the incident stands still, at the end of a tick

Whoever holds `lock` has the world to themselves; it is let go while time passes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Condition, RLock, Thread

from itbench.model.errors import UsageError
from itbench.twin.incident.incident import Incident

_STEP = 0.2  # seconds between two looks at the cluster's clock


class World:
    """An incident that goes on.

    Args:
        incident: nobody else may advance it meanwhile.
        scale: simulated seconds a second.
        between: called, with the lock held, after each step of the cluster's clock and whenever somebody calls `wake`.

    Attributes:
        lock: to be held by whoever reads or changes the incident from another thread.

    Raises:
        UsageError: time cannot pass so fast.
    """

    def __init__(self, incident: Incident, *, scale: float = 1.0, between: Callable[[], None] = lambda: None) -> None:
        if not 0 < scale <= 1000:
            raise UsageError(f"time cannot pass {scale:g} times as fast", hint="Take a number up to 1000; 1 is real time.")
        self.lock = RLock()
        self.failure: Exception | None = None
        self._incident = incident
        self._scale = scale
        self._between = between
        self._turn = Condition(self.lock)
        self._stopped = False
        self._thread = Thread(target=self._run, name="world", daemon=True)
        self._begun = (0.0, 0.0)

    def __enter__(self) -> World:
        running = self._incident.running
        self._begun = (running.twin.clock.now, time.monotonic())
        running.passing = self._pass
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self._stopped = True
            self._turn.notify_all()
        self._thread.join()
        running = self._incident.running
        running.passing = running.twin.run_until

    def wake(self) -> None:
        """Let the cluster act on a change now. To be called with the lock held."""
        self._turn.notify_all()

    def _run(self) -> None:
        with self.lock:
            try:
                while not self._stopped:
                    self._incident.advance(self._incident.running.tick)
            except Exception as error:  # whoever ends the world asks what became of it
                self.failure = error

    def _pass(self, until: float) -> None:
        """Let the cluster's clock go to `until`, as fast as the wall clock says."""
        twin = self._incident.running.twin
        while twin.clock.now < until and not self._stopped:
            begin, begin_wall = self._begun
            due = begin + (time.monotonic() - begin_wall) * self._scale
            twin.run_until(min(max(due, twin.clock.now), until))
            self._between()
            if twin.clock.now < until:
                left = (until - twin.clock.now) / self._scale
                self._turn.wait(min(left, _STEP))
        twin.run_until(until)
        self._between()
