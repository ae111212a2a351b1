"""Claims are held against answers that are scored again."""

from __future__ import annotations

import hashlib
import json
import zipfile

import pytest

from itbench.bundled import bundled
from itbench.model.errors import SubmissionError
from itbench.model.outcome import Outcome
from itbench.runner.evaluate import Evaluation, Evaluator
from itbench.runner.execute import run_pending
from itbench.runner.session import RunRequest, begin
from itbench.submission.build import build
from itbench.submission.verify import verify

RIGHT = {"entities": [{"name": "shop/Deployment/canary-7f3a", "contributing_factor": True}]}
WRONG = {"entities": [{"name": "shop/Deployment/cart", "contributing_factor": True}]}
WITHOUT_TRIAL_2 = dict.fromkeys(
    ("trials/2/1/result.json", "trials/2/1/agent_output.json", "trials/2/1/trajectory.json"), None
)
RESULT = "trials/{}/1/result.json"


@pytest.fixture
def edited(submission, forge):
    """The submission with some of its JSON documents changed, and a manifest that vouches for them."""

    def edit(**changes):
        with zipfile.ZipFile(submission) as pack:
            documents = {}
            for number, change in changes.items():
                name = RESULT.format(number.removeprefix("trial_"))
                documents[name] = json.loads(pack.read(name))
                change(documents[name])
        return forge(submission, {name: json.dumps(document).encode() for name, document in documents.items()})

    return edit


def test_honest_submission_is_equal_in_every_number(submission, dataset):
    found = verify(submission, dataset)
    assert found.ok
    assert [(trial.scenario, trial.status) for trial in found.trials] == [
        ("1", "equal"),
        ("2", "equal"),
        ("3", "unrepeatable"),
    ]
    assert found.numbers > 30
    assert found.differences == 0
    assert (found.problems, found.notices) == ((), ())


def test_raised_score_is_found_and_named(edited, dataset):
    def cheat(record):
        record["scores"]["root_cause_entity"]["values"]["root_cause_entity_f1"] = 1.0

    found = verify(edited(trial_2=cheat), dataset)
    assert not found.ok
    assert [trial.status for trial in found.trials] == ["equal", "different", "unrepeatable"]
    (difference,) = found.trials[1].differences
    assert (difference.what, difference.claimed, difference.recomputed) == ("root_cause_entity_f1", 1.0, 0.0)


def test_last_bit_counts(edited, dataset):
    def nudge(record):
        record["scores"]["root_cause_entity"]["values"]["root_cause_entity_f1"] = 1 - 2**-53

    assert not verify(edited(trial_1=nudge), dataset).ok


def test_dropped_and_invented_metrics_are_differences(edited, dataset):
    def exchange(record):
        values = record["scores"]["root_cause_entity"]["values"]
        values["resolved"] = values.pop("root_cause_entity_f1")

    (first, *_) = verify(edited(trial_1=exchange), dataset).trials
    assert {(it.what, it.claimed, it.recomputed) for it in first.differences} == {
        ("resolved", 1.0, None),
        ("root_cause_entity_f1", None, 1.0),
    }


def test_better_answer_put_in_later_is_found(submission, forge, dataset):
    tampered = forge(submission, {"trials/2/1/agent_output.json": json.dumps(RIGHT).encode()})
    with pytest.raises(SubmissionError, match=r"is not the answer that result\.json was computed from"):
        verify(tampered, dataset)


def test_failure_cannot_be_claimed_away(edited, dataset):
    def score(record):
        record["outcome"] = {"status": "scored", "cause": None, "detail": ""}
        record["scores"] = {"root_cause_entity": {"values": {"root_cause_entity_f1": 1.0}}}

    found = verify(edited(trial_3=score), dataset)
    assert found.trials[2].status == "different"
    assert found.trials[2].differences[0].recomputed == "no answer"
    assert not found.ok


def test_bad_answer_cannot_be_excused_by_the_environment(edited, dataset):
    def excuse(record):
        record["outcome"] = {"status": "unscored", "cause": "environment_error", "detail": ""}
        record["scores"] = {}

    found = verify(edited(trial_2=excuse), dataset)
    assert not found.ok
    assert found.trials[1].differences[0].model_dump() == {
        "what": "outcome",
        "claimed": "environment_error",
        "recomputed": "scored",
    }
    assert any("left out of the means" in problem for problem in found.problems)


def test_a_trial_left_out_of_the_means_leaves_the_submission_unverified(edited, dataset):
    def launder(record):
        record["outcome"] = {"status": "unscored", "cause": "environment_error", "detail": ""}
        record["scores"], record["output_sha256"] = {}, None

    # Scenario 3 ended without an answer, so there is nothing that could contradict the excuse.
    found = verify(edited(trial_3=launder), dataset)
    assert (found.ok, found.differences) == (False, 0)
    assert found.problems[0].startswith("1 of 3 trials are left out of the means")


