"""What services log, reduced to patterns: the first line of each record with its numbers and ids masked.

Masking is done by the database, over all records, once. Those patterns are few; drain3, where it is installed (the extra
`logs`), merges what still differs in single words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from itbench.snapshot.filters import Filter, naive_utc, page
from itbench.tools.session import Session

MASK = "<*>"
_FIRST_LINE = 300  # characters that a pattern is made of
_MOST = 3000  # patterns that are looked at, the most frequent ones; a log without patterns has as many as lines
# UUIDs, ISO times, numbers with points or colons (addresses, times, versions), long hexadecimal ids.
_VARIABLE = (
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|0x[0-9a-fA-F]+"
    r"|\b\d{4}-\d\d-\d\d[T ][0-9:.,]+Z?|\b[0-9a-f]*\d[0-9a-f]{7,}\b|\d+(?:[.:]\d+)*"
)
_MAKE = (
    "CREATE SCHEMA IF NOT EXISTS derived",
    f"""CREATE TABLE IF NOT EXISTS derived.log_bodies AS SELECT id, any_value(pattern) AS pattern FROM (
        SELECT hash(pattern) AS id, pattern FROM (
            SELECT DISTINCT regexp_replace(left(split_part(body, chr(10), 1), {_FIRST_LINE}), '{_VARIABLE}', '{MASK}', 'g')
                AS pattern FROM stored.logs)) GROUP BY id""",
    f"""CREATE TABLE IF NOT EXISTS derived.log_lines AS SELECT time, row, service, severity, severity_number,
        hash(regexp_replace(left(split_part(body, chr(10), 1), {_FIRST_LINE}), '{_VARIABLE}', '{MASK}', 'g')) AS id
        FROM stored.logs""",
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Lines of one service and severity that are alike, before and after a pivot; `row` is an example."""

    service: str
    severity: str
    text: str
    before: int
    after: int
    first: datetime
    last: datetime
    row: int

    @property
    def is_new(self) -> bool:
        """Whether it was not there before the pivot."""
        return not self.before


def patterns(session: Session, found: Filter, pivot: datetime, similarity: float) -> tuple[list[Pattern], int, bool]:
    """Patterns of the records that fit, how many records there are, and whether drain3 merged them.

    `found` may speak of time, service, severity and severity_number.
    """
    session.once("log lines", lambda: [session.snapshot.query(statement) for statement in _MAKE])
    middle = naive_utc(pivot)
    rows = session.snapshot.query(
        f"""SELECT service, severity, pattern, early, late, first, last, row FROM (
            SELECT service, severity, id, count(*) FILTER (time < ?) AS early, count(*) FILTER (time >= ?) AS late,
                min(time) AS first, max(time) AS last, min(row) AS row
            FROM derived.log_lines {found} GROUP BY service, severity, id) JOIN derived.log_bodies USING (id)
        ORDER BY early + late DESC, service, severity, pattern {page(_MOST)}""",
        [middle, middle, *found.values],
    )
    every = [
        Pattern(service, severity, text, early, late, session.utc(first), session.utc(last), row)
        for service, severity, text, early, late, first, last, row in rows
    ]
    total = session.snapshot.query(f"SELECT count(*) FROM derived.log_lines {found}", found.values)[0][0]
    merged = _merge(every, similarity)
    return (every if merged is None else merged), total, merged is not None


def _merge(every: Sequence[Pattern], similarity: float) -> list[Pattern] | None:
    """Patterns that are alike as one, or None where drain3 is not installed."""
    try:
        from drain3 import TemplateMiner
        from drain3.template_miner_config import TemplateMinerConfig
    except ImportError:
        return None
    found: dict[tuple[str, str, int], Pattern] = {}
    templates: dict[tuple[str, str, int], str] = {}
    miners: dict[tuple[str, str], TemplateMiner] = {}
    for one in every:
        key = one.service, one.severity
        if key not in miners:
            config = TemplateMinerConfig()
            config.drain_sim_th, config.drain_max_clusters, config.profiling_enabled = similarity, 1000, False
            miners[key] = TemplateMiner(config=config)
        cluster = int(miners[key].add_log_message(one.text)["cluster_id"])
        known = found.get((*key, cluster))
        found[*key, cluster] = one if known is None else _joined(known, one)
    for key, miner in miners.items():
        for each in miner.drain.clusters:
            templates[*key, each.cluster_id] = each.get_template()
    merged = [replace(one, text=templates.get(key, one.text)) for key, one in found.items()]
    return sorted(merged, key=lambda one: (-(one.before + one.after), one.service, one.severity, one.text))


def _joined(one: Pattern, other: Pattern) -> Pattern:
    return replace(
        one,
        before=one.before + other.before,
        after=one.after + other.after,
        first=min(one.first, other.first),
        last=max(one.last, other.last),
        row=min(one.row, other.row),
    )


def examples(session: Session, rows: Iterable[int]) -> Mapping[int, str]:
    """The bodies of records by their rows."""
    numbers = ", ".join(str(int(row)) for row in rows) or "NULL"
    return dict(session.snapshot.query(f"SELECT row, body FROM stored.logs WHERE row IN ({numbers})"))
