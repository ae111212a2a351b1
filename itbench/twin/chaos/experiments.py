"""Experiments: they are put on their targets, run as long as they shall, and are taken back.

Semantics and words of Chaos Mesh 2.8 (controllers/common: finalizers, desiredphase, records, condition). Targets are
chosen once; a pod that comes later is spared.
"""

from __future__ import annotations

from collections.abc import Iterable

from itbench.cluster.protocol import KubeObject, WatchEvent
from itbench.cluster.reference import ObjectRef
from itbench.cluster.tree import copied, same
from itbench.twin.chaos.daemon import Daemon
from itbench.twin.chaos.targets import selectors_of, targets
from itbench.twin.chaos.terms import (
    INJECTED,
    KINDS,
    NOT_INJECTED,
    RUN,
    STOP,
    is_one_shot,
    is_paused,
    records_of,
    seconds_of,
    spec_of,
)
from itbench.twin.control.controller import FIRST_RETRY, Controller, World
from itbench.twin.control.events import Recorder
from itbench.twin.control.store import Key
from itbench.twin.objects import is_deleting, name_of, namespace_of

FINALIZER = "chaos-mesh/records"


class ExperimentController(Controller):
    """Puts experiments on their targets and takes them back. Its keys are namespace and `Kind/name`.

    Args:
        world: where it acts.
        daemon: does it on the nodes.
    """

    name = "chaos-controller-manager"
    reaction = 0.2

    def __init__(self, world: World, daemon: Daemon) -> None:
        super().__init__(world)
        self._daemon = daemon
        self._tries: dict[Key, int] = {}
        names = ("initFinalizers", "desiredphase", "records", "cleanFinalizers")
        self._init, self._phase, self._records, self._clean = (Recorder(world.cluster, world.clock, name) for name in names)

    def keys(self, event: WatchEvent) -> Iterable[Key]:
        """Experiments."""
        obj = event.object
        return [(namespace_of(obj), f"{obj['kind']}/{name_of(obj)}")] if obj["kind"] in KINDS else []

    def sync(self, key: Key) -> None:
        """One round: finalizer, what is desired, targets, conditions; then come back when the time is up."""
        kind, _, name = key[1].partition("/")
        found = self.store.get(kind, (key[0], name))
        if found is None:
            self._tries.pop(key, None)
            return
        experiment: KubeObject = copied(found)
        self._init_finalizer(experiment)
        self._decide_phase(key, experiment)
        self._bring_about(key, experiment)
        _set_conditions(experiment)
        if not same(experiment, found):
            self.cluster.replace(experiment)
        self._let_go(experiment)

    def _init_finalizer(self, experiment: KubeObject) -> None:
        finalizers = experiment["metadata"].setdefault("finalizers", [])
        if is_deleting(experiment) or FINALIZER in finalizers:
            return
        finalizers.append(FINALIZER)
        self._init.normal(experiment, "FinalizerInited", "Finalizer has been inited")
        self._init.normal(experiment, "Updated", "Successfully update finalizer of resource")

    def _decide_phase(self, key: Key, experiment: KubeObject) -> None:
        state = experiment.setdefault("status", {}).setdefault("experiment", {})
        phase, reason, text = self._desired(key, experiment)
        if state.get("desiredPhase") == phase:
            return
        if reason:
            self._phase.normal(experiment, reason, text)
        state["desiredPhase"] = phase
        self._phase.normal(experiment, "Updated", "Successfully update desiredPhase of resource")

    def _desired(self, key: Key, experiment: KubeObject) -> tuple[str, str, str]:
        """The phase that is desired, with reason and message of the event if that is new."""
        if is_deleting(experiment):
            return STOP, "Deleted", "Experiment has been deleted"
        if is_one_shot(experiment):
            return RUN, "", ""
        duration = seconds_of(spec_of(experiment).get("duration"))
        if duration:
            left = self.clock.seconds(experiment["metadata"]["creationTimestamp"]) + duration - self.clock.now
            if left <= 0:
                return STOP, "TimeUp", "Time up according to the duration"
            self.enqueue(key, left)
        if is_paused(experiment):
            return STOP, "Paused", "Experiment has been paused"
        return RUN, "Started", "Experiment has started"

    def _bring_about(self, key: Key, experiment: KubeObject) -> None:
        """Choose the targets if that has not been done, and do what is desired to each."""
        state = experiment["status"]["experiment"]
        records = records_of(experiment)
        before = copied(records)
        if not records and not is_deleting(experiment):
            records = self._choose(experiment)
        again = False
        for record in records:
            if state["desiredPhase"] == RUN and record["phase"] == NOT_INJECTED:
                again |= not self._apply(experiment, record)
            elif state["desiredPhase"] == STOP and record["phase"] == INJECTED:
                self._recover(experiment, record)
        if not same(records, before):
            state["containerRecords"] = records
            self._records.normal(experiment, "Updated", "Successfully update records of resource")
        self._tries[key] = self._tries.get(key, 0) + 1 if again else 0
        if again:
            self.enqueue(key, FIRST_RETRY * 2 ** min(self._tries[key], 12))

    def _choose(self, experiment: KubeObject) -> list[KubeObject]:
        records: list[KubeObject] = []
        for name, selector in selectors_of(experiment).items():
            found = targets(self.store, self.streams, experiment, selector)
            if not found:
                text = "Failed to select targets: no target has been selected"
                self._records.warning(experiment, "Failed", text)
                return []
            records += [{"id": target, "selectorKey": name, "phase": NOT_INJECTED, **_COUNTS} for target in found]
        return records

    def _apply(self, experiment: KubeObject, record: KubeObject) -> bool:
        """Put it on one target; gives whether that could be done."""
        if not self._daemon.apply(experiment, record["selectorKey"], record["id"]):
            return False
        record["phase"] = INJECTED
        record["injectedCount"] += 1
        record.setdefault("events", []).append(self._entry("Apply"))
        self._records.normal(experiment, "Applied", f"Successfully apply chaos for {record['id']}")
        return True

    def _recover(self, experiment: KubeObject, record: KubeObject) -> None:
        self._daemon.recover(experiment, record["id"])
        record["phase"] = NOT_INJECTED
        record["recoveredCount"] += 1
        record.setdefault("events", []).append(self._entry("Recover"))
        self._records.normal(experiment, "Recovered", f"Successfully recover chaos for {record['id']}")

    def _entry(self, operation: str) -> KubeObject:
        return {"type": "Succeeded", "operation": operation, "timestamp": self.clock.stamp()}

    def _let_go(self, experiment: KubeObject) -> None:
        """Let an experiment go that is deleted, once nothing is left of it."""
        finalizers = experiment["metadata"].get("finalizers") or []
        if not is_deleting(experiment) or FINALIZER not in finalizers:
            return
        if not is_one_shot(experiment) and any(record["phase"] == INJECTED for record in records_of(experiment)):
            return
        self._clean.normal(experiment, "FinalizerInited", "Finalizer has been removed")  # the reason is its own
        left = [item for item in finalizers if item != FINALIZER]
        self.cluster.patch(ObjectRef.of(experiment), {"metadata": {"finalizers": left or None}}, "merge")


_COUNTS = {"injectedCount": 0, "recoveredCount": 0}


def _set_conditions(experiment: KubeObject) -> None:
    records = records_of(experiment)
    holds = {
        "Selected": bool(records),
        "AllInjected": bool(records) and all(record["phase"] == INJECTED for record in records),
        "AllRecovered": bool(records) and all(record["phase"] == NOT_INJECTED for record in records),
        "Paused": is_paused(experiment),
    }
    experiment["status"]["conditions"] = [{"type": kind, "status": str(is_so)} for kind, is_so in holds.items()]
