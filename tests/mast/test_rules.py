"""Rules find what is planted, where it is planted, and leave near-misses alone; what they cannot see is unknown."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from itbench.cli.main import main
from itbench.mast.annotate import EXPERIMENTAL, EXPERIMENTAL_EVIDENCE, annotate_trace
from itbench.mast.detectors import DETECTORS
from itbench.mast.planting import PLANTS, generate
from itbench.mast.taxonomy import load_taxonomy
from itbench.mast.trace import Trace, TraceInfo
from itbench.mast.validation import validate_rules
from itbench.model.errors import UsageError
from itbench.model.mast import Annotation
from itbench.model.trajectory import AgentInfo, Observation, ObservationResult, Step, ToolCall, Trajectory

V3 = load_taxonomy()


def annotated(trace: Trace) -> dict[str, Annotation]:
    return {each.code: each for each in annotate_trace(trace, V3).annotations}


def step(number: int, said: str = "", source: str = "agent", **extra: object) -> Step:
    return Step(step_id=number, source=source, message=said, extra=extra or None)


def call(number: int, said: str, command: str, result: str = "ok") -> Step:
    return Step(
        step_id=number,
        source="agent",
        message=said,
        tool_calls=(ToolCall(tool_call_id="c", function_name="shell", arguments={"command": ["bash", "-lc", command]}),),
        observation=Observation(results=(ObservationResult(source_call_id="c", content=result),)),
    )


def trace(*steps: Step, answer: str = "unknown", output: str | None = None, cause: str | None = None) -> Trace:
    info = TraceInfo(trace="t", source="s", format="f", agent="a", answer=answer, cause=cause)
    return Trace(info, Trajectory(agent=AgentInfo(name="a", version="1"), steps=steps), output)


@pytest.mark.parametrize("mode", PLANTS)
@pytest.mark.parametrize("seed", [3, 8])
def test_a_planted_mode_is_found_at_its_steps(mode, seed):
    planted = generate(mode, seed, near_miss=False, held_out=False)
    found = annotated(planted.trace)[mode]
    assert found.verdict == "present"
    assert set(found.steps) & set(planted.steps)


@pytest.mark.parametrize("mode", PLANTS)
@pytest.mark.parametrize("seed", [3, 8])
def test_a_near_miss_is_not_the_mode(mode, seed):
    planted = generate(mode, seed, near_miss=True, held_out=False)
    assert annotated(planted.trace)[mode].verdict != "present"


def test_every_mode_has_a_rule_and_a_plant():
    assert tuple(rule.code for rule in DETECTORS) == V3.codes == tuple(PLANTS)


def test_rules_keep_their_claims_on_held_out_wordings():
    results = validate_rules(5000, 20, held_out=True)
    assert {result.code for result in results if not result.good} <= EXPERIMENTAL | EXPERIMENTAL_EVIDENCE


def test_generated_sessions_are_equal_for_equal_seeds():
    one, two = (generate("2.3", 7, near_miss=False, held_out=True) for _ in range(2))
    assert one == two
    assert generate("2.3", 8, near_miss=False, held_out=True).trace != one.trace


def test_an_agent_alone_has_no_modes_of_several():
    found = annotated(trace(step(1, "Find it.", "user"), call(2, "Look.", "cat x"), step(3, "Done.")))
    assert {code for code, each in found.items() if each.verdict == "not_applicable"} == {"1.2", "2.4", "2.5"}


def test_a_trace_without_an_agent_is_unknown_in_all():
    for empty in (trace(), trace(step(1, "hello", "user"))):
        assert {each.verdict for each in annotated(empty).values()} == {"unknown"}


def test_experimental_rules_are_never_sure():
    found = annotated(generate("2.2", 3, near_miss=False, held_out=False).trace)
    assert found["2.2"].confidence <= 0.5


def test_repeats_after_a_change_are_in_order():
    look = "kubectl get pods"
    steps = [call(n, "", look if n % 2 else f"kubectl scale deploy/x --replicas={n}", "same") for n in range(1, 9)]
    assert annotated(trace(*steps))["1.3"].verdict == "absent"


def test_times_of_day_do_not_make_results_differ():
    steps = [call(n, "", "grep x log", f"2026-01-02T03:04:0{n}Z timeout") for n in range(1, 5)]
    found = annotated(trace(*steps))["1.3"]
    assert (found.verdict, found.steps) == ("present", (1, 2, 3, 4))


def test_a_trial_that_was_stopped_did_not_stop_early():
    steps = (call(1, "", "cat x"), step(2, "Next I will read the logs."))
    assert annotated(trace(*steps, answer="missing"))["3.1"].verdict == "present"
    assert annotated(trace(*steps, answer="missing", cause="agent_timeout"))["3.1"].verdict == "unknown"


def test_an_answer_file_of_another_name_is_understood():
    task = step(1, "Write your findings to /out/report.json.", "user")
    steps = (task, call(2, "", "cat logs"), call(3, "", "echo '{}' > /out/report.json"))
    assert annotated(trace(*steps))["3.2"].verdict == "present"
    assert annotated(trace(*steps, call(4, "", "jq . /out/report.json")))["3.2"].verdict == "absent"


@given(st.lists(st.tuples(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80)), max_size=6))
def test_any_text_gets_fourteen_verdicts_whose_steps_exist(parts):
    steps = [call(number, said, command, result) for number, (said, command, result) in enumerate(parts, start=1)]
    found = annotate_trace(trace(*steps), V3).annotations
    assert [each.code for each in found] == list(V3.codes)
    assert all(set(each.steps) <= set(range(1, len(steps) + 1)) for each in found)
    assert all(each.steps for each in found if each.verdict == "present")


def test_a_rule_for_a_mode_that_the_taxonomy_lacks_is_refused():
    other = V3.model_copy(update={"modes": V3.modes[:3], "version": "short"})
    with pytest.raises(UsageError, match="short has no mode"):
        annotate_trace(trace(step(1)), other)


def test_annotate_prints_fourteen_verdicts_a_trace(tmp_path):
    lines = [{"role": "user", "content": "Find it."}, *[{"role": "assistant", "content": "Same words " * 6}] * 3]
    (tmp_path / "chat.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = CliRunner().invoke(main, ["mast", "annotate", str(tmp_path), "--json"])
    document = json.loads(result.stdout)
    assert document["taxonomy"] == "mast-v3"
    (found,) = document["traces"]
    assert found["trace"] == "chat"
    assert [each["code"] for each in found["annotations"]] == list(V3.codes)
    repeated = found["annotations"][2]
    assert (repeated["verdict"], repeated["steps"], repeated["annotator"]) == ("present", [2, 3, 4], "rules-4")
    shown = CliRunner().invoke(main, ["mast", "annotate", str(tmp_path)]).stdout
    assert "1.3 Step repetition: present" in shown
    assert "2.2" not in shown


def test_validate_prints_a_table_and_keeps_its_claims():
    arguments = ["mast", "validate", "--development", "--seed", "0", "--traces", "10"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0
    assert "| 1.3 Step repetition | 1.00 |" in result.stdout


def test_an_answer_whose_making_is_not_shown_is_not_called_premature():
    shown = trace(step(1, "Find it.", "user"), step(2, '{"entities": []}'), answer="present", output='{"entities": []}')
    assert annotated(shown)["3.1"].verdict == "unknown"
    wrote = trace(step(1, "Find it.", "user"), call(2, "", "echo '{}' > agent_output.json"), answer="present", output="{}")
    assert annotated(wrote)["3.1"].verdict == "present"


def test_a_read_only_folder_is_no_read_only_cluster():
    steps = (step(1, "The folder /in is read-only. Repair the incident.", "user"), call(2, "", "kubectl delete pod x"))
    assert annotated(trace(*steps))["1.1"].verdict != "present"
    steps = (step(1, "The cluster is read-only.", "user"), call(2, "", "kubectl delete pod x"))
    assert annotated(trace(*steps))["1.1"].verdict == "present"


def test_who_must_be_told_to_answer_does_not_know_when_to_stop():
    asked, told = step(1, "Find it.", "user"), step(4, "Answer now.", "user", budget="50 replies")
    steps = (asked, call(2, "Look.", "cat x"), call(3, "Look.", "cat y"), told, step(5, '{"entities": []}'))
    found = annotated(trace(*steps))["1.5"]
    assert (found.verdict, found.steps) == ("present", (4,))
    assert annotated(trace(*steps[:3], step(4, '{"entities": []}')))["1.5"].verdict == "absent"


def test_words_about_the_next_step_are_no_answer():
    steps = (call(1, "", "cat x"), step(2, "Next I will read the logs."))
    assert annotated(trace(*steps, answer="present", cause="output_invalid"))["3.1"].verdict == "present"
    prose = (call(1, "", "cat x"), step(2, "It was the cart."))
    assert annotated(trace(*prose, answer="present", cause="output_invalid"))["3.1"].verdict == "unknown"


@pytest.mark.parametrize(("blamed", "verdict"), [(True, "present"), (None, "present"), (False, "unknown")])
def test_only_what_is_blamed_must_have_been_seen(blamed, verdict):
    entity = {"name": "shop/Deployment/ledger"} | ({} if blamed is None else {"contributing_factor": blamed})
    steps = (step(1, "Find it.", "user"), call(2, "", "cat x", "cart fails"), step(3, "Done."))
    seen = trace(*steps, answer="present", output=json.dumps({"entities": [entity]}))
    assert annotated(seen)["3.3"].verdict == verdict


def team(*steps: Step) -> str:
    return annotated(trace(*steps))["1.2"].verdict


@pytest.mark.parametrize(
    ("role", "verdict"),
    [
        ("Critic only reviews.", "present"),
        ("You are the Critic. You must not run anything. Commands are not yours.", "present"),
        ("Only Worker may run commands.", "present"),
        ("Critic has read-only access.", "absent"),
        ("Critic runs nothing without the approval of Worker.", "unknown"),
        ("Critic reads the logs.", "unknown"),
    ],
)
def test_the_limits_of_a_role_are_those_of_its_sentences(role, verdict):
    look = call(3, "I look.", "cat x").model_copy(update={"extra": {"speaker": "Critic"}})
    assert team(step(1, role, "user"), step(2, "Hello.", speaker="Worker"), look) == verdict


def test_who_is_answered_by_the_user_did_ask():
    doubt = step(2, "The request does not say which one. I take the cart.")
    ask, command = (step(1, "Mend it.", "user"), doubt), "kubectl delete pod -l app=cart"
    assert annotated(trace(*ask, call(3, "", command)))["2.2"].verdict == "present"
    told = step(3, "It is the cart.", "user")
    assert annotated(trace(*ask, told, call(4, "Thanks.", command)))["2.2"].verdict != "present"
