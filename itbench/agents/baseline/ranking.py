"""From clues to suspects: what adds up, what follows from something else, and what is named in the answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from itbench.agents.baseline.case import WORKLOADS, Case
from itbench.agents.baseline.clues import Clue, is_restart
from itbench.model.entity import Entity

_HARD = frozenset(("changes", "chaos"))
"""Rules about what somebody did; the others are about what came of it."""
_SOFT_WEIGHT = 0.5
_FAR = 0.6  # of a change that reaches nothing that suffers
_ENOUGH = 0.45
_NEXT_BEST = 0.72
_TOGETHER = timedelta(minutes=6)


@dataclass(slots=True)
class Suspect:
    """An object that may be the root cause.

    Attributes:
        score: the higher the likelier.
        hard: the part that comes from something that somebody did to it.
        because_of: the suspect that explains it; None for a root cause of its own.
    """

    entity: Entity
    clues: list[Clue]
    score: float = 0.0
    hard: float = 0.0
    because_of: Suspect | None = None
    reach: frozenset[Entity] = field(default_factory=frozenset)

    @property
    def reasoning(self) -> str:
        """The clues in words, the heaviest first."""
        return "; ".join(clue.text for clue in sorted(self.clues, key=lambda clue: -clue.points))


def rank(case: Case, clues: Iterable[Clue]) -> tuple[Suspect, ...]:
    """All suspects, the likeliest first; what another one explains comes after those that nothing explains."""
    by_entity: dict[Entity, list[Clue]] = defaultdict(list)
    for clue in clues:
        by_entity[clue.entity].append(clue)
    suspects = [_suspect(case, entity, own) for entity, own in by_entity.items()]
    suspects.sort(key=_order)
    for index, suspect in enumerate(suspects):
        suspect.because_of = next((other for other in suspects[:index] if _explains(case, other, suspect)), None)
    return tuple(sorted(suspects, key=lambda it: (it.because_of is not None, *_order(it))))


def root_causes(suspects: Sequence[Suspect]) -> tuple[Suspect, ...]:
    """The suspects to name: the first, and others of which somebody did nearly as much and that nothing explains."""
    own = [suspect for suspect in suspects if suspect.because_of is None]
    if not own:
        return ()
    best = own[0]
    # Where somebody did something, only that counts; else only the likeliest guess.
    others = [it for it in own[1:] if it.hard >= max(_ENOUGH, _NEXT_BEST * best.hard)]
    return (best, *others) if best.hard >= _ENOUGH else (best,)


def _suspect(case: Case, entity: Entity, clues: list[Clue]) -> Suspect:
    reach = frozenset(case.workloads_of(entity)) | _restarted_after(case, entity, clues)
    hard = max((clue.points for clue in clues if clue.rule in _HARD), default=0.0)
    if hard and not any(clue.rule == "chaos" for clue in clues):
        near = any(workload.name in case.suffering for workload in reach) or case.application(entity.name) in case.suffering
        hard *= 1.0 if near else _FAR
    soft = {clue.rule: clue.points for clue in clues if clue.rule not in _HARD}
    return Suspect(entity, clues, score=hard + _SOFT_WEIGHT * sum(soft.values()), hard=hard, reach=reach)


def _restarted_after(case: Case, entity: Entity, clues: Iterable[Clue]) -> frozenset[Entity]:
    """Workloads that were restarted right after a configuration was changed: somebody wanted them to read it."""
    if entity.kind not in ("ConfigMap", "Secret"):
        return frozenset()
    moments = [clue.time for clue in clues if clue.rule == "changes" and clue.time is not None]
    return frozenset(
        change.entity
        for change in case.changes
        for moment in moments
        if change.entity.kind in WORKLOADS
        and moment <= change.time <= moment + _TOGETHER
        and any(map(is_restart, change.fields))
    )


def _order(suspect: Suspect) -> tuple[bool, float, str]:
    """What somebody did something to comes before what merely suffers."""
    return suspect.hard < _ENOUGH, -suspect.score, str(suspect.entity)


def _explains(case: Case, cause: Suspect, effect: Suspect) -> bool:
    """Whether a likelier suspect is reason enough for a less likely one."""
    if cause.because_of is not None or cause.entity == effect.entity:
        return False
    if effect.hard < _ENOUGH:
        # Nobody did anything to it: any deed explains it better; and so does what it depends on.
        return cause.hard >= _ENOUGH or _leads_to(case, cause.entity, effect.entity)
    related = effect.entity in cause.reach or cause.entity in effect.reach or bool(cause.reach & effect.reach)
    return related and _at_once(cause, effect)


def _leads_to(case: Case, cause: Entity, effect: Entity) -> bool:
    """Whether the calls of one application to another suffer."""
    return any(case.component(it.callee) == cause.name and case.component(it.caller) == effect.name for it in case.symptoms)


def _at_once(one: Suspect, other: Suspect) -> bool:
    """Whether two things were done together, as parts of one change."""
    times = [[clue.time for clue in it.clues if clue.rule in _HARD and clue.time is not None] for it in (one, other)]
    return any(abs(a - b) <= _TOGETHER for a in times[0] for b in times[1])
