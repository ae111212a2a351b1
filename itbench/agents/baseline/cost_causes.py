"""From rows that left their course to causes: what belongs together, at which level it sits, and what it looks like.

Rows whose units got dearer belong together by the day on which that happened, whoever uses them; rows with more units belong
together by application. A cause sits at the first of application, instance family, service, provider and account that its
dearer rows have in common. A rise in one row that another one loses, on the same day in the same place, only moves cost.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from itbench.agents.baseline.cost_case import CostCase, Leaf
from itbench.model.cost import DIMENSION_TYPES, HIERARCHY, CauseClass
from itbench.model.diagnosis import CostClaim, CostDiagnosis
from itbench.model.resource import Resource
from itbench.snapshot.cost_columns import LEVELS

_SURE = 8.0  # deviations
_LEAST_SHARE = 0.06  # of what a row usually costs
_LEAST_OF_DAY = 0.004  # of a usual day's whole bill, a day
_LEAST_OF_LARGEST = 0.08  # of the largest cause
_ELSEWHERE = 3.0  # so many times as much is asked of rows outside the account in which it was noticed
_TOGETHER = 2  # days
_SAME = 0.2  # by how much two sides of a move may differ
_MOSTLY = 0.55  # of the excess, for a cause to be one of prices
_DECIDES = 0.05  # of a cause's excess, for a row to decide where it sits
_COLUMN_OF = dict(zip(LEVELS, HIERARCHY, strict=True))
_ORDER = ("application", "family", "service", "csp", "account")

_FAMILIES: tuple[tuple[str, CauseClass], ...] = (
    (r"log", CauseClass.LOG_EXPLOSION),
    (r"trac", CauseClass.TRACE_EXPLOSION),
    (r"zone|transfer|egress|internet|-out\b", CauseClass.CROSS_ZONE),
)
_STORAGE = re.compile(r"s3|glacier|blob|archive|nearline|coldline|snapshot|storage|cool|hot|standard|backup", re.IGNORECASE)
_GPU = re.compile(r"^(p[2-5]|g[4-6]|a2|a3|nc|nd|inf|trn)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """A cause: its rows, where it sits, since when (column), what it came to, and why it is taken for what it is."""

    cause: CauseClass
    rows: tuple[Leaf, ...]
    resources: tuple[Resource, ...]
    onset: int
    amount: float
    reason: str


def causes_of(case: CostCase) -> list[Found]:
    """What made the bill rise, the largest first; empty where nothing did that is out of course."""
    rows = [leaf for leaf in case.leaves if _counts(case, leaf)]
    moved, rest = _moves(rows)
    found = _merged([_moved(pair) for pair in moved])
    dearer = [leaf for leaf in rest if leaf.amount > 0 and leaf.by_price > _MOSTLY and not leaf.new]
    found += [_one(case, group, by_price=True) for group in _by_onset(dearer)]
    priced = set(map(id, dearer))
    by_owner: dict[tuple[str, str], list[Leaf]] = defaultdict(list)
    for leaf in rest:
        if id(leaf) not in priced:
            owner = leaf.get("application")
            by_owner[(owner, "" if owner else leaf.get("family") + leaf.get("account"))].append(leaf)
    for group in by_owner.values():
        # One owner may suffer from several causes: rows belong together if they began together.
        found += [_one(case, part, by_price=False) for part in _by_onset(group)]
    found = [each for each in found if each.amount > 0]
    largest = max((each.amount for each in found), default=0.0)
    kept = [each for each in found if each.amount >= _LEAST_OF_LARGEST * largest]
    return sorted(kept, key=lambda each: -each.amount)


def diagnosis_of(case: CostCase, found: Sequence[Found]) -> CostDiagnosis:
    """The answer: every resource once, and each cause with its class, day and amount."""
    named = dict.fromkeys((resource.name, resource.type) for each in found for resource in each.resources)
    return CostDiagnosis(
        resources=tuple(Resource(name=name, type=type_) for name, type_ in named),
        anomaly=bool(found),
        causes=tuple(
            CostClaim(
                cause=each.cause, resources=each.resources, onset=case.date_of(each.onset), amount=round(each.amount, 2)
            )
            for each in found
        ),
    )


def _counts(case: CostCase, leaf: Leaf) -> bool:
    """Whether a row is so far out of course that it takes a cause."""
    account = case.bill.account
    elsewhere = account is not None and "account" in leaf.path and leaf.get("account") != account
    times = _ELSEWHERE if elsewhere else 1.0
    days = max(case.width - leaf.onset, 1)
    least = max(_LEAST_SHARE * leaf.usual, _LEAST_OF_DAY * case.daily * min(days, 7))
    return abs(leaf.strength) > _SURE * times and abs(leaf.amount) > least * times and leaf.onset >= case.begin


def _moves(rows: Sequence[Leaf]) -> tuple[list[tuple[Leaf, Leaf]], list[Leaf]]:
    """Pairs of rows of one family and account of which one loses what the other gets; and the rest."""
    pairs: list[tuple[Leaf, Leaf]] = []
    taken: set[int] = set()
    for loser in (leaf for leaf in rows if leaf.amount < 0):
        for getter in (leaf for leaf in rows if leaf.amount > 0 and id(leaf) not in taken):
            place = all(loser.get(level) == getter.get(level) for level in ("account", "service", "family"))
            same = abs(loser.amount + getter.amount) <= _SAME * max(abs(loser.amount), getter.amount)
            if place and same and abs(loser.onset - getter.onset) <= _TOGETHER and id(loser) not in taken:
                pairs.append((getter, loser))
                taken |= {id(loser), id(getter)}
    return pairs, [leaf for leaf in rows if id(leaf) not in taken]


def _moved(pair: tuple[Leaf, Leaf]) -> Found:
    named = [leaf.get("application") for leaf in pair]
    resources = tuple(Resource(name=name, type="Application") for name in named if name)
    amount = (pair[0].amount - pair[1].amount) / 2
    to, origin = (name or "nobody" for name in named)
    reason = f"{to} gets what {origin} loses, on the same day"
    return Found(CauseClass.MISTAGGING, pair, resources, min(leaf.onset for leaf in pair), amount, reason)


def _merged(moves: Sequence[Found]) -> list[Found]:
    """Moves between the same two owners are one."""
    found: dict[tuple[str, ...], Found] = {}
    for each in moves:
        key = tuple(resource.name for resource in each.resources)
        if (first := found.get(key)) is None:
            found[key] = each
        else:
            onset = min(first.onset, each.onset)
            found[key] = replace(first, rows=first.rows + each.rows, onset=onset, amount=first.amount + each.amount)
    return list(found.values())


def _by_onset(rows: Iterable[Leaf]) -> list[list[Leaf]]:
    """Rows that left their course at about the same time, in one account."""
    groups: list[list[Leaf]] = []
    for leaf in sorted(rows, key=lambda one: (one.get("account"), one.onset, one.place)):
        last = groups[-1][-1] if groups else None
        if last is not None and last.get("account") == leaf.get("account") and leaf.onset - last.onset <= _TOGETHER:
            groups[-1].append(leaf)
        else:
            groups.append([leaf])
    return groups


def _one(case: CostCase, rows: Sequence[Leaf], *, by_price: bool) -> Found:
    amount = sum(leaf.amount for leaf in rows)
    excess = sum(leaf.amount for leaf in rows if leaf.amount > 0)
    deciding = [leaf for leaf in rows if leaf.amount > _DECIDES * excess] or list(rows)
    resource = _common(deciding)
    leading = max(deciding, key=lambda leaf: leaf.amount)
    cause, reason = _price_class(case, deciding) if by_price else _class(rows, leading)
    return Found(cause, tuple(rows), (resource,), leading.onset, amount, reason)


def _common(rows: Sequence[Leaf]) -> Resource:
    """Where a cause sits."""
    levels = [level for level in _ORDER if level in rows[0].path] or list(rows[0].path)
    for level in levels[:-1]:
        values = {leaf.get(level) for leaf in rows}
        if len(values) == 1 and "" not in values:
            return _resource(level, values.pop())
    last = levels[-1]
    return _resource(last, max(rows, key=lambda leaf: leaf.amount).get(last))


def _resource(level: str, name: str) -> Resource:
    column = _COLUMN_OF.get(level, level)
    return Resource(name=name, type=DIMENSION_TYPES.get(column, column))


def _price_class(case: CostCase, rows: Sequence[Leaf]) -> tuple[CauseClass, str]:
    """Who loses a commitment pays more for whatever it covered, by different shares; a new price is one factor."""
    onset = min(leaf.onset for leaf in rows)
    if lost := next((name for name, since in case.lost_commitments.items() if abs(since - onset) <= _TOGETHER), None):
        return CauseClass.LOST_COMMITMENT, f"the commitment {lost} covers nothing any more"
    shares = [leaf.amount / leaf.usual for leaf in rows if leaf.usual > 0]
    families = {leaf.get("family") for leaf in rows}
    even = max(shares, default=0.0) - min(shares, default=0.0) < 0.04
    if len(families) == 1 and even:
        return CauseClass.PRICE_CHANGE, f"every unit of {families.pop()} costs more by the same factor"
    return CauseClass.LOST_COMMITMENT, "the same units cost more, by different shares"


def _class(rows: Sequence[Leaf], leading: Leaf) -> tuple[CauseClass, str]:
    family = leading.get("family")
    gone = [leaf for leaf in rows if leaf.amount < 0]
    by_name = next((cause for pattern, cause in _FAMILIES if re.search(pattern, family, re.IGNORECASE)), None)
    storage = _STORAGE.search(f"{family} {leading.get('service')}") is not None
    found, reason = CauseClass.RUNAWAY_AUTOSCALER, f"more instances of {family} without more requests"
    if not leading.get("application"):
        found, reason = CauseClass.ORPHANED_RESOURCES, "nobody's tag is on them, and there are more each day"
    elif gone:
        found = CauseClass.STORAGE_CLASS if storage else CauseClass.WRONG_INSTANCE_FAMILY
        reason = f"{family} takes the place of {gone[0].get('family')}"
    elif by_name is not None and len(rows) == 1:
        found, reason = by_name, f"more of {family} without more requests"
    elif all(leaf.new for leaf in rows):
        found, reason = CauseClass.FORGOTTEN_ENVIRONMENT, "it was not there before"
    elif storage and leading.ramp:
        found, reason = CauseClass.RETENTION, f"{family} grows day by day"
    elif _GPU.search(family):
        found, reason = CauseClass.GPU_IDLE, f"{family} runs for longer than it used to"
    elif len(rows) > 1:
        found, reason = CauseClass.RETRY_STORM, "all that calls cost rises together, and no more requests succeed"
    return found, reason
