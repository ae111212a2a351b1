"""Budgets, and the rules that watch a bill day by day: what a FinOps team is told, right or wrong.

The rules of the upstream project that ship as comments (CPUSpend, MemorySpend, CPUEfficiency, MemoryEfficiency) are here and
fire; `>20 %` over the mean of the week before is the trigger of the ITBench paper. Formulas: docs/finops-twin.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from itbench.twin.cost.allocation import Namespace
from itbench.twin.cost.calendar import Calendar, Flags, Floats
from itbench.twin.cost.rows import Path, Row

RISE = 1.2
"""Over the mean of the seven days before."""
DEVIATIONS = 5.0
"""From the median of the same weekday in the five weeks before, in robust standard deviations."""
LEAST_EFFICIENCY = {"CPUEfficiency": 0.3, "MemoryEfficiency": 0.3}
MARGIN = 1.12
"""Of a budget over the spend of the first four weeks."""
_WEEKS = 5


@dataclass(frozen=True, slots=True, order=True)
class Alert:
    """A rule that fired.

    Attributes:
        scope: `account/ID`, `service/ID/SERVICE` or `namespace/CLUSTER/NAME`.
        observed, threshold: in US dollars, or as a share.
    """

    fired_on: date
    rule: str
    scope: str
    observed: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit on an account's spend in a month, in US dollars."""

    account: str
    amount: float


def budgets_of(rows: Mapping[Path, Row]) -> list[Budget]:
    """A budget for each account that is there from the first day on."""
    found = []
    for account, cost in _sums(rows, _account).items():
        first = cost[:28].mean() * 365 / 12
        step = 10 ** max(math.floor(math.log10(max(first, 1.0))) - 1, 0)
        if first > 0:
            found.append(Budget(account, math.ceil(first * MARGIN / step) * step))
    return found


def alerts_of(
    rows: Mapping[Path, Row], namespaces: Mapping[tuple[str, str], Namespace], budgets: list[Budget], calendar: Calendar
) -> list[Alert]:
    """Everything that fires, each once when it begins, in the order of days."""
    accounts = {f"account/{account}": cost for account, cost in _sums(rows, _account).items()}
    services = {f"service/{service}": cost for service, cost in _sums(rows, _service).items()}
    found: list[Alert] = []
    for scope, cost in accounts.items():
        found += _rising("AccountSpend", scope, cost, calendar, least=10.0)
        found += _unusual("AccountSpendUnusual", scope, cost, calendar)
    for scope, cost in services.items():
        found += _rising("ServiceSpend", scope, cost, calendar, least=8.0)
        found += _unusual("ServiceSpendUnusual", scope, cost, calendar)
    for (cluster, name), namespace in namespaces.items():
        scope = f"namespace/{cluster}/{name}"
        found += _rising("CPUSpend", scope, namespace.cpu_cost, calendar, least=2.0)
        found += _rising("MemorySpend", scope, namespace.memory_cost, calendar, least=2.0)
        for rule, share in (("CPUEfficiency", namespace.cpu_efficiency), ("MemoryEfficiency", namespace.memory_efficiency)):
            limit = LEAST_EFFICIENCY[rule]
            found += _begins(
                rule, scope, (share < limit) & (namespace.cpu_cost > 0), share, np.full_like(share, limit), calendar
            )
    for budget in budgets:
        found += _spent(budget, accounts[f"account/{budget.account}"], calendar)
    return sorted(found)


def _account(path: Path) -> str:
    return path.account


def _service(path: Path) -> str:
    return f"{path.account}/{path.service}"


def _sums(rows: Mapping[Path, Row], name: Callable[[Path], str]) -> dict[str, Floats]:
    found: dict[str, Floats] = {}
    for path, row in rows.items():
        key = name(path)
        found[key] = found[key] + row.cost if key in found else row.cost.copy()
    return found


def _rising(rule: str, scope: str, cost: Floats, calendar: Calendar, least: float) -> Iterator[Alert]:
    before = np.concatenate([np.full(7, np.inf), np.lib.stride_tricks.sliding_window_view(cost, 7)[:-1].mean(axis=1)])
    limit = np.maximum(before * RISE, before + least)
    yield from _begins(rule, scope, cost > limit, cost, limit, calendar)


def _unusual(rule: str, scope: str, cost: Floats, calendar: Calendar) -> Iterator[Alert]:
    history = 7 * _WEEKS
    limit = np.full(len(cost), np.inf)
    same = np.stack([cost[history - 7 * week : len(cost) - 7 * week] for week in range(1, _WEEKS + 1)])
    middle = np.median(same, axis=0)
    spread = 1.4826 * np.median(np.abs(same - middle), axis=0)
    limit[history:] = middle + np.maximum.reduce([DEVIATIONS * spread, 0.08 * middle, np.full_like(middle, 5.0)])
    yield from _begins(rule, scope, cost > limit, cost, limit, calendar)


def _spent(budget: Budget, cost: Floats, calendar: Calendar) -> Iterator[Alert]:
    """Eighty and a hundred per cent of a month's budget, and the day on which the month's forecast exceeds it."""
    months: dict[tuple[int, int], list[int]] = {}
    for index, day in enumerate(calendar.dates):
        months.setdefault((day.year, day.month), []).append(index)
    scope = f"account/{budget.account}"
    for days in months.values():
        if calendar.dates[days[0]].day != 1:
            continue  # the beginning of this month is not known
        spent = np.cumsum(cost[days])
        ahead = np.array([calendar.days_to_month_end[day] for day in days])
        recent = np.array([cost[max(day - 6, 0) : day + 1].mean() for day in days])
        for rule, observed, limit in (
            ("BudgetForecast", np.where(np.arange(len(days)) >= 4, spent + recent * ahead, 0.0), budget.amount),
            ("Budget80", spent, 0.8 * budget.amount),
            ("Budget100", spent, budget.amount),
        ):
            over = np.flatnonzero(observed > limit)
            if len(over):
                first = int(over[0])
                yield Alert(calendar.dates[days[first]], rule, scope, round(float(observed[first]), 2), round(limit, 2))


def _begins(rule: str, scope: str, fires: Flags, observed: Floats, limit: Floats, calendar: Calendar) -> Iterator[Alert]:
    """An alert for each day on which a rule begins to fire."""
    for day in np.flatnonzero(fires & ~np.concatenate([[False], fires[:-1]])):
        yield Alert(calendar.dates[day], rule, scope, round(float(observed[day]), 4), round(float(limit[day]), 4))
