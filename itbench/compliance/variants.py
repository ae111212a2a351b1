"""The sets of resources that an answer is tried on: those of a task, and fresh ones drawn from its operators."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import yaml

from itbench.compliance.definition import Step, TaskDefinition
from itbench.compliance.edits import apply, parse_edit
from itbench.compliance.fleets import OBJECTS, TEXTS, Object
from itbench.compliance.fleets.words import APPLICATIONS, names, pick
from itbench.model.compliance import Side
from itbench.model.errors import DatasetError

PUBLISHED_SEED = 0
_HIDDEN = 1
_HIDDEN_OF_A_SIDE = 3
# A start of Ansible takes seconds, and each set needs one of its own.
_FEWER_OF_A_SIDE = {"host-ansible-opa": 1}


@dataclass(frozen=True, slots=True)
class Variant:
    """One set: files below static-resources/, by relative path."""

    name: str
    side: Side
    files: Mapping[str, bytes]
    hidden: bool = False


def published(task: TaskDefinition) -> Iterator[Variant]:
    """Each set of the definition, always the same files; the visible one first."""
    order = [task.visible, *(name for name in task.violating if name != task.visible)]
    for name in order:
        yield _make(task, "violating", name, task.violating[name], (PUBLISHED_SEED,), hidden=False)
    for name, steps in task.compliant.items():
        yield _make(task, "compliant", name, steps, (PUBLISHED_SEED,), hidden=False)


def hidden(task: TaskDefinition, seed: int) -> Iterator[Variant]:
    """Three fresh sets of each side (one where each takes long), drawn with the seed from the same operators."""
    rng = np.random.default_rng([_HIDDEN, seed, zlib.crc32(task.id.encode())])
    sides: tuple[tuple[Side, Mapping[str, tuple[Step, ...]]], ...] = (
        ("violating", task.violating),
        ("compliant", task.compliant),
    )
    count = _FEWER_OF_A_SIDE.get(task.kind, _HIDDEN_OF_A_SIDE)
    for side, sets in sides:
        for number, name in enumerate(names(rng, tuple(sets), count), 1):
            yield _make(task, side, name, sets[name], (_HIDDEN, seed, number), hidden=True)


def _make(
    task: TaskDefinition, side: Side, name: str, steps: Sequence[Step], seed: Sequence[int], *, hidden: bool
) -> Variant:
    rng = np.random.default_rng([*seed, zlib.crc32(f"{task.id}/{side}/{name}".encode())])
    try:
        make = texts if task.fleet in TEXTS else objects
        # A near miss may turn out to be what the fleet does anyhow; what should break a rule may not.
        files = make(task.fleet, steps, rng, strict=side == "violating")
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise DatasetError(f"the set {name!r} of {task.id} cannot be made: {error}", key=side) from error
    return Variant(f"hidden {name}" if hidden else name, side, files, hidden)


def texts(fleet: str, steps: Sequence[Step], rng: np.random.Generator, *, strict: bool = True) -> dict[str, bytes]:
    """A fleet of text files after the steps.

    Raises:
        ValueError: `strict`, and a step does not change anything.
    """
    files = TEXTS[fleet](rng)
    for step in steps:
        if step.file is None:
            raise ValueError("a fleet of text files is changed by steps with `file`")
        before = files.get(step.file)
        if step.delete:
            del files[step.file]
        elif step.replace is not None:
            files[step.file] = re.sub(step.replace, step.by, files[step.file], flags=re.MULTILINE)
        else:
            files[step.file] = (step.prepend or "") + files.get(step.file, "") + (step.append or "")
        if strict and files.get(step.file) == before:
            raise ValueError(f"{step.replace or 'a step'!r} changes nothing in {step.file}")
    return {path: text.encode() for path, text in files.items()}


def objects(fleet: str, steps: Sequence[Step], rng: np.random.Generator, *, strict: bool = True) -> dict[str, bytes]:
    """A fleet of Kubernetes objects after the steps, in files.

    Raises:
        ValueError: a step finds nothing to change or, if `strict`, changes nothing.
    """
    made = OBJECTS[fleet](rng)
    layout = pick(rng, ("multi", "mixed", "list"))
    for step in steps:
        if step.layout is not None:
            layout = step.layout
        elif step.add is not None:
            made.append(_filled(step.add, made))
        else:
            target = _chosen(made, step, rng)
            before = json.dumps(target)
            for edit in step.do:
                apply(parse_edit(edit), target, rng)
            if strict and json.dumps(target) == before:
                raise ValueError(f"{list(step.do)} change nothing")
    order = [made[index] for index in rng.permutation(len(made))]
    return _written(order, layout, rng)


def objects_of(files: Mapping[str, bytes]) -> Iterator[Object]:
    """The objects in a set's files, Lists taken apart."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for _, content in sorted(files.items()):
        for document in yaml.load_all(content, Loader=loader):
            if isinstance(document, dict):
                yield from document["items"] if document.get("kind") == "List" else [document]


def _chosen(made: Sequence[Object], step: Step, rng: np.random.Generator) -> Object:
    fitting = [item for item in made if item["kind"] == step.on and step.named in (None, item["metadata"]["name"])]
    # What the rules except by name is never the one that breaks them.
    fitting = [item for item in fitting if step.named or item["metadata"]["name"] not in ("cluster-admin", "kube-system")]
    if not fitting:
        raise ValueError(f"the fleet has no {step.on} {step.named or ''}")
    return pick(rng, fitting)


def _filled(template: Object, made: Sequence[Object]) -> Object:
    """A copy of an object, with $namespace as the name of the fleet's first namespace that is no system's."""
    found = [item["metadata"]["name"] for item in made if item["kind"] == "Namespace"]
    namespace = next((name for name in found if not name.startswith("kube-")), "default")
    filled: Object = json.loads(json.dumps(template).replace("$namespace", namespace))
    return filled


def _written(made: Sequence[Object], layout: str, rng: np.random.Generator) -> dict[str, bytes]:
    if layout == "list":
        return {"resources.yaml": _yaml([{"apiVersion": "v1", "kind": "List", "items": list(made)}])}
    if layout == "multi":
        return {"resources.yaml": _yaml(made)}
    if layout in ("single", "json"):
        write = _json if layout == "json" else _yaml
        return {f"{index:02}.{'json' if layout == 'json' else 'yaml'}": write([item]) for index, item in enumerate(made)}
    stems = names(rng, APPLICATIONS, 4)
    parts: dict[str, list[Object]] = {stem: [] for stem in stems}
    for index, item in enumerate(made):
        parts[stems[index % 4]].append(item)
    as_list = pick(rng, stems)
    return {
        f"{stem}.yaml": _yaml([{"apiVersion": "v1", "kind": "List", "items": part}] if stem == as_list else part)
        for stem, part in parts.items()
        if part
    }


# Ten times as fast, where it is there; both write the same.
_BASE = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


# Shared values are written out: kubectl's users do not use anchors.
_DUMPER = type("_Dumper", (_BASE,), {"ignore_aliases": lambda _self, _data: True})


def _yaml(documents: Sequence[Object]) -> bytes:
    return "---\n".join(yaml.dump(item, Dumper=_DUMPER, sort_keys=False, width=120) for item in documents).encode()


def _json(documents: Sequence[Object]) -> bytes:
    return json.dumps(documents[0], indent=1).encode()
