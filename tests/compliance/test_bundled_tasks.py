"""Every task that ships: its sets, and that its reference solution is right, under both engines where it is Rego."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from itbench.bundled import bundled
from itbench.compliance.authoring import outdated
from itbench.compliance.collecting import FETCH
from itbench.compliance.engine import find_engine
from itbench.compliance.judge import judge
from itbench.compliance.live import open_live_fetch, require_control_plane
from itbench.compliance.place import Place
from itbench.compliance.playbook import MODES, PlaybookRun, find_ansible
from itbench.compliance.task import read_task
from itbench.compliance.trying import try_answer
from itbench.compliance.variants import Variant, hidden
from itbench.datasets.discover import load_suite
from itbench.model.compliance import REQUIRED, Judged
from itbench.model.errors import ClusterError, DatasetError, MissingExtraError, SandboxError, UsageError
from itbench.scoring.compliance import score_compliance

from .conftest import OwnPolicies

TASKS = sorted(path.parent.name for path in (bundled("scenarios") / "ciso").glob("*/scenario.yaml"))
KINDS = {name: read_task(bundled("scenarios") / "ciso" / name).asked().kind for name in TASKS}
STATIC = [name for name in TASKS if KINDS[name] == "static-opa"]
OTHERS = [name for name in TASKS if KINDS[name] != "static-opa"]
CODE = FETCH.split("<<'PY'\n")[1].split("PY\n")[0]


def folder(name: str) -> Path:
    return bundled("scenarios") / "ciso" / name


def collected(variants: tuple[Variant, ...], place: Path) -> list[bytes]:
    """What the reference fetch script collects from each set: our own script, so that it may run here, in one process."""
    for index, variant in enumerate(variants):
        for path, content in variant.files.items():
            target = place / str(index) / "static-resources" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    (place / "code.py").write_text(CODE)
    loop = "import os\ncode = open('code.py').read()\nfor i in range(%d):\n os.chdir(str(i)); exec(code, {}); os.chdir('..')"
    subprocess.run([sys.executable, "-c", loop % len(variants)], cwd=place, check=True)
    return [(place / str(index) / "collected_data.json").read_bytes() for index in range(len(variants))]


def hashed(files: Mapping[str, bytes]) -> bytes:
    """What the adversaries' fetch script collects."""
    return json.dumps({path: hashlib.sha256(content).hexdigest() for path, content in files.items()}).encode()


def wanted(variants: tuple[Variant, ...]) -> list[bool]:
    return [variant.side == "compliant" for variant in variants]


def test_there_are_at_least_thirty_and_the_suite_holds_them_all() -> None:
    assert len(TASKS) >= 30
    assert sorted(scenario.id for scenario in load_suite("ciso-all")) == TASKS
    assert {scenario.complexity for scenario in load_suite("ciso-all")} == {"low", "medium", "high"}


@pytest.mark.parametrize("name", TASKS)
def test_the_sets_are_enough_differ_and_follow_from_the_definition(name: str) -> None:
    task = read_task(folder(name))
    assert not outdated(folder(name))  # the first of the published ones is what lies there
    variants = task.variants(seed=1)
    known = [variant for variant in variants if not variant.hidden]
    assert sum(variant.side == "compliant" for variant in known) >= 3
    assert sum(variant.side == "violating" for variant in known) >= 6
    assert len({hashed(variant.files) for variant in variants}) == len(variants)
    assert task.definition is not None
    assert next(hidden(task.definition, 1)) == next(variant for variant in variants if variant.hidden)  # the same set again
    fresh = next(hidden(task.definition, 4))
    assert fresh.files not in [variant.files for variant in variants]
    assert sorted(task.solution() or ()) == sorted(REQUIRED[KINDS[name]])


@pytest.mark.integration
@pytest.mark.parametrize("name", STATIC)
def test_the_reference_solution_is_right_and_both_engines_agree(
    name: str, own_policies: OwnPolicies, tmp_path: Path
) -> None:
    variants, solution = sets_and_solution(name)
    inputs = collected(variants, tmp_path)
    assert own_policies.by_wheel(solution["policy.rego"], inputs) == wanted(variants)
    assert own_policies.by_program(solution["policy.rego"], inputs, tmp_path / "opa") == wanted(variants)


def sets_and_solution(name: str) -> tuple[tuple[Variant, ...], Mapping[str, str]]:
    task = read_task(folder(name))
    solution = task.solution()
    assert solution is not None
    return task.variants(seed=1), solution


def gathered(variant: Variant, policy: str) -> bytes:
    """What the reference playbooks gather from a host: modes by path, or texts of files by path."""
    if "input.modes" in policy:
        lines = (line.split("\t") for line in variant.files[MODES].decode().splitlines())
        return json.dumps({"modes": {path.strip("/"): mode for mode, path in lines}}).encode()
    return json.dumps({"files": {path: text.decode() for path, text in variant.files.items() if path != MODES}}).encode()


