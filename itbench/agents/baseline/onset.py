"""When an incident began: the earliest lasting change of a service level."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from itbench.tools.calls import prepare
from itbench.tools.session import Session

_WIDTH = timedelta(minutes=1)
_EARLY, _LASTING = 3, 2
"""Minutes that are needed before anything can be called a change, and that a change must last."""
_ERRORS = 0.05
_EARLIER_THAN_ALERTS = timedelta(minutes=10)


def onset(session: Session) -> datetime:
    """The beginning of the first minute in which some call between services fails, slows down or falls silent for good.

    Alerts come later than what they tell of, by their windows; so the answer lies before the first alert, but not by more
    than ten minutes: what came earlier is another matter.
    """
    prepare(session)
    alarm = session.clock.incident
    rows = session.snapshot.query(
        """SELECT caller, callee, floor(epoch(time - ?) / 60)::INTEGER AS minute, count(*),
            sum(error::INTEGER), median(duration_ns) FROM derived.calls GROUP BY ALL""",
        [session.clock.start.astimezone(UTC).replace(tzinfo=None)],
    )
    minutes = max(int((session.clock.end - session.clock.start) / _WIDTH), 1) + 1
    edges: dict[tuple[str, str], NDArray[np.float64]] = {}
    for caller, callee, minute, count, errors, median in rows:
        table = edges.setdefault((caller, callee), np.zeros((3, minutes)))
        if 0 <= minute < minutes:
            table[:, minute] = count, errors, median
    found = [at for table in edges.values() if (at := _change(table)) is not None]
    candidates = sorted(session.clock.start + at * _WIDTH for at in found)
    for moment in candidates:
        if alarm - _EARLIER_THAN_ALERTS <= moment <= alarm:
            return moment
    return alarm


def _change(table: NDArray[np.float64]) -> int | None:
    """The first minute from which on an edge is worse than ever before, and stays so."""
    count, errors, median = table
    share = np.divide(errors, count, out=np.zeros_like(errors), where=count > 0)
    for minute in range(_EARLY, len(count) - _LASTING + 1):
        before, after = slice(0, minute), slice(minute, minute + _LASTING)
        if count[before].sum() < 2 * _EARLY:
            continue
        if count[after].sum() == 0 and count[before].mean() >= 2:
            return minute
        if count[after].min() == 0:
            continue
        if share[after].min() >= max(_ERRORS, 2 * float(np.quantile(share[before], 0.9))):
            return minute
        usual = np.median(median[before][count[before] > 0])
        spread = np.median(np.abs(median[before][count[before] > 0] - usual))
        if median[after].min() > max(2 * usual, usual + 8 * spread):
            return minute
    return None
