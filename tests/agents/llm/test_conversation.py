"""The loop, against a real server on loopback: what it survives, and how each trial ends."""

from __future__ import annotations

import json
from email.utils import formatdate
from pathlib import Path

import atif
import pytest

from itbench.agents.llm import endpoint
from itbench.model.errors import UsageError

from .conftest import ANSWER, KEY, Fault, calls, completion, says

pytestmark = pytest.mark.integration
FINAL = says(json.dumps(ANSWER))
AGAIN = {"Retry-After": "0"}


def kinds(workspace, kind: str) -> list[dict]:
    return [event for event in workspace.events.events if event["kind"] == kind]


def test_an_investigation_ends_with_a_validated_answer_and_a_whole_trajectory(server, ask) -> None:
    live = server(calls(("alert_summary", "{}")), FINAL)
    result, _ = ask()
    assert result.failure is None
    assert json.loads(result.output) == ANSWER
    assert (result.usage.prompt_tokens, result.usage.completion_tokens, result.usage.cost_usd) == (200, 20, None)
    trajectory = result.trajectory
    assert [step.source for step in trajectory.steps] == ["system", "user", "agent", "agent"]
    called = trajectory.steps[2]
    assert called.tool_calls[0].function_name == "alert_summary"
    assert called.observation.results[0].source_call_id == called.tool_calls[0].tool_call_id
    assert called.observation.results[0].content == live.requests[1]["messages"][-1]["content"]
    assert called.metrics.prompt_tokens == 100
    assert {tool["function"]["name"] for tool in trajectory.agent.tool_definitions} >= {"alert_summary", "sql"}
    assert atif.Trajectory.model_validate_json(trajectory.model_dump_json(exclude_none=True)).schema_version == "ATIF-v1.7"


def test_the_model_never_sees_where_the_files_lie(server, ask, snapshot: Path) -> None:
    live = server(calls(("sql", json.dumps({"query": f"select '{snapshot}' as place"}))), FINAL)
    ask()
    assert "Look into snapshot." in live.requests[0]["messages"][1]["content"]
    assert str(snapshot) not in json.dumps(
        [message for message in live.requests[1]["messages"] if message["role"] != "assistant"]
    )


def test_seed_temperature_and_effort_are_sent_and_recorded(server, ask) -> None:
    live = server(FINAL)
    result, _ = ask("test-model?temperature=0.5&effort=low&reply=500", seed=11)
    sent = {name: live.requests[0][name] for name in ("seed", "temperature", "reasoning_effort", "max_completion_tokens")}
    assert sent == {"seed": 11, "temperature": 0.5, "reasoning_effort": "low", "max_completion_tokens": 500}
    assert result.trajectory.agent.extra.items() >= sent.items()


def test_what_an_endpoint_refuses_is_left_out(server, ask) -> None:
    unsupported = {"error": {"message": "Unsupported value", "param": "temperature", "type": "invalid_request_error"}}
    live = server(Fault(400, json.dumps(unsupported).encode()), calls(("alert_summary", "{}")), FINAL)
    result, workspace = ask("test-model?temperature=0")
    assert result.failure is None
    assert ["temperature" in request for request in live.requests] == [True, False, False]
    assert kinds(workspace, "model_parameter_dropped")[0]["parameter"] == "temperature"


def test_overload_errors_and_cut_replies_are_tried_again(server, ask) -> None:
    live = server(
        Fault(429, b'{"error": {"message": "slow down"}}', {"Retry-After": "1"}),
        Fault(500, b"<html>oops", AGAIN),
        Fault(200, json.dumps(FINAL).encode()[:50], cut=True),
        Fault(200, b"<html>a login page</html>"),
        Fault(503, b"", {"Retry-After": formatdate(0)}),
        Fault(429, b'{"error": {"message": "Rate limit reached. Pay at https://x/account/billing"}}', AGAIN),
        FINAL,
    )
    result, workspace = ask()
    assert result.failure is None
    assert [event["status"] for event in kinds(workspace, "model_retry")] == [429, 500, 0, 200, 503, 429]
    assert live.times[1] - live.times[0] >= 1.0


@pytest.mark.parametrize(
    ("fault", "failure", "detail"),
    [
        (Fault(401, b'{"error": {"message": "Incorrect API key"}}'), "environment_error", "answered 401: Incorrect API key"),
        (Fault(404, b'{"error": {"message": "no such model"}}'), "environment_error", "no such model"),
        (Fault(429, b'{"error": {"code": "insufficient_quota", "message": "pay"}}'), "environment_error", "429: pay"),
        (Fault(429, b"{}", {"Retry-After": "3000"}), "environment_error", "asks to wait 3000 s more"),
        (Fault(500, b"down", AGAIN), "environment_error", "after 8 attempts"),
        (Fault(400, b'{"error": {"message": "bad tools"}}'), "agent_error", "bad tools"),
    ],
)
def test_what_trying_again_cannot_mend_says_whose_fault_it_is(server, ask, fault, failure, detail) -> None:
    server(fault)
    result, _ = ask(wall_seconds=60.0)
    assert result.failure == failure
    assert detail in result.detail
    assert result.trajectory is not None


