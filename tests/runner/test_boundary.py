"""Before anything is asked: what stops a run, with real sandboxes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from itbench.model.errors import SandboxError, UsageError
from itbench.runner import boundary
from itbench.runner.execute import run_pending
from itbench.runner.session import RunRequest, begin

pytestmark = pytest.mark.integration


def request(dataset: Path, out: Path, **change: object) -> RunRequest:
    return replace(RunRequest(agents=["cmd:true"], out=out, dataset=dataset), **change)


def test_a_leak_stops_the_run_before_the_agent_is_asked(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boundary, "hidden_paths", lambda *_: ())
    # The private /tmp would hide the dataset too.
    session = begin(request(dataset, tmp_path / "run", expose=[tmp_path]))
    with pytest.raises(SandboxError, match="the run is stopped"):
        run_pending(session)
    assert json.loads((tmp_path / "run/isolation.json").read_text())["leaked"] is True
    assert not (tmp_path / "run/trials").exists()


def test_a_tape_that_is_yet_to_be_recorded_is_hidden(dataset: Path, tmp_path: Path) -> None:
    session = begin(request(dataset, tmp_path / "run"))
    tape = tmp_path / "tapes" / "new"
    session.store.config = session.store.config.model_copy(update={"record": str(tape)})
    found = asyncio.run(boundary.guarded_boundary(session))
    assert found is not None
    assert tape in found.hidden
    assert tape.is_dir()


def test_a_path_that_names_the_scenario_is_refused_with_the_remedy(dataset: Path, tmp_path: Path) -> None:
    session = begin(request(dataset, tmp_path / "try-Scenario-2"))
    with pytest.raises(UsageError, match=r"names the scenario 'Scenario-2'.*Choose another --out"):
        run_pending(session)


def test_a_truth_among_the_inputs_is_noticed(dataset: Path, tmp_path: Path) -> None:
    truth = (dataset / "Scenario-3/ground_truth.yaml").read_bytes()
    (dataset / "Scenario-3/my_events.tsv").write_bytes(truth)
    session = begin(request(dataset, tmp_path / "run"))
    with pytest.raises(SandboxError, match=r"my_events\.tsv of 3 is its ground truth"):
        run_pending(session)


@pytest.mark.parametrize(
    ("spec", "message"), [("python:nowhere:f", "No module named"), ("python:json:nope", "no attribute")]
)
def test_a_python_agent_that_cannot_be_imported_stops_the_run(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str, message: str
) -> None:
    (tmp_path / "agents").mkdir()
    monkeypatch.chdir(tmp_path / "agents")
    session = begin(request(dataset, tmp_path / "run", agents=[spec]))
    with pytest.raises(UsageError, match=message):
        run_pending(session)


@pytest.mark.parametrize("change", [{"agent_env": ["NO_SUCH_VARIABLE"]}, {"expose": [Path("/")], "agents": ["nosuch"]}])
def test_what_is_wrong_with_a_request_leaves_no_run_folder(dataset: Path, tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        begin(request(dataset, tmp_path / "run", **change))
    assert not (tmp_path / "run").exists()


def test_scenarios_without_data_are_pointed_out_to_agents_that_investigate(dataset: Path, tmp_path: Path) -> None:
    for file in (dataset / "Scenario-1").rglob("*.*"):
        if file.name != "ground_truth.yaml":
            file.unlink()
    session = begin(request(dataset, tmp_path / "run"))
    assert session.store.config.notices == ("1 scenarios are only ground truths: cmd:true found nothing to look at there",)
