"""The interventions by name, with their parameters as text: `gate(tries=1),loop`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from itbench.agents.interventions.form import FormatGuard
from itbench.agents.interventions.gate import Gate
from itbench.agents.interventions.hygiene import Hygiene
from itbench.agents.interventions.loop import LoopGuard
from itbench.agents.interventions.machine import StateMachine
from itbench.agents.interventions.protocol import Intervention
from itbench.agents.interventions.readonly import ClarifyOrReadOnly
from itbench.agents.interventions.summary import Summariser
from itbench.model.errors import UsageError

INTERVENTIONS: dict[str, type[Intervention]] = {
    each.name: each for each in (Gate, StateMachine, Summariser, Hygiene, LoopGuard, ClarifyOrReadOnly, FormatGuard)
}
_ONE = re.compile(r"\s*([a-z]+)\s*(?:\(([^()]*)\))?\s*")
_SEPARATOR = re.compile(r",(?![^()]*\))")


def read_interventions(text: str) -> tuple[Intervention, ...]:
    """The interventions that a list names.

    Raises:
        UsageError: an unknown name, a name twice, or a parameter that it does not have.
    """
    found = tuple(_one(part) for part in _SEPARATOR.split(text))
    names = [each.name for each in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"the intervention {twice!r} is named twice", key=f"with:{text}")
    return found


def written(interventions: Sequence[Intervention]) -> str:
    """The list as text again; parameters that have their usual value are left out."""
    return ",".join(map(_written, interventions))


def parameters(intervention: Intervention | type[Intervention]) -> dict[str, Any]:
    """Names and values of the parameters."""
    made = intervention() if isinstance(intervention, type) else intervention
    return {field.name: getattr(made, field.name) for field in fields(made)}


def _one(text: str) -> Intervention:
    match = _ONE.fullmatch(text)
    kind = INTERVENTIONS.get(match[1]) if match else None
    if match is None or kind is None:
        raise UsageError(f"there is no intervention {text.strip()!r}", hint=f"Known: {', '.join(INTERVENTIONS)}")
    usual, given = parameters(kind), {}
    for pair in filter(None, (part.strip() for part in (match[2] or "").split(","))):
        name, _, value = (part.strip() for part in pair.partition("="))
        if name not in usual:
            raise UsageError(f"{kind.name} has no parameter {name!r}", hint=f"It has: {', '.join(usual)}")
        given[name] = _value(value, usual[name], f"{kind.name}({name})")
    return kind(**given)


def _value(text: str, usual: object, key: str) -> int | bool:
    if isinstance(usual, bool):
        if text not in ("on", "off"):
            raise UsageError(f"{text!r} is neither on nor off", key=key)
        return text == "on"
    if not re.fullmatch(r"\d{1,7}", text):
        raise UsageError(f"{text!r} is no whole number from 0 to 9999999", key=key)
    return int(text)


def _written(intervention: Intervention) -> str:
    usual = parameters(type(intervention))
    changed = [
        f"{name}={('on' if value else 'off') if isinstance(value, bool) else value}"
        for name, value in parameters(intervention).items()
        if value != usual[name]
    ]
    return f"{intervention.name}({','.join(changed)})" if changed else intervention.name
