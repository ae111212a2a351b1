"""The errors of itbench, one tree.

    ItbenchError                 anything that a user can read and act upon
    ├── UsageError               the command line or a configuration is wrong (exit code 2)
    ├── DatasetError             a dataset, scenario or ground truth cannot be used
    │   └── GroundTruthError     a ground truth cannot be read at all
    ├── SnapshotError            an observability snapshot cannot be opened or queried
    ├── AgentError               an agent cannot be started or broke its contract
    ├── SandboxError             a sandbox cannot be set up, or does not hold
    ├── RunError                 a run folder is missing, damaged, locked or does not fit its configuration
    ├── SubmissionError          an archive cannot be built or must not be trusted
    ├── UnwritableError          a file cannot be written where the user wants it
    ├── ClusterError             an API server refused a request, or cannot be reached
    │   ├── NotFoundError        404: no such object, kind or namespace
    │   ├── AlreadyExistsError   409: an object of this name is there
    │   ├── ConflictError        409: the object changed since it was read
    │   ├── InvalidError         422, 400: the request or the object breaks a rule of the API
    │   ├── ForbiddenError       403: admission, quota or access control refuses
    │   ├── ExpiredError         410: the API server has forgotten the version that was asked for
    │   └── TooManyRequestsError 429: a disruption budget refuses an eviction
    ├── FaultError               a fault cannot be injected: its arguments, or what they name, are wrong
    │   └── UndoError            a fault could not be taken back exactly
    └── MissingExtraError        an optional dependency is not installed

A message says what was wrong, where (file, line, key) and what to do.
"""

from __future__ import annotations

import os

__all__ = [
    "AgentError",
    "AlreadyExistsError",
    "ClusterError",
    "ConflictError",
    "DatasetError",
    "ExpiredError",
    "FaultError",
    "ForbiddenError",
    "GroundTruthError",
    "InvalidError",
    "ItbenchError",
    "MissingExtraError",
    "NotFoundError",
    "RunError",
    "SandboxError",
    "SnapshotError",
    "SubmissionError",
    "TooManyRequestsError",
    "UndoError",
    "UnwritableError",
    "UsageError",
]


class ItbenchError(Exception):
    """An error with a place and a remedy.

    Args:
        message: what was wrong.
        path: the file or folder concerned.
        line: 1-based line in `path`.
        key: dotted key in `path`, such as `groups[2].filter`.
        hint: what the user can do about it.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        path: str | os.PathLike[str] | None = None,
        line: int | None = None,
        key: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = None if path is None else os.fspath(path)
        self.line = line
        self.key = key
        self.hint = hint

    def __str__(self) -> str:
        where = self.path or ""
        if where and self.line is not None:
            where += f":{self.line}"
        parts = [part for part in (where, self.key, self.message) if part]
        text = ": ".join(parts)
        # A message that ends in a list has its hint on a line of its own.
        stop = "" if text.endswith("\n") else ". "
        return f"{text}{stop}{self.hint}" if self.hint else text.rstrip("\n")


class UsageError(ItbenchError):
    """The request itself is wrong."""

    exit_code = 2


class DatasetError(ItbenchError):
    """A dataset, scenario or ground truth cannot be used."""

    exit_code = 2


class GroundTruthError(DatasetError):
    """A ground truth cannot be read at all."""


class SnapshotError(ItbenchError):
    """An observability snapshot cannot be opened or queried."""

    exit_code = 2


class AgentError(ItbenchError):
    """An agent cannot be started, or broke its contract."""


class SandboxError(ItbenchError):
    """A sandbox cannot be set up, or does not hold."""


class RunError(ItbenchError):
    """A run folder is missing, damaged, locked, or does not fit its configuration."""

    exit_code = 2


class SubmissionError(ItbenchError):
    """A submission archive cannot be built, or must not be trusted."""

    exit_code = 2


class UnwritableError(ItbenchError):
    """A file cannot be written where the user wants it."""

    exit_code = 2


class ClusterError(ItbenchError):
    """An API server refused a request, or cannot be reached. `message` is the server's own.

    Attributes:
        status: the HTTP status; 0 where no answer came.
    """

    status = 0


class NotFoundError(ClusterError):
    """There is no such object, kind or namespace."""

    status = 404


class AlreadyExistsError(ClusterError):
    """An object of this kind and name is there already."""

    status = 409


class ConflictError(ClusterError):
    """The object has changed since it was read; read it again."""

    status = 409


class InvalidError(ClusterError):
    """The request or the object breaks a rule of the API."""

    status = 422


class ForbiddenError(ClusterError):
    """Admission, quota or access control refuses the request."""

    status = 403


class ExpiredError(ClusterError):
    """The version that was asked for has been forgotten: the list must be read anew."""

    status = 410


class TooManyRequestsError(ClusterError):
    """A disruption budget refuses an eviction for now."""

    status = 429


class FaultError(ItbenchError):
    """A fault cannot be injected. `key` is relative to its arguments, such as `container.env.name`."""

    exit_code = 2


class UndoError(FaultError):
    """What a fault changed could not be set back as it was."""

    exit_code = 1


class MissingExtraError(ItbenchError):
    """An optional dependency is not installed."""

    exit_code = 2

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}, which is not installed",
            hint=f"Run: pip install 'itbench[{extra}]'",
        )
