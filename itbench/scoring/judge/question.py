"""What a judge is asked about one answer: an item for each entity, with what the answer says and what is true.

The matcher has decided before which entities are root causes; the judge only reads prose.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from itbench.model.diagnosis import Diagnosis
from itbench.model.rubric import Rubric
from itbench.model.rules import Rules
from itbench.model.truth import FaultRecord, GroundTruth
from itbench.scoring.match import Verdict, first_mentions, match, truth_index
from itbench.scoring.proximity import hops_of
from itbench.scoring.root_cause import described
from itbench.scoring.roots import RootCause
from itbench.scoring.sre import considered
from itbench.scoring.topology import Topology, topology_of

MOST_ITEMS = 20
"""An answer that names more entities has only its first ones read."""
_MOST_TEXTS = 20
_LONGEST_TEXT = 6_000
_CUT = " […]"


@dataclass(frozen=True, slots=True)
class Item:
    """One entity to be judged.

    Attributes:
        entity: its name as the answer writes it.
        said: what the answer says about it, text by text; a judge's quotes must occur in one of them.
        truth: what is known about it.
        weight: what the best grade counts: 1/(1 + hops) for an entity that is no root cause.
        matched: whether the matcher takes it for a root cause.
    """

    entity: str
    said: tuple[str, ...]
    truth: tuple[str, ...]
    weight: float = 1.0
    matched: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """Items that are judged together, by one rubric. The judge knows them by `ids`."""

    rubric: Rubric
    items: tuple[Item, ...]
    guidance: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        """What the judge calls the items."""
        return tuple(f"i{number}" for number in range(1, len(self.items) + 1))


@dataclass(frozen=True, slots=True)
class Subjects:
    """The entities of one answer that a judge may be asked about.

    Attributes:
        causes: root causes that the answer rightly names, each entity once.
        symptoms: other entities that it blames, which lie on the fault's way.
        named: all that it blames, for the cross-check of the matcher.
        unread: how many entities are beyond `MOST_ITEMS`.
        unexplained: why reasons cannot be judged here whatever the answer says; empty if they can.
    """

    causes: tuple[Item, ...]
    symptoms: tuple[Item, ...]
    named: tuple[Item, ...]
    unread: int = 0
    unexplained: str = ""


def subjects_of(
    diagnosis: Diagnosis, truth: GroundTruth, rules: Rules, policy_name: str, exclude_namespaces: Collection[str] = ()
) -> Subjects:
    """What is to be judged in an answer; the arguments are those of `score_sre`, and so is what matches."""
    policy = rules.policies[policy_name]
    index, topology = truth_index(truth, policy), topology_of(truth)
    verdicts = match(considered(diagnosis, exclude_namespaces), truth, policy)
    distinct = tuple(first_mentions(verdicts).values())
    read, hops = distinct[:MOST_ITEMS], hops_of(verdicts, index, topology)
    roots = {root.id: root for root in index.roots}
    listed = tuple(_listed(root) for root in index.roots)
    causes, symptoms = [], []
    for verdict, way in zip(read, hops, strict=False):
        said = tuple(_said(verdict, diagnosis))
        name = clipped(verdict.prediction.text)
        if verdict.root is not None:
            causes.append(Item(name, said, _cause(roots[verdict.root], truth)))
        elif way.to:
            component = topology.component_of(verdict.prediction.entity, index).name
            told = _symptoms(component, topology)
            if told:
                symptoms.append(Item(name, said, told, 1 / (1 + min(way.to.values())), matched=False))
    named = tuple(
        Item(name, (name,), listed, matched=verdict.matched)
        for verdict in read
        if (name := clipped(verdict.prediction.text))
    )
    return Subjects(tuple(causes), tuple(symptoms), named, len(distinct) - len(read), _unexplained(index.roots, truth))


def _unexplained(roots: Sequence[RootCause], truth: GroundTruth) -> str:
    if not roots:
        return "the ground truth marks no root cause"
    silent = next((root.id for root in roots if not _cause(root, truth)), None)
    return f"the ground truth does not say what is wrong with {silent}" if silent else ""


def clipped(text: str, limit: int = _LONGEST_TEXT) -> str:
    """The text, or its beginning with a mark that there was more."""
    return text if len(text) <= limit else text[: limit - len(_CUT)] + _CUT


def _said(verdict: Verdict, diagnosis: Diagnosis) -> Iterator[str]:
    """The texts that concern an entity: its own, under whichever mention, and those of the steps that touch it."""
    entity = verdict.prediction.entity
    texts = [text for each in diagnosis.entities if each.entity == entity for text in (each.reasoning, each.evidence)]
    for step in diagnosis.propagations:
        if entity in (step.source, step.target):
            texts += [step.condition, step.effect]
    given = [text for text in dict.fromkeys(text.strip() for text in texts) if text]
    yield from (clipped(text) for text in given[:_MOST_TEXTS])


def _cause(root: RootCause, truth: GroundTruth) -> tuple[str, ...]:
    """What is wrong with a root cause, in the truth's words; empty if it has none."""
    ids = {group.id for group in root.groups}
    own = [fault for fault in truth.faults if fault.entity.get("group_id") in ids]
    texts = [text for fault in own or truth.faults for text in _fault(fault)]
    texts += [step.condition for step in truth.propagations if step.source in ids and step.condition]
    return _kept([f"root cause: {_listed(root)}", *texts]) if texts else ()


def _fault(fault: FaultRecord) -> Iterator[str]:
    if fault.condition:
        yield f"condition: {fault.condition}"
    if fault.fault_mechanism:
        yield f"mechanism: {fault.fault_mechanism}"
    changed = fault.changed or fault.entity.get("changed")
    if changed:
        yield f"changed: {json.dumps(changed, ensure_ascii=False, default=str)}"


def _symptoms(component: str, topology: Topology) -> tuple[str, ...]:
    """What the truth tells of a component that the fault reached."""
    effects = [step.propagation.effect for step in topology.steps if step.target.name == component]
    conditions = [step.propagation.condition for step in topology.steps if step.source.name == component]
    return _kept([text for text in (*effects, *conditions) if text])


def _listed(root: RootCause) -> str:
    return " = ".join(described(group) for group in root.groups)


def _kept(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(clipped(text) for text in dict.fromkeys(texts))[:_MOST_TEXTS]
