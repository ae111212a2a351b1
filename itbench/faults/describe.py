"""Faults and waiters as data, for tables and documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from itbench.faults.arguments import Arguments
from itbench.faults.protocol import Fault
from itbench.model.base import Model


class Argument(Model):
    """One argument.

    Attributes:
        key: dotted, such as `container.env.name`.
        type: in words.
        required: whether it must be told.
    """

    key: str
    type: str
    required: bool


class Description(Model):
    """One fault, with its fixes for arguments of placeholders."""

    id: str
    number: int | None
    title: str
    description: str
    alerts: tuple[str, ...]
    arguments: tuple[Argument, ...]
    fixes: tuple[str, ...]
    departure: str


def describe(kind: type[Fault[Any]]) -> Description:
    """A fault as data."""
    example = kind(kind.model.model_validate(_example(kind.model)))
    return Description(
        id=kind.id,
        number=kind.number,
        title=kind.title,
        description=kind.description,
        alerts=kind.alerts,
        arguments=arguments_of(kind.model),
        fixes=tuple(fix.text for fix in example.fixes()),
        departure=kind.departure,
    )


def arguments_of(model: type[Arguments]) -> tuple[Argument, ...]:
    """The arguments that a model takes."""
    return tuple(_arguments(model, "", required=True))


def _arguments(model: type[BaseModel], prefix: str, *, required: bool) -> Iterator[Argument]:
    for name, field in model.model_fields.items():
        key, needed = f"{prefix}{name}", required and field.is_required()
        inner = _models(field)
        if inner:
            # The members of a union differ in their kinds only.
            yield from _merged([list(_arguments(each, f"{key}.", required=needed)) for each in inner])
        else:
            yield Argument(key=key, type=_type(field), required=needed)
    if model.model_config.get("extra") == "allow":
        yield Argument(key=f"{prefix}…", type="any", required=False)


def _merged(lists: list[list[Argument]]) -> Iterator[Argument]:
    for alternatives in zip(*lists, strict=True):
        words = list(dict.fromkeys(word for each in alternatives for word in each.type.split(" | ")))
        yield alternatives[0].model_copy(update={"type": " | ".join(words)})


def _models(field: FieldInfo) -> list[type[BaseModel]]:
    options = (field.annotation, *get_args(field.annotation))
    return [item for item in options if isinstance(item, type) and issubclass(item, BaseModel)]


def _type(field: FieldInfo) -> str:
    annotation: Any = field.annotation
    if getattr(annotation, "__origin__", None) is list:
        return f"list of {_words(annotation.__args__[0])}"
    return _words(annotation)


def _words(annotation: Any) -> str:
    choices = get_args(annotation)
    if choices:
        return " | ".join(map(str, choices))
    return {"str": "text", "int": "number"}.get(getattr(annotation, "__name__", ""), str(annotation))


def _example(model: type[BaseModel]) -> dict[str, Any]:
    """Arguments of the right shape, with placeholders for values."""
    return {name: _value(name, field) for name, field in model.model_fields.items() if field.is_required()}


def _value(name: str, field: FieldInfo) -> Any:
    inner = _models(field)
    if inner:
        return _example(inner[0])
    annotation: Any = field.annotation
    if getattr(annotation, "__origin__", None) is list:
        return [get_args(annotation.__args__[0])[0]]
    choices = get_args(annotation)
    if choices:
        return choices[0]
    return 1 if annotation is int else name
