import os
import subprocess
import sys
from pathlib import Path

import pytest

from itbench.model.errors import RunError, UnwritableError
from itbench.model.lock import Lock
from itbench.model.outcome import Outcome
from itbench.model.trial import AgentConfig, RunConfig, Timing, TrialRecord
from itbench.runner.store import RunStore, folder_name

LOCK = Lock(itbench_version="1", config="c", rules="r", scenarios={})


def config(*labels: str) -> RunConfig:
    agents = tuple(AgentConfig(spec=label, label=label) for label in labels)
    return RunConfig(scenarios=("1", "2"), agents=agents, trials=2)


def record(agent: str = "a", scenario: str = "1", trial: int = 1, **change: object) -> TrialRecord:
    base = {
        "agent": agent,
        "scenario": scenario,
        "domain": "sre",
        "trial": trial,
        "seed": 0,
        "outcome": Outcome.scored(),
        "timing": Timing(started_at="", wall_seconds=0, agent_seconds=0),
    }
    return TrialRecord.model_validate(base | change)


def commit(store: RunStore, made: TrialRecord, content: bytes = b"{}") -> None:
    with store.attempt() as attempt:
        store.commit(attempt, made, {"agent_output.json": content})


def test_what_was_stored_is_read_back(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run", config("a"), LOCK)
    commit(store, record())
    opened = RunStore.open(tmp_path / "run")
    assert (opened.config, opened.lock) == (store.config, LOCK)
    assert opened.record("a", "1", 1) == record()
    assert opened.record("a", "1", 2) is None
    assert list(opened.records()) == [record()]


def test_one_agent_lies_at_the_top_and_several_under_their_labels(tmp_path: Path) -> None:
    alone = RunStore.create(tmp_path / "one", config("a"), LOCK)
    both = RunStore.create(tmp_path / "two", config("a", "cmd:b"), LOCK)
    assert alone.trial_dir("a", "1", 2) == tmp_path / "one/trials/1/2"
    assert both.trial_dir("cmd:b", "1", 2) == tmp_path / "two/agents/cmd-b/trials/1/2"


def test_a_trial_that_cannot_be_kept_says_where_and_leaves_nothing(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run", config("a"), LOCK)
    (tmp_path / "run/trials").write_text("in the way")
    with pytest.raises(UnwritableError, match="a trial cannot be kept"):
        commit(store, record())
    assert not list(store.work.iterdir())


def test_a_second_attempt_keeps_the_first(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run", config("a"), LOCK)
    for number, content in enumerate((b"first", b"second", b"third"), start=1):
        assert store.earlier_attempts("a", "1", 1) == number - 1
        commit(store, record(attempt=number), content)
    kept = tmp_path / "run/attempts/1/1"
    assert [(kept / n / "agent_output.json").read_bytes() for n in ("1", "2")] == [b"first", b"second"]
    assert (tmp_path / "run/trials/1/1/agent_output.json").read_bytes() == b"third"
    assert store.record("a", "1", 1) == record(attempt=3)


def test_nothing_is_left_of_an_attempt_but_its_record(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run", config("a"), LOCK)
    with store.attempt() as attempt:
        store.mark_started(attempt, "a", "1", 1)
        attempt.workspace.mkdir()
        (attempt.workspace / "big").write_bytes(b"x")
        store.commit(attempt, record(), {})
    assert not any(store.work.iterdir())
    assert [path.name for path in (tmp_path / "run/trials/1/1").iterdir()] == ["result.json"]


def test_what_the_harness_did_not_live_to_finish_is_set_aside(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run", config("a"), LOCK)
    abandoned = store.attempt()
    attempt = abandoned.__enter__()  # and never left: the harness was killed
    store.mark_started(attempt, "a", "2", 1)
    attempt.workspace.mkdir()
    (attempt.record / "stdout.txt").write_text("thinking")
    with store.exclusively():
        (kept,) = (tmp_path / "run/interrupted").iterdir()
        assert (kept / "stdout.txt").read_text() == "thinking"
        assert '"scenario": "2"' in (kept / "started.json").read_text()
        assert not store.work.exists()


def test_an_attempt_that_was_complete_when_the_harness_died_is_kept_as_the_trial(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run", config("a"), LOCK)
    abandoned = store.attempt()
    attempt = abandoned.__enter__()  # and never left
    store.mark_started(attempt, "a", "1", 1)
    (attempt.record / "agent_output.json").write_bytes(b"answer")
    (attempt.record / "result.json").write_text(record().model_dump_json())
    with store.exclusively():
        assert store.record("a", "1", 1) == record()
    assert [path.name for path in (tmp_path / "run/trials/1/1").iterdir()] == ["agent_output.json", "result.json"]
    assert not (tmp_path / "run/interrupted").exists()


@pytest.mark.parametrize("call", ["open", "fsync", "rename", "unlink"])
def test_a_scored_attempt_survives_a_kill_at_any_step(tmp_path: Path, call: str) -> None:
    """Die at each single system call of a commit in turn; afterwards the trial is there whole, or to be redone."""
    program = (
        "import os, sys; sys.path[:0] = sys.argv[4:]\n"
        "from pathlib import Path\n"
        "from itbench.runner.store import RunStore\n"
        "from itbench.model.trial import TrialRecord\n"
        "store = RunStore.open(Path(sys.argv[1])); call, left = sys.argv[2], int(sys.argv[3])\n"
        "record = TrialRecord.model_validate_json(sys.stdin.read())\n"
        "real = getattr(os, call)\n"
        "def dying(*args, **options):\n"
        "    global left\n"
        "    left -= 1\n"
        "    if left < 0: os._exit(9)\n"
        "    return real(*args, **options)\n"
        "with store.attempt() as attempt:\n"
        "    setattr(os, call, dying)\n"
        "    store.commit(attempt, record, {'agent_output.json': b'answer'})\n"
        "    setattr(os, call, real)\n"
    )
    for step in range(20):
        root = tmp_path / f"run-{step}"
        store = RunStore.create(root, config("a"), LOCK)
        commit(store, record(outcome=Outcome.unscored("environment_error")), b"first attempt")
        arguments = [sys.executable, "-c", program, str(root), call, str(step), *sys.path]
        died = subprocess.run(arguments, input=record(attempt=2).model_dump_json(), text=True, check=False).returncode
        with store.exclusively():
            kept = store.record("a", "1", 1)
        assert kept in (None, record(attempt=2), record(outcome=Outcome.unscored("environment_error"))), kept
        answers = {path.read_bytes() for path in root.rglob("agent_output.json")}
        assert b"first attempt" in answers
        if kept == record(attempt=2):
            assert (root / "trials/1/1/agent_output.json").read_bytes() == b"answer"
        if not died:
            assert kept == record(attempt=2)
            return
    raise AssertionError("the commit never ended")


def test_files_are_forced_to_disk_before_they_are_renamed_into_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RunStore.create(tmp_path / "run", config("a"), LOCK)
    steps: list[str] = []
    fsync, rename = os.fsync, os.rename
    monkeypatch.setattr(os, "fsync", lambda descriptor: steps.append("fsync") or fsync(descriptor))
    monkeypatch.setattr(os, "rename", lambda source, target: steps.append("rename") or rename(source, target))
    commit(store, record())
    assert steps == ["fsync", "fsync", "rename", "fsync"]  # two files, then the folder that holds the trial


def test_a_damaged_result_is_named_and_does_not_hide_the_others(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run", config("a"), LOCK)
    commit(store, record())
    commit(store, record(trial=2))
    (tmp_path / "run/trials/1/1/result.json").write_text("{")
    opened = RunStore.open(tmp_path / "run")
    assert list(opened.records()) == [record(trial=2)]
    assert opened.damaged == {tmp_path / "run/trials/1/1/result.json"}


def test_two_processes_cannot_work_on_one_run(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run", config("a"), LOCK)
    with store.exclusively(), pytest.raises(RunError, match="another itbench process"), store.exclusively():
        pass
    with store.exclusively():  # released
        pass


def test_a_run_never_goes_into_a_folder_that_holds_something(tmp_path: Path) -> None:
    RunStore.create(tmp_path / "run", config("a"), LOCK)
    with pytest.raises(RunError, match="itbench resume"):
        RunStore.create(tmp_path / "run", config("a"), LOCK)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").write_text("")
    with pytest.raises(RunError, match="not empty"):
        RunStore.create(tmp_path / "full", config("a"), LOCK)
    with pytest.raises(RunError, match="cannot make a run folder"):
        RunStore.create(tmp_path / "full/x", config("a"), LOCK)


@pytest.mark.parametrize("damage", [b"", b"{", b'{"schema_version": 2}', b"\xff\xfe"])
def test_a_damaged_file_is_named(tmp_path: Path, damage: bytes) -> None:
    RunStore.create(tmp_path / "run", config("a"), LOCK)
    (tmp_path / "run/run.json").write_bytes(damage)
    with pytest.raises(RunError, match=r"run\.json.*the file is damaged"):
        RunStore.open(tmp_path / "run")


def test_a_folder_without_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run folder"):
        RunStore.open(tmp_path)


@pytest.mark.parametrize("name", ["../../etc", "..", "a/b", ".hidden", "", "a\x00b"])
def test_no_name_leaves_its_folder(name: str) -> None:
    made = folder_name(name)
    assert made
    assert "/" not in made
    assert not made.startswith(".")
    assert "\x00" not in made