def test_trial_cannot_be_left_out(submission, forge, dataset):
    thinner = forge(
        submission, {f"trials/2/1/{name}": None for name in ("result.json", "agent_output.json", "trajectory.json")}
    )
    with pytest.raises(SubmissionError, match="none may be left out"):
        verify(thinner, dataset)


def test_plan_cannot_be_changed_to_fit(submission, forge, dataset):
    with zipfile.ZipFile(submission) as pack:
        config = json.loads(pack.read("run.json"))
    config["scenarios"] = ["1", "3"]
    with pytest.raises(SubmissionError, match=r"run\.json is not the configuration that lock\.json locks"):
        verify(forge(submission, WITHOUT_TRIAL_2 | {"run.json": json.dumps(config).encode()}), dataset)


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("agent", "someone else", "another agent"),
        ("scenario", "77", "another agent, scenario"),
        ("trial", 2, "another agent, scenario or trial"),
        ("scenario", "2", "twice"),
        ("complexity", "low\x1b[0m", "cannot be printed"),
        ("complexity", "x" * 201, "longer than 200"),
        ("timing", {"started_at": "yesterday", "wall_seconds": 1, "agent_seconds": 1}, "when the trial started"),
        ("timing", {"started_at": "0001-01-01T00:00:00+23:00", "wall_seconds": 1, "agent_seconds": 1}, "when the trial"),
        ("timing", {"started_at": "2026-01-01", "wall_seconds": 1, "agent_seconds": float("nan")}, "agent_seconds"),
        ("scores", {"x": {"values": {"x": 1.5}}}, "not between 0 and 1"),
        ("scores", {"x": {"values": {"x": float("inf")}}}, "finite"),
        ("usage", {"cost_usd": -5}, "cost_usd"),
        ("usage", {"cost_usd": 1e300}, "cost that cannot be"),
        ("timing", {"started_at": "2026-01-01", "wall_seconds": 1, "agent_seconds": 1e308}, "time or a cost"),
        ("scores", {"x": {"values": {"time_to_resolve": 1e308}}}, "time or a cost"),
    ],
)
def test_impossible_claims_are_refused(edited, dataset, field, value, why):
    with pytest.raises(SubmissionError, match=why):
        verify(edited(trial_1=lambda record: record.update({field: value})), dataset)


def test_other_complexity_than_the_dataset_says_is_a_difference(edited, dataset):
    found = verify(edited(trial_3=lambda record: record.update(complexity="high")), dataset)
    assert found.trials[2].differences[0].what == "complexity"
    assert not found.ok


def test_other_truth_is_a_problem_even_if_the_numbers_agree(submission, dataset):
    truth = dataset / "Scenario-2" / "ground_truth.yaml"
    truth.write_text(truth.read_text() + "\n# a comment\n")
    found = verify(submission, dataset)
    assert found.differences == 0
    assert not found.ok
    assert found.problems == ("the ground truth of 2 is not the one that the run was scored with",)


def test_other_input_data_is_a_notice(submission, dataset):
    (dataset / "Scenario-1" / "alerts" / "alerts.json").write_text("[{}]")
    found = verify(submission, dataset)
    assert found.ok
    assert any("alerts.json changed" in notice for notice in found.notices)


def test_dataset_without_the_scenario_is_named(submission, dataset, tmp_path):
    (dataset / "Scenario-3").rename(tmp_path / "elsewhere")
    with pytest.raises(SubmissionError, match="no scenario '3'"):
        verify(submission, dataset)


def test_verdict_names_its_dataset(submission, dataset):
    assert verify(submission, dataset).dataset == str(dataset)


@pytest.fixture
def reconfigured(submission, forge):
    """The submission as if the run had had another configuration, lock and all."""

    def change(**fields):
        with zipfile.ZipFile(submission) as pack:
            config, lock = json.loads(pack.read("run.json")), json.loads(pack.read("lock.json"))
        raw = json.dumps(config | fields).encode()
        lock["config"] = hashlib.sha256(raw).hexdigest()
        return forge(submission, {"run.json": raw, "lock.json": json.dumps(lock).encode()})

    return change


@pytest.mark.parametrize(
    ("agents", "why"),
    [
        ([{"spec": "oracle", "label": "nightshift"}], "ground truth"),
        ([{"spec": "replay:/x", "label": "nightshift"}], "original run"),
        ([{"spec": "cmd:x", "label": "dayshift"}], "0 agents"),
        ([{"spec": "cmd:x", "label": "nightshift"}, {"spec": "oracle", "label": "nightshift"}], "2 agents"),
    ],
)
def test_agent_that_could_not_be_built_cannot_be_packed_by_hand(reconfigured, dataset, agents, why):
    with pytest.raises(SubmissionError, match=why):
        verify(reconfigured(agents=agents), dataset)


def test_policy_that_does_not_exist_is_refused(reconfigured, dataset):
    with pytest.raises(SubmissionError, match="no matching policy 'generous'"):
        verify(reconfigured(policy="generous"), dataset)


