"""Every task that ships: solvable by its reference solution under both engines, and never by an adversary."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from itbench.bundled import bundled
from itbench.compliance.authoring import few, outdated
from itbench.compliance.baselines import ADVERSARIES, adversary
from itbench.compliance.collecting import FETCH
from itbench.compliance.engine import Engine, find_engine
from itbench.compliance.fetch import Collected, Collector
from itbench.compliance.judge import judge
from itbench.compliance.live import open_live_fetch, require_control_plane
from itbench.compliance.place import Place
from itbench.compliance.playbook import PlaybookRun, find_ansible
from itbench.compliance.policy import evaluate
from itbench.compliance.task import read_task
from itbench.compliance.trying import try_answer
from itbench.compliance.variants import Variant, hidden, published
from itbench.datasets.discover import load_suite
from itbench.model.compliance import REQUIRED, Judged
from itbench.model.errors import ClusterError, DatasetError, MissingExtraError, SandboxError, UsageError
from itbench.scoring.compliance import score_compliance

TASKS = sorted(path.parent.name for path in (bundled("scenarios") / "ciso").glob("*/scenario.yaml"))
KINDS = {name: read_task(bundled("scenarios") / "ciso" / name).asked().kind for name in TASKS}
STATIC = [name for name in TASKS if KINDS[name] == "static-opa"]
OTHERS = [name for name in TASKS if KINDS[name] != "static-opa"]
FIRST_OF_FORM = {
    f"{KINDS[name]} {read_task(bundled('scenarios') / 'ciso' / name).asked().policy_kind or ''}".strip(): name
    for name in reversed(OTHERS)
}
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


def verdicts(policy: str, inputs: list[bytes], engine: Engine, place: Place) -> list[str]:
    found = asyncio.run(evaluate(policy, inputs, engine, place))
    assert found.problem is None
    return [ruling.verdict for ruling in found.rulings]


def wanted(variants: tuple[Variant, ...]) -> list[str]:
    return ["true" if variant.side == "compliant" else "false" for variant in variants]


def test_there_are_at_least_thirty_and_the_suite_holds_them_all() -> None:
    assert len(TASKS) >= 30
    assert sorted(scenario.id for scenario in load_suite("ciso-all")) == TASKS
    assert {scenario.complexity for scenario in load_suite("ciso-all")} == {"low", "medium", "high"}


@pytest.mark.parametrize("name", TASKS)
def test_the_sets_are_enough_differ_and_follow_from_the_definition(name: str) -> None:
    task = read_task(folder(name))
    assert not outdated(folder(name))
    variants = task.variants(seed=3)
    known = [variant for variant in variants if not variant.hidden]
    assert sum(variant.side == "compliant" for variant in known) >= 3
    assert sum(variant.side == "violating" for variant in known) >= 6
    assert len({hashed(variant.files) for variant in variants}) == len(variants)
    assert task.definition is not None
    assert variants[1:] == (*list(published(task.definition))[1:], *hidden(task.definition, 3))  # the same sets again
    fresh = [variant.files for variant in task.variants(seed=4) if variant.hidden]
    assert not any(variant.files in fresh for variant in variants if variant.hidden)
    assert sorted(path.name for path in (folder(name) / "reference").iterdir()) == sorted(REQUIRED[KINDS[name]])


@pytest.mark.integration
@pytest.mark.parametrize("name", STATIC)
def test_the_reference_solution_is_right_and_both_engines_agree(
    name: str, both: tuple[Engine, Engine], place: Place, tmp_path: Path
) -> None:
    """On all sets by the engine that is started once for all; the program, started for each, sees every third."""
    task = read_task(folder(name))
    variants = task.variants(seed=1)
    solution = task.solution()
    assert solution is not None
    inputs = collected(variants, tmp_path)
    program, wheel = both
    assert verdicts(solution["policy.rego"], inputs, wheel, place) == wanted(variants)
    assert verdicts(solution["policy.rego"], inputs[::3], program, place) == wanted(variants[::3])


@pytest.mark.integration
@pytest.mark.parametrize("name", STATIC)
def test_no_adversary_judges_every_set_rightly(name: str, both: tuple[Engine, Engine], place: Place) -> None:
    variants = read_task(folder(name)).variants(seed=1)
    inputs = [hashed(variant.files) for variant in variants]
    for cheat in ADVERSARIES:
        policy = adversary(cheat, read_task(folder(name)).asked(), variants[0].files)["policy.rego"]
        tried = range(len(inputs)) if cheat.startswith("file-") else indices_of_both_sides(variants)
        said = verdicts(policy, [inputs[index] for index in tried], both[1], place)
        assert said != wanted(tuple(variants[index] for index in tried)), cheat


def indices_of_both_sides(variants: Sequence[Variant]) -> list[int]:
    """A compliant set and a violating one: who always says the same is wrong on one of them."""
    sides = [variant.side for variant in variants]
    return [sides.index("compliant"), sides.index("violating")]


def lean(variants: Sequence[Variant], step: int) -> list[Variant]:
    """The visible set, and one in `step` of the others of each side, hidden ones among them."""
    others = sorted(variants[1:], key=lambda variant: variant.side)
    return [variants[0], *others[::step]]


def exact(name: str, files: Mapping[str, str], variants: Sequence[Variant], place: Place) -> tuple[float, str]:
    """Exactness and what was wrong; skips where the form's programs are not here."""
    with missing_programs_skip():
        seen = asyncio.run(try_answer(read_task(folder(name)).asked(), files, variants, place))
    return exactness(seen)


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
@pytest.mark.parametrize("name", [name for name in OTHERS if KINDS[name] != "kubectl-opa"])
def test_the_reference_solution_of_the_other_forms_is_exact(name: str, place: Place) -> None:
    """On some of the sets: Ansible takes seconds for one, Kyverno for a few. The suite's oracle meets them all."""
    task = read_task(folder(name))
    solution = task.solution()
    assert solution is not None
    step = 4 if KINDS[name] == "host-ansible-opa" else 2
    found, why = exact(name, solution, lean(task.variants(seed=1), step), place)
    assert found == 1, why


