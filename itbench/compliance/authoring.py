"""Write what follows from a task's scenario.yaml: the words for the agent, the set that it sees, and the collector.

What is written here is never edited by hand; `itbench ciso build` writes it anew.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path

from itbench.compliance.baselines import ADVERSARIES, FETCH, adversary
from itbench.compliance.engine import find_engine
from itbench.compliance.judge import judge
from itbench.compliance.place import find_place
from itbench.compliance.task import DEFINITION, VISIBLE, ComplianceTask, read_definition
from itbench.compliance.variants import published
from itbench.datasets.compliance_folder import read_tree
from itbench.scoring.compliance import score_compliance

_PROBLEM = """# {title}

{requirement}

({control})

The folder `static-resources/` holds {what}. Other sets of the same sort look different: other names and files, other ways to
write the same thing. Write `fetch.sh`, which collects what is needed into `collected_data.json`, and `policy.rego` (Rego v1,
`package check`, boolean rule `result`: `true` if the set keeps the requirement, `false` if it does not).
"""
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
    text = _PROBLEM.format(title=task.title, requirement=task.requirement.strip(), control=task.control, what=what)
    seen = next(published(task))
    files = {f"{VISIBLE}/{path}": content for path, content in seen.files.items()}
    return {"problem.md": text.encode(), "reference/fetch.sh": FETCH.encode(), **files}


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
    (folder / "reference" / "fetch.sh").chmod(0o755)


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
    engine, place = find_engine(), find_place((task.folder.resolve(),))
    solution = task.solution()
    if solution is None:
        return [*found, "there is no reference solution"]
    seen = asyncio.run(judge(solution, variants, engine, place))
    if seen.problem is not None:
        found.append(f"the reference solution: {seen.problem}")
    found += [
        f"the reference solution says {one.verdict} on {one.side} set {one.name!r}" for one in seen.tried if not one.right
    ]
    for name in ADVERSARIES:
        answer = adversary(name, variants[0].files)
        scores = score_compliance(asyncio.run(judge(answer, variants, engine, place)))
        if scores["exactness"].values["exactness"]:
            found.append(f"the adversary {name} judges every set rightly")
    return found
