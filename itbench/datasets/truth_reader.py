"""From the payload of a ground truth file to the normal form, entry by entry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from itbench.datasets.findings import Finding, Key, Severity
from itbench.datasets.source import Source
from itbench.model.cost import CostTruth
from itbench.model.resource import Resource
from itbench.model.truth import Alert, Alias, Dialect, FaultRecord, GroundTruth, Group, Propagation

Entry = TypeVar("Entry", bound=BaseModel)
Fields = dict[str, JsonValue]

# Keys that the normal form has a place for (`entities` only in the v2 dialect); all others are kept as they are.
_KNOWN = frozenset(
    "groups aliases propagations fault faults alerts recommended_actions recommendedActions solutions "
    "resource resources cost metadata dialect".split()
)

# Fields that hold names, for which YAML may have read a number.
_NAMES = frozenset("id kind namespace name filter groups source target group_id type".split())


class TruthReader:
    """Reads one payload and remembers what was wrong with it.

    `findings` are in order of reading. `keys` gives the place in the file of each entry of the normal form, by section
    (`groups`, `aliases`, …) in the same order; checks that come later need it.
    """

    def __init__(self, source: Source, root: Key) -> None:
        self.findings: list[Finding] = []
        self.keys: dict[str, list[Key]] = defaultdict(list)
        self._source = source
        self._root = root

    def read(self, payload: Fields, envelope: Fields, dialect: Dialect) -> GroundTruth:
        """The normal form of a payload; `envelope` is what stands around it."""
        known = _KNOWN | {"entities"} if dialect == "v2" else _KNOWN
        extra = {key: value for key, value in {**envelope, **payload}.items() if key not in known}
        return GroundTruth(
            dialect=dialect,
            groups=tuple(self._v2_groups(payload) if dialect == "v2" else self._groups(payload)),
            aliases=tuple(self._aliases(payload)),
            propagations=tuple(self._entries(payload, "propagations", Propagation)),
            faults=tuple(self._entries(payload, "fault" if "fault" in payload else "faults", FaultRecord, "warning")),
            alerts=tuple(self._alerts(payload)),
            recommended_actions=tuple(self._actions(payload)),
            resources=tuple(self._entries(payload, "resource" if "resource" in payload else "resources", Resource)),
            cost=self._cost(payload),
            metadata=_mapping(envelope.get("metadata")) | _mapping(payload.get("metadata")),
            **extra,
        )

    def _report(self, severity: Severity, key: Key, message: str) -> None:
        self.findings.append(self._source.finding(severity, key, message))

    def _cost(self, payload: Fields) -> CostTruth | None:
        """What our own FinOps truths say besides the public form."""
        if payload.get("cost") is None:
            return None
        return next(self._entry((*self._root, "cost"), payload["cost"], CostTruth, "cost"), None)

    def _items(self, payload: Fields, name: str, severity: Severity) -> Iterator[tuple[Key, JsonValue]]:
        """The items of a list, with their places. A single mapping counts as a list of one."""
        value = payload.get(name)
        key = (*self._root, name)
        if isinstance(value, dict):
            self._report("info", key, "a single mapping, read as a list of one")
            yield key, value
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield (*key, index), item
        elif value is not None:
            self._report(severity, key, "not a list; left out")

    def _entries(self, payload: Fields, name: str, model: type[Entry], severity: Severity = "error") -> Iterator[Entry]:
        for key, item in self._items(payload, name, severity):
            yield from self._entry(key, item, model, name, severity)

    def _entry(
        self, key: Key, item: JsonValue, model: type[Entry], section: str, severity: Severity = "error"
    ) -> Iterator[Entry]:
        """The entry, or nothing and a finding that says why."""
        if not isinstance(item, dict):
            self._report(severity, key, "not a mapping; left out")
            return
        try:
            # An empty value (`namespace:`) is as good as none.
            given = {name: value for name, value in item.items() if value is not None}
            entry = model.model_validate({name: _text(value) if name in _NAMES else value for name, value in given.items()})
        except ValidationError as error:
            for problem in error.errors(include_url=False, include_context=False):
                self._report(severity, (*key, *problem["loc"]), f"{problem['msg'].lower()}; the whole entry is left out")
            return
        self.keys[section].append(key)
        yield entry

    def _groups(self, payload: Fields) -> Iterator[Group]:
        for key, item in self._items(payload, "groups", "error"):
            lone = isinstance(item, dict) and isinstance(item.get("filter"), str)
            if lone:
                self._report("warning", (*key, "filter"), "text where a list is expected; read as a list of one")
            listed = {**_mapping(item), "filter": [_mapping(item)["filter"]]} if lone else item
            yield from self._entry(key, listed, Group, "groups")

    def _v2_groups(self, payload: Fields) -> Iterator[Group]:
        """Each distinct entity that was changed is a root cause; the file lists it once per fault."""
        seen = set()
        for key, item in self._items(payload, "entities", "error"):
            metadata = _mapping(item.get("metadata")) if isinstance(item, dict) else {}
            fields = _mapping(item) | {name: metadata[name] for name in ("name", "namespace") if name in metadata}
            identifier = "/".join(str(fields[part]) for part in ("namespace", "kind", "name") if fields.get(part))
            if identifier in seen and isinstance(item, dict):
                continue
            seen.add(identifier)
            whole = {**fields, "id": identifier, "root_cause": True} if isinstance(item, dict) else item
            yield from self._entry(key, whole, Group, "groups")

    def _aliases(self, payload: Fields) -> Iterator[Alias]:
        for key, item in self._items(payload, "aliases", "error"):
            if isinstance(item, list) and all(isinstance(_text(group), str) for group in item):
                yield from self._entry(key, {"groups": item}, Alias, "aliases")
            else:
                self._report("error", key, "not a list of group ids; left out")

    def _alerts(self, payload: Fields) -> Iterator[Alert]:
        for key, item in self._items(payload, "alerts", "warning"):
            named = {"id": item["name"], **item} if isinstance(item, dict) and "name" in item else item
            yield from self._entry(key, named, Alert, "alerts", "warning")

    def _actions(self, payload: Fields) -> Iterator[Fields]:
        for name in ("recommended_actions", "recommendedActions"):
            for key, item in self._items(payload, name, "warning"):
                if isinstance(item, dict):
                    yield item
                else:
                    self._report("warning", key, "not a mapping; left out")
        for fault, (_, variants) in enumerate(self._items(payload, "solutions", "warning"), start=1):
            for number, variant in enumerate(variants if isinstance(variants, list) else [variants], start=1):
                yield _solution(f"solution-{fault}-{number}", variant)


def _solution(name: str, variant: JsonValue) -> Fields:
    """A solution of the v2 dialect in the form that the others use."""
    steps = _mapping(variant).get("steps")
    texts: list[JsonValue] = [_mapping(step).get("text") for step in steps] if isinstance(steps, list) else []
    return {"solution": {"id": name, "actions": [text for text in texts if text is not None]}, "steps": steps}


def _mapping(value: JsonValue) -> Fields:
    return value if isinstance(value, dict) else {}


def _text(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_text(item) for item in value]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
