"""Arguments of faults and waiters: the shapes that many share, and how they are read.

Names are those of the public library, so that its scenario files load as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from itbench.cluster.reference import ObjectRef
from itbench.model.base import Model
from itbench.model.errors import FaultError
from itbench.model.guess import guess

Key: TypeAlias = tuple[str | int, ...]
Unknown: TypeAlias = Literal["refuse", "ignore"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class Arguments(Model):
    """What a fault or a waiter is told; numbers are numbers and texts are texts, nothing is converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Placed(Arguments):
    """Name and namespace."""

    name: Name
    namespace: Name


class Unplaced(Arguments):
    """The name of an object that lies in no namespace."""

    name: Name


class KubernetesObject(Arguments):
    """An object in a namespace."""

    metadata: Placed

    @property
    def ref(self) -> ObjectRef:
        """The reference to it; subclasses have the fields `kind` and `apiVersion`."""
        told: dict[str, Any] = dict(self)
        return ObjectRef(told["kind"], self.metadata.name, self.metadata.namespace, told["apiVersion"])


class Workload(KubernetesObject):
    """A Deployment or a StatefulSet."""

    apiVersion: Literal["apps/v1"]  # noqa: N815  the API's own word
    kind: Literal["Deployment", "StatefulSet"]


class NamespaceObject(Arguments):
    """A Namespace."""

    apiVersion: Literal["v1"]  # noqa: N815
    kind: Literal["Namespace"]
    metadata: Unplaced

    @property
    def ref(self) -> ObjectRef:
        """The reference to it."""
        return ObjectRef("Namespace", self.metadata.name, None, "v1")


class ServiceObject(KubernetesObject):
    """A Service."""

    apiVersion: Literal["v1"]  # noqa: N815
    kind: Literal["Service"]


class Container(Arguments):
    """A container of a workload."""

    name: Name


class WorkloadArguments(Arguments):
    """A workload."""

    kubernetesObject: Workload  # noqa: N815


class ContainerArguments(WorkloadArguments):
    """A workload and one of its containers."""

    container: Container


class PerhapsContainerArguments(WorkloadArguments):
    """A workload and one of its containers, which need not be told where there is only one."""

    container: Container | None = None


class ServiceArguments(Arguments):
    """A Service."""

    kubernetesObject: ServiceObject  # noqa: N815


class NamespaceArguments(Arguments):
    """A Namespace."""

    kubernetesObject: NamespaceObject  # noqa: N815


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one argument.

    Attributes:
        key: where it stands among the arguments, such as ("container", "env", "name").
        message: what is wrong.
        hint: what to write instead.
    """

    key: Key
    message: str
    hint: str | None = None

    @property
    def dotted(self) -> str:
        """The key as people write it."""
        return ".".join(map(str, self.key))


class ArgumentsError(FaultError):
    """Arguments that do not fit.

    Attributes:
        problems: all of them, so that whoever knows the file can give each its line.
    """

    def __init__(self, subject: str, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        first = problems[0]
        more = f" (and {len(problems) - 1} more: {', '.join(p.dotted for p in problems[1:])})" if problems[1:] else ""
        super().__init__(f"{subject}: {first.message}{more}", key=first.dotted, hint=first.hint)


A = TypeVar("A", bound=Arguments)


def read_arguments(model: type[A], subject: str, raw: object, unknown: Unknown = "refuse") -> tuple[A, tuple[str, ...]]:
    """Arguments as `model` has them.

    Args:
        model: what is wanted.
        subject: the id of the fault or waiter, for messages.
        raw: as read from a file.
        unknown: whether arguments that the model does not know are an error, or are left out and told.

    Returns:
        The arguments, and the keys that were left out.

    Raises:
        ArgumentsError: they do not fit.
    """
    ignored: list[str] = []
    try:
        return model.model_validate(raw), ()
    except ValidationError as error:
        if unknown == "refuse":
            raise _refusal(model, subject, error) from None
        extra = [_without_tags(model, found["loc"]) for found in error.errors() if found["type"] == "extra_forbidden"]
        ignored += [".".join(map(str, key)) for key in extra]
        kept = raw
        for key in extra:
            kept = _without(kept, key)
    try:
        return model.model_validate(kept), tuple(ignored)
    except ValidationError as error:
        raise _refusal(model, subject, error) from None


def near(word: str, known: Iterable[str], what: str = "Known") -> str:
    """A hint: what was probably meant, and what there is."""
    names = sorted(known)
    holding = [name for name in names if word and word in name]
    meant = guess(word, names) or (f"Did you mean {holding[0]!r}? " if len(holding) == 1 else "")
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return f"{meant}{what}: {shown}." if names else f"{what}: none."


def _without(tree: Any, key: Key) -> Any:
    """A copy of a tree without one key."""
    if isinstance(tree, Mapping):
        if len(key) == 1:
            return {name: value for name, value in tree.items() if name != key[0]}
        return {name: _without(value, key[1:]) if name == key[0] else value for name, value in tree.items()}
    if isinstance(tree, list) and isinstance(key[0], int):
        return [_without(value, key[1:]) if index == key[0] else value for index, value in enumerate(tree)]
    return tree


def _refusal(model: type[BaseModel], subject: str, error: ValidationError) -> ArgumentsError:
    return ArgumentsError(
        subject, tuple(_problem(model, found["loc"], found["type"], found["msg"]) for found in error.errors())
    )


def _problem(model: type[BaseModel], place: Key, kind: str, message: str) -> Problem:
    key = _without_tags(model, place)
    if kind == "extra_forbidden":
        return Problem(key, f"there is no argument {key[-1]!r}", near(str(key[-1]), _fields_at(model, key[:-1])))
    if kind == "missing":
        return Problem(key, f"the argument {key[-1]!r} is missing")
    return Problem(key, message[:1].lower() + message[1:])


def _fields_at(model: type[BaseModel], key: Key) -> list[str]:
    """The fields that a model has at a key."""
    models = [model]
    for step in key:
        models = [inner for outer in models for inner in _inner(outer, step)]
    return list(dict.fromkeys(name for found in models for name in found.model_fields))


def _without_tags(model: type[BaseModel], place: Key) -> Key:
    """A key without the tags by which pydantic tells the members of a union apart."""
    models, key = [model], []
    for step in place:
        if len(models) > 1 and not any(step in found.model_fields for found in models):
            continue
        key.append(step)
        models = [inner for outer in models for inner in _inner(outer, step)]
    return tuple(key)


def _inner(model: type[BaseModel], step: str | int) -> list[type[BaseModel]]:
    """The models that a field of a model may have."""
    field = model.model_fields.get(str(step))
    options = () if field is None else (field.annotation, *get_args(field.annotation))
    return [item for item in options if isinstance(item, type) and issubclass(item, BaseModel)]
