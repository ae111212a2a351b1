"""What a model that has no shell can do about a compliance task."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from itbench.bundled import bundled
from itbench.compliance.asked import Asked, asked_in
from itbench.compliance.baselines import ADVERSARIES, adversary, template
from itbench.compliance.engine import find_engine
from itbench.compliance.place import find_place
from itbench.compliance.task import read_task
from itbench.compliance.workbench import Workbench
from itbench.model.compliance import REQUIRED
from itbench.model.errors import ItbenchError

FETCH = """#!/bin/bash
cat static-resources/* | python3 -c 'import json, sys; json.dump(sys.stdin.read(), open("collected_data.json", "w"))'
"""
POLICY = 'package check\n\nresult := contains(input, "good")\n'
OF_EACH_KIND = (
    "pods-host-network",
    "kubectl-privileged",
    "ansible-file-modes",
    "kyverno-services-inside",
    "kyverno-cel-limits",
    "kyverno-update-registries",
    "kyverno-update-cel-limits",
)


def staged(name: str, folder: Path) -> Path:
    """A task as an agent sees it."""
    source = bundled("scenarios") / "ciso" / name
    folder.mkdir()
    shutil.copy(source / "problem.md", folder)
    for part in ("static-resources", "policies"):
        if (source / part).is_dir():
            shutil.copytree(source / part, folder / part)
    return folder


@pytest.mark.parametrize("name", OF_EACH_KIND)
def test_what_is_asked_can_be_read_from_what_an_agent_sees(name: str, tmp_path: Path) -> None:
    wanted = read_task(bundled("scenarios") / "ciso" / name).asked()
    seen = asked_in(staged(name, tmp_path / "seen"))
    assert seen == Asked(wanted.kind, wanted.policy_kind, wanted.given)


@pytest.mark.parametrize("name", OF_EACH_KIND)
def test_the_floor_and_the_adversaries_answer_in_every_form(name: str) -> None:
    task = read_task(bundled("scenarios") / "ciso" / name)
    asked = task.asked()
    assert sorted(template(task.problem(), asked)) == sorted(REQUIRED[asked.kind])
    for cheat in ADVERSARIES:
        assert sorted(adversary(cheat, asked, task.visible().files)) == sorted(REQUIRED[asked.kind])


def test_files_are_listed_with_their_objects_and_read_by_these_names(tmp_path: Path) -> None:
    bench = Workbench(staged("kyverno-update-registries", tmp_path / "seen"))
    listed = bench.call("list_resources", {}).text
    assert "policies/policies.yaml" in listed
    assert "Deployment " in listed
    path = next(line.split(":")[0] for line in listed.splitlines() if line.startswith("static-resources/"))
    assert "kind: " in bench.call("read_file", {"path": path}).text
    for outside in ("/etc/passwd", "../scenario.yaml", "static-resources/../../x"):
        answer = bench.call("read_file", {"path": outside})
        assert (answer.is_error, "there is no file" in answer.text) == (True, True)


def test_a_wrong_call_is_answered_with_what_would_be_right(tmp_path: Path) -> None:
    bench = Workbench(staged("pods-host-network", tmp_path / "seen"))
    assert "Tools: list_resources" in bench.call("kubectl", {}).text
    assert "path" in bench.call("read_file", {"file": "x"}).text
    escaping = bench.call("try_policy", {"files": {}, "resources": {"../x": "y"}})
    assert "no path below static-resources/" in escaping.text


def test_lint_of_a_kyverno_policy_needs_no_program(tmp_path: Path) -> None:
    bench = Workbench(staged("kyverno-services-inside", tmp_path / "seen"))
    assert bench.call("lint", {"files": {}}).text == "missing: policy.yaml"
    told = bench.call("lint", {"files": {"policy.yaml": "kind: Deployment\napiVersion: apps/v1\n"}}).text
    assert told.startswith("policy.yaml:1:1: wrong kind")


@pytest.mark.integration
def test_an_answer_is_tried_on_the_visible_set_and_on_own_examples(tmp_path: Path) -> None:
    try:
        find_engine(), find_place()
    except ItbenchError as error:
        pytest.skip(str(error))
    bench = Workbench(staged("pods-host-network", tmp_path / "seen"))
    files = {"fetch.sh": FETCH, "policy.rego": POLICY}
    assert "verdict: false" in bench.call("try_policy", {"files": files}).text
    assert "verdict: true" in bench.call("try_policy", {"files": files, "resources": {"a.yaml": "good"}}).text
    broken = bench.call("lint", {"files": {**files, "policy.rego": "package check\n\nresult := [\n"}}).text
    assert broken.startswith("policy.rego:")


@pytest.mark.integration
def test_names_that_lead_out_of_the_workspace_are_left_out_and_write_nothing(tmp_path: Path) -> None:
    try:
        find_engine(), find_place()
    except ItbenchError as error:
        pytest.skip(str(error))
    bench = Workbench(staged("pods-host-network", tmp_path / "seen"))
    outside = {str(tmp_path / "pwned"): "x", "../../itbench-pwned": "x", "half \ud800": "x"}
    told = bench.call("try_policy", {"files": {"fetch.sh": FETCH, "policy.rego": POLICY, **outside}}).text
    assert "verdict: false" in told
    assert told.count("is left out") == 2
    assert not (tmp_path / "pwned").exists()
    assert not (Path(tempfile.gettempdir()) / "itbench-pwned").exists()


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{after}: &{after} [{','.join([f'*{before}'] * 10)}]\n" for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\n{BOMB}", "write aliases out"),
        ("kind: Pod\nmetadata: x\n", "object 1 has no apiVersion, kind or metadata.name"),
        ("apiVersion: v1\nkind: List\n", "a List needs `items`"),
        ("apiVersion: v1\nkind: List\nitems: [1]\n", "object 1 has no"),
        ("kind: [", "not YAML"),
        ("a: \ud800", "half a character"),
    ],
)
def test_an_example_that_holds_no_objects_is_an_answer_and_no_fall(text: str, told: str, tmp_path: Path) -> None:
    bench = Workbench(staged("kyverno-services-inside", tmp_path / "seen"))
    answer = bench.call("try_policy", {"files": {"policy.yaml": "x"}, "resources": {"a.yaml": text}})
    assert (answer.is_error, told in answer.text) == (True, True), answer.text


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        (("a", "a/b"), "'a' cannot be a file and a folder"),
        (("a/../b",), "is no path below static-resources/"),
        (("a\0b",), "is no path below static-resources/"),
        (("\ud800",), "is no path below static-resources/"),
        (("é" * 150,), "is no path below static-resources/"),
    ],
)
def test_an_example_that_cannot_be_written_is_an_answer_and_no_fall(
    paths: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    bench = Workbench(staged("pods-host-network", tmp_path / "seen"))
    files = {"fetch.sh": FETCH, "policy.rego": POLICY}
    answer = bench.call("try_policy", {"files": files, "resources": dict.fromkeys(paths, "x")})
    assert answer.is_error
    assert told in answer.text
