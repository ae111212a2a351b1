"""Agents behind an address: real server processes on loopback."""

from __future__ import annotations

import asyncio
import http.server
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from itbench.agents.a2a_agent import A2aAgent
from itbench.agents.http_agent import HttpAgent
from itbench.agents.protocol import AgentResult, Workspace
from itbench.agents.purple import data_of, read_command
from itbench.agents.registry import configure
from itbench.agents.remote import authorization
from itbench.model.errors import AgentError, UsageError
from itbench.model.task import Budget, Task

integration = pytest.mark.integration
ANSWER = {"entities": [], "propagations": [], "alerts_explained": []}
TOKEN = "token-0123456789"


@pytest.fixture
def run(workspace: Callable[..., Workspace], tmp_path: Path) -> Callable[..., AgentResult]:
    """Let an agent work on a small recording."""
    folder = tmp_path / "staged-77"
    (folder / "alerts").mkdir(parents=True)
    (folder / "alerts" / "a.json").write_text("[1]")
    (folder / "k8s_events_raw.tsv").write_text("Timestamp\tBody\n")

    def go(agent: Any, **limits: Any) -> AgentResult:
        place = workspace(input_dir=folder)
        budget = Budget.model_validate({"wall_seconds": 60.0} | limits)
        task = Task(id="t", domain="sre", instructions=f"Look into {folder}.", input_dir=folder, budget=budget)
        return asyncio.run(agent.run(task, place))

    return go


@pytest.fixture
def a2a() -> Iterator[Callable[..., str]]:
    """Start a server process, and give its address."""
    started: list[subprocess.Popen[bytes]] = []

    def start(behaviour: str, version: str = "1.0") -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        program = [sys.executable, str(Path(__file__).with_name("a2a_server.py")), str(port), behaviour, version]
        started.append(subprocess.Popen(program))
        for _ in range(300):
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    return f"http://127.0.0.1:{port}"
            assert started[-1].poll() is None, "the server ended"
            time.sleep(0.1)
        raise AssertionError("the server does not listen")

    yield start
    for each in started:
        each.kill()
        each.wait()


@integration
@pytest.mark.parametrize("version", ["1.0", "0.3"])
def test_an_a2a_agent_gets_the_task_with_its_files_and_answers_with_an_artifact(a2a, run, version: str) -> None:
    result = run(A2aAgent.from_text(a2a("artifact", version)))
    assert result.failure is None, result.detail
    told = json.loads(result.output)
    assert told["said"] == "Look into snapshot."
    assert told["files"] == ["snapshot/alerts/a.json", "snapshot/k8s_events_raw.tsv"]
    trajectory = result.trajectory
    assert (trajectory.agent.name, trajectory.agent.version) == ("stand-in", "7")
    assert [(step.source, step.message) for step in trajectory.steps] == [
        ("user", "Look into snapshot."),
        ("agent", "Done."),
    ]


@integration
def test_a_purple_agent_asks_for_data_until_it_is_done(a2a, run) -> None:
    result = run(A2aAgent.from_text(a2a("purple") + "#itbench"))
    assert result.failure is None, result.detail
    told = json.loads(result.output)
    assert told["alerts"] == ["alerts/a.json"]
    assert told["error"].startswith("ERROR there is no type 'secrets'. Types: alerts, metrics")
    said = [str(step.message).split("\n")[0] for step in result.trajectory.steps]
    assert said[:3] == ["START", "GET alerts", '{"type": "alerts", "truncated": false, "files": {"alerts/a.json": "[1]"}}']
    assert said[-1] == "DONE"


