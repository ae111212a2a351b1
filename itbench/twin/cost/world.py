"""Run a plan: from demand to use, and from use to cost, on random numbers that depend on nothing but seed and name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from itbench.twin.cost.behaviour import Service, Use, per_day, use_of
from itbench.twin.cost.calendar import DAILY, WEEKLY, Calendar, Days, Floats
from itbench.twin.cost.plan import ApplicationPlan, LinePlan, WorldPlan
from itbench.twin.randomness import Streams

HOURS_A_MONTH = 730
_BEFORE = 28  # days by which a commitment is bought, and shared out
_LEVEL = 0.06  # standard deviation of the logarithm: how large an application is in one history and in another
_HOURLY = 0.02


@dataclass(frozen=True, slots=True)
class Draws:
    """Where random numbers come from.

    Attributes:
        streams: of the seed.
        known: days that have happened. Later ones are drawn from `future`, so that several futures share one past.
        future: which future.
    """

    streams: Streams
    known: int
    future: int = 0

    def normal(self, entity: str, purpose: str, days: int, width: int = 1) -> Floats:
        """Standard normal numbers, shape (days, width); a row depends on nothing but its day."""
        past = self.streams.generator(entity, purpose).standard_normal((min(days, self.known), width))
        if days <= self.known:
            return past
        later = self.streams.generator(entity, f"{purpose}, future {self.future}")
        return np.concatenate([past, later.standard_normal((days - self.known, width))])


@dataclass(frozen=True, slots=True, eq=False)
class Traffic:
    """What is asked of an application, shape (days, 24), a second.

    Attributes:
        meant: requests as users mean them.
        arriving: with those that are tried again.
        failing: share of the requests that are meant and fail, by day.
    """

    meant: Floats
    arriving: Floats
    failing: Floats


@dataclass(frozen=True, slots=True, eq=False)
class LineCost:
    """One line of the bill, by day, in US dollars.

    Attributes:
        plan: the line.
        use: what is used, by the hour.
        quantity: in the unit of the price: hours, GB-months, GB.
        unit_price: list price of a unit.
        covered: list cost of what a commitment covers.
        commitments: place in the plan of the commitment that covers it on a day; -1 for none.
        contracted: cost at negotiated prices, without commitments.
        cost: what the line comes to, commitments spread over what they cover.
    """

    plan: LinePlan
    use: Use
    quantity: Floats
    unit_price: Floats
    covered: Floats
    commitments: Days
    contracted: Floats
    cost: Floats

    @property
    def listed(self) -> Floats:
        """Cost at list price."""
        return self.quantity * self.unit_price

    def family(self, day: int) -> str:
        """The family on a day."""
        return _last(self.plan.families, day)

    def label(self, day: int) -> str:
        """What the tag says on a day."""
        return _last(self.plan.labels, day)

    def stretches(self) -> Iterator[tuple[slice, str, str]]:
        """Stretches of days with one family and one tag: (days, family, label)."""
        cuts = sorted({0, *(day for day, _ in self.plan.families), *(day for day, _ in self.plan.labels)})
        for first, last in zip(cuts, [*cuts[1:], self.plan.days], strict=True):
            if first < last:
                yield slice(first, last), self.family(first), self.label(first)

    def hourly(self) -> Floats:
        """Cost by the hour: that of a day, by what was used in its hours."""
        total = self.use.units.sum(axis=1, keepdims=True)
        share = np.divide(self.use.units, total, out=np.zeros_like(self.use.units), where=total > 0)
        found: Floats = share * self.cost[:, None]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """What was used and what it cost."""

    plan: WorldPlan
    traffic: dict[str, Traffic]
    lines: tuple[LineCost, ...]

    @property
    def calendar(self) -> Calendar:
        """The days."""
        return self.plan.calendar

    def cost(self) -> Floats:
        """The whole bill, by day."""
        found: Floats = np.sum([line.cost for line in self.lines], axis=0)
        return found

    def used(self, commitment: int) -> Floats:
        """What a commitment covers, at list price by day."""
        found = np.zeros(self.calendar.days)
        for line in self.lines:
            found += line.covered * (line.commitments == commitment)
        return found

    def paid(self) -> Floats:
        """The whole bill with what commitments cost and nobody uses, by day."""
        found = self.cost()
        for number, commitment in enumerate(self.plan.commitments):
            there = np.zeros(self.calendar.days)
            there[commitment.begins : commitment.ends] = commitment.spec.hourly * 24
            found = found + np.maximum(there - self.used(number), 0.0) * (1 - commitment.spec.discount)
        return found

    def of(self, application: str) -> list[LineCost]:
        """The lines of an application, whatever their tags say."""
        return [line for line in self.lines if line.plan.application == application]


def run(plan: WorldPlan, draws: Draws) -> World:
    """Run a plan."""
    traffic = {name: _traffic(application, plan, draws) for name, application in plan.applications.items()}
    nothing = np.zeros((plan.days, 24))
    used: list[tuple[LinePlan, Use, Floats, Floats]] = []
    for line in plan.lines:
        family = plan.families[line.spec.family]
        noise = draws.normal(line.key, "use", plan.days)[:, 0]
        arriving = traffic[line.application].arriving if line.application in traffic else nothing
        use = use_of(line, plan.families, arriving, noise, plan.calendar)
        quantity = use.units.sum(axis=1) / (HOURS_A_MONTH if family.unit == "stock" else 1)
        used.append((line, use, quantity, _unit_price(line, plan)))
    covered, nobody = _covered(plan, used), (np.zeros(plan.days), np.full(plan.days, -1))
    return World(
        plan,
        traffic,
        tuple(
            _priced(plan, line, use, quantity, price, *covered.get(place, nobody))
            for place, (line, use, quantity, price) in enumerate(used)
        ),
    )


def _traffic(application: ApplicationPlan, plan: WorldPlan, draws: Draws) -> Traffic:
    demand, calendar = application.spec.demand, plan.calendar
    noise = draws.normal(application.name, "demand", plan.days, 25)
    level = float(np.exp(_LEVEL * draws.streams.generator(application.name, "level").standard_normal()))
    by_day = (
        demand.rps
        * level
        * WEEKLY[demand.weekly][calendar.weekday]
        * (1 + demand.growth) ** calendar.months
        * np.where(calendar.days_to_month_end <= 2, demand.month_end, 1.0)
        * np.exp(demand.noise * noise[:, 0])
        * application.users
    )
    meant = by_day[:, None] * DAILY[demand.daily] * np.exp(_HOURLY * noise[:, 1:])
    return Traffic(meant, meant * application.attempts[:, None], application.failing)


def _unit_price(line: LinePlan, plan: WorldPlan) -> Floats:
    found = per_day(line.families, plan.days, lambda name: plan.families[name].price)
    for place, (begins, name) in enumerate(line.families):
        if name in plan.prices:
            ends = line.families[place + 1][0] if place + 1 < len(line.families) else plan.days
            found[begins:ends] *= plan.prices[name][begins:ends]
    return found


def _covered(plan: WorldPlan, used: list[tuple[LinePlan, Use, Floats, Floats]]) -> dict[int, tuple[Floats, Days]]:
    """What commitments cover of each line, at list price by day, and whose commitment it is.

    A commitment is shared out among the lines of its account and families as it was bought: by their use in the first
    four weeks. What one line does not use is not given to another, so that no line's cost depends on another's use.
    """
    found: dict[int, tuple[Floats, Days]] = {}
    for number, commitment in enumerate(plan.commitments):
        spec = commitment.spec
        there = np.zeros(plan.days, dtype=bool)
        there[commitment.begins : commitment.ends] = True
        places = [
            place
            for place, (line, _, _, _) in enumerate(used)
            if line.account == spec.account and any(family in spec.families for _, family in line.families)
        ]
        bought = slice(0, _BEFORE) if commitment.begins == 0 else slice(commitment.begins - 7, commitment.begins)
        applies = {place: per_day(used[place][0].families, plan.days, spec.families.__contains__) for place in places}
        weights = {place: float((used[place][2] * used[place][3] * applies[place])[bought].mean()) for place in places}
        total = sum(weights.values())
        for place in places if total > 0 else ():
            _, _, quantity, price = used[place]
            covered, owners = found.setdefault(place, (np.zeros(plan.days), np.full(plan.days, -1)))
            mine = there & (applies[place] > 0) & (owners < 0)
            covered[mine] = np.minimum(quantity * price, spec.hourly * 24 * weights[place] / total)[mine]
            owners[mine] = number
    return found


def _priced(
    plan: WorldPlan, line: LinePlan, use: Use, quantity: Floats, price: Floats, covered: Floats, commitments: Days
) -> LineCost:
    negotiated = 1 - plan.account(line.account).discount
    listed = quantity * price
    committed = np.ones(plan.days)
    for number, commitment in enumerate(plan.commitments):
        committed[commitments == number] = 1 - commitment.spec.discount
    cost = covered * committed + (listed - covered) * negotiated
    return LineCost(line, use, quantity, price, covered, commitments, listed * negotiated, cost)


def _last(changes: list[tuple[int, str]], day: int) -> str:
    return [value for begins, value in changes if begins <= day][-1]


__all__ = ["Draws", "LineCost", "Service", "Traffic", "World", "run"]
