"""A person labels by keyboard; nothing that was typed is lost, and nobody else's labels are seen."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from itbench.cli.main import main
from itbench.mast.labels import read_labels
from itbench.mast.taxonomy import load_taxonomy

V3 = load_taxonomy()


@pytest.fixture
def traces(tmp_path):
    for name in ("one", "two"):
        lines = [{"role": "user", "content": "Find it."}, {"role": "assistant", "content": f"{name} \x1b[2J says\nnothing"}]
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / f"in/{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path / "in"


def typed(traces, out, keys, *more):
    arguments = [
        "mast",
        "label",
        str(traces),
        "--annotator",
        "anna",
        "--out",
        str(out),
        "--mode",
        "1.3",
        "--mode",
        "3.1",
        *more,
    ]
    return CliRunner().invoke(main, arguments, input=keys)


def verdicts(out):
    return [(label.trace, label.code, label.verdict) for label in read_labels(out, V3)]


def test_keys_become_labels_and_work_is_taken_up_where_it_was_left(traces, tmp_path):
    out = tmp_path / "anna.csv"
    assert "goes on here" in typed(traces, out, "pq").stdout
    assert verdicts(out) == [("one", "1.3", "present")]
    result = typed(traces, out, "aun")
    assert "All traces are labelled" in result.stdout
    assert verdicts(out) == [
        ("one", "1.3", "present"),
        ("one", "3.1", "absent"),
        ("two", "1.3", "unknown"),
        ("two", "3.1", "not_applicable"),
    ]
    assert "4 labels" in typed(traces, out, "").stdout


def test_back_says_it_otherwise(traces, tmp_path):
    typed(traces, tmp_path / "a.csv", "pba" + "aq")
    assert verdicts(tmp_path / "a.csv") == [("one", "1.3", "absent"), ("one", "3.1", "absent")]


def test_an_unknown_key_says_which_there_are_and_nothing_escapes(traces, tmp_path):
    shown = typed(traces, tmp_path / "a.csv", "xq").stdout
    assert "p present" in shown
    assert "\x1b" not in shown
    assert "one \\x1b[2J says" in shown


def test_a_file_with_labels_of_somebody_else_is_refused(traces, tmp_path):
    out = tmp_path / "ben.csv"
    out.write_text("trace,code,verdict,annotator\none,1.3,yes,ben\n")
    result = typed(traces, out, "p")
    assert result.exit_code == 2
    assert "'ben'" in result.stderr
    assert out.read_text().count("\n") == 2


def test_a_mode_that_is_none_is_refused(traces, tmp_path):
    assert "no mode '9.9'" in typed(traces, tmp_path / "a.csv", "", "--mode", "9.9").stderr
