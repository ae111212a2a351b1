"""Check many scenarios, several at a time, each in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from itbench.authoring.check import SEEDS, check_scenario
from itbench.authoring.cost_check import check_cost_scenario
from itbench.authoring.verdict import Check, ScenarioReport
from itbench.datasets.cost_scenario_file import is_cost_scenario
from itbench.model.errors import DatasetError


def check_all(paths: Sequence[Path], seeds: int = SEEDS, jobs: int | None = None) -> Iterator[ScenarioReport]:
    """The reports, in the order of the paths, each as soon as it and those before it are there.

    Args:
        paths: of scenario.yaml files.
        seeds: how many to play of each.
        jobs: processes; by default one for each core.
    """
    jobs = jobs or os.cpu_count() or 1
    if len(paths) == 1 or jobs == 1:
        check = _check if len(paths) == 1 else _checked
        yield from (check(path, seeds, jobs) for path in paths)
        return
    # Whole scenarios side by side keep the cores busy; their possible futures then take turns.
    with ProcessPoolExecutor(min(jobs, len(paths)), mp_context=get_context("spawn"), initializer=_alone) as pool:
        pending = [pool.submit(_checked, path, seeds) for path in paths]
        try:
            for future in pending:
                yield future.result()
        finally:
            for future in pending:
                future.cancel()


def _check(path: Path, seeds: int, at_once: int = 1) -> ScenarioReport:
    try:
        bill = is_cost_scenario(path)
    except DatasetError:  # it is told by the check
        bill = False
    return check_cost_scenario(path, seeds) if bill else check_scenario(path, seeds, at_once)


def _checked(path: Path, seeds: int, at_once: int = 1) -> ScenarioReport:
    """A defect of ours in one scenario must not hide what is found of the others."""
    try:
        return _check(path, seeds, at_once)
    except Exception as error:
        text = f"{path}: a defect of itbench: {type(error).__name__}: {error}"
        check = Check(name="plan", passed=False, evidence=text, remedy="Please report it.")
        return ScenarioReport(scenario=str(path), passed=False, checks=(check,))


def _alone() -> None:
    """Let libraries for arrays not start a thread for each core: the processes share these."""
    os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
