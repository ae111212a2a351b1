"""Which files of a scenario an agent may see: an allow-list, held against names and against where links lead."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

from itbench.datasets.ids import natural_key
from itbench.datasets.scenario import ScenarioFolder
from itbench.model.base import Domain

# Both generations of recorders, and the file discovery of the public agent. A pattern fits paths with as many parts.
SNAPSHOT_FILES = {
    "events": ("*events*.tsv",),
    "objects": ("*objects*.tsv",),
    "logs": ("*logs*.tsv",),
    "traces": ("*traces*.tsv",),
    "metrics": ("metrics/*.tsv", "metrics_pod/*.tsv", "metrics_service/*.tsv"),
    "alerts": ("alerts/*.json", "alerts*.json"),
    "topology": ("*topology*.json",),
}
_VISIBLE: dict[Domain, tuple[str, ...]] = {
    "sre": tuple(pattern for patterns in SNAPSHOT_FILES.values() for pattern in patterns),
    "finops": (
        *("anomaly.json", "data.csv"),
        # What our own scenarios have besides the public two (docs/finops-twin.md).
        *("billing.csv", "allocation.csv", "usage.csv", "events.csv", "budgets.csv", "alerts.csv"),
    ),
    "ciso": ("problem.md",),
}
# Below these folders everything is visible, however deep.
_VISIBLE_TREES: dict[Domain, tuple[str, ...]] = {"sre": (), "finops": (), "ciso": ("static-resources", "policies")}

# Answers, solutions and what recorders say about the experiment. They stay hidden even if a pattern above fits.
_HIDDEN = "ground_truth* ground-truth* groundtruth* gt gt.* gt_* status.json assertion.json scenario.* .*".split()
# At the top it holds the solution; inside static-resources a name such as noncompliant-pod.yaml is part of the task.
_HIDDEN_AT_TOP = "*compliant*"


def agent_visible_files(scenario: ScenarioFolder) -> tuple[tuple[Path, Path], ...]:
    """What is staged for an agent: (path in the input folder, file in the dataset), in natural order.

    Only regular files of the input kinds of the domain; never a link that leads out of the scenario or to a secret.
    """
    candidates = (entry for entry in _entries(scenario) if is_visible(entry[0], scenario.domain))
    return tuple((relative, source) for relative, source in candidates if _allowed(scenario, source))


def refused_links(scenario: ScenarioFolder) -> tuple[Path, ...]:
    """What somebody may think that agents see, in natural order.

    That is files that they would see if they were not links to elsewhere (or no regular files), and, whatever their
    names, links to folders and links to nothing.
    """
    return tuple(source for relative, source in _entries(scenario) if _refused(scenario, relative, source))


def kind_of_input(relative: PurePath) -> str | None:
    """`events`, `objects`, `logs`, `traces`, `metrics`, `alerts` or `topology`; None for other files."""
    for kind, patterns in SNAPSHOT_FILES.items():
        if any(_fits(relative, pattern) for pattern in patterns):
            return kind
    return None


def is_visible(relative: PurePath, domain: Domain) -> bool:
    """Whether a file at this path inside a scenario is input of the domain."""
    if any(fnmatchcase(part.lower(), hidden) for part in relative.parts for hidden in _HIDDEN):
        return False
    if fnmatchcase(relative.parts[0].lower(), _HIDDEN_AT_TOP):
        return False
    if len(relative.parts) > 1 and relative.parts[0] in _VISIBLE_TREES[domain]:
        return True
    return any(_fits(relative, pattern) for pattern in _VISIBLE[domain])


def _entries(scenario: ScenarioFolder) -> Iterator[tuple[Path, Path]]:
    """Files and links at the top of a scenario and in its input folders. Links to folders are not followed."""
    if scenario.folder is None:
        return
    inner = {pattern.split("/")[0] for pattern in _VISIBLE[scenario.domain] if "/" in pattern}
    for parent, folders, files in os.walk(scenario.folder):
        at_top = Path(parent) == scenario.folder
        keep = inner | set(_VISIBLE_TREES[scenario.domain]) if at_top else set(folders)
        linked = [name for name in folders if Path(parent, name).is_symlink()]
        folders[:] = sorted((name for name in folders if name in keep), key=natural_key)
        for name in sorted((*files, *linked), key=natural_key):
            source = Path(parent) / name
            yield source.relative_to(scenario.folder), source


def _refused(scenario: ScenarioFolder, relative: Path, source: Path) -> bool:
    if is_visible(relative, scenario.domain):
        return not _allowed(scenario, source)
    return source.is_symlink() and not os.path.isfile(source)  # noqa: PTH113 - Path.is_file raises where a link leads to a forbidden place


def _allowed(scenario: ScenarioFolder, source: Path) -> bool:
    assert scenario.folder is not None
    try:
        target = Path(os.path.realpath(source, strict=True))
        regular = stat.S_ISREG(target.stat().st_mode)
    except OSError:
        return False
    root = scenario.folder.resolve()
    return regular and target.is_relative_to(root) and is_visible(target.relative_to(root), scenario.domain)


def _fits(relative: PurePath, pattern: str) -> bool:
    return len(relative.parts) == pattern.count("/") + 1 and fnmatchcase(relative.as_posix(), pattern)
