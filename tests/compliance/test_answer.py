from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itbench.compliance.answer import pack, pack_folder, read_files
from itbench.scoring.strict_json import JsonError

NAMES = st.text("abcxyz.-_", min_size=1, max_size=20).filter(lambda name: not name.startswith("."))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.dictionaries(NAMES, TEXTS, max_size=8))
def test_what_is_packed_is_read_again(files: dict[str, str]) -> None:
    assert dict(read_files(pack(files), 10_000_000).files) == files


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fall_over(raw: bytes) -> None:
    try:
        read_files(raw, 1000)
    except JsonError as error:
        assert error.message  # noqa: PT017 - either is fine


def test_a_folder_is_packed_without_links_folders_and_what_the_harness_put_there(tmp_path: Path) -> None:
    (tmp_path / "fetch.sh").write_text("x")
    (tmp_path / "TASK.md").write_text("task")
    (tmp_path / "sub").mkdir()
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "policy.rego").symlink_to("/etc/passwd")
    packed = json.loads(pack_folder(tmp_path))
    assert packed["files"] == {"fetch.sh": "x"}
    assert set(packed["left_out"]) == {"binary", "policy.rego"}


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/b", ".bashrc", "", "a\nb"])
def test_names_with_a_path_are_left_out_and_named(name: str) -> None:
    read = read_files(json.dumps({"files": {name: "x", "fetch.sh": "y"}}).encode(), 1000)
    assert dict(read.files) == {"fetch.sh": "y"}
    assert len(read.notes) == 1


def test_what_only_the_harness_or_a_run_makes_cannot_be_answered() -> None:
    read = read_files(pack({"fetch.sh": "true", "collected_data.json": "{}"}), 1000)
    assert dict(read.files) == {"fetch.sh": "true"}
    assert read.notes == ("collected_data.json is left out: it is made by running the answer, or by the harness",)


def test_notes_of_thousands_of_bad_names_are_few_and_short(tmp_path: Path) -> None:
    raw = json.dumps({"files": {f"../{n}": "x" for n in range(5000)}, "left_out": {"n" * 10_000: "w" * 10_000}}).encode()
    notes = read_files(raw, 10_000_000).notes
    assert len(notes) == 33
    assert notes[-1] == "and 4969 more"
    assert max(map(len, notes)) == 200
    for n in range(200):
        (tmp_path / f"{n}.bin").write_bytes(b"\xff")
    assert len(json.loads(pack_folder(tmp_path))["left_out"]) == 32
