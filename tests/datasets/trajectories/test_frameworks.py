"""Message lists of frameworks, Inspect logs and MAST-Data become trajectories whose steps name their speakers."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itbench.datasets.trajectories import read_session, read_sessions
from itbench.datasets.trajectories.json_array import array_elements
from itbench.datasets.trajectories.mast_data import split_text
from itbench.model.errors import DatasetError


def speakers(steps):
    return [step.extra["speaker"] for step in steps if step.extra and "speaker" in step.extra]


def write(path, value):
    path.write_text(json.dumps(value, indent=1))
    return path


CALL = {"name": "logs", "args": {"service": "cart"}, "id": "c1"}
LANGGRAPH = [
    {"type": "human", "content": "Find it."},
    {"type": "ai", "name": "planner", "content": "Logs first.", "tool_calls": [CALL]},
    {"type": "tool", "tool_call_id": "c1", "content": "timeout"},
    {"type": "ai", "name": "critic", "content": [{"type": "text", "text": "Good."}], "tool_calls": []},
]
DUMPED = [
    {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", kind], "kwargs": fields}
    for kind, fields in zip(["HumanMessage", "AIMessage", "ToolMessage", "AIMessage"], LANGGRAPH, strict=True)
]
AUTOGEN = [
    {"source": "user", "type": "TextMessage", "content": "Find it."},
    {"source": "planner", "type": "TextMessage", "content": "Logs first."},
    {
        "source": "planner",
        "type": "ToolCallRequestEvent",
        "content": [{"id": "c1", "name": "logs", "arguments": '{"service": "cart"}'}],
    },
    {"source": "planner", "type": "ToolCallExecutionEvent", "content": [{"call_id": "c1", "content": "timeout"}]},
    {"source": "critic", "type": "TextMessage", "content": "Good."},
]


@pytest.mark.parametrize("messages", [LANGGRAPH, DUMPED, AUTOGEN], ids=["langgraph", "langchain dump", "autogen 0.4"])
def test_message_lists_of_frameworks_keep_calls_results_and_speakers(tmp_path, messages):
    converted = read_session(write(tmp_path / "chat.json", {"messages": messages}))
    steps = converted.trajectory.steps
    assert converted.format == "messages"
    assert steps[0].source == "user"
    (call,) = [call for step in steps for call in step.tool_calls or ()]
    assert (call.function_name, call.arguments) == ("logs", {"service": "cart"})
    (result,) = [result for step in steps if step.observation for result in step.observation.results]
    assert result.content == "timeout"
    assert speakers(steps)[0] == "planner"
    assert speakers(steps)[-1] == "critic"


def test_in_autogen_0_2_the_other_agent_is_no_user(tmp_path):
    messages = [
        {"role": "user", "name": "user_proxy", "content": "Find it."},
        {"role": "assistant", "name": "planner", "content": "Look at cart."},
        {"role": "user", "name": "critic", "content": "Why cart?"},
    ]
    steps = read_session(write(tmp_path / "chat.json", messages)).trajectory.steps
    assert [step.source for step in steps] == ["user", "agent", "agent"]
    assert speakers(steps) == ["planner", "critic"]


SAMPLE = {
    "id": "s 1",
    "epoch": 2,
    "messages": [
        {"role": "user", "content": "Find it."},
        {
            "role": "assistant",
            "content": [{"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "Logs."}],
            "tool_calls": [{"id": "c", "function": "bash", "arguments": {"cmd": "ls"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "file"},
    ],
}


def test_inspect_logs_give_a_session_a_sample(tmp_path):
    plain = write(tmp_path / "log.json", {"eval": {"model": "m"}, "samples": [SAMPLE, SAMPLE | {"epoch": 3}]})
    with zipfile.ZipFile(tmp_path / "log.eval", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps({"eval": {"model": "m"}}))
        archive.writestr("samples/a.json", json.dumps(SAMPLE))
        archive.writestr("samples/b.json", "{broken")
    assert [session.name for session in read_sessions(plain)] == ["s 1-2", "s 1-3"]
    whole, broken = read_sessions(tmp_path / "log.eval")
    step = whole.converted.trajectory.steps[1]
    assert (step.reasoning_content, step.message, step.tool_calls[0].function_name) == ("Hm.", "Logs.", "bash")
    assert step.observation.results[0].content == "file"
    assert step.model_name == "m"
    assert broken.converted is None
    assert "b.json" in broken.problem


def test_an_archive_that_is_none_is_refused(tmp_path):
    (tmp_path / "x.eval").write_bytes(b"PK nothing")
    with pytest.raises(DatasetError, match="no Inspect log"):
        list(read_sessions(tmp_path / "x.eval"))


TEXT = "Solve it.\n\nPlanner (to Coder):\nWrite [x].\n\nCoder:\nDone: {}\n\n[2025-01-02 03:04:05 INFO] Planner:\nGood."


def test_mast_data_rows_have_steps_speakers_and_labels(tmp_path):
    row = {
        "mas_name": "AG2",
        "llm_name": "gpt",
        "benchmark_name": "b",
        "trace_id": 7,
        "trace": {"key": "k", "index": 0, "trajectory": TEXT},
        "mast_annotation": {"1.3": 1, "2.5": 0},
    }
    sessions = list(read_sessions(write(tmp_path / "full.json", [row, {"odd": True}, row])))
    assert [session.name for session in sessions] == ["AG2-7-1", "row-2", "AG2-7-3"]
    steps = sessions[0].converted.trajectory.steps
    assert [step.message for step in steps] == ["Solve it.", "Write [x].", "Done: {}", "Good."]
    assert speakers(steps) == ["Planner", "Coder", "Planner"]
    assert [(label.label, label.present) for label in sessions[0].labels] == [("1.3", True), ("2.5", False)]
    assert sessions[1].converted is None


def test_human_rows_of_older_rounds_say_whose_labels_they_are(tmp_path):
    rows = [
        {
            "round": name,
            "mas_name": "ChatDev",
            "trace_id": 1,
            "trace": TEXT,
            "annotations": [
                {
                    "failure mode": "1.1 Step repetition\nwords",
                    "annotator_1": True,
                    "annotator_2": False,
                    "annotator_3": True,
                }
            ],
        }
        for name in ("Round 1", "Generlazability")
    ]
    old, new = read_sessions(write(tmp_path / "human.json", rows))
    assert (old.label_set, new.label_set) == ("mast-data-rounds", None)
    assert [(label.annotator, label.present) for label in old.labels][1] == ("annotator_2", False)


def test_a_text_without_speakers_is_cut_at_paragraphs():
    assert [step.message for step in split_text("one\nmore\n\ntwo", "x").steps] == ["one\nmore", "two"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.lists(JSON, max_size=5), st.booleans(), st.integers(1, 9))
def test_array_elements_are_those_of_the_array(values, ascii_only, chunk):
    class Trickle(io.BytesIO):
        def read(self, size: int = -1) -> bytes:
            return super().read(min(size, chunk) if size > 0 else chunk)

    text = json.dumps(values, ensure_ascii=ascii_only)
    try:
        found = [json.loads(element) for element in array_elements(Trickle(text.encode("utf-8", "surrogatepass")))]
    except UnicodeDecodeError:  # half a character outside escapes is no JSON
        return
    assert found == values


@pytest.mark.parametrize("version", ["1.5", "1.6", "1.7", "1.8"])
def test_newer_atif_is_read_without_the_keys_that_nobody_knows(tmp_path, version):
    document = {
        "schema_version": f"ATIF-v{version}",
        "agent": {"name": "a", "version": "1", "novel": 1},
        "steps": [{"step_id": 1, "source": "user", "message": "hi", "fresh": True}],
    }
    converted = read_session(write(tmp_path / "t.json", document))
    assert converted.malformed == 2
    assert {problem.message for problem in converted.problems} == {
        "unknown key agent.novel, left out",
        "unknown key steps.0.fresh, left out",
    }
