"""What has to be asked about a fault, one thing after the other, with the answers that an application has to offer.

args = {}
while (question := next_question(kind, args, application)) is not None:
    answer(kind, args, question.key, input(question.text), application)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args, get_origin

import yaml
from pydantic import BaseModel

from itbench.authoring.experiments import EXPERIMENTS, experiment
from itbench.cluster.protocol import KubeObject
from itbench.faults.arguments import KubernetesObject, NamespaceObject, near
from itbench.faults.chaos import BODIES, ScheduleSpec
from itbench.faults.registry import AnyFault
from itbench.model.errors import UsageError
from itbench.twin.app.application import Application
from itbench.twin.app.objects import manifests
from itbench.twin.incident.preparation import autoscalers

Path: TypeAlias = tuple[str, ...]

# Where Chaos Mesh looks for what is scheduled.
_CHAOS = "chaos-mesh"


@dataclass(frozen=True, slots=True)
class Question:
    """One argument that is missing.

    Attributes:
        key: where it stands among the arguments.
        text: what to ask.
        choices: what the application has to offer.
        closed: whether nothing but these will do.
    """

    key: Path
    text: str
    choices: tuple[str, ...] = ()
    closed: bool = False

    @property
    def dotted(self) -> str:
        """The key as `--arg` takes it."""
        return ".".join(self.key)


@dataclass(frozen=True, slots=True)
class _Leaf:
    key: Path
    annotation: Any


def next_question(kind: type[AnyFault], args: Mapping[str, Any], application: Application) -> Question | None:
    """The first argument that a fault still needs; None if it has all."""
    for leaf in _leaves(kind.model, (), args):
        if _at(args, leaf.key) is None:
            return _question(leaf, args, application)
    return None


def answer(kind: type[AnyFault], args: dict[str, Any], key: Path, text: str, application: Application) -> None:
    """Put an answer among the arguments.

    Args:
        kind: of the fault.
        args: so far; it is changed.
        key: of the argument; may be one that is never asked for.
        text: the answer, as typed.
        application: that has the objects.

    Raises:
        UsageError: the answer cannot be understood, or names what is not there.
    """
    annotation = _annotation(kind.model, key)
    if _is_object(annotation):
        value: Any = _object(annotation, text, application)
    elif _is_body(key, args):
        value = _body(str(_at(args, (key[0], "type"))), text, application)
    elif get_origin(annotation) is list and not text.startswith("["):
        value = [item.strip() for item in text.split(",")]
    elif annotation is str or annotation is None or get_origin(annotation) is Literal:
        value = text if annotation is not None else _yaml(text, key)
    else:
        value = _yaml(text, key)
    here = args
    for step in key[:-1]:
        here = here.setdefault(step, {})
        if not isinstance(here, dict):
            raise UsageError(f"{'.'.join(key)}: {step} is no mapping", hint="Give each argument once")
    here[key[-1]] = value


def objects_of(application: Application) -> list[KubeObject]:
    """The objects of an application, its autoscalers included, which a scenario may switch on."""
    scalers = [
        {**item, "metadata": {**item["metadata"], "namespace": application.namespace}} for item in autoscalers(application)
    ]
    return [*manifests(application), *scalers]


def _question(leaf: _Leaf, args: Mapping[str, Any], application: Application) -> Question:
    key = leaf.key
    if _is_object(leaf.annotation):
        names = tuple(f"{item['kind']}/{item['metadata']['name']}" for item in _candidates(leaf.annotation, application))
        if not names:
            return Question(key, f"Name of the new {_kinds(leaf.annotation)[0]}")
        return Question(key, f"Which {' or '.join(_kinds(leaf.annotation))}", names, closed=True)
    if key == ("scheduleSpec", "type"):
        return Question(key, "Which experiment", EXPERIMENTS, closed=True)
    if _is_body(key, args):
        names = tuple(name for name in application.services if name != application.load.service)
        return Question(key, "On the pods of which service (or the experiment's spec as YAML)", names)
    found = _named_object(args, application)
    text, choices, closed = _offer(key, found, args, application)
    if get_origin(leaf.annotation) is list:
        text, choices = f"Which {key[-1]}, separated by commas", get_args(get_args(leaf.annotation)[0])
    return Question(key, text, choices, closed)


def _offer(  # noqa: PLR0911  one for each argument
    key: Path, found: KubeObject | None, args: Mapping[str, Any], application: Application
) -> tuple[str, tuple[str, ...], bool]:
    """What to ask, and what there is to choose from."""
    containers = ((((found or {}).get("spec") or {}).get("template") or {}).get("spec") or {}).get("containers") or ()
    match key:
        case ("container", "name"):
            return "Which container", tuple(item["name"] for item in containers), True
        case ("container", "env", "name"):
            return "Which variable", tuple(_variables(containers, args)), True
        case ("container", "env", "value"):
            now = _variables(containers, args).get(str(_at(args, ("container", "env", "name"))))
            return f"Which value (now {now!r})", (), False
        case ("targetPort",):
            ports = ((found or {}).get("spec") or {}).get("ports") or ()
            return "Which target port", tuple(str(port["targetPort"]) for port in ports), True
        case ("flag", "name"):
            return "Which flag", tuple(application.flags.flags) if application.flags else (), True
        case ("flag", "state"):
            flags = application.flags.flags if application.flags else {}
            flag = flags.get(str(_at(args, ("flag", "name"))))
            return "Which variant", tuple(name for name in flag.variants if name != flag.default) if flag else (), True
        case _:
            return f"Value of {'.'.join(key)}", (), False


def _variables(containers: Any, args: Mapping[str, Any]) -> dict[str, str]:
    """The variables of the chosen container that have a plain value."""
    chosen: Mapping[str, Any] = next((item for item in containers if item["name"] == _at(args, ("container", "name"))), {})
    return {item["name"]: str(item["value"]) for item in chosen.get("env") or () if "value" in item}


def _named_object(args: Mapping[str, Any], application: Application) -> KubeObject | None:
    told = _at(args, ("kubernetesObject",)) or {}
    name = (told.get("metadata") or {}).get("name")
    return next(
        (item for item in objects_of(application) if (item["kind"], item["metadata"]["name"]) == (told.get("kind"), name)),
        None,
    )


def _leaves(model: type[BaseModel], prefix: Path, args: Mapping[str, Any]) -> Iterator[_Leaf]:
    """The required arguments of a model, in its order."""
    for name, field in model.model_fields.items():
        key = (*prefix, name)
        if not field.is_required():
            continue
        if (
            isinstance(field.annotation, type)
            and issubclass(field.annotation, BaseModel)
            and not _is_object(field.annotation)
        ):
            yield from _leaves(field.annotation, key, args)
        else:
            yield _Leaf(key, field.annotation)
    if issubclass(model, ScheduleSpec):
        kind = _at(args, (*prefix, "type"))
        yield _Leaf((*prefix, BODIES.get(str(kind), "networkChaos")), dict)


def _annotation(model: type[BaseModel], key: Path) -> Any:
    """The type at a key; None where the model does not say."""
    found: Any = model
    for step in key:
        options = (found, *get_args(found))
        model_here = next((item for item in options if isinstance(item, type) and issubclass(item, BaseModel)), None)
        field = model_here.model_fields.get(step) if model_here is not None else None
        if field is None:
            return None
        found = field.annotation
    return found


def _is_object(annotation: Any) -> bool:
    return bool(_object_types(annotation))


def _object_types(annotation: Any) -> list[type[BaseModel]]:
    options = (annotation, *get_args(annotation))
    return [item for item in options if isinstance(item, type) and issubclass(item, (KubernetesObject, NamespaceObject))]


def _kinds(annotation: Any) -> list[str]:
    return [kind for item in _object_types(annotation) for kind in get_args(item.model_fields["kind"].annotation)]


def _candidates(annotation: Any, application: Application) -> list[KubeObject]:
    kinds = _kinds(annotation)
    return [item for item in objects_of(application) if item["kind"] in kinds]


def _object(annotation: Any, text: str, application: Application) -> dict[str, Any]:
    """The reference to an object, written `Kind/name` or just its name."""
    if text.lstrip().startswith("{"):
        value = _yaml(text, ("kubernetesObject",))
        return value if isinstance(value, dict) else {}
    found = _candidates(annotation, application)
    kinds = _kinds(annotation)
    if not found:
        model = _object_types(annotation)[0]
        version = get_args(model.model_fields["apiVersion"].annotation)[0]
        name = text.rpartition("/")[2]
        return {"apiVersion": version, "kind": kinds[0], "metadata": {"name": name, "namespace": _CHAOS}}
    for item in found:
        if text in (f"{item['kind']}/{item['metadata']['name']}", item["metadata"]["name"]):
            metadata = {key: item["metadata"][key] for key in ("name", "namespace") if item["metadata"].get(key)}
            return {"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": metadata}
    names = [f"{item['kind']}/{item['metadata']['name']}" for item in found]
    raise UsageError(f"{application.name} has no {' or '.join(kinds)} {text!r}", hint=near(text, names, "There are"))


def _is_body(key: Path, args: Mapping[str, Any]) -> bool:
    kind = _at(args, (*key[:-1], "type"))
    return len(key) == 2 and key[0] == "scheduleSpec" and key[1] in BODIES.values() and kind is not None


def _body(kind: str, text: str, application: Application) -> dict[str, Any]:
    """The spec of an experiment: as given, or a usual one on the pods of a service."""
    if text in application.services:
        return experiment(kind, text, application)
    value = _yaml(text, ("scheduleSpec",))
    if not isinstance(value, dict):
        hint = near(text, application.services, "Services")
        raise UsageError(f"{text!r} is neither a service nor the spec of an experiment", hint=hint)
    return value


def _yaml(text: str, key: Path) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{'.'.join(key)}: {text!r} is not YAML") from error


def _at(tree: Mapping[str, Any], key: Path) -> Any:
    found: Any = tree
    for step in key:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found
