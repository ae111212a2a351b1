"""One pod on its node: the steps by which the kubelet brings it up, keeps it up and takes it down.

A step (`syncPod` in the kubelet) first reports the status, then acts: volumes, sandbox, init containers, containers.
What failed in a step shows in the next one's status, 10 to 15 s later, or earlier when something happens to a
container, which the kubelet notices by asking the runtime every second.
"""

from __future__ import annotations

from collections.abc import Iterator

from itbench.cluster.protocol import KubeObject
from itbench.twin.clock import Process, Task, Timer
from itbench.twin.kubelet.backoff import Backoff, duration_text
from itbench.twin.kubelet.containers import Container, Exit, PodState, Waiting, exit_reason
from itbench.twin.kubelet.environment import ConfigurationError
from itbench.twin.kubelet.hooks import run_hook
from itbench.twin.kubelet.host import Host
from itbench.twin.kubelet.launching import RUNTIME_ERROR, launch_of
from itbench.twin.kubelet.mounts import complain_of_volumes, wait_for_volumes
from itbench.twin.kubelet.probes import KINDS, Prober
from itbench.twin.kubelet.pulling import ImagePuller
from itbench.twin.kubelet.status import pod_status, restarts_after
from itbench.twin.kubelet.timing import (
    CLEAN_UP,
    CREATE,
    NOTICE,
    RELIST,
    RESYNC,
    RETRY,
    RETRY_JITTER,
    SANDBOX,
    START,
)
from itbench.twin.objects import is_deleting, is_finished, name_of, namespace_of, uid_of
from itbench.twin.workload.process import KILLED, LaunchError


