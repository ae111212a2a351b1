"""JSON with its long texts cut is the same JSON, in bounded memory."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itbench.datasets.trajectories import read_session
from itbench.datasets.trajectories.shorten import shortened
from itbench.scoring.strict_json import parse_json

TEXT = st.text(st.sampled_from('ab"\\\n\x00é😀{}[]:,u0'))
VALUES = st.recursive(
    st.none() | st.integers() | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=10,
)


def through(text: bytes, chunk: int, longest: int) -> bytes:
    return b"".join(shortened([text[at : at + chunk] for at in range(0, len(text), chunk)], longest))


@given(VALUES, st.booleans(), st.integers(1, 9))
def test_what_is_short_stays_as_it_is(value: Any, ascii_only: bool, chunk: int) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert through(text, chunk, 10_000) == text


@given(TEXT, TEXT, st.booleans(), st.integers(1, 9), st.integers(1, 12))
def test_what_is_cut_is_a_start_of_the_text_in_strict_json(
    text: str, other: str, ascii_only: bool, chunk: int, longest: int
) -> None:
    raw = json.dumps({"a": [text, 1], "b": other}, ensure_ascii=ascii_only).encode()
    found = parse_json(through(raw, chunk, longest).decode())
    assert isinstance(found, dict)
    assert found["a"][1] == 1
    for given_text, read in ((text, found["a"][0]), (other, found["b"])):
        start, *rest = re.split(r" … \[[\d,]+ bytes left out\]$", read)
        assert given_text.startswith(start)
        size = len(json.dumps(given_text, ensure_ascii=ascii_only).encode()) - 2
        assert bool(rest) == (size > longest)


def test_half_a_pair_of_surrogates_is_cut_too() -> None:
    assert parse_json(through(rb'["ab\ud83d\ude00"]', 4, 8).decode()) == ["ab … [12 bytes left out]"]


@given(st.binary(max_size=50), st.integers(1, 9))
def test_bytes_that_are_no_json_pass_through(raw: bytes, chunk: int) -> None:
    assert through(raw, chunk, 1000) == raw


def test_a_document_too_long_for_memory_is_read_with_its_texts_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("itbench.datasets.trajectories.read.LONGEST_LINE", 1_000)
    steps = [{"step_id": n, "source": "agent", "message": "x" * size} for n, size in ((1, 3_000_000), (2, 5))]
    document = {"schema_version": "ATIF-v1.6", "agent": {"name": "a", "version": "1"}, "steps": steps}
    (tmp_path / "t.json").write_text(json.dumps(document))
    converted = read_session(tmp_path / "t.json")
    long, short = converted.trajectory.steps
    assert (len(str(long.message)) < 1_000_100, short.message) == (True, "xxxxx")
    assert "no more than 1,000,000 are read" in converted.problems[0].message
