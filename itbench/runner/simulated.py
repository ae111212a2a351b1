"""Scenarios that have to be simulated become folders of files here, each made once and kept in the cache.

What a simulation gives depends on the scenario's file, the seed, the application and environment files, and the code of
the twin; the cache's key is a hash of them all, so that nothing stale is ever found. The cache holds ground truths: agents
never see it (itbench.runner.hiding).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

import itbench
from itbench.bundled import bundled
from itbench.datasets.scenario import ScenarioFolder
from itbench.model.errors import ItbenchError, UnwritableError

MOST_KEPT = 400
"""Folders; those that were used least recently go first."""
SECONDS_IN_USE = 6 * 3600.0
"""So long after its last use a folder may still be some run's input."""

# The code on which the bytes of a simulation depend.
_CODE = ("cluster", "faults", "model", "snapshot", "twin", "datasets")
_ALONE = 2  # so few scenarios are not worth other processes

Announce = Callable[[str], None]


def realise(
    scenarios: Sequence[ScenarioFolder], seed: int, announce: Announce, *, jobs: int | None = None
) -> tuple[ScenarioFolder, ...]:
    """The same scenarios, those to be simulated with their files and truths.

    Args:
        scenarios: of any kind.
        seed: of the run; 0 takes each scenario's own seed, any other gives each scenario another one.
        announce: is told what takes time.
        jobs: processes; by default one for each core.

    Raises:
        DatasetError: a scenario cannot be simulated; with path, line and key.
        UnwritableError: the cache cannot be written.
    """
    places = {scenario.id: _place(scenario, seed) for scenario in scenarios if scenario.definition is not None}
    missing = [scenario for scenario in scenarios if scenario.id in places and not _complete(places[scenario.id])]
    if missing:
        announce(f"simulating {len(missing)} scenario{'s' if len(missing) > 1 else ''} …")
        _simulate_all(missing, seed, places, jobs or os.cpu_count() or 1)
        _forget_the_oldest(keep=set(places.values()))
    return tuple(
        scenario if scenario.id not in places else _realised(scenario, places[scenario.id]) for scenario in scenarios
    )


def cache_folder() -> Path:
    """$XDG_CACHE_HOME/itbench/simulated, or ~/.cache/itbench/simulated."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "itbench" / "simulated"


def seed_of(own: int, run_seed: int, scenario: str) -> int:
    """The seed of a scenario in a run."""
    if run_seed == 0:
        return own
    return int.from_bytes(hashlib.sha256(f"{run_seed}/{own}/{scenario}".encode()).digest()[:7])


def _realised(scenario: ScenarioFolder, place: Path) -> ScenarioFolder:
    from itbench.twin.incident.simulate import TRUTH_FILE

    os.utime(place)  # it was used
    return replace(
        scenario, folder=place, truth_path=place / TRUTH_FILE, definition=None, simulated_from=scenario.definition
    )


def _simulate_all(scenarios: Sequence[ScenarioFolder], seed: int, places: dict[str, Path], jobs: int) -> None:
    tasks = [(scenario, seed, places[scenario.id]) for scenario in scenarios]
    if len(tasks) <= _ALONE or jobs == 1:
        for task in tasks:
            _simulate(*task)
        return
    with ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=get_context("spawn")) as pool:
        for error in pool.map(_attempted, tasks):
            if error is not None:
                pool.shutdown(cancel_futures=True)
                raise error


def _attempted(task: tuple[ScenarioFolder, int, Path]) -> ItbenchError | None:
    """Errors come back as values: exceptions with keyword arguments do not survive pickling."""
    try:
        _simulate(*task)
    except ItbenchError as error:
        return error
    return None


class _Simulation(Protocol):
    def write(self, folder: Path) -> None: ...


def _incident(definition: Path, seed: int, scenario: str) -> _Simulation:
    from itbench.datasets.scenario_file import read_scenario
    from itbench.twin.incident.plan import plan
    from itbench.twin.incident.simulate import simulate
    from itbench.twin.telemetry.recording import LITE

    file = read_scenario(definition)
    return simulate(plan(file), seed_of(file.scenario.seed, seed, scenario), LITE)


def _bill(definition: Path, seed: int, scenario: str) -> _Simulation:
    from itbench.datasets.cost_scenario_file import read_cost_scenario
    from itbench.twin.cost.simulate import simulate

    file = read_cost_scenario(definition)
    return simulate(file, seed_of(file.scenario.seed, seed, scenario))


def _simulate(scenario: ScenarioFolder, seed: int, place: Path) -> None:
    assert scenario.definition is not None
    simulation = (_bill if scenario.domain == "finops" else _incident)(scenario.definition, seed, scenario.id)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=".building-", dir=place.parent))
        try:
            simulation.write(building / "files")
            if not _complete(place):
                shutil.rmtree(place, ignore_errors=True)
                (building / "files").rename(place)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        if _complete(place):  # another process was faster
            return
        raise UnwritableError(
            f"the simulated files cannot be kept ({error.strerror})",
            path=error.filename or place,
            hint="Make room or choose another place with XDG_CACHE_HOME",
        ) from error


def _complete(place: Path) -> bool:
    """Folders appear by renaming, whole; the truth is written last."""
    return (place / "ground_truth.yaml").is_file()


def _place(scenario: ScenarioFolder, seed: int) -> Path:
    assert scenario.definition is not None
    digest = hashlib.sha256(f"{_fingerprint()}\n{seed}\n{scenario.id}\n".encode())
    for path in (scenario.definition, *_own_environment(scenario)):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return cache_folder() / digest.hexdigest()[:32]


def _own_environment(scenario: ScenarioFolder) -> Iterator[Path]:
    """The file of the scenario's application or organisation, if it is none of those that ship with itbench."""
    assert scenario.definition is not None
    if scenario.domain == "finops":
        from itbench.datasets.cost_scenario_file import read_cost_scenario
        from itbench.twin.cost.load import organisation_file

        path = organisation_file(read_cost_scenario(scenario.definition).scenario.organisation, scenario.definition.parent)
    else:
        from itbench.datasets.scenario_file import read_scenario
        from itbench.twin.incident.preparation import application_file

        path = application_file(read_scenario(scenario.definition))
    if path is not None and path.is_file():  # what is missing is told when it is simulated
        yield path


@cache
def _fingerprint() -> str:
    """Of the code and of the environments."""
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(path.name.encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    package = Path(itbench.__file__).parent
    for name in _CODE:
        yield from sorted((package / name).rglob("*.py"))
    yield from sorted(bundled("environments").rglob("*.yaml"))


def _forget_the_oldest(keep: set[Path]) -> None:
    """Remove what is beyond MOST_KEPT and has not been used for a while: another run may be at work in the rest."""
    used: dict[Path, float] = {}
    for path in cache_folder().iterdir():
        with suppress(OSError):  # another run was faster to forget it
            if path not in keep and path.is_dir():
                used[path] = path.stat().st_mtime
    oldest = sorted(used, key=used.__getitem__)[: max(len(used) + len(keep) - MOST_KEPT, 0)]
    for path in oldest:
        if time.time() - used[path] >= SECONDS_IN_USE:
            shutil.rmtree(path, ignore_errors=True)
