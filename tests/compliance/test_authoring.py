"""A task is made as the guide says, and `itbench ciso check` finds what is wrong with it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from itbench.compliance.authoring import build, problems
from itbench.compliance.collecting import FETCH
from itbench.compliance.engine import find_engine
from itbench.compliance.place import find_place
from itbench.compliance.task import read_task
from itbench.model.errors import ItbenchError

GUIDE = Path(__file__).parents[2] / "docs" / "write-a-ciso-task.md"


@pytest.mark.integration
def test_the_guides_task_is_built_found_wrong_mended_and_then_holds(tmp_path: Path) -> None:
    try:
        find_engine(), find_place()
    except ItbenchError as error:
        pytest.skip(str(error))
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    first, second = (re.sub(r"^itbench .*\n", "", block, flags=re.MULTILINE) for block in blocks[:2])
    subprocess.run(["bash", "-e", "-c", first], cwd=tmp_path, check=True)
    folder = tmp_path / "my-tasks" / "no-host-network"
    build(folder)
    found = problems(read_task(folder), seed=0)
    assert len(found) == 9
    assert found[0] == "the reference solution says true on violating set 'static-resources'"
    assert not [line for line in found if "compliant" in line or "adversary" in line]
    subprocess.run(["bash", "-e", "-c", second], cwd=folder.parent, check=True)
    assert problems(read_task(folder), seed=0) == []


def test_what_is_missing_or_outdated_is_said_before_anything_is_run(tmp_path: Path) -> None:
    text = re.findall(r"<<'END'\n(.*?)END\n", GUIDE.read_text(), re.DOTALL)[0]
    (tmp_path / "scenario.yaml").write_text(text)
    build(tmp_path)
    (tmp_path / "problem.md").write_text("Something else.\n")
    found = problems(read_task(tmp_path), seed=0)
    assert found == ["problem.md is not what scenario.yaml asks for: itbench ciso build", "there is no reference solution"]
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "policy.rego").write_text("package check\n")
    assert read_task(tmp_path).solution() == {"fetch.sh": FETCH, "policy.rego": "package check\n"}
    (tmp_path / "reference" / "fetch.sh").write_text(" ")
    assert problems(read_task(tmp_path), seed=0)[-1] == "the reference solution lacks fetch.sh"