class PodWorker:
    """Runs one pod.

    Args:
        host: the node and what all its pods share.
        pod: as it is when it comes.
    """

    def __init__(self, host: Host, pod: KubeObject) -> None:
        self.host = host
        self.pod = pod
        self.state = PodState.of(pod)
        self.puller = ImagePuller(host, self)
        self._crashes = Backoff()
        self._task: Task | None = None
        self._timer: Timer | None = None
        self._again = False
        self._failed = False
        self._closed = False
        self._steps = 0
        self._runs = 0
        self._probers: list[Prober] = []
        self._wake(NOTICE)

    def update(self, pod: KubeObject) -> None:
        """The pod object changed."""
        deleted_now = is_deleting(pod) and not is_deleting(self.pod)
        labels_changed = pod["metadata"].get("generation") != self.pod["metadata"].get("generation")
        self.pod = pod
        self.state.take_images(pod)
        if deleted_now and self._task is not None:
            self._task.hurry()
        if deleted_now or labels_changed:
            self._wake(NOTICE)

    def close(self) -> None:
        """The pod object is gone: let go of everything."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._stop_probes()
        if self._task is not None:
            self._task.hurry()

    def end_container(self, name: str, code: int, *, out_of_memory: bool = False) -> None:
        """Let a running container's process end now, as a fault or its load may make it."""
        container = next(item for item in self.state if item.name == name)
        if container.running:
            self._end(container, code, out_of_memory=out_of_memory)

    def memory(self, now: float) -> float:
        """Bytes that its processes hold by themselves."""
        return sum(item.process.memory(now) for item in self.state if item.process is not None)

    def lines(self, name: str, *, previous: bool) -> list[str]:
        """What a container printed."""
        container = next(item for item in self.state if item.name == name)
        if previous or container.process is None:
            return container.past_lines
        return list(container.process.lines(self.host.clock.now))

    def is_stopping(self) -> bool:
        """Whether the pod shall end."""
        return self._closed or is_deleting(self.pod)

    def _wake(self, delay: float) -> None:
        """Take a step soon; if one is under way, right after it."""
        if self._closed:
            return
        if self._task is not None:
            self._again = True
            return
        due = self.host.clock.now + delay
        if self._timer is not None:
            if self._timer.time <= due:
                return
            self._timer.cancel()
        self._timer = self.host.clock.after(delay, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._again = self._failed = False
        self._steps += 1
        clock = self.host.clock
        self._task = Task(clock, self._step(), self._finish)
        self._task.step()

    def _finish(self) -> None:
        self._task = None
        if self._closed:
            return
        if self._again or is_deleting(self.pod):
            self._wake(NOTICE)
        elif self._failed:
            luck = self.host.streams.uniform(self._subject, "retry", self._steps)
            self._wake(RETRY * (1 + RETRY_JITTER * luck))
        elif not is_finished(self.pod) and (self.pod["spec"].get("volumes") or self.pod["spec"].get("imagePullSecrets")):
            # Of other pods nothing can have changed without the kubelet's noticing.
            luck = self.host.streams.uniform(self._subject, "resync", self._steps)
            self._wake(RESYNC * (1 + RETRY_JITTER * luck))

    @property
    def _subject(self) -> str:
        return f"{namespace_of(self.pod)}/{name_of(self.pod)}"

    def _step(self) -> Process:
        """One step, from the status to the containers."""
        if is_deleting(self.pod):
            yield from self._terminate()
            return
        self._report()
        if is_finished(self.pod):
            self._stop_probes()
            return
        if self._steps == 1:
            self._start_probes()
        if not self.state.sandbox:
            mounted = yield from wait_for_volumes(self.host, lambda: self.pod, self.is_stopping)
            if not mounted:
                self._failed = True
                return
        else:
            complain_of_volumes(self.host, self.pod)
        yield from self._act()

    def _act(self) -> Process:
        """Sandbox, then the containers that are due."""
        self.puller.warn_of_missing_secrets()
        if not self.state.sandbox:
            yield SANDBOX
            if self.is_stopping():
                return
            self.state.sandbox = True
            self.state.ip = self.host.address_for(self.pod)
            self._relist()
        # As the step began: a container that it kills counts from the exit before.
        exits = {id(item): item.exit or item.last for item in self.state}
        for container in list(self.state):
            if container.running and container.failing is not None:
                yield from self._stop_failing(container)
            if self.is_stopping():
                return
        for container in self._due():
            yield from self._start(container, exits[id(container)])
            if self.is_stopping():
                return

    def _due(self) -> Iterator[Container]:
        """The containers to start now: init containers one at a time, then all others."""
        for container in self.state.init:
            if container.kind == "sidecar":
                if not container.running:
                    yield container
                if not container.started:
                    return
            elif container.running or not restarts_after(self.pod, container):
                if container.running or (container.exit is not None and container.exit.code != 0):
                    return
            elif container.exit is None or container.exit.code != 0:
                yield container
                return
        for container in self.state.apps:
            if not container.running and restarts_after(self.pod, container):
                yield container

    def _start(self, container: Container, last_exit: Exit | None) -> Process:
        """Start one container, unless its back-off holds."""
        host, now = self.host, self.host.clock.now
        # The kubelet's key holds a hash of the container, so that another image is given a new chance.
        key = f"{uid_of(self.pod)}/{container.name}/{container.spec['image']}"
        if last_exit is not None:
            if self._crashes.holds(key, last_exit.finished_at, now):
                self._hold(container, key)
                return
            self._crashes.next(key, last_exit.finished_at, now)
        ready = yield from self.puller.ensure(container)
        if not ready or self.is_stopping():
            self._failed = True
            return
        try:
            launch = launch_of(host, self.pod, self.state, container)
        except ConfigurationError as error:
            host.recorder.warning(self.pod, "Failed", f"Error: {error}", container.field_path)
            container.waiting = Waiting("CreateContainerConfigError", str(error))
            self._failed = True
            return
        yield CREATE
        if self.is_stopping():
            return
        host.recorder.normal(self.pod, "Created", f"Created container: {container.name}", container.field_path)
        self._runs += 1
        container_id = host.container_id(self._subject, container.name, self._runs)
        yield START
        if self.is_stopping():
            return
        try:
            process = host.programs.launch(launch(host.clock.now))
        except LaunchError as error:
            self._refuse(container, RUNTIME_ERROR.format(error), container_id)
            return
        container.begin(process, container_id, host.clock.now)
        host.recorder.normal(self.pod, "Started", f"Started container {container.name}", container.field_path)
        self._watch(container)
        self._relist()
        yield from self._post_start(container)

    def _hold(self, container: Container, key: str) -> None:
        """The back-off holds: say so."""
        who = f"{name_of(self.pod)}_{namespace_of(self.pod)}({uid_of(self.pod)})"
        text = f"Back-off restarting failed container {container.name} in pod {who}"
        self.host.recorder.warning(self.pod, "BackOff", text, container.field_path)
        delay = duration_text(self._crashes.delay(key))
        text = f"back-off {delay} restarting failed container={container.name} pod={who}"
        container.waiting = Waiting("CrashLoopBackOff", text)
        self._failed = True

    def _refuse(self, container: Container, message: str, container_id: str) -> None:
        """The runtime could not start the container."""
        self.host.recorder.warning(self.pod, "Failed", f"Error: {message}", container.field_path)
        container.fail_to_start(message, container_id, self.host.clock.now)
        container.waiting = Waiting("RunContainerError", message)
        self._failed = True
        self._relist()

    def _post_start(self, container: Container) -> Process:
        hook = (container.spec.get("lifecycle") or {}).get("postStart")
        if hook is None:
            return
        problem, seconds = run_hook(container, hook, self.host.clock.now)
        yield min(seconds, 600.0)
        if problem is None or self.is_stopping() or not container.running:
            return
        self.host.recorder.warning(self.pod, "FailedPostStartHook", "PostStartHook failed", container.field_path)
        yield from self._kill(container, "FailedPostStartHook")
        container.waiting = Waiting("PostStartHookError", problem)
        self._failed = True

    def _stop_failing(self, container: Container) -> Process:
        """Kill a container that a probe gave up, or whose image changed; it is started anew in the same step."""
        reason = f"Container {container.name} {container.failing}, will be restarted"
        yield from self._kill(container, reason)
        self._report()

    def _kill(self, container: Container, message: str) -> Process:
        """Stop a container: its hook, SIGTERM, and SIGKILL when the grace period is over."""
        self.host.recorder.normal(self.pod, "Killing", message, container.field_path)
        grace = self._grace(container)
        hook = (container.spec.get("lifecycle") or {}).get("preStop")
        if hook is not None:
            problem, seconds = run_hook(container, hook, self.host.clock.now)
            if problem is not None:
                self.host.recorder.warning(self.pod, "FailedPreStopHook", "PreStopHook failed", container.field_path)
            yield min(seconds, grace)
            grace -= min(seconds, grace)
        grace = max(grace, 2.0)  # the runtime's least
        process = container.process
        own = None if process is None else process.stop_seconds()
        yield grace if own is None else min(own, grace)
        if container.running:
            self._end(container, KILLED if own is None or own > grace else 0)

    def _grace(self, container: Container) -> float:
        """How long the container may take."""
        if is_deleting(self.pod):
            return float(self.pod["metadata"].get("deletionGracePeriodSeconds") or 0)
        own = (container.probe("liveness") or {}).get("terminationGracePeriodSeconds")
        return float(own if own is not None else self.pod["spec"].get("terminationGracePeriodSeconds", 30))

    def _watch(self, container: Container) -> None:
        """Let the process end when it says that it will."""
        process = container.process
        ending = None if process is None else process.ending
        if ending is None:
            return

        def end() -> None:
            if container.process is process and not self._closed:
                self._end(container, ending.code, out_of_memory=ending.out_of_memory)

        self.host.clock.at(ending.time, end)

    def _end(self, container: Container, code: int, *, out_of_memory: bool = False) -> None:
        container.end(code, exit_reason(code, out_of_memory=out_of_memory), self.host.clock.now)
        self._relist()

    def _relist(self) -> None:
        """The kubelet notices at its next look at the runtime."""
        self._wake(self._until_relist())

    def _until_relist(self) -> float:
        return RELIST - self.host.clock.now % RELIST

    def _report(self) -> None:
        """Write the status; containers that are not ready yet are probed on this occasion."""
        status = pod_status(self.pod, self.state, self.host.clock, self.host.ip)
        self.host.write_status(self.pod, status)
        for container in self.state:
            if container.running and container.reported is not container.process:
                # A start shows in two looks at the runtime, first of the sandbox and then of the container.
                self.host.clock.after(RELIST, lambda: self._wake(0.0))
            container.reported = container.process
        for prober in self._probers:
            unready = not prober.container.ready if prober.kind == "readiness" else not prober.container.started
            if prober.kind != "liveness" and unready:
                self.host.clock.after(NOTICE, prober.ask)

    def _start_probes(self) -> None:
        self._probers = [
            Prober(kind, container, self.state, self.host.clock, self._unhealthy, self._probed)
            for container in self.state
            for kind in KINDS
            if container.kind != "init" and container.probe(kind) is not None
        ]

    def _stop_probes(self) -> None:
        for prober in self._probers:
            prober.stop()

    def _unhealthy(self, container: Container, text: str) -> None:
        self.host.recorder.warning(self.pod, "Unhealthy", text, container.field_path)

    def _probed(self) -> None:
        """A probe's verdict changed: readiness is reported at once, the rest is for the next step."""
        if is_deleting(self.pod) or is_finished(self.pod):
            return
        status = pod_status(self.pod, self.state, self.host.clock, self.host.ip)
        self.host.write_status(self.pod, status)
        self._wake(NOTICE)

    def _terminate(self) -> Process:
        """Stop all containers at once, report the end, and let the pod go."""
        for prober in self._probers:
            if prober.kind != "readiness":
                prober.stop()
        host = self.host
        tasks = [
            host.clock.spawn(self._kill(item, f"Stopping container {item.name}")) for item in self.state if item.running
        ]
        if not tasks:
            yield RELIST
        while any(item.running for item in self.state) and not self._closed:
            yield 0.1
        yield self._until_relist()
        self._stop_probes()
        if self._closed:
            return
        host.write_status(self.pod, pod_status(self.pod, self.state, host.clock, host.ip, terminal=True))
        yield CLEAN_UP
        if not self._closed:
            host.remove(self.pod)
