"""A scenario as the text of a scenario.yaml: keys in the order in which people read them, nothing that is the default."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from itbench.model.errors import UnwritableError
from itbench.model.scenario import Scenario

_WIDTH = 120
_FIRST = ("schema_version", "id", "domain", "title", "description", "complexity", "tags", "application")


def scenario_text(scenario: Scenario, comments: Iterable[str] = ()) -> str:
    """The text of a scenario.yaml; `comments` are lines at its top."""
    values = scenario.model_dump(mode="json", exclude_defaults=True)
    always = {key: getattr(scenario, key) for key in ("schema_version", "domain", "complexity")}
    values |= always
    _say_durations(values)
    ordered: dict[str, Any] = {key: values[key] for key in _FIRST if key in values}
    ordered |= {key: value for key, value in values.items() if key not in ordered}
    head = "".join(f"# {line}\n" if line else "#\n" for line in comments)
    return head + yaml.dump(ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)


def write_scenario(scenario: Scenario, folder: Path, comments: Iterable[str] = ()) -> Path:
    """Write `folder`/<id>/scenario.yaml, and give its path.

    Raises:
        UnwritableError: it cannot be written.
    """
    path = folder / scenario.id / "scenario.yaml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(scenario_text(scenario, comments), encoding="utf-8")
    except OSError as error:
        raise UnwritableError(f"cannot write this file ({error.strerror})", path=path) from error
    return path


def _say_durations(values: dict[str, Any]) -> None:
    """Seconds as people write them."""
    for place in (values.get("timeline") or {}, *(values.get("disruptions") or ()), *(values.get("distractions") or ())):
        for key in ("before", "after", "at"):
            if isinstance(place.get(key), int | float):
                place[key] = _duration(float(place[key]))


def _duration(seconds: float) -> str:
    return f"{seconds / 60:g}m" if seconds % 60 == 0 else f"{seconds:g}s"


class _Dumper(yaml.SafeDumper):
    """Small mappings on one line, as people write them; lists indented."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002  PyYAML's
        """Lists are indented below their key."""
        super().increase_indent(flow, False)


def _mapping(dumper: _Dumper, value: dict[str, Any]) -> yaml.MappingNode:
    if "apiVersion" in value:  # objects begin with what they are
        value = {**{key: value[key] for key in ("apiVersion", "kind") if key in value}, **value}
    node = dumper.represent_mapping("tag:yaml.org,2002:map", value.items())
    node.flow_style = len(value) > 0 and len(str(value)) < _WIDTH - 20 and not _has_list_of_mappings(value)
    return node


def _has_list_of_mappings(value: Any) -> bool:
    if isinstance(value, list):
        return any(isinstance(item, dict) for item in value)
    return isinstance(value, dict) and any(_has_list_of_mappings(item) for item in value.values())


_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(tuple, lambda dumper, value: dumper.represent_list(value))