@pytest.mark.integration
def test_the_reference_solutions_are_exact_on_one_api_server(place: Place, tmp_path: Path) -> None:
    async def all_of_them() -> dict[str, tuple[float, str]]:
        found = {}
        async with open_live_fetch(place, tmp_path) as collector:
            for name in (name for name in OTHERS if KINDS[name] == "kubectl-opa"):
                task = read_task(folder(name))
                solution = task.solution()
                assert solution is not None
                seen = await judge(solution, lean(task.variants(seed=1), 3), find_engine(), place, collector)
                found[name] = exactness(seen)
        return found

    with missing_programs_skip():
        require_control_plane(place)
        found = asyncio.run(all_of_them())
    assert len(found) >= 4
    assert {name: value for name, value in found.items() if value[0] != 1} == {}


KYVERNO = {form: name for form, name in FIRST_OF_FORM.items() if form.startswith("kyverno")}


@pytest.mark.integration
@pytest.mark.parametrize("name", KYVERNO.values(), ids=list(KYVERNO))
def test_no_adversary_before_kyverno_is_exact(name: str, place: Place) -> None:
    """An answer that is wrong on a few sets is not exact on more, and its policy hardly depends on the task."""
    task = read_task(folder(name))
    variants = task.variants(seed=1)
    for cheat in ADVERSARIES[:3]:  # Kyverno knows no files: the two that look at files are one
        chosen = variants if cheat == "file-names" else few(variants)
        found, why = exact(name, adversary(cheat, task.asked(), variants[0].files), chosen, place)
        assert found == 0, cheat
        assert why.startswith("None "), why  # it was judged, not refused


@dataclass(frozen=True)
class Once:
    """Collects once from each set for all adversaries, whose scripts are the same; their policies differ."""

    collector: Collector
    known: dict[tuple[str, str], Collected] = field(default_factory=dict)

    @property
    def script(self) -> str:
        return self.collector.script

    @property
    def at_once(self) -> int:
        return self.collector.at_once

    async def __call__(self, files: Mapping[str, str], variant: Variant) -> Collected:
        key = (files[self.script], variant.name)
        if key not in self.known:
            self.known[key] = await self.collector(files, variant)
        return self.known[key]


@asynccontextmanager
async def collecting(kind: str, place: Place, tmp_path: Path) -> AsyncIterator[Collector]:
    if kind == "host-ansible-opa":
        yield PlaybookRun(place, find_ansible())
    else:
        require_control_plane(place)
        async with open_live_fetch(place, tmp_path) as collector:
            yield collector


@pytest.mark.integration
@pytest.mark.parametrize("kind", ["host-ansible-opa", "kubectl-opa"])
def test_no_adversary_with_a_slow_collector_is_exact(kind: str, place: Place, tmp_path: Path) -> None:
    task = read_task(folder(FIRST_OF_FORM[kind]))
    variants = task.variants(seed=1)

    async def all_of_them() -> dict[str, Judged]:
        async with collecting(kind, place, tmp_path) as collector:
            once = Once(collector)
            return {
                cheat: await judge(
                    adversary(cheat, task.asked(), variants[0].files), few(variants), find_engine(), place, once
                )
                for cheat in ADVERSARIES
            }

    with missing_programs_skip():
        seen = asyncio.run(all_of_them())
    for cheat, judged in seen.items():
        assert exactness(judged)[0] == 0, cheat
        assert judged.problem is None
        assert all(one.fetched.ok for one in judged.tried), judged.tried


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
