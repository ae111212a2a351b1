"""Dates and amounts of a bill in SQL: what is read, what is refused, and what is said of it. Nothing is guessed.

Thousands separators are read where they can mean nothing else (`1,234.56`, `1,234,567`), and said; `1,234` may be either.
"""

from __future__ import annotations

from dataclasses import dataclass

from itbench.snapshot.sources import quoted

_TIME = r"[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|UTC|[+-]\d{2}(:?\d{2})?))?"
_ZONE = r"(Z|UTC|[+-]\d{2}(:?\d{2})?)$"
_SEPARATED = r"[+-]?\d{1,3}((,\d{3})+\.\d+|(,\d{3}){2,})"


@dataclass(frozen=True, slots=True)
class Parsed:
    """SQL expressions over one text column: its value, NULL where it cannot be read, and whether separators were removed."""

    value: str
    separated: str


def amount(text: str) -> Parsed:
    """A number; infinities and NaN are none.

    Args:
        text: an SQL expression, the column as it stands in the file.
    """
    plain = f"CASE WHEN isfinite(TRY_CAST({text} AS DOUBLE)) THEN TRY_CAST({text} AS DOUBLE) END"
    separated = f"regexp_full_match(trim({text}), {quoted(_SEPARATED)})"
    removed = f"TRY_CAST(replace({text}, ',', '') AS DOUBLE)"
    return Parsed(
        f"CASE WHEN contains({text}, ',') THEN CASE WHEN {separated} THEN {removed} END ELSE {plain} END", separated
    )


def zone(text: str) -> str:
    """The zone that a time states, '' where it states none."""
    return f"CASE WHEN length(trim({text})) > 16 THEN regexp_extract(trim({text}), {quoted(_ZONE)}, 1) ELSE '' END"


def day(text: str, *, as_utc: bool) -> str:
    """The day of a date, or of a time: as written, or in UTC.

    Args:
        text: an SQL expression.
        as_utc: times state different zones, so that days as written would not be comparable.
    """
    head, rest = f"substr(trim({text}), 1, 10)", f"substr(trim({text}), 11)"
    is_time = f"({rest} = '' OR regexp_full_match({rest}, {quoted(_TIME)}))"
    looks = f"regexp_full_match({head}, '\\d{{4}}[-/]\\d{{2}}[-/]\\d{{2}}')"
    written = f"CASE WHEN {looks} AND {is_time} THEN TRY_CAST({head} AS DATE) END"
    if not as_utc:
        return written
    offset = f"regexp_extract(trim({text}), '([+-])(\\d{{2}}):?(\\d{{2}})?$', ['sign', 'hours', 'minutes'])"
    minutes = (
        f"CASE WHEN length(trim({text})) > 16 AND ({offset}).hours <> '' THEN "
        f"(CASE ({offset}).sign WHEN '-' THEN -1 ELSE 1 END) * "
        f"(60 * ({offset}).hours::INTEGER + coalesce(TRY_CAST(({offset}).minutes AS INTEGER), 0)) ELSE 0 END"
    )
    moment = f"TRY_CAST(replace(substr(trim({text}), 1, 16), ' ', 'T') AS TIMESTAMP)"
    shifted = f"CAST({moment} - to_minutes({minutes}) AS DATE)"
    return f"CASE WHEN {written} IS NULL THEN NULL WHEN {rest} = '' THEN {written} ELSE {shifted} END"
