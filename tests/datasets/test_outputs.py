from __future__ import annotations

import os
from pathlib import Path

import pytest

from itbench.datasets.outputs import find_outputs, passed_over
from itbench.model.errors import DatasetError
from itbench.sandbox.output import OutputKindError, read_output


def put(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("{}")
    return root


def test_the_conventions_of_the_public_evaluator(tmp_path: Path) -> None:
    put(
        tmp_path,
        "Scenario-10/1/agent_output.json",
        "scenario_2/10/outputs/agent_output.json",
        "scenario_2/2/agent_response.json",
        "incident-i3/1/agent_output.json",
        "some-name/1/agent_output.json",
    )
    found = [(output.incident, output.trial, output.path) for output in find_outputs(tmp_path)]
    assert found == [
        ("2", "2", tmp_path / "scenario_2/2/agent_response.json"),
        ("2", "10", tmp_path / "scenario_2/10/outputs/agent_output.json"),
        ("3", "1", tmp_path / "incident-i3/1/agent_output.json"),
        ("10", "1", tmp_path / "Scenario-10/1/agent_output.json"),
        ("some-name", "1", tmp_path / "some-name/1/agent_output.json"),
    ]


def test_the_inner_folder_and_the_newer_name_come_first(tmp_path: Path) -> None:
    put(tmp_path, "1/1/agent_output.json", "1/1/agent_response.json", "1/1/outputs/agent_response.json")
    (output,) = find_outputs(tmp_path)
    assert output.path == tmp_path / "1/1/outputs/agent_response.json"


def test_a_trial_without_an_answer_is_present(tmp_path: Path) -> None:
    put(tmp_path, "1/1/stdout.txt", "1/notes/agent_output.json", "1/2/agent_output.json")
    first, second = find_outputs(tmp_path)
    assert (first.trial, first.path) == ("1", None)
    assert "no agent_output.json" in first.note
    assert second.path


def test_links_are_never_followed(tmp_path: Path) -> None:
    secret = put(tmp_path / "secret", "1/agent_output.json")
    outputs = tmp_path / "outputs"
    (outputs / "1" / "1").mkdir(parents=True)
    (outputs / "1/1/outputs").symlink_to(secret / "1")
    (outputs / "1/2").symlink_to(secret / "1")
    (outputs / "2").symlink_to(secret)
    assert [(output.trial, output.path) for output in find_outputs(outputs)] == [("1", None)]


def test_whatever_has_the_name_of_an_answer_is_found_and_refused_when_read(tmp_path: Path) -> None:
    secret = put(tmp_path / "secret", "agent_output.json")
    names = [tmp_path / "outputs/1" / trial / "agent_output.json" for trial in "1234"]
    for name in names:
        name.parent.mkdir(parents=True)
    names[0].mkdir()
    names[1].symlink_to(secret / "agent_output.json")
    names[2].symlink_to("nowhere")
    os.mkfifo(names[3])
    assert [output.path for output in find_outputs(tmp_path / "outputs")] == names
    for name in names:
        with pytest.raises(OutputKindError):
            read_output(name.parent, name.name, 100)


def test_what_is_passed_over_is_told(tmp_path: Path) -> None:
    outputs = put(
        tmp_path / "outputs",
        *("1/1/agent_output.json", "1/run-10/agent_output.json", "1/run-2/x", "1/\u0663/agent_output.json"),
        *("2/agent_output.json", "agent_response.json", "README.md", "1/scores.json"),
    )
    (outputs / "1/3").symlink_to(outputs / "1/1")
    (outputs / "4").symlink_to(tmp_path)
    (outputs / "circle").symlink_to("circle")
    told = [path.relative_to(outputs).as_posix() for path in passed_over(outputs)]
    assert told == ["1/3", "1/run-2", "1/run-10", "1/\u0663", "2/agent_output.json", "4", "agent_response.json"]
    assert [(output.incident, output.trial) for output in find_outputs(outputs)] == [("1", "1")]


def test_nothing_is_passed_over_where_all_is_in_its_place(tmp_path: Path) -> None:
    assert passed_over(put(tmp_path, "Scenario-1/1/agent_output.json", "Scenario-1/2/outputs/agent_output.json")) == ()


def test_a_ciso_answer_is_a_folder_or_the_same_packed(tmp_path: Path) -> None:
    cis = tmp_path / "cis-5.1.1"
    left = ("1/policy.rego", "2/outputs/fetch.sh", "3/agent_output.json", "4/x")
    put(tmp_path, *(f"cis-5.1.1/{path}" for path in left))
    found = {output.trial: output.path for output in find_outputs(tmp_path, "ciso")}
    assert found == {"1": cis / "1", "2": cis / "2/outputs", "3": cis / "3/agent_output.json", "4": None}


def test_one_trial_in_two_folders_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "1/1/agent_output.json", "Scenario-1/01/agent_output.json")
    with pytest.raises(DatasetError, match="trial 1 of incident 1 is also in"):
        find_outputs(tmp_path)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder"):
        find_outputs(tmp_path / "nowhere")
