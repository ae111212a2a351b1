"""Read the FinOps answer: the public form, and what may be added to it (docs/finops.md)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from typing import Any

from pydantic import JsonValue, ValidationError

from itbench.model.cost import CostAction
from itbench.model.diagnosis import CostClaim, CostDiagnosis
from itbench.model.resource import Resource
from itbench.scoring.answer_fields import Fields, items, text, truth
from itbench.scoring.answer_notes import Notes
from itbench.scoring.strict_json import JsonError

_MAX_RESOURCE_NAME = 1000
_MAX_CLASS = 100
_MAX_AMOUNT = 1e15
_MAX_PROPOSALS = 50
_KEYS = ("resource", "resources", "anomaly", "causes", "mitigations")


def read_cost_diagnosis(answer: Fields, notes: Notes) -> CostDiagnosis:
    """The FinOps answer: `resource` or `resources`, each a name and a type; and optionally more.

    Where only `causes` are given, their resources are the answer's.

    Raises:
        JsonError: there is no list of resources or of causes, or one is no list or too long.
    """
    key = next((name for name in ("resource", "resources") if name in answer), None)
    if key is None and "causes" not in answer:
        raise JsonError("holds neither resource nor resources")
    unused = [name for name in answer if name not in _KEYS or (name == "resources" and key == "resource")]
    if unused:
        notes.add("answer", "keys that are not part of the schema are not used", ", ".join(unused))
    causes = tuple(_causes(answer, notes))
    if key is None:
        notes.add("answer", "has no list of resources: those of its causes are taken")
        named = tuple(dict.fromkeys((item.name, item.type) for cause in causes for item in cause.resources))
        resources = tuple(Resource(name=name, type=kind) for name, kind in named)
    else:
        resources = tuple(_resources(answer, key, notes))
    anomaly = truth(answer, "anomaly", "answer", notes) if answer.get("anomaly") is not None else None
    if anomaly is False and (resources or causes):
        notes.add("anomaly", "false, and yet something is named: what is named counts")
    mitigations = tuple(_mitigations(answer, notes))
    return CostDiagnosis(resources=resources, anomaly=anomaly, causes=causes, mitigations=mitigations)


def _resources(answer: Fields, key: str, notes: Notes, within: str = "") -> Iterator[Resource]:
    for place, item in items(answer, key, notes):
        name, kind = (text(item, "name"), text(item, "type")) if isinstance(item, dict) else ("", "")
        if not name or not kind:
            notes.add(within + place, "without name or type; left out")
        elif len(name) + len(kind) > _MAX_RESOURCE_NAME:
            notes.add(within + place, f"longer than {_MAX_RESOURCE_NAME:,} characters; left out")
        else:
            yield Resource(name=name, type=kind)


def _optional(answer: Fields, name: str, notes: Notes) -> Iterator[tuple[str, JsonValue]]:
    """The items of a list that an answer may have: what is wrong with it does not spoil the rest."""
    try:
        yield from items(answer, name, notes)
    except JsonError as error:
        notes.add(name, f"left out: {error.message}")


def _causes(answer: Fields, notes: Notes) -> Iterator[CostClaim]:
    for place, item in _optional(answer, "causes", notes):
        if not isinstance(item, dict):
            notes.add(place, "no object; left out")
            continue
        key = "resource" if "resource" in item and "resources" not in item else "resources"
        listed: Fields = {key: [item[key]]} if isinstance(item.get(key), dict) else item
        try:
            resources = tuple(_resources(listed, key, notes, f"{place}."))
        except JsonError as error:
            notes.add(place, f"its resources are left out: {error.message}")
            resources = ()
        yield CostClaim(
            cause=text(item, "class", "cause")[:_MAX_CLASS],
            resources=resources,
            onset=_day(item, "onset", place, notes),
            amount=_number(item, "amount", place, notes),
            share=_number(item, "share", place, notes),
        )


def _day(item: Fields, name: str, place: str, notes: Notes) -> date | None:
    value = item.get(name)
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value).strip()[:10])
    except ValueError:
        notes.add(f"{place}.{name}", "no day as YYYY-MM-DD; left out", str(value))
        return None


def _number(item: Fields, name: str, place: str, notes: Notes) -> float | None:
    value = item.get(name)
    if value is None:
        return None
    try:
        found = math.nan if isinstance(value, bool | list | dict) else float(value)
    except (ValueError, OverflowError):
        found = math.nan
    if isinstance(value, str) and math.isfinite(found):
        notes.add(f"{place}.{name}", "text, read as a number", value)
    if not math.isfinite(found) or abs(found) > _MAX_AMOUNT:
        notes.add(f"{place}.{name}", "no number; left out", str(value))
        return None
    return found


def _mitigations(answer: Fields, notes: Notes) -> Iterator[CostAction]:
    for number, (place, item) in enumerate(_optional(answer, "mitigations", notes)):
        if number >= _MAX_PROPOSALS:
            notes.add(place, f"more than {_MAX_PROPOSALS} proposals; the rest is left out")
            return
        try:
            yield CostAction.model_validate(_action(item))
        except ValidationError as error:
            problem = error.errors(include_url=False, include_context=False)[0]
            where = ".".join(map(str, problem["loc"]))
            notes.add(place, f"no proposal that can be carried out ({where}: {problem['msg'].lower()}); left out")


def _action(item: JsonValue) -> Any:
    """Only what a proposal consists of: reasons and the like may stand beside it."""
    if not isinstance(item, dict):
        return item
    kept: dict[str, Any] = {
        key: item[key] for key in ("action", "target", "resource_id", "args") if item.get(key) is not None
    }
    if isinstance(kept.get("action"), str):
        kept["action"] = kept["action"].strip().lower().replace("-", "_").replace(" ", "_")
    if isinstance(kept.get("target"), dict):
        kept["target"] = {key: kept["target"].get(key) for key in ("name", "type")}
    return kept
