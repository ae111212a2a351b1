"""Record and replay: the same answers with no server and no key."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from itbench.agents.llm.agent import LlmAgent
from itbench.agents.llm.channel import Reply
from itbench.agents.llm.chat import Call, Completion, Message, Request, Tokens
from itbench.agents.llm.settings import Options
from itbench.agents.llm.spending import Spending
from itbench.agents.llm.tape import Tape, fingerprint

from .conftest import ANSWER, KEY, Fault, calls, says

pytestmark = pytest.mark.integration
FINAL = says(json.dumps(ANSWER))


@pytest.fixture
def replayed(ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Record one trial of an agent, then replay it without server and key."""

    def both(server, *script, spec: str = "test-model", **limits):
        live = server(*script)
        agent = LlmAgent.from_text(spec)
        first, _ = ask(agent=agent.with_tape(Tape(tmp_path / "tape", "record")), **limits)
        live.shutdown()
        live.server_close()
        monkeypatch.delenv("OPENAI_API_KEY")
        monkeypatch.delenv("OPENAI_BASE_URL")
        second, _ = ask(agent=agent.with_tape(Tape(tmp_path / "tape", "replay")), **limits)
        return first, second

    return both


@pytest.mark.parametrize(
    ("script", "failure"),
    [
        ((calls(("alert_summary", "{}"), ids=("random-1",)), says("hm"), FINAL), None),
        ((Fault(500, b"", {"Retry-After": "0"}), calls(("alert_summary", "{")), FINAL), None),
        ((says("prose"),), None),
        ((says(None, refusal="no"),), "output_missing"),
        ((calls(("alert_summary", "{}")), Fault(403, b"no")), "environment_error"),
        ((calls(("alert_summary", "{}")),), "budget_exhausted"),
    ],
)
def test_a_replay_ends_as_the_recorded_trial(server, replayed, script, failure) -> None:
    first, second = replayed(server, *script, spec="test-model?turns=5")
    assert first.failure == failure
    assert (second.output, second.failure, second.detail) == (first.output, first.failure, first.detail)
    assert [step.message for step in second.trajectory.steps] == [step.message for step in first.trajectory.steps]
    assert second.usage == first.usage


def test_a_replay_ends_in_time_where_the_recorded_trial_did(server, replayed) -> None:
    slow = Fault(200, json.dumps(FINAL).encode(), delay=8.0)
    first, second = replayed(server, calls(("alert_summary", "{}")), slow, wall_seconds=5.0)
    assert (first.failure, second.failure) == ("agent_timeout", "agent_timeout")


def test_the_tape_decides_what_the_clock_decided() -> None:
    """A replay takes no time; it must still ask for the answer where the recorded run was short of time."""
    spending = Spending(Options(), seconds=100.0)
    reply = Reply(Completion("", tokens=Tokens()), None, 81.0, request("a"))
    assert spending.nearly_spent == ""
    spending.add(reply, 0)
    assert spending.nearly_spent == "100 seconds"


def test_the_tape_holds_no_key(server, ask, tmp_path: Path) -> None:
    server(says("you sent {authorization}"), Fault(403, b"you sent {authorization}"))
    ask(agent=LlmAgent.from_text("m").with_tape(Tape(tmp_path / "tape", "record")))
    texts = [path.read_text() for path in (tmp_path / "tape").iterdir()]
    assert len(texts) == 2
    assert all("[key]" in text and KEY not in text for text in texts)


def test_another_question_is_not_on_the_tape(server, replayed, ask, tmp_path: Path) -> None:
    replayed(server, FINAL)
    result, _ = ask(agent=LlmAgent.from_text("test-model").with_tape(Tape(tmp_path / "tape", "replay")), seed=8)
    assert result.failure == "environment_error"
    assert "the tape has no reply to request 1 of this trial" in result.detail


def test_a_damaged_recording_is_named(server, replayed, ask, tmp_path: Path) -> None:
    replayed(server, FINAL)
    (path,) = (tmp_path / "tape").iterdir()
    path.write_text("{")
    result, _ = ask(agent=LlmAgent.from_text("test-model").with_tape(Tape(tmp_path / "tape", "replay")))
    assert result.failure == "environment_error"
    assert str(path) in result.detail


def request(call_id: str, text: str = "x") -> Request:
    call = Call(call_id, "alerts", "{}", {})
    return Request("m", (Message("user", text), Message("assistant", None, (call,)), Message("tool", "1", call_id=call_id)))


def test_ids_of_calls_count_by_their_order_only() -> None:
    assert fingerprint(request("a"), 1) == fingerprint(request("b"), 1)


def test_every_part_of_a_question_counts() -> None:
    base = request("a")
    others = [
        request("a", "y"),
        replace(base, model="n"),
        replace(base, tools=({"type": "function"},)),
        replace(base, parameters={"seed": 1}),
    ]
    assert len({fingerprint(each, 1) for each in [base, *others]} | {fingerprint(base, 2)}) == 6
