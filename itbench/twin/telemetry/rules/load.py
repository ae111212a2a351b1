"""Read alert rules from environments/alerts/*.yaml, in the form of Prometheus's rule files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from itbench.bundled import bundled
from itbench.datasets.findings import Key, dotted
from itbench.datasets.source import Source, read_source
from itbench.model.base import Model
from itbench.model.errors import DatasetError, UsageError
from itbench.model.units import Seconds
from itbench.twin.telemetry.rules.check import checked_labels
from itbench.twin.telemetry.rules.language import Expression, Filter
from itbench.twin.telemetry.rules.parser import ExpressionError, parse

_HINT = "See docs/alerts.md; environments/alerts/ of itbench has examples."
_PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}")
_LABEL = re.compile(r"\s*\$labels\.([a-zA-Z_]\w*)\s*")
_VALUE = re.compile(r"\s*\$value\s*")


class _Rule(Model):
    alert: Annotated[str, Field(min_length=1)]
    expr: str
    hold: Annotated[Seconds, Field(alias="for")] = 0.0
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class _Group(Model):
    name: str
    rules: tuple[_Rule, ...]


class _RuleFile(Model):
    groups: tuple[_Group, ...]


@dataclass(frozen=True, slots=True)
class AlertRule:
    """When to raise an alert.

    Attributes:
        expression: active wherever it has a value.
        hold: seconds that it must be active before the alert fires.
        labels: added to those of the expression; like annotations they may hold `{{ $labels.x }}` and `{{ $value }}`.
        text: the expression as it is written.
    """

    name: str
    expression: Expression
    hold: float
    labels: dict[str, str]
    annotations: dict[str, str]
    text: str = ""


def rules_for(application: str) -> tuple[AlertRule, ...]:
    """The rules that ship for an application, and those for any cluster; only the latter for an application without."""
    folder = bundled("environments") / "alerts"
    names = [name for name in (application, "kubernetes") if (folder / f"{name}.yaml").is_file()]
    return load_rules([folder / f"{name}.yaml" for name in names])


def load_rules(paths: Sequence[Path]) -> tuple[AlertRule, ...]:
    """The rules in files, in order.

    Raises:
        UsageError: a file cannot be read, or a rule in it is wrong: an unknown key, metric or label, an expression that is
            none …; with path, line and key.
    """
    return tuple(rule for path in paths for rule in _read(path))


def filled(template: str, labels: dict[str, str], value: float) -> str:
    """A label's or an annotation's text for one alert."""

    def text(match: re.Match[str]) -> str:
        label = _LABEL.fullmatch(match[1])
        return labels.get(label[1], "") if label else f"{value:.4g}"

    return _PLACEHOLDER.sub(text, template)


def _read(path: Path) -> Iterator[AlertRule]:
    try:
        source = read_source(path)
    except DatasetError as error:
        raise UsageError(error.message, path=error.path, line=error.line, key=error.key, hint=error.hint) from error
    if source.duplicates:
        raise _error(source, source.duplicates[0], "appears twice")
    try:
        file = _RuleFile.model_validate(source.value)
    except ValidationError as error:
        first = min(error.errors(include_url=False), key=lambda found: found["type"] != "extra_forbidden")
        message = "unknown key" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
        raise _error(source, first["loc"], message) from error
    for group, rules in enumerate(file.groups):
        for index, rule in enumerate(rules.rules):
            yield _compiled(source, ("groups", group, "rules", index), rule)


def _compiled(source: Source, key: Key, rule: _Rule) -> AlertRule:
    try:
        expression = parse(rule.expr)
        labels = checked_labels(expression)
    except ExpressionError as error:
        raise _error(source, (*key, "expr"), str(error)) from error
    if not isinstance(expression, Filter) or labels is None:
        raise _error(source, (*key, "expr"), "an alert compares something, as in: up == 0")
    for part, templates in (("labels", rule.labels), ("annotations", rule.annotations)):
        for name, template in templates.items():
            for placeholder in _PLACEHOLDER.findall(template):
                label = _LABEL.fullmatch(placeholder)
                if (label and label[1] not in labels) or not (label or _VALUE.fullmatch(placeholder)):
                    raise _error(source, (*key, part, name), f"{{{{{placeholder}}}}} has no value here")
    return AlertRule(rule.alert, expression, rule.hold, rule.labels, rule.annotations, rule.expr)


def _error(source: Source, key: Key, message: str) -> UsageError:
    return UsageError(message, path=source.path, line=source.line(key), key=dotted(key) or None, hint=_HINT)
