"""The steps of a live trial, each with its time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Note(Protocol):
    """Is told what happens."""

    def __call__(self, kind: str, **data: object) -> None:
        """Note one event; `data` must be JSON."""
        ...


@contextmanager
def timed_step(note: Note, name: str, **data: object) -> Iterator[dict[str, object]]:
    """Note a step and its seconds when it ends: `step`, or `step_failed` with the error; more can be told on the way."""
    began = time.monotonic()
    told: dict[str, object] = dict(data)
    try:
        yield told
    except BaseException as error:
        note("step_failed", step=name, seconds=round(time.monotonic() - began, 3), error=str(error)[:500], **told)
        raise
    note("step", step=name, seconds=round(time.monotonic() - began, 3), **told)
