"""Write what follows from a task's scenario.yaml: the words for the agent, and the set that it sees.

What is written here is never edited by hand; `itbench ciso build` writes it anew.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from itbench.bundled import bundled
from itbench.compliance.asked import Asked
from itbench.compliance.baselines import ADVERSARIES, adversary
from itbench.compliance.engine import find_engine
from itbench.compliance.fetch import Collected, Collector
from itbench.compliance.judge import judge
from itbench.compliance.kyverno import find_kyverno
from itbench.compliance.kyverno_judge import judge_policies
from itbench.compliance.kyverno_policy import API_VERSIONS
from itbench.compliance.place import Place, find_place
from itbench.compliance.task import DEFINITION, VISIBLE, ComplianceTask, read_definition
from itbench.compliance.trying import collecting
from itbench.compliance.variants import Variant, published
from itbench.datasets.compliance_folder import read_tree
from itbench.model.compliance import REQUIRED, Judged
from itbench.scoring.compliance import score_compliance

_HOST = (
    "settings of a host, each file at its path below the root, and in `inventory/modes.txt` a line per file with mode, "
    "owner, group and path, separated by tabs"
)
_KUBERNETES = "manifests of Kubernetes objects; a file may hold several documents, a List, or JSON"


def derived(folder: Path) -> Mapping[str, bytes]:
    """What belongs into a task's folder besides scenario.yaml and the reference policy, by relative path.

    Raises:
        DatasetError: scenario.yaml is broken.
    """
    task = read_definition(folder / DEFINITION)
    what = _HOST if task.fleet == "host" else _KUBERNETES
    form = (bundled("environments") / "tasks" / "ciso" / f"{task.kind}.md").read_text(encoding="utf-8")
    text = Template(form).substitute(
        title=task.title,
        requirement=task.requirement.strip(),
        control=task.control,
        what=what,
        policy_kind=task.policy_kind,
        api_version=API_VERSIONS.get(task.policy_kind or "ClusterPolicy"),
    )
    seen = next(published(task))
    files = {f"{VISIBLE}/{path}": content for path, content in seen.files.items()}
    return {"problem.md": text.encode(), **files}


def build(folder: Path) -> None:
    """Write the derived files of a task; those of an earlier build that are no longer wanted go.

    Raises:
        DatasetError: scenario.yaml is broken.
    """
    files = derived(folder)
    shutil.rmtree(folder / VISIBLE, ignore_errors=True)
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def outdated(folder: Path) -> list[str]:
    """Which derived files differ from what scenario.yaml asks for."""
    wanted = derived(folder)
    there = {
        path: content for path, content in read_tree(folder).items() if path.startswith(f"{VISIBLE}/") or path in wanted
    }
    return sorted(path for path in wanted.keys() | there.keys() if wanted.get(path) != there.get(path))


def problems(task: ComplianceTask, seed: int) -> list[str]:
    """What is wrong with a task, a line each: the solution must judge every variant rightly, and no adversary may.

    Raises:
        DatasetError: a set cannot be made.
        SandboxError: there is no sandbox.
    """
    found = [f"{path} is not what scenario.yaml asks for: itbench ciso build" for path in outdated(task.folder)]
    variants = task.variants(seed)
    solution = task.solution()
    if solution is None:
        return [*found, "there is no reference solution"]
    if lacking := [name for name in REQUIRED[task.asked().kind] if not solution.get(name, "").strip()]:
        return [*found, f"the reference solution lacks {' and '.join(lacking)}"]
    return [*found, *asyncio.run(_tried(task, solution, variants, find_place((task.folder.resolve(),))))]


async def _tried(task: ComplianceTask, solution: Mapping[str, str], variants: Sequence[Variant], place: Place) -> list[str]:
    """What comes of the reference solution and of the adversaries, with one start of what collects."""
    asked = task.asked()
    async with _judging(asked, place) as judged:
        seen = await judged(solution, variants)
        found = [f"the reference solution: {seen.problem}"] if seen.problem is not None else []
        found += [
            f"the reference solution says {one.verdict} on {one.side} set {one.name!r}"
            for one in seen.tried
            if not one.right
        ]
        answers = {name: adversary(name, asked, variants[0].files) for name in ADVERSARIES}
        for name, answer in answers.items():
            if answer in list(answers.values())[: ADVERSARIES.index(name)]:
                continue  # two that look at files are one where there are none
            # One wrong verdict is enough, and most are wrong on a few sets already.
            if _exact(await judged(answer, few(variants))) and _exact(await judged(answer, variants)):
                found.append(f"the adversary {name} judges every set rightly")
    return found


def _exact(seen: Judged) -> bool:
    return score_compliance(seen)["exactness"].values["exactness"] == 1


@asynccontextmanager
async def _judging(asked: Asked, place: Place) -> AsyncIterator[_Judge]:
    """What judges an answer on sets; data that a script collected from a set serve all answers with that script."""
    if asked.policy_kind is not None:
        kyverno = find_kyverno()
        yield lambda files, variants: judge_policies(files, variants, asked, kyverno, place)
        return
    engine = find_engine()
    async with collecting(asked.kind, place) as collector:
        once = _Once(collector)
        yield lambda files, variants: judge(files, variants, engine, place, once)


_Judge = Callable[[Mapping[str, str], Sequence[Variant]], Awaitable[Judged]]


@dataclass(frozen=True, slots=True)
class _Once:
    """Collects once from a set for all answers that have the same script: ours, which look at nothing else."""

    collector: Collector
    known: dict[tuple[str, str, str], Collected] = field(default_factory=dict)

    @property
    def script(self) -> str:
        return self.collector.script

    @property
    def at_once(self) -> int:
        return self.collector.at_once

    async def __call__(self, files: Mapping[str, str], variant: Variant) -> Collected:
        key = (files[self.script], variant.side, variant.name)
        if key not in self.known:
            self.known[key] = await self.collector(files, variant)
        return self.known[key]


def few(variants: Sequence[Variant]) -> list[Variant]:
    """The visible set, a compliant one, and the first and the last of the other violating ones."""
    compliant, violating = ([one for one in variants[1:] if one.side == side] for side in ("compliant", "violating"))
    return [variants[0], *compliant[:1], *violating[:1], *violating[1:][-1:]]
