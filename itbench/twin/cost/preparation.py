"""A scenario made ready: its organisation, its calendar, and its plan with all of its causes, or with some."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from itbench.datasets.cost_scenario_file import CostScenarioFile
from itbench.datasets.findings import Key
from itbench.model.cost_scenario import CostScenario
from itbench.model.errors import DatasetError
from itbench.twin.cost.calendar import Calendar
from itbench.twin.cost.causes import benign, cause
from itbench.twin.cost.load import load_organisation, load_prices, organisation_file
from itbench.twin.cost.organisation import Organisation, PriceList
from itbench.twin.cost.plan import WorldPlan, plan_of
from itbench.twin.cost.world import Draws
from itbench.twin.randomness import Streams

_KEY = re.compile(r"^([a-z_]+): ")
_JITTER = 2


@dataclass(frozen=True, slots=True)
class Prepared:
    """A scenario and its organisation, for one seed.

    Attributes:
        days: of data.
        onsets: the day on which each cause begins, counted from the first.
        benign: that of each benign change.
        ahead: days of the future that are simulated besides, for repairs.
        future: which future.
    """

    scenario: CostScenario
    organisation: Organisation
    prices: PriceList
    seed: int
    onsets: tuple[int, ...]
    benign: tuple[int, ...]
    file: CostScenarioFile
    ahead: int = 0
    future: int = 0

    @property
    def calendar(self) -> Calendar:
        """The days of data, and those ahead."""
        past = Calendar.ending(self.scenario.end, self.scenario.days)
        return replace(past, days=past.days + self.ahead)

    @property
    def draws(self) -> Draws:
        """Random numbers."""
        return Draws(Streams(self.seed), self.scenario.days, self.future)

    def plan(self, without: Collection[int] = ()) -> WorldPlan:
        """What is run, without some of the causes, by number.

        Raises:
            DatasetError: a cause names what the organisation does not have; with path, line and key.
        """
        plan = plan_of(self.organisation, self.prices, self.calendar)
        for index, (change, day) in enumerate(zip(self.scenario.benign, self.benign, strict=True)):
            try:
                benign(plan, change, day)
            except ValueError as error:
                raise self._error(("benign", index), str(error)) from error
        for index, (what, day) in enumerate(zip(self.scenario.causes, self.onsets, strict=True)):
            if index not in without:
                try:
                    cause(plan, what, day)
                except ValueError as error:
                    raise self._error(("causes", index), str(error)) from error
        return plan

    def looking_ahead(self, days: int, future: int) -> Prepared:
        """The same with days of one of its futures."""
        return replace(self, ahead=days, future=future)

    def _error(self, key: Key, message: str) -> DatasetError:
        match = _KEY.match(message)
        return self.file.error((*key, match[1]) if match else key, message[match.end() :] if match else message)


def prepare(file: CostScenarioFile, seed: int) -> Prepared:
    """A scenario made ready.

    Raises:
        DatasetError: its organisation is unknown or wrong, or its ticket's account; with path, line and key.
    """
    scenario = file.scenario
    own = organisation_file(scenario.organisation, file.source.path.parent)
    try:
        organisation = load_organisation(own or scenario.organisation)
    except DatasetError as error:
        if error.path is not None:
            raise
        raise file.error(("organisation",), error.message, error.hint) from error
    if scenario.ticket is not None and scenario.ticket.account not in organisation.accounts:
        raise file.error(("ticket", "account"), f"there is no account {scenario.ticket.account!r}")
    streams = Streams(seed)
    return Prepared(
        scenario=scenario,
        organisation=organisation,
        prices=load_prices(),
        seed=seed,
        onsets=tuple(_day(streams, scenario, "causes", index) for index in range(len(scenario.causes))),
        benign=tuple(_day(streams, scenario, "benign", index) for index in range(len(scenario.benign))),
        file=file,
    )


def _day(streams: Streams, scenario: CostScenario, kind: str, index: int) -> int:
    """When a change begins: a seed moves it by up to two days."""
    change = (scenario.causes if kind == "causes" else scenario.benign)[index]
    moved = int(np.floor(streams.uniform(f"{kind}[{index}]", "onset") * (2 * _JITTER + 1))) - _JITTER
    return scenario.days - max(change.onset + moved, 1)
