"""Agents in containers, on a real Docker engine, with an image made here of a static busybox."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from itbench.agents.container import LABEL, ContainerAgent, connect
from itbench.agents.protocol import AgentResult, Workspace
from itbench.model.errors import AgentError, UsageError
from itbench.model.task import Budget, Task

integration = pytest.mark.integration
NAMES = iter(range(10_000))


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    """A client of the engine, or a skip that says what is missing."""
    try:
        client = connect()
    except AgentError as error:
        pytest.skip(f"{error}")
    if shutil.which("busybox") is None:
        pytest.skip("a static busybox is needed for the image: apt-get install busybox-static")
    yield client
    client.close()


def _own(engine: Any) -> list[Any]:
    """Containers of this process: others may run tests at the same time."""
    found = engine.containers.list(all=True, filters={"label": LABEL})
    return [container for container in found if container.labels[LABEL].startswith(f"{os.getpid()}@")]


@pytest.fixture
def image(engine: Any) -> Iterator[Callable[[str], str]]:
    """Make an image whose entry point is this shell script."""
    made: list[str] = []

    def make(script: str) -> str:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            archive.add(shutil.which("busybox"), "bin/busybox")
            for name in ("sh", "cat", "sleep", "head", "id", "touch", "nc", "ls", "ln"):
                link = tarfile.TarInfo(f"bin/{name}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(link)
            entry = tarfile.TarInfo("agent.sh")
            entry.size, entry.mode = len(script.encode()), 0o755
            archive.addfile(entry, io.BytesIO(script.encode()))
        name = f"itbench-test-{os.getpid()}:{next(NAMES)}"
        repository, _, tag = name.partition(":")
        changes = ['ENTRYPOINT ["/bin/sh", "/agent.sh"]', "ENV PATH=/bin"]
        engine.api.import_image_from_data(buffer.getvalue(), repository=repository, tag=tag, changes=changes)
        made.append(name)
        return name

    yield make
    for name in made:
        engine.images.remove(name, force=True)
    assert not _own(engine), "a container was left over"


@pytest.fixture
def run(image: Callable[[str], str]) -> Iterator[Callable[..., tuple[AgentResult, Workspace]]]:
    """Run a script in a container. Its folders lie where the engine can mount them."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    cache.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="itbench-test-", dir=cache) as made:
        root = Path(made)
        (root / "logs").mkdir()
        (root / "input").mkdir()
        (root / "input" / "alerts.json").write_text("[1]")

        def go(script: str, options: str = "", **limits: Any) -> tuple[AgentResult, Workspace]:
            place = Workspace(root / "work", root / "input", root / "logs")
            words = f"Read {root}/input."
            budget = Budget.model_validate(limits)
            task = Task(id="t", domain="sre", instructions=words, input_dir=root / "input", budget=budget)
            return asyncio.run(ContainerAgent.from_text(image(script) + options).run(task, place)), place

        yield go


@integration
def test_a_container_finds_its_task_and_its_answer_is_taken(run) -> None:
    result, place = run('cat "$TASK" "$SNAPSHOT_DIR/alerts.json"; echo hm >&2; echo "{}" > "$OUTPUT"')
    assert (result.failure, result.output, result.warnings) == (None, b"{}\n", ())
    assert (place.logs / "stdout.txt").read_text() == "Read /snapshot.[1]"
    assert (place.logs / "stderr.txt").read_text() == "hm\n"
    assert [step.source for step in result.trajectory.steps] == ["user", "agent"]
    assert json.loads((place.path / "task.json").read_text())["input_dir"] == "/snapshot"


@integration
def test_a_container_may_leave_its_own_trajectory(run) -> None:
    own = {"agent": {"name": "mine", "version": "3"}, "steps": [], "final_metrics": {"total_prompt_tokens": 5}}
    result, _ = run(f"echo '{json.dumps(own)}' > trajectory.json; echo '{{}}' > agent_output.json")
    assert (result.trajectory.agent.name, result.usage.prompt_tokens) == ("mine", 5)


@integration
def test_nothing_of_the_machine_is_in_reach(run) -> None:
    result, place = run(
        "touch /snapshot/x; touch /x; touch /etc/x; ls /proc/net/dev >/dev/null && cat /proc/net/dev;"
        "cat /proc/self/status; nc -w 2 1.1.1.1 80 </dev/null; echo '{}' > agent_output.json"
    )
    told = (place.logs / "stderr.txt").read_text()
    assert told.count("Read-only file system") >= 2
    assert "Network is unreachable" in told
    printed = (place.logs / "stdout.txt").read_text()
    assert "eth0" not in printed
    assert "CapEff:\t0000000000000000" in printed
    assert "NoNewPrivs:\t1" in printed
    assert result.output == b"{}\n"


