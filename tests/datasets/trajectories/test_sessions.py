"""Sessions of other agents become trajectories; what cannot be read is counted and located."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import atif
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itbench.datasets.trajectories import Converted, read_session
from itbench.datasets.trajectories.lines import Lines
from itbench.model.errors import DatasetError

NOW = "2026-01-02T03:04:05.000Z"


def write(path: Path, *lines: Any) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def is_atif(converted: Converted) -> bool:
    written = converted.trajectory.model_dump_json(exclude_none=True)
    return atif.Trajectory.model_validate_json(written).to_json_dict() == json.loads(written)


def codex(kind: str, **payload: Any) -> dict[str, Any]:
    return {"timestamp": NOW, "type": kind, "payload": payload}


def item(kind: str, **payload: Any) -> dict[str, Any]:
    return codex("response_item", type=kind, **payload)


def tokens(total: int, last: int) -> dict[str, Any]:
    usage = [{"input_tokens": n, "cached_input_tokens": 1, "output_tokens": 2} for n in (total, last)]
    return codex("event_msg", type="token_count", info={"total_token_usage": usage[0], "last_token_usage": usage[1]})


CODEX = [
    codex("session_meta", id="s-1", originator="codex_exec", cli_version="0.76.0", instructions="Be careful."),
    codex("turn_context", model="gpt-oss-120b"),
    item("message", role="user", content=[{"type": "input_text", "text": "Find it."}]),
    codex("event_msg", type="user_message", message="Find it."),
    item("reasoning", summary=[{"type": "summary_text", "text": "Alerts first."}], content=None),
    item("function_call", name="shell", arguments='{"command": ["ls"]}', call_id="a"),
    item("function_call", name="mcp__sre_utils__alerts", arguments="{broken", call_id="b"),
    tokens(100, 100),
    item("function_call_output", call_id="b", output=json.dumps([{"type": "text", "text": "two alerts"}])),
    item("function_call_output", call_id="a", output=json.dumps({"output": "boom", "metadata": {"exit_code": 1}})),
    tokens(100, 100),
    codex("compacted", message="So far: two alerts."),
    item("message", role="assistant", content=[{"type": "output_text", "text": "It was the database."}]),
    codex("event_msg", type="agent_message", message="It was the database."),
    tokens(250, 150),
    item("ghost_snapshot", ghost_commit={}),
]


def test_a_codex_session_keeps_its_order_calls_outputs_and_tokens(tmp_path: Path) -> None:
    converted = read_session(write(tmp_path / "session.jsonl", *CODEX))
    steps = converted.trajectory.steps
    assert (converted.format, converted.malformed) == ("codex", 0)
    assert [(step.source, step.message) for step in steps] == [
        ("system", "Be careful."),
        ("user", "Find it."),
        ("agent", ""),
        ("system", "So far: two alerts."),
        ("agent", "It was the database."),
    ]
    looked = steps[2]
    assert looked.reasoning_content == "Alerts first."
    assert [(call.tool_call_id, call.function_name) for call in looked.tool_calls] == [
        ("a", "shell"),
        ("b", "mcp__sre_utils__alerts"),
    ]
    assert looked.tool_calls[0].arguments == {"command": ["ls"]}
    assert looked.tool_calls[1].extra == {"malformed_arguments": "{broken"}
    results = {result.source_call_id: (result.content, result.extra) for result in looked.observation.results}
    assert results == {"b": ("two alerts", None), "a": ("boom", {"is_error": True})}
    assert [step.metrics.prompt_tokens for step in steps if step.metrics] == [100, 150]
    assert steps[3].extra == {"compacted": True}
    assert converted.trajectory.extra == {"compactions": 1}
    assert converted.trajectory.final_metrics.total_prompt_tokens == 250
    assert converted.trajectory.agent.model_name == "gpt-oss-120b"
    assert is_atif(converted)


def test_malformed_lines_are_counted_and_located_and_stop_nothing(tmp_path: Path) -> None:
    path = write(
        tmp_path / "s.jsonl",
        "{broken",
        *CODEX[:3],
        "[1]",
        "",
        {"type": "response_item"},
        item("function_call_output", call_id="lost", output="x"),
        '{"half": "',
    )
    with path.open("ab") as stream:
        stream.write(b"\xff\xfe\n")
    converted = read_session(path)
    assert [problem.line for problem in converted.problems] == [1, 5, 7, 8, 9, 10]
    assert converted.malformed == 6
    assert "not JSON" in converted.problems[0].message
    assert "call that is not in the file: 'lost'" in converted.problems[3].message
    assert [step.message for step in converted.trajectory.steps] == ["Be careful.", "Find it."]


def test_a_line_too_long_for_memory_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("itbench.datasets.trajectories.lines.LONGEST_LINE", 1000)
    lines = Lines(write(tmp_path / "s.jsonl", {"a": 1}, {"b": ["x"] * 5000}, {"c": 3}))
    assert [number for number, _ in lines] == [1, 3]
    assert (lines.malformed, lines.problems[0].line) == (1, 2)


def test_a_giant_step_costs_its_middle_and_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("lines", "read"):
        monkeypatch.setattr(f"itbench.datasets.trajectories.{module}.LONGEST_LINE", 2_000_000)
    call = item("function_call", name="shell", arguments='{"command": ["cat"]}', call_id="a")
    giant = item("function_call_output", call_id="a", output="é\n" * 8_000_000)
    path = write(tmp_path / "s.jsonl", *CODEX[:3], call, giant, CODEX[-4])
    assert path.stat().st_size > 60_000_000
    tracemalloc.start()
    converted = read_session(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30_000_000  # a few copies of what is kept, however long the step is
    assert converted.malformed == 0
    assert converted.problems[0].line == 5
    assert "no more than 1,000,000 are read" in converted.problems[0].message
    call, last = converted.trajectory.steps[2:]
    result = call.observation.results[0].content
    assert result.startswith("é\né\n")
    assert result.endswith("bytes left out]")
    assert last.message == "It was the database."


def claude(kind: str, content: Any, **more: Any) -> dict[str, Any]:
    message = {"role": kind, "content": content} | more.pop("message", {})
    return {"type": kind, "sessionId": "s-2", "version": "2.1.0", "timestamp": NOW, "message": message, **more}


CLAUDE = [
    {"type": "file-history-snapshot", "messageId": "x"},
    claude("user", "Find it."),
    claude("assistant", [{"type": "thinking", "thinking": "Hm."}], message={"id": "m1", "model": "claude-x"}),
    claude("assistant", [{"type": "text", "text": "I look."}], message={"id": "m1", "usage": {"input_tokens": 5}}),
    claude(
        "assistant",
        [{"type": "tool_use", "id": "t1", "name": "mcp__itbench__alerts", "input": {"limit": 3}}],
        message={"id": "m1", "usage": {"input_tokens": 5, "cache_read_input_tokens": 90, "output_tokens": 7}},
    ),
    claude(
        "user",
        [{"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "none"}], "is_error": True}],
    ),
    claude("user", "This session is continued.", isCompactSummary=True),
    claude(
        "assistant",
        [{"type": "text", "text": "Done."}],
        message={"id": "m2", "usage": {"input_tokens": 9, "output_tokens": 1}},
    ),
]


def test_a_claude_session_joins_the_lines_of_a_reply_and_counts_it_once(tmp_path: Path) -> None:
    converted = read_session(write(tmp_path / "s.jsonl", *CLAUDE))
    steps = converted.trajectory.steps
    assert (converted.format, converted.malformed, converted.trajectory.session_id) == ("claude", 0, "s-2")
    assert [(step.source, step.message) for step in steps] == [
        ("user", "Find it."),
        ("agent", "I look."),
        ("user", "This session is continued."),
        ("agent", "Done."),
    ]
    assert steps[1].reasoning_content == "Hm."
    assert steps[1].tool_calls[0].arguments == {"limit": 3}
    assert (steps[1].observation.results[0].content, steps[1].observation.results[0].extra) == ("none", {"is_error": True})
    assert steps[2].extra == {"compacted": True}
    totals = converted.trajectory.final_metrics
    assert (totals.total_prompt_tokens, totals.total_completion_tokens, totals.total_cached_tokens) == (104, 8, 90)
    assert is_atif(converted)


def test_what_claude_prints_tells_tools_and_cost(tmp_path: Path) -> None:
    init = {
        "type": "system",
        "subtype": "init",
        "session_id": "s",
        "model": "claude-x",
        "tools": ["Bash", "mcp__itbench__alerts"],
    }
    result = {"type": "result", "total_cost_usd": 0.25, "usage": {"input_tokens": 10, "output_tokens": 3}}
    converted = read_session(write(tmp_path / "s.jsonl", init, CLAUDE[1], *CLAUDE[2:6], result))
    totals = converted.trajectory.final_metrics
    assert (totals.total_cost_usd, totals.total_prompt_tokens) == (0.25, 10)
    assert [tool["function"]["name"] for tool in converted.trajectory.agent.tool_definitions] == [
        "Bash",
        "mcp__itbench__alerts",
    ]
    assert is_atif(converted)


def gemini_messages() -> list[dict[str, Any]]:
    response = {"functionResponse": {"id": "g1", "name": "alerts", "response": {"output": "two alerts"}}}
    call = {"id": "g1", "name": "alerts", "args": {"limit": 2}, "result": [response], "status": "success"}
    return [
        {"id": "1", "type": "user", "timestamp": NOW, "content": [{"text": "Find it."}]},
        {
            "id": "2",
            "type": "gemini",
            "timestamp": NOW,
            "content": "I look.",
            "model": "gemini-x",
            "thoughts": [{"subject": "Plan", "description": "alerts"}],
            "tokens": {"input": 50, "output": 5, "cached": 10, "thoughts": 3, "tool": 0, "total": 58},
            "toolCalls": [call],
        },
    ]


@pytest.mark.parametrize("form", ["document", "lines"])
def test_a_gemini_session_is_read_in_both_its_forms(tmp_path: Path, form: str) -> None:
    header = {"sessionId": "s-3", "projectHash": "h", "startTime": NOW}
    user, reply = gemini_messages()
    path = tmp_path / "session"
    if form == "document":
        path.write_text(json.dumps(header | {"messages": [user, reply]}, indent=1))
    else:
        first = {**reply, "toolCalls": []}
        write(path, header, user, first, {"$set": {"summary": "x"}}, {**user, "id": "9"}, {"$rewindTo": "9"}, reply)
    converted = read_session(path)
    steps = converted.trajectory.steps
    assert (converted.format, converted.malformed, converted.trajectory.session_id) == ("gemini", 0, "s-3")
    assert [(step.source, step.message) for step in steps] == [("user", "Find it."), ("agent", "I look.")]
    assert steps[1].reasoning_content == "Plan: alerts"
    assert steps[1].observation.results[0].content == "two alerts"
    metrics = steps[1].metrics
    assert (metrics.prompt_tokens, metrics.completion_tokens, metrics.cached_tokens) == (50, 8, 10)
    assert is_atif(converted)


CHAT = [
    {"role": "system", "content": "Be careful."},
    {"role": "user", "content": [{"type": "text", "text": "Find it."}, {"type": "image_url", "image_url": {}}]},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "alerts", "arguments": '{"limit": 1}'}}],
    },
    {"role": "tool", "tool_call_id": "c", "content": "one"},
    {"role": "assistant", "content": "Done."},
]


@pytest.mark.parametrize("form", ["list", "object", "lines", "exchanges"])
def test_a_chat_log_is_read_in_all_its_forms(tmp_path: Path, form: str) -> None:
    path = tmp_path / "chat"
    usage = {"prompt_tokens": 10, "completion_tokens": 2}
    if form == "list":
        path.write_text(json.dumps(CHAT))
    elif form == "object":
        path.write_text(json.dumps({"model": "m", "messages": CHAT}, indent=2))
    elif form == "lines":
        write(path, *CHAT)
    else:
        exchanges = [
            {
                "request": {"model": "m", "messages": CHAT[:n]},
                "response": {"choices": [{"message": CHAT[n]}], "usage": usage},
            }
            for n in (2, 4)
        ]
        write(path, *exchanges)
    converted = read_session(path)
    steps = converted.trajectory.steps
    assert (converted.format, converted.malformed) == ("openai", 0)
    assert [(step.source, step.message) for step in steps] == [
        ("system", "Be careful."),
        ("user", "Find it.\n[image_url]"),
        ("agent", ""),
        ("agent", "Done."),
    ]
    assert steps[2].observation.results[0].content == "one"
    if form == "exchanges":
        assert converted.trajectory.final_metrics.total_prompt_tokens == 20
    assert is_atif(converted)


def test_atif_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "trajectory.json"
    path.write_text(json.dumps({"schema_version": "ATIF-v1.5", "agent": {"name": "a", "version": "1"}, "steps": []}))
    assert read_session(path).format == "atif"
    path.write_text(json.dumps({"schema_version": "ATIF-v1.5", "steps": []}))
    with pytest.raises(DatasetError, match="agent: not ATIF: Field required"):
        read_session(path)


@pytest.mark.parametrize("text", ["", "hello", "{}", "[]", '{"a": 1}\n{"b": 2}\n'])
def test_what_is_no_session_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x"
    path.write_text(text)
    with pytest.raises(DatasetError, match="no session that itbench knows"):
        read_session(path)
    with pytest.raises(DatasetError, match="cannot be read"):
        read_session(tmp_path / "missing")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "type",
    "payload",
    "message",
    "content",
    "role",
    "call_id",
    "id",
    "arguments",
    "usage",
    "info",
    "text",
    "output",
    "tool_calls",
]


@given(
    st.sampled_from(["codex", "claude", "gemini", "openai"]),
    st.lists(
        st.dictionaries(
            st.sampled_from(KEYS),
            JSON
            | st.sampled_from(
                ["response_item", "message", "assistant", "user", "function_call", "tool_use", "gemini", "result"]
            )
            | st.dictionaries(
                st.sampled_from(KEYS), JSON | st.sampled_from(["message", "assistant", "function_call"]), max_size=5
            ),
            max_size=6,
        ),
        max_size=6,
    ),
)
def test_no_json_makes_a_reader_fail(tmp_path_factory: pytest.TempPathFactory, kind: Any, lines: list[Any]) -> None:
    path = write(tmp_path_factory.mktemp("s") / "s.jsonl", *lines)
    try:
        converted = read_session(path, kind)
    except DatasetError:
        return
    assert is_atif(converted)
