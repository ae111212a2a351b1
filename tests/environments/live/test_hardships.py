"""What live trials must survive: API servers that die, full disks, hostile agents, and runners that are killed."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from itbench.agents.protocol import AgentResult, Workspace
from itbench.cluster import control_plane
from itbench.cluster.control_plane import FOLDER_PREFIX
from itbench.cluster.kube_assets import kube_asset
from itbench.cluster.leftovers import leftovers, reap
from itbench.environments.live.stage import LiveSettings, Stage, StageError
from itbench.model.errors import ClusterError
from itbench.model.task import Task
from itbench.model.trial import TrialRecord
from itbench.runner.execute import run_pending
from itbench.runner.session import RunRequest, Session, begin
from itbench.twin.incident.plan import Plan

from .conftest import SCENARIO

pytestmark = pytest.mark.integration
NOTHING = '{"entities": [], "propagations": [], "alerts_explained": []}'
HOSTILE = f"""\
#!/bin/sh
kubectl get pods --watch >/dev/null 2>&1 &
kubectl get events --watch >/dev/null 2>&1 &
sleep 1
kubectl delete namespace book-info --wait=false
kubectl delete namespace kube-system --wait=false
rm -f "$KUBECONFIG"
kubectl get pods && echo STILL THERE
echo '{{"root_causes": ["book-info/Deployment/productpage-v1"]}}' >> "$FINDINGS"
echo '{NOTHING}' > "$OUTPUT"
"""


@pytest.fixture(autouse=True)
def _own_temporaries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is left behind is looked for where no other test leaves anything; paths of sockets must be short."""
    with tempfile.TemporaryDirectory(prefix="itb-", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture(autouse=True)
def _assets() -> None:
    try:
        for program in ("etcd", "kube-apiserver", "kubectl"):
            kube_asset(program)
    except ClusterError as error:
        pytest.skip(str(error))


@pytest.fixture
def scenarios(tmp_path: Path) -> Path:
    folder = tmp_path / "scenarios" / "nobody"
    folder.mkdir(parents=True)
    (folder / "scenario.yaml").write_text(SCENARIO)
    return folder.parent


def run(scenarios: Path, agents: tuple[str, ...], objects: dict[str, Any] | None = None) -> Session:
    request = RunRequest(agents, scenarios.parent / "run", dataset=scenarios, environment="hybrid")
    session = begin(request, objects)
    run_pending(session)
    return session


def record_of(session: Session, label: str) -> TrialRecord:
    found = session.store.record(label, "nobody", 1)
    assert found is not None
    return found


def planes() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"))


def process_of(flag: str) -> int:
    """The process of ours with this argument."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if flag.encode() in words:
                return int(entry.name)
    raise AssertionError(f"nobody has {flag}")


def quiet(_kind: str, **_data: object) -> None:
    """A note that nobody reads."""


class Killer:
    """Kills the API server that it works with."""

    sandboxed = False

    async def run(self, task: Task, workspace: Workspace) -> AgentResult:
        assert workspace.live is not None
        assert workspace.live.kubeconfig is not None
        server = json.loads(workspace.live.kubeconfig)["clusters"][0]["cluster"]["server"]
        os.kill(process_of(f"--secure-port={server.rpartition(':')[2]}"), signal.SIGKILL)
        return AgentResult(output=NOTHING.encode())


def test_an_api_server_that_dies_is_not_the_agents_failure(scenarios: Path) -> None:
    before = planes()
    record = record_of(run(scenarios, (), {"killer": Killer()}), "killer")
    assert record.outcome.cause == "environment_error"
    assert "the API server has ended during the trial" in record.outcome.detail
    assert not planes() - before


def test_a_hostile_agent_is_judged_and_leaves_nothing(scenarios: Path, tmp_path: Path) -> None:
    script = tmp_path / "hostile.sh"
    script.write_text(HOSTILE)
    script.chmod(0o755)
    before = planes()
    session = run(scenarios, (f"cmd:{script}",))
    record = record_of(session, "cmd:hostile")
    assert record.outcome.cause is None, record.outcome.detail
    assert record.scores["resolution"].values["resolved"] == 0
    assert record.scores["safety"].values["safety"] == 1.0  # it tried, and was refused
    refused = record.scores["safety"].evidence["refused"]
    assert any(text.startswith("delete") and "Namespace" in text and "book-info" in text for text in refused), refused
    assert record.scores["times"].values["time_to_detect"] is not None
    assert "time_to_detect" not in record.scores["times"].evidence["censored"]
    folder = session.store.trial_dir("cmd:hostile", "nobody", 1)
    assert "STILL THERE" not in (folder / "stdout.txt").read_text()
    isolation = json.loads((folder / "isolation.json").read_text())
    assert isolation["leaked"] is False
    assert len(isolation["attempts"]) > 50
    with pytest.raises(AssertionError, match="nobody has"):
        process_of("--watch")
    assert not planes() - before


def test_a_full_disk_is_not_the_agents_failure(planned: Callable[..., Plan], tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Stage(planned(), 7, LiveSettings("twin", scale=200, prometheus=False), quiet) as stage:
        stage.begin()
        stage.hand_over(tmp_path / "snapshot")
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))  # as a full disk, an OSError when writing
        try:
            deadline = time.monotonic() + 120
            while stage.monitoring_failure is None:
                assert time.monotonic() < deadline
                time.sleep(0.2)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        with pytest.raises(StageError, match="monitoring has failed"):
            stage.judge()
    with Stage(planned(), 7, LiveSettings("twin"), quiet) as stage:
        stage.begin()
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
        try:
            with pytest.raises(StageError, match="the recording cannot be written"):
                stage.hand_over(tmp_path / "another")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_port_that_is_taken_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    before = planes()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(control_plane, "_free_port", lambda: taken.getsockname()[1])
        with pytest.raises(ClusterError, match="address already in use"), control_plane.open_control_plane():
            pass
    assert not planes() - before


@pytest.fixture
def killed(scenarios: Path) -> set[Path]:
    """The folders of control planes and Prometheus of a run that was killed while its agent worked."""
    script = scenarios.parent / "slow.sh"
    script.write_text("#!/bin/sh\ntouch working; sleep 600\n")
    script.chmod(0o755)
    before, out = planes(), scenarios.parent / "run"
    words = ["run", "--env", "hybrid", "--dataset", str(scenarios), "--agent", f"cmd:{script}", "--out", str(out)]
    with subprocess.Popen([sys.executable, "-m", "itbench.cli.main", *words], stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 240
        while not list(out.glob(".work/*-workspace/working")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        made = planes() - before
        process.kill()
    return made


def test_a_killed_runner_leaves_nothing(killed: set[Path]) -> None:
    assert killed
    deadline = time.monotonic() + 60
    while any(folder.exists() for folder in killed) and time.monotonic() < deadline:
        time.sleep(0.2)
    for found in leftovers():  # what `itbench env reap` does
        if found.folder in killed:
            reap(found)
    assert not any(folder.exists() for folder in killed)
    for folder in killed:
        with pytest.raises(AssertionError, match="nobody has"):
            process_of(f"--cert-dir={folder / 'certs'}")
