"""Schedules: they make an experiment at each of their times, and forget the old ones.

Semantics and words of Chaos Mesh 2.8 (controllers/schedule: cron, active, pause, gc). Where a running experiment forbids
the next, the controller comes back at the next time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from itbench.cluster.protocol import KubeObject, WatchEvent
from itbench.cluster.reference import ObjectRef
from itbench.cluster.tree import copied
from itbench.model.errors import ClusterError
from itbench.twin.chaos.terms import (
    API,
    EMBEDDED,
    INJECTED,
    KINDS,
    STOP,
    is_one_shot,
    is_paused,
    pausing,
    records_of,
    seconds_of,
    state_of,
)
from itbench.twin.chaos.timetable import read_timetable
from itbench.twin.control.controller import Controller, World, controller_key
from itbench.twin.control.events import Recorder
from itbench.twin.control.store import Key, key_of
from itbench.twin.objects import ALPHABET, is_deleting, name_of, namespace_of, owner_reference, uid_of

_SUFFIX = 5  # letters of a generated name


class ScheduleController(Controller):
    """Starts experiments on time."""

    name = "chaos-controller-manager"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._cron = Recorder(world.cluster, world.clock, "schedule-cron")
        self._active = Recorder(world.cluster, world.clock, "schedule-active")
        self._gc = Recorder(world.cluster, world.clock, "schedule-gc")
        self._made: dict[str, int] = {}

    def keys(self, event: WatchEvent) -> Iterable[Key]:
        """Schedules, and the owners of experiments."""
        kind = event.object["kind"]
        if kind == "Schedule":
            return [key_of(event.object)]
        return controller_key(event.object, "Schedule") if kind in KINDS else []

    def sync(self, key: Key) -> None:
        """Pass a pause on, start the experiment that is due, list those that there are, and forget the oldest."""
        schedule = self.store.get("Schedule", key)
        if schedule is None or is_deleting(schedule):
            return
        kind = str(schedule["spec"].get("type"))
        if kind not in EMBEDDED:
            return
        self._pass_on_pause(schedule, self._children(schedule, kind))
        started = None if is_paused(schedule) else self._start_due(schedule, kind)
        children = self._children(schedule, kind)
        self._write(schedule, children, started)
        self._forget_oldest(schedule, children)

    def _children(self, schedule: KubeObject, kind: str) -> list[KubeObject]:
        return list(self.store.controlled_by(schedule, kind))

    def _pass_on_pause(self, schedule: KubeObject, children: Sequence[KubeObject]) -> None:
        paused = is_paused(schedule)
        for child in children:
            if is_paused(child) != paused and not is_deleting(child):
                self.cluster.patch(ObjectRef.of(child), pausing(paused), "merge")

    def _start_due(self, schedule: KubeObject, kind: str) -> str | None:
        """Start what is due; gives the moment of the start."""
        text = str(schedule["spec"].get("schedule") or "")
        try:
            timetable = read_timetable(text)
        except ValueError as error:
            self._cron.warning(schedule, "Failed", f"Failed to get run time: unparseable schedule: {text} : {error}")
            return None
        now = self.clock.moment()
        last = (schedule.get("status") or {}).get("time") or schedule["metadata"]["creationTimestamp"]
        due = timetable.next_after(datetime.fromisoformat(last))
        if due is not None and due <= now:
            running = next((child for child in self._children(schedule, kind) if not self._is_finished(child)), None)
            following = timetable.next_after(now)
            if following is not None:
                self._come_back(schedule, following)
            if (schedule["spec"].get("concurrencyPolicy") or "Forbid") == "Forbid" and running is not None:
                text = f"Forbid spawning new job because: {name_of(running)} is still running"
                self._cron.warning(schedule, "Forbid", text)
                return None
            return self._spawn(schedule, kind)
        if due is not None:
            self._come_back(schedule, due)
        return None

    def _come_back(self, schedule: KubeObject, moment: datetime) -> None:
        self.enqueue(key_of(schedule), (moment - self.clock.epoch).total_seconds() - self.clock.now + self.reaction)

    def _spawn(self, schedule: KubeObject, kind: str) -> str:
        uid = uid_of(schedule)
        self._made[uid] = self._made.get(uid, 0) + 1
        luck = self.streams.generator(f"{namespace_of(schedule)}/{name_of(schedule)}", "names", self._made[uid])
        suffix = "".join(ALPHABET[index] for index in luck.integers(len(ALPHABET), size=_SUFFIX))
        body = {
            "apiVersion": API,
            "kind": kind,
            "metadata": {
                "name": f"{name_of(schedule)}-{suffix}",
                "namespace": namespace_of(schedule),
                "labels": {"managed-by": name_of(schedule)},
                "ownerReferences": [owner_reference(schedule)],
            },
            "spec": copied(schedule["spec"].get(EMBEDDED[kind]) or {}),
        }
        try:
            child = self.cluster.create(body)
        except ClusterError as error:
            self._cron.warning(schedule, "Failed", f"Failed to create new object: {error.message}")
            raise
        self._cron.normal(schedule, "Spawned", f"Create new object: {name_of(child)}")
        return self.clock.stamp()

    def _write(self, schedule: KubeObject, children: Sequence[KubeObject], started: str | None) -> None:
        """Say in the status which experiments there are, and when the last one was started."""
        before: KubeObject = schedule.get("status") or {}
        active = sorted((_reference(child) for child in children), key=lambda item: str(item["name"]))
        status = {**before}
        if started is not None:
            status["time"] = started
        listed = [item["uid"] for item in before.get("active") or ()]
        if [item["uid"] for item in active] != listed:
            status["active"] = active
        if status == before:
            return
        current = self.cluster.get(ObjectRef.of(schedule))
        self.cluster.replace({**current, "status": status})
        if started is not None:
            self._cron.normal(schedule, "Updated", "Successfully update lastScheduleTime of resource")
        if status.get("active") != before.get("active"):
            self._active.normal(schedule, "Updated", "Successfully update active of resource")

    def _forget_oldest(self, schedule: KubeObject, children: Sequence[KubeObject]) -> None:
        by_age = sorted(children, key=lambda child: (str(child["metadata"]["creationTimestamp"]), name_of(child)))
        over = len(by_age) - int(schedule["spec"].get("historyLimit") or 1)
        for child in by_age[: max(over, 0)]:
            if self._is_finished(child):
                if not is_deleting(child):
                    self.delete(child)
            else:
                self._gc.warning(schedule, "Skip", f"Skip removing history: {name_of(child)} is still running")

    def _is_finished(self, child: KubeObject) -> bool:
        """Whether an experiment has done what it should: once for all, or its time is up and everything is recovered."""
        records = records_of(child)
        if is_one_shot(child):
            return bool(records) and all(record["phase"] == INJECTED for record in records)
        duration = seconds_of(child["spec"].get("duration"))
        created = self.clock.seconds(child["metadata"]["creationTimestamp"])
        if not duration or self.clock.now < created + duration:
            return False
        return state_of(child).get("desiredPhase") == STOP and all(record["phase"] != INJECTED for record in records)


def _reference(obj: KubeObject) -> KubeObject:
    return {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "name": name_of(obj),
        "namespace": namespace_of(obj),
        "uid": uid_of(obj),
        "resourceVersion": obj["metadata"]["resourceVersion"],
    }
