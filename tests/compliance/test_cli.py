"""The journeys through the command line, on a folder in the public layout."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from itbench.compliance.engine import find_engine
from itbench.compliance.place import find_place
from itbench.model.errors import ItbenchError

pytestmark = pytest.mark.integration
FETCH = """#!/bin/bash
cat static-resources/*.yaml | python3 -c 'import json, sys; json.dump(sys.stdin.read(), open("collected_data.json", "w"))'
"""
POLICY = 'package check\n\nresult := contains(input, "good")\n'
AGENT = f"""#!/bin/bash
cat > fetch.sh <<'END'
{FETCH}END
cat > policy.rego <<'END'
{POLICY}END
test -f "$SNAPSHOT_DIR/problem.md" && test -d "$SNAPSHOT_DIR/static-resources" && ! ls -d "$SNAPSHOT_DIR"/*compliant
"""


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    try:
        find_engine(), find_place()
    except ItbenchError as error:
        pytest.skip(str(error))
    task = tmp_path / "data" / "k8s-opa-static-cis-0.0.1"
    for name, text in (("static-resources", "bad"), ("static-resources-compliant", "good"), ("ground-truth", "")):
        (task / name).mkdir(parents=True)
        if text:
            (task / name / "a.yaml").write_text(f"kind: {text}\n")
    (task / "problem.md").write_text("Be good.\n")
    (task / "ground-truth" / "fetch.sh").write_text(FETCH)
    (task / "ground-truth" / "policy.rego").write_text(POLICY)
    return tmp_path / "data"


def itbench(*args: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "itbench.cli.main", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, timeout=300)


def test_agents_of_every_sort_are_run_and_scored(dataset: Path) -> None:
    home = dataset.parent
    (home / "agents").mkdir()
    (home / "agents" / "writer.sh").write_text(AGENT)
    (home / "agents" / "writer.sh").chmod(0o755)
    specs = ("oracle", "nop", "template", "adversary:always-no", "adversary:always-yes", "cmd:agents/writer.sh")
    chosen = [word for spec in specs for word in ("--agent", spec)]
    done = itbench("run", "--dataset", "data", *chosen, "--out", "runs/one", "--json", cwd=home)
    assert done.returncode == 0, done.stderr
    told = {agent["agent"]: agent["domains"][0]["metrics"] for agent in json.loads(done.stdout)["agents"]}
    exact = {agent: metrics["exactness"]["mean"] for agent, metrics in told.items()}
    assert exact == {
        "oracle": 1,
        "nop": 0,
        "template": 0,
        "adversary:always-no": 0,
        "adversary:always-yes": 0,
        "cmd:writer": 1,
    }
    assert told["adversary:always-no"]["violation_detection"]["mean"] == 1
    (answers,) = (home / "runs" / "one" / "agents").glob("*writer/trials")
    again = itbench("score", "-g", "data", "-o", answers, "-d", "ciso", "--out", "again.json", cwd=home)
    assert again.returncode == 0, again.stderr
    (result,) = json.loads((home / "again.json").read_text())["raw_results"]
    assert result["scores"]["compliance_validation"]["calculation"] == 1
    assert "exactness" not in result["scores"]


def test_an_answer_can_be_tried_by_hand(dataset: Path) -> None:
    task = dataset / "k8s-opa-static-cis-0.0.1"
    right = itbench("ciso", "try", task, "--workdir", task / "ground-truth", cwd=dataset)
    assert (right.returncode, "the result is false" in right.stdout) == (0, True), right.stderr
    (dataset.parent / "mine").mkdir()
    empty = itbench("ciso", "try", task, "--workdir", dataset.parent / "mine", cwd=dataset)
    assert (empty.returncode, "missing" in empty.stdout) == (1, True), empty.stderr
    unknown = itbench("ciso", "try", "no-such-task", cwd=dataset)
    assert (unknown.returncode, "no compliance task" in unknown.stderr) == (2, True)


def test_a_task_without_a_compliant_set_is_unscored_and_says_why(dataset: Path) -> None:
    task = dataset / "k8s-opa-static-cis-0.0.1"
    (task / "static-resources-compliant" / "a.yaml").unlink()
    (task / "static-resources-compliant").rmdir()
    done = itbench("run", "--dataset", "data", "--agent", "oracle", "--out", "run", "--json", cwd=dataset.parent)
    assert done.returncode == 1
    assert json.loads(done.stdout)["agents"][0]["domains"][0]["unscored"]["evaluator_error"] == 1
    assert "no static-resources-compliant/" in done.stderr + (dataset.parent / "run" / "report.md").read_text()
