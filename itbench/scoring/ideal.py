"""The answer that a ground truth asks for: what the oracle says, and the proof that a truth can be matched at all.

It names every root cause and every step of the chain as an agent would, in literal names that fit the patterns, and
scores 1 on every criterion that can be judged, under every policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from itbench.model.diagnosis import CostClaim, CostDiagnosis, Diagnosis, PredictedEntity, PredictedPropagation
from itbench.model.entity import Entity, canonical_kind
from itbench.model.rules import MatchPolicy
from itbench.model.truth import GroundTruth
from itbench.scoring.finops_graded import weight
from itbench.scoring.identity import Identity, identities, subject
from itbench.scoring.kinds import APPLICATION, has_generated_name, has_namespace
from itbench.scoring.match import truth_index
from itbench.scoring.names import MAX_NAME
from itbench.scoring.roots import root_causes
from itbench.scoring.topology import topology_of

_STRICTEST = MatchPolicy(
    description="what fits this, fits every policy",
    chaos_schedules=False,
    chaos_namespaces=False,
    generated_names=False,
    kind_required=True,
    namespace_required=True,
)
_LOOSEST = MatchPolicy(description="what fits anything else under this is ambiguous", families=(tuple(sorted(APPLICATION)),))
_SUFFIXES = {"pod": "-7f8bf5c55d-lm7z6", "replicaset": "-7f8bf5c55d"}
_SUFFIX = "-lm7z6"  # of a Job, or of an experiment that a Schedule spawned


def ideal_diagnosis(truth: GroundTruth) -> Diagnosis:
    """The answer to an SRE scenario; empty where the truth names nothing."""
    named = _literal_entities(truth)
    roots = [root.groups[0].id for root in root_causes(truth)]
    steps = [step for step in truth.propagations if step.source in named and step.target in named]
    passed = [end for step in steps for end in (step.source, step.target)]
    return Diagnosis(
        entities=tuple(
            PredictedEntity(text=str(named[id_]), entity=named[id_], contributing_factor=id_ in roots)
            for id_ in dict.fromkeys((*roots, *passed))
        ),
        propagations=tuple(
            PredictedPropagation(
                source=named[step.source], target=named[step.target], condition=step.condition, effect=step.effect
            )
            for step in steps
        ),
    )


def ideal_cost_diagnosis(truth: GroundTruth) -> CostDiagnosis:
    """The answer to a FinOps scenario, with what is known of its causes and the best repair."""
    if truth.cost is None:
        return CostDiagnosis(resources=truth.resources)
    claims = tuple(
        CostClaim(cause=cause.cause, resources=cause.resources, onset=cause.onset, amount=weight(cause))
        for cause in truth.cost.causes
    )
    return CostDiagnosis(
        resources=truth.resources,
        anomaly=not truth.cost.benign,
        causes=claims,
        mitigations=truth.cost.mitigation.actions,
    )


def _literal_entities(truth: GroundTruth) -> dict[str, Entity]:
    """Group id to an entity that is certainly of the group. Roots get different ones as far as their patterns allow."""
    topology, loosely = topology_of(truth), truth_index(truth, _LOOSEST)
    choices: dict[str, list[Entity]] = {}
    for identity in identities(truth, _STRICTEST):
        group = identity.group
        candidates = [_entity(identity, name) for name in dict.fromkeys(_candidate_names(identity))]
        fitting = [entity for entity in candidates if identity.closeness(subject(entity)) is not None]
        own = topology.component_of_group(group)
        unmistakable = [entity for entity in fitting if topology.component_of(entity, loosely) == own]
        choices[group.id] = unmistakable or fitting or candidates
    found: dict[str, Entity] = {}
    taken: set[Entity] = set()
    for id_ in sorted(choices, key=lambda id_: len(choices[id_])):  # who has no choice goes first
        found[id_] = next((entity for entity in choices[id_] if entity not in taken), choices[id_][0])
        if truth.by_id[id_].root_cause:
            taken.add(found[id_])
    return found


def _entity(identity: Identity, name: str) -> Entity:
    group = identity.group
    namespace = group.namespace if has_namespace(identity.kind) else None
    return Entity(namespace=namespace, kind=canonical_kind(group.kind) or group.kind, name=name)


def _candidate_names(identity: Identity) -> Iterator[str]:
    """Names that may fit, the most natural first."""
    group = identity.group
    if group.name:
        yield group.name
        return
    own = re.sub(r"[^a-z0-9]+", "-", group.id.casefold()).strip("-")[:MAX_NAME] or "x"
    for pattern in identity.patterns:
        suffix = _SUFFIXES.get(identity.kind, _SUFFIX)
        if pattern.stem is not None:
            if pattern.open_end and has_generated_name(identity.kind):
                yield pattern.stem + suffix
            yield pattern.stem
            yield from (f"{pattern.stem}{end}" for end in (suffix, "-v1", "-0", "-a-a"))
            yield f"{own}-{pattern.stem}"
        elif pattern.regex is not None:
            for anything in "abcdefgh":
                yield from _examples(pattern.text, anything)
    yield own


def _examples(pattern: str, anything: str) -> Iterator[str]:
    """Texts that a simple regular expression or glob matches: repetitions once, of alternatives in a group the first.

    `anything` is the letter that stands for a dot.
    """
    text = re.sub(r"\\[bBAZ]|[$^]", "", pattern)
    text = re.sub(r"\[\^?(\\?.)[^\]]*\]", r"\1", text)
    for _ in range(text.count("(")):
        text = re.sub(r"\((?:\?:)?([^()|]*)(?:\|[^()]*)?\)", r"\1", text)
    text = re.sub(r"\\d", "0", text)
    text = re.sub(r"\\w|(?<!\\)\.(?=[*+])", anything, text)
    text = re.sub(r"(?<!\\)[*+?]|\{[^}]*\}", "", text)
    yield from (alternative[:MAX_NAME] for alternative in text.replace("\\", "").split("|"))
