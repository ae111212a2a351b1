"""Where a recording lies until it is whole: lines of JSON beside its folder, so that nothing is kept in memory.

    .NAME.recording/
      lock           held by whoever records
      about.json     what is recorded, since when, and what went wrong
      events.jsonl, objects.jsonl, logs.jsonl
      metrics/       a file for each pod and service
      folder/        what becomes NAME

`finish` turns it into the folder: also after the recorder was killed, of what it had by then.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from itbench.environments.recorder.records import event_of
from itbench.environments.recorder.secrets import Secrets
from itbench.model.errors import UsageError
from itbench.snapshot.records import Alert, Event, LogRecord, ObjectVersion, Series
from itbench.snapshot.writer import SnapshotWriter

ABOUT = "recording.json"
_STREAMS = ("events", "objects", "logs")


class Spool:
    """A recording that is being made; a context manager that holds its lock.

    Args:
        folder: what it becomes; must not be there.
        secrets: are taken out of all that is added.

    Attributes:
        found: whether an interrupted recording was there.
        about: what recording.json will say; kept by `note`.

    Raises:
        UsageError: the folder is there, or is being recorded.
    """

    def __init__(self, folder: Path, secrets: Secrets) -> None:
        if folder.exists() or folder.is_symlink():
            raise UsageError("there is something here already", path=folder, hint="Name a folder that is not there yet.")
        self._target = folder
        self._secrets = secrets
        self._place = folder.absolute().with_name(f".{folder.absolute().name}.recording")
        self.found = (self._place / "about.json").is_file()
        self._place.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = (self._place / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise UsageError("this folder is being recorded by another program", path=folder) from None
        self._folder = self._place / "folder"
        self._writer = SnapshotWriter(self._folder)
        (self._place / "metrics").mkdir(exist_ok=True)
        self._files: dict[str, IO[str]] = {}
        for name in _STREAMS:
            self._files[name] = (self._place / f"{name}.jsonl").open("a", encoding="utf-8")
        self.about: dict[str, Any] = _document(self._place / "about.json") if self.found else {}

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files. What is not finished stays where it is."""
        for file in (*self._files.values(), self._lock):
            with suppress(OSError):
                file.close()

    def discard(self) -> None:
        """Remove it: nothing has been recorded."""
        self.close()
        shutil.rmtree(self._place, ignore_errors=True)

    def note(self, **facts: Any) -> None:
        """Keep facts about the recording."""
        self.about |= facts
        temporary = self._place / ".about.json"
        temporary.write_text(json.dumps(self.about, indent=1, default=str), encoding="utf-8")
        temporary.replace(self._place / "about.json")

    def add_event(self, time: datetime, watch: str, obj: dict[str, Any]) -> None:
        """An Event object as a watch reported it."""
        kept = {key: value for key, value in obj.items() if key != "metadata"}
        kept["metadata"] = {"creationTimestamp": obj["metadata"]["creationTimestamp"]}
        self._add("events", {"time": time.isoformat(), "watch": watch, "object": kept})

    def add_object(self, version: ObjectVersion) -> None:
        """An object as it was at a time."""
        manifest = self._secrets.without(dict(version.manifest))
        self._add("objects", {"time": version.time.isoformat(), "deleted": version.deleted, "object": manifest})

    def add_log(self, record: LogRecord) -> None:
        """A line of a container."""
        self._add(
            "logs",
            {
                "time": record.time.isoformat(),
                "body": record.body,
                "service": record.service,
                "severity": record.severity,
                "severity_number": record.severity_number,
                "resource": dict(record.resource),
            },
        )

    def add_alerts(self, time: datetime, alerts: Iterable[Alert]) -> None:
        """The alerts that fired at a time; none is a sighting, too."""
        self._writer.write_alerts(alerts, [time])

    def add_series(self, series: Iterable[Series]) -> None:
        """More samples."""
        by_object: dict[tuple[str, str], list[str]] = {}
        for one in series:
            points = [(time.isoformat(), value) for time, value in one.points]
            line = self._secrets.line([one.metric, dict(one.labels), points])
            by_object.setdefault((one.object_kind, one.object_name), []).append(line)
        for (kind, name), lines in by_object.items():
            # Names of pods may be longer than names of files.
            path = self._place / "metrics" / f"{sha256(f'{kind} {name}'.encode()).hexdigest()}.jsonl"
            fresh = not path.exists()
            with path.open("a", encoding="utf-8") as file:
                if fresh:
                    file.write(json.dumps([kind, name]) + "\n")
                file.writelines(f"{line}\n" for line in lines)

    def flush(self) -> None:
        """Put all into files: who is killed now loses nothing of it."""
        for file in self._files.values():
            file.flush()

    def finish(self) -> Path:
        """Write the folder, which appears whole."""
        self.flush()
        self._writer.write_events(_event(line) for line in _lines(self._place / "events.jsonl"))
        self._writer.write_objects(_version(line) for line in _lines(self._place / "objects.jsonl"))
        if (self._place / "logs.jsonl").stat().st_size:
            self._writer.write_logs(_log(line) for line in _lines(self._place / "logs.jsonl"))
        for path in sorted((self._place / "metrics").iterdir()):
            self._writer.write_metrics(_series(path))
        (self._folder / ABOUT).write_text(json.dumps(self.about, indent=1, default=str) + "\n", encoding="utf-8")
        self._folder.chmod(0o755)
        self._folder.rename(self._target)
        self.discard()
        return self._target

    def _add(self, name: str, document: object) -> None:
        self._files[name].write(self._secrets.line(document) + "\n")


def _lines(path: Path) -> Iterator[Any]:
    """The documents of a file; a last one that is not whole is left out."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            with suppress(ValueError):
                yield json.loads(line)


def _document(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _event(line: dict[str, Any]) -> Event:
    return event_of(line["object"], line["watch"], datetime.fromisoformat(line["time"]))


def _version(line: dict[str, Any]) -> ObjectVersion:
    return ObjectVersion(datetime.fromisoformat(line["time"]), line["object"], line["deleted"])


def _log(line: dict[str, Any]) -> LogRecord:
    return LogRecord(**{**line, "time": datetime.fromisoformat(line["time"])})


def _series(path: Path) -> Iterator[Series]:
    """The series of one object, each put together from its parts."""
    lines = _lines(path)
    kind, name = next(lines, ("", ""))
    parts: dict[tuple[str, tuple[tuple[str, str], ...]], dict[str, float]] = {}
    for metric, labels, points in lines:
        parts.setdefault((metric, tuple(labels.items())), {}).update(points)
    for (metric, labels), values in sorted(parts.items()):
        found = sorted((datetime.fromisoformat(time), value) for time, value in values.items())
        yield Series(metric, kind, name, dict(labels), tuple(found))
