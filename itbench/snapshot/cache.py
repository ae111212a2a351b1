"""The columnar cache: one folder for each content of a snapshot, made once, whoever asks first.

A folder is built beside its final place and renamed into it when it is complete and on disk, under a lock that the kernel
drops if the builder dies. What is found is checked against its own digests, and made again if it does not hold.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from itbench.model.errors import SnapshotError
from itbench.snapshot.layout import Family, InputFile
from itbench.snapshot.records import FileReport, Problem

FORMAT = 2  # of the cache; another one never meets these folders
_SEGMENT = 16_000_000
_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """A complete cache folder: Parquet files by family, and how each input file fared."""

    parts: Mapping[Family, Sequence[Path]]
    files: tuple[FileReport, ...]
    problems: tuple[Problem, ...]


def default_folder() -> Path:
    """$XDG_CACHE_HOME/itbench/snapshots, or ~/.cache/itbench/snapshots."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "itbench" / "snapshots"


def entry(files: Sequence[InputFile], folder: Path, cache_dir: Path) -> Entry:
    """The cache entry for the content of `files`, built if there is none.

    Args:
        files: the input files of the snapshot in `folder`.
        folder: the scenario folder, for messages.
        cache_dir: the folder of all entries; made if need be.

    Raises:
        SnapshotError: an input cannot be read or changes meanwhile, or the cache cannot be written.
    """
    try:
        stamps = _stamps(files)
        key = _key(files)
    except OSError as error:
        raise SnapshotError(f"cannot be read: {error.strerror}", path=error.filename or folder) from error
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        if found := _read(cache_dir / key):
            return found
        with _locked(cache_dir / f"{key}.lock"):
            return _read(cache_dir / key) or _build(files, folder, cache_dir / key, stamps)
    except OSError as error:
        raise SnapshotError(
            f"the snapshot cache cannot be used: {error.strerror or error}",
            path=error.filename or cache_dir,
            hint="Make room or choose another place with XDG_CACHE_HOME",
        ) from error


def _key(files: Sequence[InputFile]) -> str:
    """SHA-256 over the names and contents; large files are hashed in segments, on all cores."""
    segments = [
        (file.path, start) for file in files for start in range(0, max(file.path.stat().st_size, 1), _SEGMENT)
    ]  # fmt: skip
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        digests = list(pool.map(_digest, segments))
    whole = hashlib.sha256(f"itbench snapshot {FORMAT}\n".encode())
    names = {file.path: file.name for file in files}
    for (path, start), digest in zip(segments, digests, strict=True):
        whole.update(f"{names[path]}\t{start}\t{digest}\n".encode())
    return whole.hexdigest()


def _digest(segment: tuple[Path, int]) -> str:
    path, start = segment
    with path.open("rb") as stream:
        stream.seek(start)
        return hashlib.sha256(stream.read(_SEGMENT)).hexdigest()


def _stamps(files: Sequence[InputFile]) -> list[tuple[int, int]]:
    states = [file.path.stat() for file in files]
    return [(state.st_size, state.st_mtime_ns) for state in states]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("wb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _build(files: Sequence[InputFile], folder: Path, place: Path, stamps: list[tuple[int, int]]) -> Entry:
    from itbench.snapshot.loading import load

    # We hold the lock: whatever lies at or beside the place is broken, or was left by a builder that died.
    for stale in place.parent.glob(f"{place.name}*"):
        if stale.is_dir():
            shutil.rmtree(stale)
    building = Path(tempfile.mkdtemp(prefix=f"{place.name}.", dir=place.parent))
    try:
        loaded = load(files, building)
        if _stamps(files) != stamps:
            raise SnapshotError("the files change while they are read", path=folder, hint="Wait until they are complete")
        manifest = {
            "schema_version": FORMAT,
            "parts": {
                family: {name: _whole_digest(building / name) for name in names} for family, names in loaded.parts.items()
            },
            "files": [asdict(report) for report in loaded.files],
            "problems": [asdict(problem) for problem in loaded.problems],
        }
        (building / _MANIFEST).write_text(json.dumps(manifest))
        for path in [*building.iterdir(), building]:
            _sync(path)
        building.rename(place)
        _sync(place.parent)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return _entry(place, manifest)


def _read(place: Path) -> Entry | None:
    """The entry at `place` if it is there and whole."""
    try:
        manifest = json.loads((place / _MANIFEST).read_bytes())
        for names in manifest["parts"].values():
            for name, digest in names.items():
                if _whole_digest(place / name) != digest:
                    return None
        return _entry(place, manifest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _entry(place: Path, manifest: Mapping[str, Any]) -> Entry:
    return Entry(
        parts={family: [place / name for name in names] for family, names in manifest["parts"].items()},
        files=tuple(FileReport(**report) for report in manifest["files"]),
        problems=tuple(Problem(**problem) for problem in manifest["problems"]),
    )


def _whole_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
