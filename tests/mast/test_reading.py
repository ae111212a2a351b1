"""Folders of sessions are read as named traces with what is known about their trials."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from itbench.cli.main import main
from itbench.mast.reading import Notes, read_traces
from itbench.model.errors import UsageError


def codex(*says: str) -> str:
    lines = [
        {"timestamp": "2026-01-02T03:04:05Z", "type": "session_meta", "payload": {"id": "s", "originator": "codex_exec"}}
    ]
    for said in says:
        payload = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": said}]}
        lines.append({"timestamp": "2026-01-02T03:04:06Z", "type": "response_item", "payload": payload})
    return "".join(json.dumps(line) + "\n" for line in lines)


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def published(tmp_path: Path) -> Path:
    root = tmp_path / "published"
    place = root / "model-x/sre/Scenario-3"
    put(place / "1/session.jsonl", codex("a", "b") + "{broken\n")
    put(place / "1/agent_output.json", '{"entities": []}')
    put(place / "1/judge_output.json", json.dumps({"flat_scores": {"root_cause_entity_recall": 0.5, "odd": "x"}}))
    put(place / "2/session.jsonl", codex("c"))
    return root


def test_a_published_folder_tells_scenario_trial_answer_and_scores(published):
    notes = Notes()
    one, two = read_traces(published, notes)
    assert one.info.trace == "model-x/sre/Scenario-3/1"
    assert (one.info.agent, one.info.scenario, one.info.trial, one.info.domain) == ("model-x", "Scenario-3", 1, "sre")
    assert one.info.metrics == {"root_cause_entity_recall": 0.5}
    assert (one.info.answer, two.info.answer) == ("present", "missing")
    assert (one.output, two.output) == ('{"entities": []}', None)
    assert notes.malformed == 1
    assert notes.problems[0].startswith(f"{published}/model-x/sre/Scenario-3/1/session.jsonl:4: ")


def test_what_was_imported_reads_as_it_was(published, tmp_path):
    out = tmp_path / "traces"
    result = CliRunner().invoke(main, ["mast", "import", str(published), "--out", str(out)])
    assert result.exit_code == 0
    assert "1 malformed records left out" in result.stdout
    before, after = list(read_traces(published, Notes())), list(read_traces(out, Notes()))
    assert after == before


def test_a_session_alone_says_nothing_about_an_answer(tmp_path):
    (trace,) = read_traces(put(tmp_path / "mine.jsonl", codex("a")), Notes())
    assert (trace.info.trace, trace.info.answer, trace.info.scenario) == ("mine", "unknown", None)


def test_trials_without_a_trajectory_are_counted(published):
    for number in (1, 2):
        put(published / f"agents/oracle/trials/x/{number}/result.json", "{}")
    notes = Notes()
    assert len(list(read_traces(published, notes))) == 2
    assert notes.problems[-1] == f"2 trials that left no trajectory, such as {published}/agents/oracle/trials/x/1"


def test_an_unreadable_file_is_noted_and_stops_nothing(published):
    put(published / "a.json", "\x00\x01 binary")
    put(published / "empty.jsonl", "")
    notes = Notes()
    assert len(list(read_traces(published, notes))) == 2
    assert notes.unreadable == 2
    assert any("a.json" in problem for problem in notes.problems)


def test_nothing_to_read_is_said_so(tmp_path):
    with pytest.raises(UsageError, match="no trace was found"):
        list(read_traces(tmp_path, Notes()))
    with pytest.raises(UsageError, match="no such file"):
        list(read_traces(tmp_path / "none", Notes()))


def test_a_hostile_name_stays_in_the_folder(tmp_path):
    sample = {"id": "../../up", "epoch": 1, "messages": [{"role": "assistant", "content": "hi"}]}
    source = put(tmp_path / "in/log.json", json.dumps({"eval": {}, "samples": [sample, sample]}))
    out = tmp_path / "deep/er/out"
    assert CliRunner().invoke(main, ["mast", "import", str(source), "--out", str(out)]).exit_code == 0
    assert [trace.info.trace for trace in read_traces(out, Notes())] == ["log/_.._up-1", "log/_.._up-1-2"]
    assert not list(tmp_path.glob("*up*"))


def test_labels_of_a_data_set_are_written_beside_the_traces(tmp_path):
    row = {
        "mas_name": "AG2",
        "trace_id": 1,
        "trace": {"trajectory": "x\n\ny"},
        "mast_annotation": {"1.3": 1, "3.2": 0, "9.9": 1},
    }
    source, out = put(tmp_path / "full.json", json.dumps([row])), tmp_path / "out"
    result = CliRunner().invoke(main, ["mast", "import", str(source), "--out", str(out)])
    assert "9.9" in result.stdout
    labels = json.loads((out / "labels.json").read_text())
    assert labels["taxonomy"] == "mast-v3"
    assert [(row["code"], row["verdict"]) for row in labels["labels"]] == [("1.3", "present"), ("3.2", "absent")]


def test_out_must_be_new_or_empty(published, tmp_path):
    put(tmp_path / "out/file", "x")
    result = CliRunner().invoke(main, ["mast", "import", str(published), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "there already" in result.stderr
