"""What is doubtful about a ground truth that can be read: references to nothing, patterns that do not say what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from itbench.datasets.findings import Finding, Key
from itbench.datasets.source import Source
from itbench.model.entity import canonical_kind
from itbench.model.truth import GroundTruth
from itbench.scoring.names import MAX_PATTERN, why_glob

# No letter or digit, only what stands for other characters: such a pattern tells no name from another.
_ONLY_WILDCARDS = re.compile(r"[.*+?^$()|]*[.*+?][.*+?^$()|]*")


def check(source: Source, truth: GroundTruth, keys: Mapping[str, Sequence[Key]]) -> Iterator[Finding]:
    """Warnings about `truth`, as read from `source`; `keys` says where each entry stands."""
    yield from _groups(source, truth, keys.get("groups", ()))
    known = truth.by_id
    for key, text in _references(truth, keys):
        if text not in known:
            yield source.finding("warning", key, f"there is no group {text!r}; the reference is ignored")
    if truth.dialect != "finops" and not truth.roots:
        yield source.finding("warning", (), "no group is marked root_cause; nothing can be scored against it")
    if truth.dialect == "finops" and not truth.resources and not (truth.cost and truth.cost.benign):
        yield source.finding("warning", (), "names no resource; nothing can be scored against it")


def _groups(source: Source, truth: GroundTruth, keys: Sequence[Key]) -> Iterator[Finding]:
    seen: dict[str, Key] = {}
    for key, group in zip(keys, truth.groups, strict=True):
        if group.id in seen:
            first = source.line(seen[group.id])
            yield source.finding(
                "warning", (*key, "id"), f"the id {group.id!r} is taken (line {first}); the first one counts"
            )
        seen.setdefault(group.id, key)
        if canonical_kind(group.kind) is None:
            yield source.finding("warning", (*key, "kind"), f"{group.kind!r} is not a kind that itbench knows")
        if not group.name and not group.filter:
            yield source.finding("warning", key, "neither name nor filter: it is matched by its id")
        for index, pattern in enumerate(group.filter):
            for message in _pattern(pattern):
                yield source.finding("warning", (*key, "filter", index), message)


def _pattern(pattern: str) -> Iterator[str]:
    if len(pattern) > MAX_PATTERN:
        yield f"a pattern of {len(pattern):,} characters; more than {MAX_PATTERN:,} match nothing"
        return
    if reason := why_glob(pattern):
        yield f"{pattern!r} {reason}; read as a glob"
    if _ONLY_WILDCARDS.fullmatch(pattern):
        yield f"{pattern!r} matches every name"


def _references(truth: GroundTruth, keys: Mapping[str, Sequence[Key]]) -> Iterator[tuple[Key, str]]:
    """Every place that names a group, and the id that it names."""
    for key, alias in zip(keys.get("aliases", ()), truth.aliases, strict=True):
        yield from (((*key, index), group) for index, group in enumerate(alias.groups))
    for key, step in zip(keys.get("propagations", ()), truth.propagations, strict=True):
        yield (*key, "source"), step.source
        yield (*key, "target"), step.target
    for key, alert in zip(keys.get("alerts", ()), truth.alerts, strict=True):
        if alert.group_id is not None:
            yield (*key, "group_id"), alert.group_id
    for key, fault in zip(keys.get("fault", ()) or keys.get("faults", ()), truth.faults, strict=True):
        group = fault.entity.get("group_id")
        if isinstance(group, str):
            yield (*key, "entity", "group_id"), group
