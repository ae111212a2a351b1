"""The pictures of a run's scenarios, for its report."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from itbench.datasets.catalogue import bundled_scenarios
from itbench.datasets.discover import find_scenarios, load_suite
from itbench.datasets.scenario import ScenarioFolder
from itbench.datasets.scenario_file import read_scenario
from itbench.model.trial import RunConfig
from itbench.report.bill.draw import draw as draw_bill
from itbench.report.bill.picture import picture_of as bill_picture_of
from itbench.report.html import Drawing
from itbench.report.incident.draw import draw, require_matplotlib
from itbench.report.incident.picture import picture_of
from itbench.report.incident.svg import inline
from itbench.runner.simulated import seed_of
from itbench.twin.incident.plan import plan
from itbench.twin.incident.simulate import simulate
from itbench.twin.telemetry.recording import LITE


def drawings_of(config: RunConfig) -> Iterator[Drawing]:
    """A drawing of each scenario that the run simulated, in its order: an incident or a bill; recorded ones have none.

    Scenarios are simulated again from their definitions as they are now, with the run's seed.

    Raises:
        MissingExtraError: matplotlib is not installed.
        DatasetError: the run's scenarios are no longer there, or one cannot be simulated; with path, line and key.
    """
    require_matplotlib()
    known = {scenario.id: scenario for scenario in _scenarios(config)}
    for name in config.scenarios:
        if name in known and known[name].domain == "finops":
            yield from _bill(known[name], config.seed)
        definition = known[name].definition if name in known and known[name].domain == "sre" else None
        if definition is None:
            continue
        ready = plan(read_scenario(definition))
        seed = seed_of(ready.scenario.seed, config.seed, name)
        svg = draw(picture_of(simulate(ready, seed, LITE)), "svg").decode()
        yield Drawing(ready.scenario.title, inline(svg))


def _bill(scenario: ScenarioFolder, run_seed: int) -> Iterator[Drawing]:
    """The bill of a scenario, simulated again or as it was recorded; none where there is no data."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = scenario.folder
        if scenario.definition is not None:
            from itbench.datasets.cost_scenario_file import read_cost_scenario
            from itbench.twin.cost.simulate import simulate as simulate_bill

            folder = Path(scratch)
            file = read_cost_scenario(scenario.definition)
            simulate_bill(file, seed_of(file.scenario.seed, run_seed, scenario.id)).write(folder)
        if folder is not None and (folder / "data.csv").is_file():
            svg = draw_bill(bill_picture_of(folder, scenario.title), "svg").decode()
            yield Drawing(scenario.title, inline(svg))


def _scenarios(config: RunConfig) -> tuple[ScenarioFolder, ...]:
    if config.suite is not None:
        return load_suite(config.suite)
    if config.dataset is None:
        return bundled_scenarios()
    return find_scenarios(Path(config.dataset))[1]
