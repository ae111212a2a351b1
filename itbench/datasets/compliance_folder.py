"""The files of a compliance task: read whole, hashed whole, and where its solution lies."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from itbench.model.errors import DatasetError

SOLUTIONS = ("reference", "ground-truth", "ground_truth", "solution")
POLICIES = ("policy.rego", "policy.yaml")
"""What policies are written in, one of these: Rego, or a Kyverno policy."""
_MAX_FILES = 5000
_MAX_BYTES = 50_000_000


def solution_path(folder: Path) -> Path | None:
    """The policy of a task's reference solution; None if it has none."""
    places = (folder / name / policy for name in SOLUTIONS for policy in POLICIES)
    return next((path for path in places if path.is_file()), None)


def read_tree(folder: Path) -> dict[str, bytes]:
    """The regular files below a folder, by relative path. Links are not followed.

    Raises:
        DatasetError: there are too many, they are too large, or one cannot be read.
    """
    found: dict[str, bytes] = {}
    size = 0
    for path in _files(folder):
        size += path.lstat().st_size
        if len(found) >= _MAX_FILES or size > _MAX_BYTES:
            raise DatasetError(f"more than {_MAX_FILES:,} files or {_MAX_BYTES:,} bytes", path=folder)
        try:
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
        except OSError as error:
            raise DatasetError(f"cannot read this file ({error.strerror})", path=path) from error
    return found


def tree_hash(folder: Path) -> str:
    """sha256 over the names and contents of everything in a task: what its ground truth is, as a lock needs it."""
    digest = hashlib.sha256()
    for path, content in sorted(read_tree(folder).items()):
        digest.update(f"{path}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = Path(parent, name)
            if stat.S_ISREG(path.lstat().st_mode):
                yield path
