"""Check that a scenario is the same incident under other seeds: roots, expected alerts and most of the chain agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from itbench.authoring.quiet import fired, told
from itbench.authoring.rehearsal import Rehearsal
from itbench.authoring.verdict import Check
from itbench.twin.incident.incident import Injected

LEAST_OVERLAP = 0.7
"""Share of the services on the chains of two seeds that must be on both (Jaccard index)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one seed came to; small, so that the worlds need not be kept.

    Attributes:
        roots: kind and name of what each fault broke; names that the fault makes up are left out.
        alerts: the expected ones that fire.
        services: on the propagation chain.
    """

    seed: int
    roots: frozenset[tuple[str, str]]
    alerts: frozenset[str]
    services: frozenset[str]

    @classmethod
    def of(cls, rehearsal: Rehearsal) -> Outcome:
        """That of a rehearsal."""
        measured = rehearsal.measured
        roots = frozenset(_root(item) for item in measured.worlds.injected)
        return cls(rehearsal.seed, roots, fired(rehearsal), frozenset(measured.chain.services))


def seeds_agree(outcomes: Sequence[Outcome]) -> Check:
    """Every other seed has the same roots and expected alerts as the first, and mostly the same chain."""
    first, others = outcomes[0], outcomes[1:]
    problems = []
    overlaps = {}
    for other in others:
        union = first.services | other.services
        overlap = len(first.services & other.services) / len(union) if union else 1.0
        overlaps[other.seed] = overlap
        if other.roots != first.roots:
            changed = told(sorted(" ".join(root) for root in other.roots ^ first.roots))
            problems.append(f"seed {other.seed} has other roots than seed {first.seed}: {changed}")
        elif other.alerts != first.alerts:
            alerts = told(sorted(other.alerts ^ first.alerts))
            problems.append(f"only one of the seeds {first.seed} and {other.seed} raises {alerts}")
        elif overlap < LEAST_OVERLAP:
            away = told(sorted(first.services ^ other.services))
            problems.append(f"the chains of seeds {first.seed} and {other.seed} share only {overlap:.0%}: {away} differ")
    numbers = {
        **{f"chain_overlap seed {seed}": overlap for seed, overlap in overlaps.items()},
        "least_overlap": LEAST_OVERLAP,
        "services": sorted(first.services),
    }
    if problems:
        return Check(
            name="seeds",
            passed=False,
            evidence=problems[0],
            remedy="An effect near a threshold comes and goes with the seed: make the fault or the load stronger, or expect "
            "only alerts that always fire.",
            numbers=numbers,
        )
    if not others:
        return Check(name="seeds", passed=True, evidence="one seed only, nothing to compare", numbers=numbers)
    least = min(overlaps.values())
    text = (
        f"seeds {', '.join(str(outcome.seed) for outcome in outcomes)}: same roots, same expected alerts, "
        f"{least:.0%} of the chain's services in common (at least {LEAST_OVERLAP:.0%})"
    )
    return Check(name="seeds", passed=True, evidence=text, numbers=numbers)


def _root(item: Injected) -> tuple[str, str]:
    ref = item.injection.roots[0]
    given = ref.name in str(item.injection.arguments)
    return ref.kind, ref.name if given else "(named by the fault)"
