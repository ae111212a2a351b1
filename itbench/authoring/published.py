"""Measured roots beside published ones: whether the same object is to blame.

The published ground truths of the public library come in two forms: `groundtruth_v1.yaml` marks groups as roots by regular
expressions, `groundtruth.yaml` (v2) lists every injected object. Names are matched as answers of agents are; a workload and
its pods, a Schedule and its experiments, are one thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from itbench.authoring.adversaries import score_of_roots
from itbench.datasets.truth_file import load_ground_truth
from itbench.model.entity import Entity
from itbench.model.truth import GroundTruth, Group

V1, V2 = "groundtruth_v1.yaml", "groundtruth.yaml"
Verdict = Literal["same", "in part", "differs", "nothing published", "no root"]
_EXACT = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Comparison:
    """One published ground truth beside the measured one.

    Attributes:
        published, measured: the roots, as `Kind/name`.
    """

    verdict: Verdict
    published: tuple[str, ...]
    measured: tuple[str, ...]


def compare_roots(measured: GroundTruth, published: GroundTruth | None) -> Comparison:
    """Whether both blame the same objects.

    `same`: naming the roots of one is a perfect answer to the other, in either direction. `in part`: some of them.
    """
    ours = [_entity(group) for group in measured.roots]
    told = tuple(f"{one.kind}/{one.name}" for one in ours)
    if published is None or not published.roots:
        return Comparison("nothing published", (), told)
    theirs = [_entity(group) for group in published.roots]
    names = tuple(dict.fromkeys(_told(group) for group in published.roots))
    if not ours:
        return Comparison("no root", names, told)
    scores = (score_of_roots(ours, published), score_of_roots(_unique(theirs), measured))
    verdict: Verdict = "same" if max(scores) >= _EXACT else "in part" if max(scores) > 0 else "differs"
    return Comparison(verdict, names, told)


def published_truth(library: Path, number: int, name: str) -> GroundTruth | None:
    """The published ground truth of a scenario, in a copy of the public library; None if there is none.

    Raises:
        GroundTruthError: there is one, but it cannot be read.
    """
    path = library / "scenarios" / f"scenario_{number}" / name
    return load_ground_truth(path).truth if path.is_file() else None


def _unique(entities: Iterable[Entity]) -> list[Entity]:
    return list(dict.fromkeys(entities))


def _entity(group: Group) -> Entity:
    """The object that a group most plainly stands for."""
    return Entity(namespace=group.namespace, kind=group.kind, name=_plain(group))


def _plain(group: Group) -> str:
    name = group.name or (group.filter[0] if group.filter else group.id)
    return re.sub(r"(\\b|-?\.\*|\$)$", "", re.sub(r"^(\^|\.\*)", "", name)).replace("\\", "")


def _told(group: Group) -> str:
    return f"{group.kind}/{group.name or (group.filter[0] if group.filter else group.id)}"