@pytest.mark.integration
@pytest.mark.parametrize("name", [name for name in OTHERS if KINDS[name] == "host-ansible-opa"])
def test_the_reference_playbook_gathers_what_its_policy_judges_rightly(
    name: str, own_policies: OwnPolicies, place: Place, tmp_path: Path
) -> None:
    """A start of Ansible takes seconds, so it gathers from a set of each side; the policy sees all sets."""
    variants, solution = sets_and_solution(name)
    policy = solution["policy.rego"]
    two = (variants[0], variants[-1])
    with missing_programs_skip():
        run = PlaybookRun(place, find_ansible())
    found = [asyncio.run(run(solution, variant)).data or b"" for variant in two]
    for variant, data in zip(two, found, strict=True):
        part = "modes" if "input.modes" in policy else "files"
        real, known = json.loads(data)[part], json.loads(gathered(variant, policy))[part]
        less, more = (known, real) if part == "modes" else (real, known)  # it looks at more folders, but fewer files
        assert less
        assert less.items() <= more.items()
    inputs = [*found, *(gathered(variant, policy) for variant in variants)]
    assert own_policies.by_wheel(policy, inputs) == wanted((*two, *variants))
    assert own_policies.by_program(policy, inputs, tmp_path / "opa") == wanted((*two, *variants))


def lean(variants: Sequence[Variant], step: int) -> list[Variant]:
    """The visible set, and one in `step` of the others of each side, hidden ones among them."""
    others = sorted(variants[1:], key=lambda variant: variant.side)
    return [variants[0], *others[::step]]


@contextmanager
def missing_programs_skip() -> Iterator[None]:
    try:
        yield
    except (ClusterError, MissingExtraError, SandboxError, UsageError) as error:
        pytest.skip(str(error))


def exactness(seen: Judged) -> tuple[float, str]:
    score = score_compliance(seen)["exactness"]
    return score.values["exactness"], f"{seen.problem} {score.evidence}"


@pytest.mark.integration
@pytest.mark.parametrize("name", [name for name in OTHERS if KINDS[name].startswith("kyverno")])
def test_the_reference_policy_is_exact_before_kyverno(name: str, place: Place) -> None:
    """On every third set: Kyverno takes its time for each object. The suite's oracle meets them all."""
    variants, solution = sets_and_solution(name)
    with missing_programs_skip():
        seen = asyncio.run(try_answer(read_task(folder(name)).asked(), solution, lean(variants, 3), place))
    found, why = exactness(seen)
    assert found == 1, why


@pytest.mark.integration
def test_the_reference_solutions_are_exact_on_one_api_server(place: Place, tmp_path: Path) -> None:
    """Of each task the visible set and three others; the suite's oracle meets them all."""

    async def all_of_them() -> dict[str, tuple[float, str]]:
        found = {}
        async with open_live_fetch(place, tmp_path) as collector:
            for name in (name for name in OTHERS if KINDS[name] == "kubectl-opa"):
                variants, solution = sets_and_solution(name)
                chosen = lean(variants, (len(variants) + 1) // 3)
                found[name] = exactness(await judge(solution, chosen, find_engine(), place, collector))
        return found

    with missing_programs_skip():
        require_control_plane(place)
        found = asyncio.run(all_of_them())
    assert len(found) >= 4
    assert {name: value for name, value in found.items() if value[0] != 1} == {}


def test_there_are_enough_tasks_of_each_form_and_both_kinds_of_policy() -> None:
    counts: Counter[str] = Counter(KINDS.values())
    least = {"static-opa": 30, "kyverno-generate": 8, "kyverno-update": 4, "host-ansible-opa": 4, "kubectl-opa": 4}
    assert all(counts[kind] >= least[kind] for kind in least), counts
    policies = Counter((KINDS[name], read_task(folder(name)).asked().policy_kind) for name in OTHERS)
    for kind in ("kyverno-generate", "kyverno-update"):
        assert min(policies[kind, "ClusterPolicy"], policies[kind, "ValidatingPolicy"]) >= 2


def test_a_broken_definition_is_named_with_file_line_and_key(tmp_path: Path) -> None:
    text = (folder("pods-host-network") / "scenario.yaml").read_text()
    (tmp_path / "static-resources").mkdir()
    (tmp_path / "scenario.yaml").write_text(text.replace("pod hostNetwork = true", "pod hostNetwork"))
    with pytest.raises(DatasetError, match=r"scenario.yaml:\d+: violating.*is not an edit"):
        read_task(tmp_path)
    (tmp_path / "scenario.yaml").write_text(text.replace("visible: in a Deployment", "visible: nowhere"))
    with pytest.raises(DatasetError, match="there is no violating set 'nowhere'"):
        read_task(tmp_path)