@integration
@pytest.mark.parametrize(
    ("script", "failure", "detail"),
    [
        ("exit 0", "output_missing", "the container ended well but wrote no agent_output.json"),
        ("exit 3", "agent_error", "ended with exit code 3"),
        ("sleep 60", "agent_timeout", "no answer within 4 s"),
        ("head -c 9000000 /dev/zero > big; sleep 60", "budget_exhausted", "workspace grew beyond"),
        ("x=$(head -c 500000000 /dev/zero | cat -v); echo $x", "budget_exhausted", "of memory"),
        ("head -c 2000 /dev/zero > agent_output.json", "output_invalid", "more than the allowed 1000"),
        ("ln -s /etc/passwd agent_output.json", "output_invalid", "link"),
    ],
)
def test_every_way_to_fail_has_its_cause(run, script: str, failure: str, detail: str) -> None:
    seconds = 4.0 if "timeout" in failure else 60.0
    result, _ = run(script, wall_seconds=seconds, output_bytes=1000, workspace_bytes=5_000_000, memory_bytes=50_000_000)
    assert result.failure == failure
    assert detail in result.detail


@integration
def test_a_flood_of_output_is_bounded(run) -> None:
    result, place = run("head -c 30000000 /dev/zero | cat -v; echo '{}' > agent_output.json", stdout_bytes=100_000)
    assert result.failure is None
    assert (place.logs / "stdout.txt").stat().st_size < 110_000


@integration
def test_a_cancelled_trial_leaves_no_container(engine, image, tmp_path: Path) -> None:
    agent = ContainerAgent.from_text(image("sleep 60"))
    (tmp_path / "logs").mkdir()

    async def cancel() -> None:
        task = Task(id="t", domain="sre", instructions="x")
        running = asyncio.create_task(agent.run(task, Workspace(tmp_path / "work", None, tmp_path / "logs")))
        while not _own(engine):
            await asyncio.sleep(0.1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(cancel())
    assert not _own(engine)


@integration
def test_what_a_killed_harness_left_is_removed_by_the_next(engine, image) -> None:
    name = image("sleep 60")
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    mine = engine.containers.run(name, detach=True, labels={LABEL: f"4194304@{boot}/1"})
    ContainerAgent.from_text(name).prepare()
    assert mine.id not in [each.id for each in engine.containers.list(all=True)]


@dataclass
class Kept:
    """A container, as far as it matters to whoever tidies up."""

    labels: dict[str, str]
    status: str
    removed: bool = False

    def remove(self, **_: Any) -> None:
        self.removed = True


def test_what_another_machine_runs_on_the_same_engine_is_let_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    running = Kept({LABEL: "7@another-boot/1"}, "running")
    ended = Kept({LABEL: "7@another-boot/1"}, "exited")
    orphan = Kept({LABEL: f"4194304@{boot}/1"}, "running")
    client = Mock()
    client.containers.list.return_value = [running, ended, orphan]
    monkeypatch.setattr("itbench.agents.container.connect", lambda: client)
    ContainerAgent.from_text("any").prepare()
    assert (running.removed, ended.removed, orphan.removed) == (False, True, True)


@integration
def test_an_image_that_is_not_there_is_refused_before_the_run(engine) -> None:
    with pytest.raises(UsageError, match="has no image 'itbench-no-such-image'"):
        ContainerAgent.from_text("itbench-no-such-image").prepare()


@integration
def test_variables_are_passed_on_by_name_only(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANTED", "yes")
    monkeypatch.setenv("SECRET", "no")
    _, place = run("echo $WANTED-$SECRET; echo '{}' > agent_output.json", "?env=WANTED")
    assert (place.logs / "stdout.txt").read_text() == "yes-\n"


def test_without_an_engine_the_run_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(AgentError, match="no container engine can be reached"):
        ContainerAgent.from_text("image").prepare()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("?cpus=1", "say which image"),
        ("i?cpu=1", "option cpu"),
        ("i?network=half", "option network"),
        ("i?env=a b", "option env"),
    ],
)
def test_wrong_options_are_named(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ContainerAgent.from_text(text)


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MISSING", raising=False)
    with pytest.raises(UsageError, match="MISSING"):
        ContainerAgent.from_text("i?env=MISSING").prepare()
