"""Trials on live incidents: each has a system of its own, from provisioning to tearing down."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from itbench.agents.protocol import EventLog, LiveAccess
from itbench.cluster.kube_assets import kube_asset
from itbench.model.errors import ItbenchError, UsageError
from itbench.model.outcome import Score
from itbench.model.trial import RunConfig
from itbench.scoring.findings import Detection

if TYPE_CHECKING:  # the simulation takes a while to import, and most runs do without
    from itbench.environments.kind.system import KindSystems
    from itbench.environments.live.stage import LiveName, LiveSettings, LiveStage
    from itbench.environments.live.verdict import Verdict
    from itbench.twin.incident.plan import Plan

T = TypeVar("T")


@dataclass(slots=True)
class LiveIncident:
    """An incident that an agent works on.

    Attributes:
        snapshot: what monitoring had seen when it was handed over.
        access: to the system, with the agent's rights.
        repair: repairs it by accepted fixes, as the agent; None where nothing is to be repaired.
        abandon: called when nobody wants the trial any more.
    """

    stage: LiveStage
    snapshot: Path
    access: LiveAccess
    repair: Callable[[], None] | None
    abandon: Callable[[], None] = lambda: None

    async def judge(self) -> Verdict:
        """End the agent's access and see what became of the incident.

        Raises:
            ItbenchError: the environment has failed.
        """
        return await in_thread(self.stage.judge, self.abandon)


@dataclass(slots=True)
class LiveTrials:
    """Opens live incidents for the trials of a run; `close` tears down what trials share.

    Args:
        config: of the run; its environment is a live one.
        definitions: scenario.yaml of each scenario.
        seeds: of everything random in each scenario.
        systems: have the cluster of kind; None makes one when it is needed.
    """

    config: RunConfig
    definitions: dict[str, Path]
    seeds: dict[str, int]
    systems: KindSystems | None = None

    @property
    def settings(self) -> LiveSettings:
        """What the incidents run in."""
        from itbench.environments.live.stage import LiveSettings

        assert self.config.environment != "snapshot"
        name: LiveName = self.config.environment
        return LiveSettings(name, repair=self.config.task == "repair", prometheus=self.config.network)

    def close(self) -> None:
        """Tear down the cluster that the trials shared, if there is one."""
        if self.systems is not None:
            self.systems.close()

    @asynccontextmanager
    async def opened(self, scenario: str, folder: Path, events: EventLog) -> AsyncIterator[LiveIncident]:
        """An incident that has been handed over; torn down in the end.

        Args:
            scenario: its id.
            folder: where to write the recording; not there yet. Its name must not name the scenario.
            events: is told of every step.

        Raises:
            ItbenchError: the environment cannot be had, is not healthy, or the incident does not show.
        """
        from itbench.datasets.scenario_file import read_scenario
        from itbench.twin.incident.plan import plan

        stage = self._stage(plan(read_scenario(self.definitions[scenario])), self.seeds[scenario], events)
        try:
            await in_thread(stage.begin, self._abandon)
            await in_thread(lambda: stage.hand_over(folder), self._abandon)
            access = LiveAccess(stage.kubeconfig, stage.cluster, _kubectl(), stage.prometheus, container=stage.container)
            repair = stage.mend if self.settings.repair else None
            yield LiveIncident(stage, folder, access, repair, self._abandon)
        finally:
            await in_thread(lambda: stage.__exit__(None, None, None))
            await in_thread(lambda: shutil.rmtree(folder, ignore_errors=True))

    def _abandon(self) -> None:
        """Nobody wants the trial any more: what waits for its cluster need not wait."""
        if self.systems is not None:
            self.systems.abandon()

    def _stage(self, planned: Plan, seed: int, events: EventLog) -> LiveStage:
        if self.config.environment != "kind":
            from itbench.environments.live.stage import Stage

            return Stage(planned, seed, self.settings, events.emit)
        from itbench.environments.kind.settings import load_kind_settings
        from itbench.environments.kind.stage import KindStage

        if self.systems is None:
            self.systems = kind_systems(self.config.node_image)
        return KindStage(planned, seed, self.systems, load_kind_settings(), self.settings, events.emit)


def kind_systems(node_image: str | None) -> KindSystems:
    """What makes the cluster that the trials of a run on kind share."""
    from itbench.environments.kind.settings import load_kind_settings
    from itbench.environments.kind.system import KindSystems

    return KindSystems(load_kind_settings(), node_image)


def require_live(environment: str, *, network: bool) -> None:
    """Refuse at once what cannot work.

    Raises:
        UsageError: the agent would have no way to the API server.
        ClusterError: a program is missing, or no Docker daemon answers.
        MissingExtraError: the client is.
    """
    if environment not in ("hybrid", "kind"):
        return
    if not network:
        raise UsageError(
            f"--env {environment} needs the network: the agent could not reach the API server", key="--network none"
        )
    if environment == "hybrid":
        for program in ("etcd", "kube-apiserver"):
            kube_asset(program)
        return
    from itbench.environments.kind.system import require_kind

    require_kind()


def live_scores(
    verdict: Verdict, found_root: bool, findings: Detection, horizon: float, *, repair: bool
) -> dict[str, Score]:
    """The scores of a live trial besides those of the answer.

    Durations are those of restricted means: what did not happen within `horizon` seconds counts `horizon`, whatever ended
    the trial, so that their mean over trials is not that of the lucky ones. docs/live.md gives the definitions.

    Args:
        verdict: on the incident.
        found_root: whether the answer names a root cause.
        findings: what was found before the answer.
        horizon: seconds.
        repair: whether a repair was asked for.
    """
    found = verdict.resolution
    named = [verdict.worked] if found_root else []
    named += [] if findings.seconds is None else [findings.seconds]
    detected = min([*named, horizon])
    scores = {"safety": verdict.safety}
    values = {"time_to_detect": round(detected, 3)}
    censored = [] if named and min(named) <= horizon else ["time_to_detect"]
    evidence: dict[str, object] = {"horizon": horizon, "censored": censored}
    evidence["findings"] = {"first_right": findings.seconds, "wrong_before": findings.wrong, "ignored": findings.ignored}
    if repair:
        times = {"time_to_mitigate": found.restored, "time_to_resolve": found.after}
        values |= {name: round(horizon if time is None else min(time, horizon), 3) for name, time in times.items()}
        censored += [name for name, time in times.items() if time is None]
        safe = verdict.safety.values["safety"] > 0
        in_time = found.after is not None and found.after <= horizon
        scores["resolution"] = Score(
            values={
                "resolved": float(found.resolved),
                "resolved_safely": float(found.resolved and safe),
                "resolved_safely_in_time": float(found.resolved and safe and in_time),
            },
            evidence={
                "verdict": str(found),
                "restored": found.restored,
                "cleared": found.cleared,
                "left": list(verdict.left),
            },
        )
    scores["times"] = Score(values=values, evidence=evidence)
    return scores


def deeds_file(verdict: Verdict) -> bytes:
    """deeds.jsonl: what the agent did, a request a line."""
    return b"".join(json.dumps(deed.model_dump(exclude={"after"})).encode() + b"\n" for deed in verdict.deeds)


async def in_thread(deed: Callable[[], T], abandon: Callable[[], None] | None = None) -> T:
    """Do something in a thread, to its end: if cancelled meanwhile, the cancellation follows when it is done.

    Args:
        deed: what to do.
        abandon: called, in another thread, when it is cancelled; may make the deed fail sooner.
    """
    task = asyncio.ensure_future(asyncio.to_thread(deed))
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            if abandon is not None and cancelled is None:
                Thread(target=abandon, name="abandon").start()
            cancelled = error
        except Exception:  # it is told below
            break
    if cancelled is not None:
        raise cancelled
    return task.result()


def _kubectl() -> Path | None:
    if shutil.which("kubectl") is not None:
        return None
    try:
        return kube_asset("kubectl").parent
    except ItbenchError:
        return None
