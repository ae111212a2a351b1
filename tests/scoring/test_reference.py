"""The public evaluator's file, held against numbers computed by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from itbench.model.outcome import Outcome, Score
from itbench.scoring.reference import METRICS, evaluation_results

CONFIG = {"domain": "sre", "ground_truth_path": "gt", "outputs_path": "out", "eval_criteria": ["ROOT_CAUSE_ENTITY"], "k": 3}


def entity(f1):
    return Score(
        values={"root_cause_entity_precision": f1, "root_cause_entity_recall": f1, "root_cause_entity_f1": f1},
        evidence={"gt_entities": ["a/Pod/b"], "predicted_entities": [{"entity": "a/Pod/b", "matches_gt": True}]},
    )


@pytest.fixture
def results(make_record):
    """Incident 1 with 1, 0.5 and a bad run; incident 2 with 0; incident 3 with a bad run only."""
    localisation = "fault_localization_component_identification"
    records = [
        make_record("1", 1, scores={"root_cause_entity": entity(1.0), localisation: Score(values={localisation: 1.0})}),
        make_record("1", 2, scores={"root_cause_entity": entity(0.5), localisation: Score(values={localisation: 0.0})}),
        make_record("1", 3, outcome=Outcome.unscored("output_missing", "no agent_output.json")),
        make_record(
            "2", 1, scores={"root_cause_entity": entity(0.0), localisation: Score(note="the truth has no propagations")}
        ),
        make_record("3", 1, cause="output_invalid"),
    ]
    return evaluation_results(records, CONFIG)


def test_incident_has_the_population_error_of_its_good_runs(results):
    statistic = results["statistics"]["per_incident"]["1"]["root_cause_entity_f1"]
    assert statistic == {"mean": 0.75, "stderr": pytest.approx(np.std([1.0, 0.5]) / math.sqrt(2)), "n": 2}


def test_overall_has_the_sample_error_of_incident_means(results):
    statistic = results["statistics"]["overall"]["root_cause_entity_f1"]
    expected = np.std([0.75, 0.0], ddof=1) / math.sqrt(2)
    assert statistic == {"mean": 0.375, "stderr": pytest.approx(expected), "n_incidents": 2}


def test_pass_at_1_is_where_the_public_file_has_it(results):
    statistics = results["statistics"]
    localisation = "fault_localization_component_identification"
    assert statistics["per_incident"]["1"][localisation]["pass@1"] == 0.5
    assert statistics["overall"][localisation] == {"mean": 0.5, "stderr": None, "n_incidents": 1, "pass@1": 0.5}
    assert localisation not in statistics["per_incident"]["2"]


def test_bad_runs_are_counted_and_shown_but_not_averaged(results):
    assert results["statistics"]["overall"]["total_bad_runs"] == 2
    assert "3" not in results["statistics"]["per_incident"]
    assert [(raw["incident_id"], raw["trial_id"]) for raw in results["raw_results"]] == [
        ("1", "1"),
        ("1", "2"),
        ("1", "3"),
        ("2", "1"),
        ("3", "1"),
    ]
    bad = [raw for raw in results["raw_results"] if "error" in raw]
    assert [(raw["error"], raw["outcome"]) for raw in bad] == [
        ("no agent_output.json", "output_missing"),
        ("output_invalid", "output_invalid"),
    ]


def test_scores_carry_evidence_and_calculations(results):
    assert results["raw_results"][0]["scores"]["root_cause_entity"] == {
        "gt_entities": ["a/Pod/b"],
        "predicted_entities": [{"entity": "a/Pod/b", "matches_gt": True}],
        "calculation_precision": 1.0,
        "calculation_recall": 1.0,
        "calculation_f1": 1.0,
    }
    assert results["raw_results"][3]["scores"]["fault_localization_component_identification"] == {
        "note": "the truth has no propagations"
    }


def test_criteria_of_ours_stay_out_of_the_public_file(make_record):
    scores = {"ntam": Score(values={"ntam_fault_localization": 1.0}), "root_cause_entity_k@5": Score(values={})}
    found = evaluation_results([make_record("1", scores=scores)], CONFIG)
    assert list(found["raw_results"][0]["scores"]) == ["root_cause_entity_k@5"]
    assert found["statistics"]["overall"] == {"total_bad_runs": 0}


def test_entity_at_other_k_is_raw_only(make_record):
    k1, k = "root_cause_entity_k@1", "root_cause_entity_k"
    scores = {k1: Score(values={f"{k1}_f1": 1.0}), k: Score(values={f"{k}_f1": 0.5})}
    found = evaluation_results([make_record("1", scores=scores)], CONFIG)
    assert found["raw_results"][0]["scores"][k1] == {"calculation_f1": 1.0}
    assert set(found["statistics"]["overall"]) == {f"{k}_f1", "total_bad_runs"}


def test_file_is_json_and_keeps_the_public_order_of_metrics(results):
    parsed = json.loads(json.dumps(results, allow_nan=False))
    assert list(parsed) == ["raw_results", "statistics", "config"]
    keys = [key for key in parsed["statistics"]["overall"] if key != "total_bad_runs"]
    assert keys == [metric for metric in METRICS if metric in keys]


def test_no_records_make_a_file_without_figures():
    found = evaluation_results([], CONFIG)
    assert found["statistics"] == {"per_incident": {}, "overall": {"total_bad_runs": 0}}
