"""What was seen of a fault in one environment, and its files: so that a difference can be looked at.

NAME.jsonl is a watch in the form of `itbench twin play`, so that `itbench twin compare` reads it; NAME.json has the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from itbench.cluster.protocol import KubeObject
from itbench.datasets.files import read_bytes
from itbench.model.base import Document
from itbench.model.errors import UsageError
from itbench.twin.compare.agreement import Told
from itbench.twin.compare.service_levels import Shift
from itbench.twin.compare.watch import MAX_BYTES, watch_lines
from itbench.twin.compare.worlds import read_world
from itbench.twin.objects import name_of
from itbench.twin.telemetry.history import Observation

_LONG = ("managedFields",)
_SECRET = ("data", "stringData")


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen of a fault. Seconds count from the moment at which it was injected.

    Attributes:
        namespace: of the application.
        observations: a watch, in the order in which things happened; what was there before has negative seconds.
        seconds: how long it was watched.
        moments: when each step of the scenario began.
        shifts: of the services.
        alerts: when each first fired; None where they were not waited for.
        nodes: on which it was, as far as a twin must have the same.
        epoch: the date at which the recorded time begins; None where a twin need not begin at the same.
    """

    namespace: str
    observations: Sequence[Observation]
    seconds: float
    moments: tuple[float, ...]
    shifts: Mapping[str, Shift] = field(default_factory=dict)
    alerts: Mapping[str, float] | None = None
    nodes: Sequence[KubeObject] = ()
    epoch: datetime | None = None

    def told(self) -> Told:
        """In the form in which environments are compared."""
        return Told(read_world(self.observations, self.namespace, self.seconds), self.shifts, self.alerts)


class _Rest(Document):
    """NAME.json."""

    namespace: str
    seconds: float
    moments: tuple[float, ...]
    shifts: dict[str, Shift]
    alerts: dict[str, float] | None
    nodes: tuple[dict[str, Any], ...]
    epoch: datetime | None = None


def write_observed(observed: Observed, folder: Path, name: str) -> None:
    """Write NAME.jsonl and NAME.json; the latter last, so that there it is all there.

    Raises:
        UsageError: they cannot be written.
    """
    rest = _Rest(
        namespace=observed.namespace,
        seconds=observed.seconds,
        moments=observed.moments,
        shifts=dict(observed.shifts),
        alerts=None if observed.alerts is None else dict(observed.alerts),
        nodes=tuple(observed.nodes),
        epoch=observed.epoch,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").unlink(missing_ok=True)
        with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as file:
            veil = _Veil()
            for seen in observed.observations:
                line = {"t": round(seen.time, 3), "type": seen.type, "object": veil.over(seen.object)}
                file.write(json.dumps(line, separators=(",", ":")) + "\n")
        (folder / f"{name}.json").write_text(rest.model_dump_json(), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", path=folder) from error


def is_observed(folder: Path, name: str) -> bool:
    """Whether `write_observed` has written something, to its end."""
    return (folder / f"{name}.json").is_file()


def read_observed(folder: Path, name: str) -> Observed | None:
    """What `write_observed` wrote; None where there is nothing.

    Raises:
        UsageError: the files are not what it writes.
    """
    if not is_observed(folder, name):
        return None
    path = folder / f"{name}.json"
    try:
        rest = _Rest.model_validate_json(read_bytes(path, MAX_BYTES))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise UsageError(first["msg"], path=path, key=key, hint="Remove the file, and it is made anew.") from error
    observations = [Observation(*line) for line in watch_lines(folder / f"{name}.jsonl")]
    return Observed(
        rest.namespace, observations, rest.seconds, rest.moments, rest.shifts, rest.alerts, list(rest.nodes), rest.epoch
    )


class _Veil:
    """Objects without what is long and tells nothing, and without secrets: of these only that they changed is told."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], list[object]] = {}

    def over(self, obj: KubeObject) -> KubeObject:
        """The object as it is written."""
        dropped = _LONG if obj["kind"] != "Secret" else (*_LONG, "annotations")  # the last one applied tells it, too
        shown: KubeObject = {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key not in dropped}}
        if obj["kind"] == "Secret":
            for part in _SECRET:
                if part in shown:
                    shown[part] = {key: self._number(obj, f"{part}.{key}", value) for key, value in obj[part].items()}
        return shown

    def _number(self, obj: KubeObject, key: str, value: object) -> str:
        """`value 1`, `value 2` …, in the order in which a key had them."""
        known = self._values.setdefault((name_of(obj), key), [])
        if value not in known:
            known.append(value)
        return f"value {known.index(value) + 1}"