def test_notices_of_the_run_travel(reconfigured, dataset):
    notices = verify(reconfigured(notices=["2 scenarios are left out", "x" * 10_000]), dataset).notices
    assert notices[0] == "the run noted: 2 scenarios are left out"
    assert len(notices[1]) < 350


def test_notices_quote_no_more_than_a_line(submission, forge, dataset):
    with zipfile.ZipFile(submission) as pack:
        lock = json.loads(pack.read("lock.json"))
    lock["scenarios"]["1"]["x" * 10_000] = "0"
    found = verify(forge(submission, {"lock.json": json.dumps(lock).encode()}), dataset)
    assert max(map(len, found.notices)) <= 301


def test_unreadable_answer_stays_unreadable(make_run, tmp_path, card, dataset):
    build(make_run({"a": {"1": b"not JSON", "2": WRONG, "3": WRONG}}), tmp_path / "s.zip", card)
    found = verify(tmp_path / "s.zip", dataset)
    assert found.ok
    assert found.trials[0].status == "equal"


def test_weak_spots_of_the_run_are_noted(edited, dataset):
    found = verify(edited(trial_1=lambda record: record.update(isolation="none", attempt=2)), dataset)
    assert found.ok
    assert len(found.notices) == 2
    assert "more than once" in found.notices[0]
    assert "1 of 3 trials ran without a sandbox" in found.notices[1]
    assert found.unprotected == 1


@pytest.mark.parametrize(("spec", "unprotected"), [("plugin", 1), ("nop", 0)])
def test_trial_inside_of_itbench_is_unprotected_unless_it_has_one_fixed_answer(
    make_run, tmp_path, card, forge, dataset, spec, unprotected
):
    build(make_run({"a": {"1": WRONG}}, specs={"a": spec}), tmp_path / "s.zip", card)
    with zipfile.ZipFile(tmp_path / "s.zip") as pack:
        record = json.loads(pack.read(RESULT.format(1)))
    inside = json.dumps(record | {"isolation": "in-process"}).encode()
    assert verify(forge(tmp_path / "s.zip", {RESULT.format(1): inside}), dataset).unprotected == unprotected


def test_weaker_sandbox_is_noted_but_protects(edited, dataset):
    found = verify(edited(trial_1=lambda record: record.update(isolation="landlock")), dataset)
    assert found.unprotected == 0
    assert "Landlock" in found.notices[0]


def test_bill_is_scored_again_with_its_alerts(tmp_path, card):
    request = RunRequest(agents=["nop"], out=tmp_path / "run", scenarios=["addresses-add-up"])
    run_pending(begin(request))
    build(tmp_path / "run", tmp_path / "s.zip", card)
    found = verify(tmp_path / "s.zip", bundled("scenarios") / "finops")
    assert (found.ok, found.differences) == (True, 0)
    with zipfile.ZipFile(tmp_path / "s.zip") as pack:
        record = json.loads(pack.read("trials/addresses-add-up/1/result.json"))
    assert record["scores"]["times"]["values"]["time_to_detect"] > 0, "alerts decide this number"


def _repaired(record):
    record["scores"]["resolution"] = {"values": {"resolved": 1.0}}
    record["scores"]["times"] = {"values": {"time_to_resolve": 12.5}}


def test_numbers_of_a_live_system_are_the_submitters_word(reconfigured, forge, dataset):
    live = reconfigured(environment="hybrid")
    with zipfile.ZipFile(live) as pack:
        record = json.loads(pack.read(RESULT.format(1)))
    _repaired(record)
    found = verify(forge(live, {RESULT.format(1): json.dumps(record).encode()}, name="live.zip"), dataset)
    assert (found.ok, found.measured) == (True, 2)
    assert [notice for notice in found.notices if notice.startswith("2 numbers were measured on a live system")]


def test_a_recording_has_no_numbers_of_a_live_system(edited, dataset):
    found = verify(edited(trial_1=_repaired), dataset)
    assert (found.ok, found.measured) == (False, 0)
    assert {difference.what for difference in found.trials[0].differences} == {"resolved", "time_to_resolve"}


def test_no_archive_can_have_its_scripts_run_without_a_sandbox(reconfigured, dataset, monkeypatch):
    allowed = []
    evaluate = Evaluator.evaluate

    def noted(self, *arguments):
        allowed.append(self.unprotected)
        return evaluate(self, *arguments)

    monkeypatch.setattr(Evaluator, "evaluate", noted)
    verify(reconfigured(unprotected=True), dataset)
    assert allowed == [False, False]


def test_what_this_machine_cannot_judge_is_no_difference(submission, dataset, monkeypatch):
    lacking = Evaluation(Outcome.unscored("evaluator_error", "there is no sandbox here"))
    monkeypatch.setattr(Evaluator, "evaluate", lambda *_: lacking)
    with pytest.raises(SubmissionError, match="cannot be scored again here: there is no sandbox here"):
        verify(submission, dataset)
