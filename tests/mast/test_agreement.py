"""Coefficients of agreement have their published values, and labels of any form come together."""

from __future__ import annotations

import importlib.util
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from itbench.cli.main import main
from itbench.mast.agreement import agreement
from itbench.mast.labels import Label, read_labels
from itbench.mast.taxonomy import load_taxonomy
from itbench.model.errors import DatasetError, UsageError
from itbench.scoring.coefficients import cohen_kappa, fleiss_kappa, krippendorff_alpha

V3 = load_taxonomy()


def value(coefficient, rows, categories=2):
    ratings = np.array(rows, dtype=np.int64)
    return float(coefficient(ratings, np.ones((1, len(ratings))), categories)[0])


def test_cohen_of_a_table_computed_by_hand():
    # 20 both present, 5 and 10 split, 15 both absent: observed 0.7, by chance 0.5
    rows = [[1, 1]] * 20 + [[1, 0]] * 5 + [[0, 1]] * 10 + [[0, 0]] * 15
    assert value(cohen_kappa, rows) == pytest.approx(0.4)


def test_fleiss_of_the_published_example():
    # ten units, fourteen raters, five categories: kappa 0.210
    counts = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    rows = [[category for category, count in enumerate(row) for _ in range(count)] for row in counts]
    assert value(fleiss_kappa, rows, 5) == pytest.approx(0.210, abs=0.0005)


def test_krippendorff_of_the_published_example_with_missing_ratings():
    # four observers, twelve units, five categories, nominal: alpha 0.743
    observers = ["1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 ."]
    rows = list(zip(*[[-1 if cell == "." else int(cell) - 1 for cell in row.split()] for row in observers], strict=True))
    assert value(krippendorff_alpha, rows, 5) == pytest.approx(0.743, abs=0.0005)


RATINGS = st.lists(st.tuples(*[st.integers(-1, 1)] * 3), min_size=1, max_size=30)


@given(RATINGS)
def test_full_agreement_is_one_and_nothing_is_above(rows):
    same = [[max(row)] * 3 for row in rows]
    for coefficient in (fleiss_kappa, krippendorff_alpha):
        assert math.isnan(value(coefficient, same)) or value(coefficient, same) == pytest.approx(1)
        assert math.isnan(value(coefficient, rows)) or value(coefficient, rows) <= 1 + 1e-9


@given(RATINGS, st.permutations(range(3)))
def test_the_order_of_raters_and_the_names_of_categories_do_not_matter(rows, order):
    turned = [[1 - row[i] if row[i] >= 0 else -1 for i in order] for row in rows]
    for coefficient in (fleiss_kappa, krippendorff_alpha):
        assert value(coefficient, turned) == pytest.approx(value(coefficient, rows), nan_ok=True)


@given(RATINGS)
def test_a_weight_of_two_is_the_unit_twice(rows):
    ratings = np.array(rows, dtype=np.int64)
    for coefficient in (fleiss_kappa, krippendorff_alpha):
        double = float(coefficient(ratings, np.full((1, len(rows)), 2.0), 2)[0])
        assert double == pytest.approx(value(coefficient, [*rows, *rows]), nan_ok=True)


def simulated(flip: float, traces: int = 120) -> list[Label]:
    """Three annotators who flip a common truth with a known probability: kappa of two is near (1 - 2 flip)²."""
    rng = np.random.default_rng(3)
    labels = []
    for trace in range(traces):
        for code in V3.codes:
            truth = rng.random() < 0.5
            for name in ("a", "b", "c"):
                seen = truth != (rng.random() < flip)
                labels.append(Label(f"t{trace}", code, "present" if seen else "absent", name))
    return labels


@pytest.mark.parametrize("flip", [0.0, 0.1, 0.3])
def test_annotators_of_known_agreement_are_measured_as_such(flip):
    found = agreement(simulated(flip), V3, np.random.default_rng(0)).modes[-1]
    expected = (1 - 2 * flip) ** 2
    assert found.alpha.value == pytest.approx(expected, abs=0.05)
    assert found.fleiss.low <= expected + 0.03
    assert found.fleiss.high >= expected - 0.03
    assert all(pair.kappa.value == pytest.approx(expected, abs=0.06) for pair in found.pairs)


def test_unknown_is_no_rating():
    labels = [Label("t", "1.3", "unknown", "a"), Label("t", "1.3", "absent", "b")]
    found = agreement(labels, V3, np.random.default_rng(0)).modes[0]
    assert (found.units, found.alpha.value, found.pairs[0].n) == (0, None, 0)
    assert found.pairs[0].table == {"unknown/absent": 1}


def test_two_verdicts_of_one_annotator_are_refused():
    labels = [Label("t", "1.3", "present", "a"), Label("t", "1.3", "absent", "a"), Label("t", "1.3", "absent", "b")]
    with pytest.raises(UsageError, match="two verdicts"):
        agreement(labels, V3, np.random.default_rng(0))


