from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from itbench.model.errors import UsageError
from itbench.twin.compare.traffic import compare_traffic, kind_of, read_recording


@pytest.mark.parametrize(
    ("side", "text", "kind"),
    [
        ("call:b", "ConnectionRefusedError: [Errno 111] Connection refused", "refused"),
        ("call:b", "dial tcp: lookup cart: no such host", "name resolution"),
        ("call:b", "rpc error: code = DeadlineExceeded desc = context deadline exceeded", "time-out"),
        ("call:b", "TimeoutError: timed out", "time-out"),
        ("call:b", "read ECONNRESET", "reset"),
        ("call:b", "HTTP 503", "HTTP 503"),
        ("serve", "cart: TimeoutError: timed out", "cart: time-out"),
        ("serve", "cart: HTTP 404", "cart: HTTP 404"),
        ("call:b", "what is this", "other"),
    ],
)
def test_texts_tell_a_kind_of_failure(side: str, text: str, kind: str) -> None:
    assert kind_of(text, side) == kind


def write(path: Path, under: dict[str, Any], seconds: int = 60, **sides: Any) -> Path:
    """A recording in which service `a` calls `b` ten times a second, with `under` from second 0 on."""
    before = {"n": 10, "err": {}, "p50": 10.0, "p95": 20.0}
    lines = [
        {"t": second, "s": "a", "call:b": before if second < 0 else {**before, **under}, **sides}
        for second in range(-30, seconds)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def compared(tmp_path: Path, one: dict[str, Any], other: dict[str, Any]) -> Any:
    files = [write(tmp_path / name, under) for name, under in (("one", one), ("other", other))]
    return compare_traffic(*(read_recording(path) for path in files))


REFUSED = {"err": {"Connection refused": 6}, "p50": 1.0}


def test_a_recording_agrees_with_itself(tmp_path: Path) -> None:
    found = compared(tmp_path, REFUSED, REFUSED)
    assert (found.places, found.shares, found.latency, found.times, found.rates) == (1, 1, 1, 1, 1)


def test_another_kind_of_failure_is_another_place(tmp_path: Path) -> None:
    found = compared(tmp_path, REFUSED, {"err": {"timed out": 6}, "p50": 1.0})
    assert found.places == 0
    assert {row.note for row in found.rows if row.kind} == {"only in one"}


def test_shares_may_differ_by_fifteen_hundredths(tmp_path: Path) -> None:
    assert compared(tmp_path, REFUSED, {"err": {"refused": 7}, "p50": 1.0}).shares == 1
    assert compared(tmp_path, REFUSED, {"err": {"refused": 8}, "p50": 1.0}).shares == 0


def test_rare_errors_are_chance(tmp_path: Path) -> None:
    rare = {"n": 100, "err": {"reset by peer": 1}}
    assert compared(tmp_path, rare, {"n": 100}).places == 1


def test_latency_must_move_in_the_same_direction_by_the_same_order(tmp_path: Path) -> None:
    assert compared(tmp_path, {"p50": 400.0}, {"p50": 150.0}).latency == 1
    assert compared(tmp_path, {"p50": 400.0}, {"p50": 10.0}).latency == 0
    assert compared(tmp_path, {"p50": 400.0}, {"p50": 1.0}).latency == 0
    assert compared(tmp_path, {"p50": 40.0}, {"p50": 900.0}).latency == 0


def test_failures_must_begin_and_end_together(tmp_path: Path) -> None:
    first, second = write(tmp_path / "one", REFUSED), write(tmp_path / "other", REFUSED, seconds=30)
    assert compare_traffic(read_recording(first), read_recording(second)).times == 0
    assert compare_traffic(*(read_recording(path, end=30) for path in (first, second))).times == 1


@pytest.mark.parametrize(
    "line", ["nonsense", "[]", '{"t": 1}', '{"t": "x", "s": "a"}', '{"t": 1, "s": "a", "serve": {"n": -1}}', "[" * 5000]
)
def test_a_broken_line_is_a_message_with_its_number(tmp_path: Path, line: str) -> None:
    path = write(tmp_path / "one", REFUSED)
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_recording(path)
    assert (caught.value.path, caught.value.line) == (str(path), 91)


def test_a_missing_file_is_a_message(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        read_recording(tmp_path / "none")


def test_rows_say_from_when_to_when_a_place_fails(tmp_path: Path) -> None:
    found = compared(tmp_path, REFUSED, {})
    (row,) = [row for row in found.rows if row.kind == "refused"]
    assert row.first_when == (5, 59)
    assert row.second_when is None