@integration
@pytest.mark.parametrize(
    ("behaviour", "failure", "detail"),
    [
        ("fails", "agent_error", "the agent's task ended as failed: no idea"),
        ("asks", "agent_error", "asks something back: which cluster?"),
        ("huge", "output_invalid", "more than the allowed 1,000,000"),
        ("slow", "agent_timeout", "no answer within 4 s"),
        ("chatter#itbench", "agent_error", "no DONE within 5 exchanges"),
    ],
)
def test_every_way_an_a2a_agent_can_fail_has_its_cause(
    a2a, run, behaviour: str, failure: str, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("itbench.agents.a2a_agent._MOST_EXCHANGES", 5)
    name, mark, mode = behaviour.partition("#")
    seconds = 4.0 if name == "slow" else 100.0
    result = run(A2aAgent.from_text(a2a(name) + mark + mode), output_bytes=1_000_000, wall_seconds=seconds)
    assert (result.failure, result.output) == (failure, None)
    assert detail in result.detail


@integration
@pytest.mark.parametrize("agent", [A2aAgent("http://127.0.0.1:9"), HttpAgent("http://127.0.0.1:9")])
def test_an_agent_that_is_not_there_can_be_tried_again(run, agent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("itbench.agents.http_agent._ATTEMPTS", 2)
    result = run(agent)
    assert result.failure == "environment_error"
    assert "cannot be reached" in result.detail


@pytest.fixture
def http_server() -> Iterator[Callable[..., tuple[str, list[Any]]]]:
    """Start a server with a script of (status, headers, body); the last one answers all that follows."""
    started = []

    def start(*script: tuple[int, dict[str, str], Any]) -> tuple[str, list[Any]]:
        replies, seen = list(script), []

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                seen.append((self.command, self.path, self.headers.get("Authorization"), body))
                status, headers, answer = replies.pop(0) if len(replies) > 1 else replies[0]
                raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        started.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/solve", seen

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


@integration
def test_an_http_agent_gets_task_and_files_and_may_answer_plainly(http_server, run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITBENCH_AGENT_TOKEN", TOKEN)
    url, seen = http_server((200, {}, ANSWER))
    result = run(HttpAgent.from_text(url))
    assert json.loads(result.output) == ANSWER
    (asked,) = seen
    question = json.loads(asked[3])
    assert (question["task"]["instructions"], question["task"]["input_dir"]) == ("Look into snapshot.", None)
    assert question["files"] == {"alerts/a.json": "[1]", "k8s_events_raw.tsv": "Timestamp\tBody\n"}
    assert asked[2] == f"Bearer {TOKEN}"
    assert [step.source for step in result.trajectory.steps] == ["user", "agent"]


@integration
def test_an_http_agent_may_take_its_time_and_tell_its_trajectory(http_server, run) -> None:
    own = {"agent": {"name": "mine", "version": "3"}, "steps": [], "final_metrics": {"total_prompt_tokens": 5}}
    url, seen = http_server(
        (503, {"Retry-After": "0"}, b"busy"),
        (202, {"Location": "/jobs/1", "Retry-After": "0"}, b""),
        (202, {"Location": "/jobs/1", "Retry-After": "0"}, b""),
        (200, {}, {"output": ANSWER, "trajectory": own}),
    )
    result = run(HttpAgent.from_text(url))
    assert json.loads(result.output) == ANSWER
    assert (result.trajectory.agent.name, result.usage.prompt_tokens) == ("mine", 5)
    assert [(each[0], each[1]) for each in seen] == [("POST", "/solve")] * 2 + [("GET", "/jobs/1")] * 2


@integration
@pytest.mark.parametrize(
    ("reply", "failure", "detail"),
    [
        ((400, {}, b"bad task"), "agent_error", "answered 400: bad task"),
        ((500, {}, f"{TOKEN} is wrong".encode()), "agent_error", "answered 500: [key] is wrong"),
        ((200, {}, b"x" * 2_000_000), "output_invalid", "more than the allowed 1,000,000"),
        ((202, {"Location": "http://[nowhere", "Retry-After": "0"}, b""), "agent_error", "sent us to no address"),
    ],
)
def test_every_way_an_http_agent_can_fail_has_its_cause(
    http_server, run, reply: Any, failure: str, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ITBENCH_AGENT_TOKEN", TOKEN)
    result = run(HttpAgent.from_text(http_server(reply)[0]), output_bytes=1_000_000)
    assert result.failure == failure
    assert detail in result.detail
    assert TOKEN not in repr(result)


@integration
def test_a_trajectory_that_is_none_is_said_so(http_server, run) -> None:
    result = run(HttpAgent.from_text(http_server((200, {}, {"output": "{}", "trajectory": {"steps": 3}}))[0]))
    assert result.output == b"{}"
    assert "is not ATIF" in result.warnings[0]


@integration
def test_an_http_agent_cannot_make_us_ask_without_a_pause(http_server, run) -> None:
    url, seen = http_server((202, {"Location": "/jobs/1", "Retry-After": "0"}, b""))
    assert run(HttpAgent.from_text(url), wall_seconds=1.0).failure == "agent_timeout"
    assert len(seen) <= 11


def test_recordings_that_are_too_large_are_not_sent(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("itbench.agents.a2a_agent.ATTACHED", 5)
    with pytest.raises(AgentError, match="more than the 5 that are sent"):
        run(A2aAgent.from_text("http://127.0.0.1:9"))


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("GET alerts", ("GET", "alerts")),
        ("I need more.\n  GET otel_logs\nplease", ("GET", "otel_logs")),
        ('DONE {"a": 1}', ("DONE", '{"a": 1}')),
        ("DONE:\n{}", ("DONE", "{}")),
        ("we are DONE", ("", "")),
        ("GETTING", ("", "")),
    ],
)
def test_commands_stand_at_the_beginning_of_a_line(text: str, command: tuple[str, str]) -> None:
    read = read_command(text)
    assert (read.word, read.rest) == command


def test_data_is_cut_at_a_line_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("itbench.agents.purple.LARGEST_DATA", 10)
    told = json.loads(data_of("k8s_events", {"k8s_events_raw.tsv": "one\ntwo\nthree\n", "otel_logs_raw.tsv": "x"}))
    assert told == {"type": "k8s_events", "truncated": True, "files": {"k8s_events_raw.tsv": "one\ntwo\n"}}


@pytest.mark.parametrize(
    ("make", "text", "message"),
    [
        (A2aAgent.from_text, "localhost:9000", "no http or https address"),
        (A2aAgent.from_text, "http://h#other", "no mode 'other'"),
        (HttpAgent.from_text, "ftp://h/x", "no http or https address"),
        (HttpAgent.from_text, "http://", "no http or https address"),
    ],
)
def test_wrong_addresses_are_refused(make: Callable[[str], Any], text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make(text)


def test_remote_agents_are_labelled_by_their_host(tmp_path: Path) -> None:
    (agent,) = configure(["a2a:http://user:pass@agents.example:9000/x#itbench"], tmp_path)
    assert agent.label == "a2a:agents.example-9000"


def test_the_token_goes_to_the_agents_own_host_and_to_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITBENCH_AGENT_TOKEN", "secret-token")
    authorize = authorization("http://agent.example:9000/tasks")
    sent = [
        httpx2.Request("GET", url) for url in ("http://agent.example:9000/later", "http://agent.example:9001/", "http://b/")
    ]
    for request in sent:
        asyncio.run(authorize(request))
    assert [request.headers.get("Authorization") for request in sent] == ["Bearer secret-token", None, None]
