from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from itbench.snapshot.cells import Cells, quoted

texts = st.text(st.one_of(st.sampled_from("\"\t\r\n' ,\\"), st.characters(codec="utf-8")))


@given(st.lists(texts, min_size=2, max_size=4))
def test_rows_are_those_of_the_csv_module(cells: list[str]) -> None:
    stream = io.StringIO()
    # Told to end rows with CR LF, it quotes both.
    csv.writer(stream, delimiter="\t", lineterminator="\r\n").writerow(cells)
    assert "\t".join(map(quoted, cells)) + "\r\n" == stream.getvalue()


@given(st.lists(texts, min_size=1, max_size=20))
def test_what_is_remembered_is_what_was_asked_for(repeated: list[str]) -> None:
    cells = Cells()
    for text in repeated * 2:
        assert cells.text(text) == quoted(text)
        assert cells.map({"a": text}) == quoted(repr({"a": text}))


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]), min_value=datetime(2, 1, 1)))
def test_times_are_in_utc_with_nine_digits(time: datetime) -> None:
    cells = Cells()
    there = time.astimezone(UTC).replace(tzinfo=None)
    assert cells.time(time) == there.isoformat(" ", "microseconds") + "000"
    assert cells.second(time) == there.isoformat(" ", "seconds")


def test_maps_that_are_made_anew_are_not_mistaken_for_each_other() -> None:
    cells = Cells()
    assert [cells.map({"n": str(number)}) for number in range(100)] == [repr({"n": str(number)}) for number in range(100)]
