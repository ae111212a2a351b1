from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from itbench.authoring.check import check_scenario
from itbench.authoring.verdict import TITLES, ScenarioReport
from itbench.cli.scenario_check import check

from .conftest import Write, document, lost_selector, no_limits, scaled_to_zero, target


@pytest.fixture(scope="module")
def good(write: Write) -> ScenarioReport:
    return check_scenario(write(lost_selector()), seeds=2)


def test_a_sound_scenario_holds_every_check(good: ScenarioReport) -> None:
    assert good.passed, good.failures
    assert [check.name for check in good.checks] == list(TITLES)
    assert good.seeds == (0, 1)


def test_what_repairs_and_what_does_not_is_told_with_times(good: ScenarioReport) -> None:
    trials = [row.trial for row in good.repairs]
    assert trials[0] == "nothing"
    assert trials.count("fix") == 1
    assert trials.count("sham") >= 2
    for row in good.repairs:
        assert row.resolved == (row.trial == "fix")
        assert (row.restored_after is not None) == row.resolved
    (fix,) = [row for row in good.repairs if row.trial == "fix"]
    assert fix.restored_after is not None
    assert fix.cleared_after is not None
    assert 0 <= fix.restored_after <= fix.cleared_after <= 300


def test_a_scenario_of_two_faults_is_solvable_and_each_needs_its_fix(write: Write) -> None:
    only_one = {"verb": "patch", "object": "service/details", "patch": {"spec": {"selector": {"app": "details"}}}}
    path = write(lost_selector(), lost_selector("ratings"), fixes=[{"text": "Mend details.", "changes": [only_one]}])
    report = check_scenario(path, seeds=1)
    assert [check.name for check in report.failures] == ["repair"]
    fixes = {row.text: row.resolved for row in report.repairs if row.trial == "fix"}
    assert fixes.pop("Mend details.") is False
    assert list(fixes.values()) == [True]
    assert "reviews-v2" in next(row.evidence for row in report.repairs if row.text == "Mend details.")


def test_a_fault_that_does_nothing_is_found(write: Write) -> None:
    report = check_scenario(write(no_limits("details-v1")), seeds=1)
    failed = {check.name: check.evidence for check in report.failures}
    assert "no alert fires within 900 s" in failed["manifests"]
    assert failed["repair"].startswith("heals by itself: wait")


def test_a_fix_that_fixes_nothing_is_told_with_its_place(write: Write) -> None:
    restart = {"verb": "rollout-restart", "object": "deployment/ratings-v1"}
    path = write(lost_selector(), fixes=[{"text": "Restart the ratings.", "changes": [restart]}])
    report = check_scenario(path, seeds=1)
    (failed,) = report.failures
    assert failed.name == "repair"
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if "Restart the ratings" in text)
    assert failed.evidence.startswith(f"does not repair: Restart the ratings.: {path}:{line}: fixes[0]")
    assert "calls that productpage-v1 makes fail" in failed.evidence


def test_a_fix_of_an_object_that_is_not_there_is_told_with_its_place(write: Write) -> None:
    restart = {"verb": "rollout-restart", "object": "deployment/nobody"}
    path = write(lost_selector(), fixes=[{"text": "Restart.", "changes": [restart]}])
    (failed,) = check_scenario(path, seeds=1).failures
    assert "fixes[0].changes[0].object" in failed.evidence
    assert 'deployments.apps "nobody" not found' in failed.evidence


def test_a_root_that_alerts_most_makes_a_scenario_trivial(write: Write) -> None:
    path = write(scaled_to_zero("reviews-v3"), expected_alerts=[{"name": "NoRequestsReceived"}])
    (failed,) = check_scenario(path, seeds=1).failures
    assert failed.name == "scores"
    assert "naming the most alerting entity, book-info/Service/reviews-v3, scores 1.00" in failed.evidence
    assert failed.numbers["loudest"] == 1.0
    assert failed.remedy


def test_a_name_that_stands_in_the_files_gives_the_scenario_away(write: Write) -> None:
    (failed,) = check_scenario(write(lost_selector(), id="ratings-v1"), seeds=1).failures
    assert failed.name == "leaks"
    assert failed.evidence.endswith("the scenario's id")


_CASES: list[tuple[dict[str, Any], str, str]] = [
    (document({"id": "no-such-fault"}), "disruptions[0].faults[0].id", "no fault 'no-such-fault'"),
    (document({**lost_selector(), "args": {**target("Service", "details", "v1"), "colour": 1}}), "args.colour", "colour"),
    (document(lost_selector("nobody")), "disruptions[0].faults[0]", "nobody"),
    (document(lost_selector(), disruptions=[{"at": "20m", "faults": [lost_selector()]}]), "disruptions[0].at", "beyond"),
    (document(lost_selector(), disruptions=[]), "disruptions", "no root cause"),
    (document(scaled_to_zero("details-v1"), scaled_to_zero("details-v1")), "disruptions[0].faults[1]", "no replicas"),
    (document(lost_selector(), lost_selector()), "disruptions[0].faults[1]", "two faults change one field"),
    (document(lost_selector(), fixes=[{"text": "x", "changes": [{"verb": "scale"}]}]), "fixes[0].changes[0]", "object"),
    (
        document(lost_selector(), fixes=[{"text": "x", "changes": [{"at": 5, "verb": "scale", "object": "deployment/a"}]}]),
        "fixes[0].changes[0].at",
        "at once",
    ),
]


@pytest.mark.parametrize(("body", "key", "words"), _CASES, ids=[case[1] + " " + case[2] for case in _CASES])
def test_bad_input_is_one_message_with_file_line_and_key(write: Write, body: dict[str, Any], key: str, words: str) -> None:
    path = write()
    path.write_text(yaml.safe_dump(body, sort_keys=False))
    report = check_scenario(path)
    (failed,) = report.checks
    assert failed.name == "plan"
    assert not report.passed
    assert failed.evidence.startswith(f"{path}:")
    assert key in failed.evidence
    assert words in failed.evidence


def test_an_alert_that_does_not_fire_is_found(write: Write) -> None:
    path = write(lost_selector(), expected_alerts=[{"name": "KubePodCrashLooping"}])
    failed = {check.name: check for check in check_scenario(path, seeds=1).failures}
    assert failed["manifests"].numbers["missing"] == ["KubePodCrashLooping"]
    assert "what fires: " in failed["manifests"].evidence


def test_the_command_prints_tables_and_says_by_its_exit_code_whether_all_holds(write: Write) -> None:
    fine = CliRunner().invoke(check, [str(write(lost_selector())), "--seeds", "1", "--jobs", "1"])
    assert fine.exit_code == 0, fine.output
    assert "All 9 checks hold." in fine.output
    bad = CliRunner().invoke(check, [str(write(lost_selector("nobody"))), "--json"])
    assert bad.exit_code == 1
    report = ScenarioReport.model_validate(json.loads(bad.stdout))
    assert not report.passed
    assert CliRunner().invoke(check, []).exit_code == 2
