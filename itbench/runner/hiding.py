"""What agents must not see besides the answers of this run: everything else on this machine that holds answers.

Run folders and score files hold ground truths in their evidence. Where they were written is remembered, a path a line,
in `itbench/private` of the user's state folder; what was moved since cannot be known.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from itbench.agents.command import CommandAgent
from itbench.agents.interventions.around import inmost
from itbench.agents.protocol import AnyAgent
from itbench.bundled import bundled
from itbench.datasets.discover import ScenarioFolder
from itbench.judge.replies import user_folder
from itbench.model.errors import UsageError
from itbench.runner.simulated import cache_folder

# Of a checkout: what is built from the bundled scenarios, or tests against them.
_BESIDE_SCENARIOS = ("build", "dist", "runs", "tests")


def remember(path: Path) -> None:
    """Note that answers were written to `path`. Best effort: a read-only home must not stop anyone."""
    try:
        registry = _registry()
        registry.parent.mkdir(parents=True, exist_ok=True)
        with registry.open("a", encoding="utf-8") as stream:
            stream.write(f"{path.absolute()}\n")
    except OSError:
        pass


def hidden_paths(root: Path, dataset: Path | None, scenarios: Sequence[ScenarioFolder]) -> tuple[Path, ...]:
    """Everything that holds answers, as far as it exists: outermost places are enough.

    Args:
        root: this run's folder.
        dataset: as the user gave it, resolved; None for a bundled suite.
        scenarios: the run's.
    """
    paths = [root.resolve(), bundled("scenarios").resolve()]
    paths += [bundled("scenarios").resolve().with_name(name) for name in _BESIDE_SCENARIOS if not _installed()]
    paths += [run.parent for run in root.resolve().parent.glob("*/run.json")]
    paths += [_registry(), *_remembered(), cache_folder(), user_folder()]
    if dataset is not None:
        paths.append(dataset)
        # The dataset may be a part of a bigger one: hide all of it.
        paths += [folder.parent for folder in (dataset, *dataset.parents) if folder.name == "snapshots"]
        # A scenario given by itself: its name would show as a mount point, so the folder around it is hidden.
        if any(scenario.folder == dataset for scenario in scenarios) and dataset.parent not in (Path("/"), Path.home()):
            paths.append(dataset.parent)
    # A truth may be a link to elsewhere, as in the cache of the Hugging Face hub.
    paths += [scenario.truth_path.resolve() for scenario in scenarios if scenario.truth_path]
    return tuple(dict.fromkeys(path for path in paths if path == root.resolve() or path.exists()))


def refuse_hidden_files(agents: Mapping[str, AnyAgent], hidden: Iterable[Path], exposed: Iterable[Path]) -> None:
    """Refuse agents that could not see their own files, and paths that can never be exposed.

    Raises:
        UsageError: says which path, and where it may not lie.
    """
    programs = [(label, inmost(agent)) for label, agent in agents.items()]
    own = [(label, file) for label, agent in programs if isinstance(agent, CommandAgent) for file in agent.files]
    for place in hidden:
        for label, file in own:
            if file.resolve().is_relative_to(place):
                raise UsageError(
                    f"the agent {label!r} could not see its own files there: agents never see datasets and run folders",
                    path=file,
                    hint=f"Move it out of {place}, or the dataset or run into a folder of its own",
                )
        for path in exposed:
            if path.resolve().is_relative_to(place):
                raise UsageError(f"this cannot be exposed: {place} holds answers", path=path, key="--expose")


def _installed() -> bool:
    return bundled("scenarios").parent.name == "_data"


def _registry() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "itbench" / "private"


def _remembered() -> list[Path]:
    try:
        lines = _registry().read_text(encoding="utf-8").splitlines()
        kept = [path for line in dict.fromkeys(lines) if (path := Path(line)).is_absolute() and path.exists()]
        if len(kept) < len(lines) // 2:  # most are gone: forget them
            _registry().write_text("".join(f"{path}\n" for path in kept), encoding="utf-8")
    except OSError:
        return []
    return kept