def test_a_server_that_is_not_there_is_not_the_models_fault(ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setattr(endpoint, "ATTEMPTS", 2)
    result, _ = ask()
    assert result.failure == "environment_error"
    assert "the connection failed" in result.detail


def test_malformed_arguments_become_an_observation(server, ask) -> None:
    live = server(calls(("alert_summary", "{not json"), ("alert_summary", "[1]")), calls(("no_such_tool", "{}")), FINAL)
    result, _ = ask()
    assert result.failure is None
    told = [message["content"] for message in live.requests[1]["messages"] if message["role"] == "tool"]
    assert all("not a JSON object" in text for text in told)
    assert "no tool 'no_such_tool'" in live.requests[2]["messages"][-1]["content"]
    # Servers that parse earlier calls must be able to.
    assert [call["function"]["arguments"] for call in live.requests[1]["messages"][2]["tool_calls"]] == ["{}", "{}"]
    assert result.trajectory.steps[2].tool_calls[0].extra == {"malformed_arguments": "{not json"}


def test_parallel_calls_are_answered_in_order_and_a_flood_is_refused(server, ask) -> None:
    wanted = [("alert_summary", "{}")] * 40
    live = server(calls(*wanted, ids=("same",) * 40), FINAL)
    result, _ = ask()
    answers = [message for message in live.requests[1]["messages"] if message["role"] == "tool"]
    ids = [call["id"] for call in live.requests[1]["messages"][2]["tool_calls"]]
    assert [answer["tool_call_id"] for answer in answers] == ids
    assert len(set(ids)) == 40
    assert ["at most 16" in answer["content"] for answer in answers] == [False] * 16 + [True] * 24
    assert result.failure is None


@pytest.mark.parametrize("text", ["I think it is the database.", "", None, '{"entities": [{"name": "x"}]}'])
def test_what_is_no_answer_gets_one_repair_turn(server, ask, text) -> None:
    live = server(says(text), says(f"Here it is:\n```json\n{json.dumps(ANSWER)}\n```"))
    result, _ = ask()
    assert json.loads(result.output) == ANSWER
    assert "cannot be read as the answer" in live.requests[1]["messages"][-1]["content"]


def test_after_the_repair_turn_prose_is_left_to_the_evaluator(server, ask) -> None:
    live = server(says("The database."))
    result, _ = ask()
    assert (len(live.requests), result.output, result.failure) == (2, b"The database.", None)
    assert "after one repair turn" in result.warnings[0]


def test_a_refusal_ends_as_no_answer(server, ask) -> None:
    server(says(None, refusal="I cannot help with that."))
    result, _ = ask()
    assert (result.failure, result.detail) == ("output_missing", "the model refused: I cannot help with that.")
    assert result.trajectory.steps[-1].extra == {"refusal": True}


def test_empty_answers_end_as_no_answer(server, ask) -> None:
    server(says(""))
    result, _ = ask()
    assert result.failure == "output_missing"


def test_a_huge_answer_is_not_kept(server, ask) -> None:
    huge = dict(ANSWER, entities=[{"name": "n", "contributing_factor": True, "reasoning": "r" * 2_000_000, "evidence": ""}])
    server(says(json.dumps(huge)))
    result, _ = ask(output_bytes=1_000_000)
    assert (result.failure, result.output) == ("output_invalid", None)
    assert len(result.trajectory.model_dump_json()) < 500_000


def test_a_reply_without_end_is_cut_off(server, ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "LARGEST_REPLY", 1_000_000)
    live = server(Fault(200, b'{"choices": "' + b"a" * 2_000_000))
    result, _ = ask()
    assert (result.failure, len(live.requests)) == ("agent_error", 1)
    assert "larger than" in result.detail


def test_the_last_reply_must_be_the_answer(server, ask) -> None:
    live = server(calls(("alert_summary", "{}")))
    result, _ = ask("test-model?turns=3")
    assert [request.get("tool_choice") for request in live.requests] == [None, None, "none", "none"]
    assert "used up your budget of 3 replies" in live.requests[2]["messages"][-1]["content"]
    assert (result.failure, result.detail) == ("budget_exhausted", "no answer within 3 replies")


def test_a_budget_of_tokens_is_kept(server, ask) -> None:
    live = server(calls(("alert_summary", "{}")), calls(("alert_summary", "{}")), FINAL)
    result, _ = ask("test-model?tokens=200")
    assert [request.get("tool_choice") for request in live.requests] == [None, None, "none"]
    assert result.failure is None


def test_cost_is_counted_where_the_model_has_a_price_and_its_budget_kept(server, ask) -> None:
    priced = [dict(reply, model="gpt-4o-2024-08-06") for reply in (calls(("alert_summary", "{}")), FINAL)]
    live = server(*priced)
    result, _ = ask("gpt-4o?cost=0.0003")
    # 100 prompt tokens at $2.50 and 10 completion tokens at $10 the million
    assert result.usage.cost_usd == pytest.approx(2 * 0.00035)
    assert live.requests[1]["tool_choice"] == "none"
    assert result.trajectory.final_metrics.total_cost_usd == result.usage.cost_usd


def test_time_ends_a_trial_with_its_trajectory(server, ask) -> None:
    server(Fault(200, json.dumps(FINAL).encode(), delay=2.0))
    result, _ = ask(wall_seconds=0.5)
    assert result.failure == "agent_timeout"
    assert len(result.trajectory.steps) == 2


def test_old_outputs_become_references_before_the_window_is_full(server, ask) -> None:
    query = json.dumps({"query": "select " + ", ".join(["repeat('x', 390)"] * 25)})
    live = server(*[calls(("sql", query))] * 5, FINAL)
    result, _ = ask("test-model?context=12k")
    assert result.failure is None
    last = live.requests[-1]["messages"]
    outputs = [message["content"] for message in last if message["role"] == "tool"]
    assert outputs[0].startswith("[The answer to sql(")
    assert not outputs[-1].startswith("[The answer")
    assert last[:2] == live.requests[0]["messages"]


def test_a_window_that_is_smaller_than_believed_is_learnt(server, ask) -> None:
    long = {"error": {"message": "maximum context length is 8192 tokens", "code": "context_length_exceeded"}}
    query = json.dumps({"query": "select " + ", ".join(["repeat('x', 390)"] * 12)})
    live = server(*[calls(("sql", query))] * 4, Fault(400, json.dumps(long).encode()), FINAL)
    result, workspace = ask()
    assert result.failure is None
    sizes = [len(json.dumps(request["messages"])) for request in live.requests]
    assert sizes[5] < sizes[4]
    assert kinds(workspace, "context_shrunk")


def test_the_key_is_written_nowhere_even_if_the_server_shouts_it(server, ask) -> None:
    shout = b'{"error": {"message": "you sent {authorization}"}}'
    server(Fault(500, shout, AGAIN), says("you sent {authorization}"), Fault(403, shout))
    result, workspace = ask()
    assert "you sent Bearer [key]" in result.detail
    assert KEY not in repr(result)
    assert KEY not in json.dumps(workspace.events.events)


def test_half_a_character_in_a_reply_does_no_harm(server, ask) -> None:
    body = json.dumps(says("X")).replace('"X"', '"\\ud83d"').encode()
    server(Fault(200, body), FINAL)
    result, _ = ask()
    assert result.failure is None


def test_a_reply_in_parts_and_a_call_without_id_are_read(server, ask) -> None:
    bare = completion({"content": None, "tool_calls": [{"function": {"name": "alert_summary", "arguments": {}}}]}, "stop")
    parts = completion({"content": [{"type": "text", "text": json.dumps(ANSWER)}]}, "stop")
    del bare["usage"]
    server(bare, parts)
    result, _ = ask()
    assert json.loads(result.output) == ANSWER
    assert result.usage.prompt_tokens is None  # the endpoint did not count every request


def test_a_task_without_data_is_asked_without_tools(server, ask) -> None:
    live = server(FINAL)
    ask(data=False)
    assert "tools" not in live.requests[0]
    assert "you have no tools" in live.requests[0]["messages"][0]["content"]


def test_without_key_and_address_nothing_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    from itbench.agents.llm.agent import LlmAgent

    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(UsageError, match="OPENAI_API_KEY"):
        LlmAgent.from_text("m").prepare()
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(UsageError, match="no price for the model"):
        LlmAgent.from_text("nobodys-model?cost=1").prepare()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "say which model"),
        ("?turns=3", "say which model"),
        ("m?turn=3", "option turn: there is no such option"),
        ("m?turns=0", "option turns"),
        ("m?tokens=lots", "option tokens"),
        ("m?seed=maybe", "option seed"),
    ],
)
def test_wrong_options_are_named(text: str, message: str) -> None:
    from itbench.agents.llm.settings import Settings

    with pytest.raises(UsageError, match=message):
        Settings.from_text(text)


def test_options_are_read_with_their_units() -> None:
    from itbench.agents.llm.settings import Settings

    settings = Settings.from_text("org/model:8b?tokens=1.5m&context=32k&cost=0.25")
    options = settings.options
    assert (settings.model, options.tokens, options.context, options.cost) == ("org/model:8b", 1_500_000, 32_000, 0.25)