def test_labels_come_from_csv_json_and_annotations(tmp_path):
    (tmp_path / "a.csv").write_text("trace,code,verdict,annotator,remark\nt1,1.3,yes,anna,x\nt1,3.2,n/a,anna,\n")
    (tmp_path / "b.json").write_text(json.dumps({"taxonomy": "mast-v3", "labels": [
        {"trace": "t1", "code": "Step repetition", "verdict": 1, "annotator": "ben"}]}))  # fmt: skip
    rules = [{"code": "1.3", "verdict": "absent", "annotator": "rules-3", "confidence": 1, "steps": []}]
    (tmp_path / "c.json").write_text(json.dumps({"taxonomy": "mast-v3", "traces": [{"trace": "t1", "annotations": rules}]}))
    assert read_labels(tmp_path / "a.csv", V3) == (
        Label("t1", "1.3", "present", "anna"),
        Label("t1", "3.2", "not_applicable", "anna"),
    )
    assert read_labels(tmp_path / "b.json", V3) == (Label("t1", "1.3", "present", "ben"),)
    assert read_labels(tmp_path / "c.json", V3) == (Label("t1", "1.3", "absent", "rules-3"),)
    result = CliRunner().invoke(
        main, ["mast", "agree", *(str(tmp_path / name) for name in ("a.csv", "b.json", "c.json")), "--json"]
    )
    document = json.loads(result.stdout)
    assert document["annotators"] == ["anna", "ben", "rules-3"]
    assert document["modes"][0]["pairs"][0]["table"] == {"present/present": 1}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "trace,code,verdict\n", "annotator"),
        ("a.csv", "trace,code,verdict,annotator\nt,1.3,maybe,a\n", "a.csv:2.*'maybe' is no verdict"),
        ("a.csv", "trace,code,verdict,annotator\nt,4.4,yes,a\n", "a.csv:2.*no label '4.4'"),
        ("a.json", '{"taxonomy": "mast-v1", "labels": []}', "taxonomy 'mast-v1', not of 'mast-v3'"),
        ("a.json", '[\n{"trace": "t"}]', "a.json:2.*no code"),
        ("a.json", "[]", "no label in this file"),
    ],
)
def test_a_wrong_label_is_refused_with_its_place(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(DatasetError) as raised:
        read_labels(tmp_path / name, V3)
    assert re.search(said, str(raised.value))


def test_three_annotators_of_known_agreement_come_out_as_they_are(tmp_path):
    source = Path(__file__).parents[2] / "examples/three_annotators.py"
    spec = importlib.util.spec_from_file_location("three_annotators", source)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    example.write(tmp_path, traces=150)
    files = [str(tmp_path / f"{name}.csv") for name in ("anna", "ben", "chris")]
    result = CliRunner().invoke(main, ["mast", "agree", *files, "--json"])
    whole = json.loads(result.stdout)["modes"][-1]
    known = {("anna", "ben"): 0.768, ("anna", "chris"): 0.48, ("ben", "chris"): 0.4}
    assert example.expected() == pytest.approx(known)
    assert {(p["one"], p["other"]): p["kappa"]["value"] for p in whole["pairs"]} == pytest.approx(known, abs=0.05)
    for coefficient in ("alpha", "fleiss"):
        assert whole[coefficient]["value"] == pytest.approx(sum(known.values()) / 3, abs=0.04)
        assert whole[coefficient]["low"] < whole[coefficient]["value"] < whole[coefficient]["high"]


def test_precision_and_recall_are_against_what_most_of_those_say_who_know(tmp_path):
    verdicts = {  # of three people, and of the rules
        "t1": ("present", "present", "absent", "present"),
        "t2": ("present", "present", "present", "unknown"),
        "t3": ("absent", "absent", "present", "present"),
        "t4": ("absent", "absent", "absent", "absent"),
        "t5": ("present", "unknown", "absent", "present"),  # they are divided
        "t6": ("unknown", "unknown", "unknown", "present"),  # they do not know
    }
    names = ("anna", "ben", "chris", "rules")
    for place, name in enumerate(names):
        rows = "".join(f"{trace},1.3,{given[place]},{name}\n" for trace, given in verdicts.items())
        (tmp_path / f"{name}.csv").write_text(f"trace,code,verdict,annotator\n{rows}")
    files = [str(tmp_path / f"{name}.csv") for name in names]
    known = [word for name in names[:3] for word in ("--truth", name)]
    held = json.loads(CliRunner().invoke(main, ["mast", "agree", *files, *known, "--json"]).stdout)["accuracy"]
    counted = {each.pop("code"): each for each in held}
    expected = {"annotator": "rules", "hits": 1, "missed": 1, "invented": 1, "open": 1, "precision": 0.5, "recall": 0.5}
    assert counted["1.3"] == counted["all"] == expected
    assert (counted["1.1"]["precision"], counted["1.1"]["recall"]) == (None, None)
    shown = CliRunner().invoke(main, ["mast", "agree", *files, *known]).stdout
    assert "rules against anna, ben, chris" in shown
    unknown = CliRunner().invoke(main, ["mast", "agree", *files, "--truth", "dora"])
    assert (unknown.exit_code, "there is no label of 'dora'" in unknown.stderr) == (2, True)
