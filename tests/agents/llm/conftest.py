"""A server that speaks the chat-completions protocol, and misbehaves as it is told."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from itbench.agents.llm.agent import LlmAgent
from itbench.agents.protocol import AgentResult, Workspace
from itbench.model.task import Budget, Task

KEY = "sk-test-0123456789abcdef"
ANSWER = {"entities": [], "propagations": [], "alerts_explained": []}


@dataclass(frozen=True)
class Fault:
    """Anything but a chat completion. `cut` closes the connection in the middle of the body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    delay: float = 0.0


def says(text: str | None, **more: Any) -> dict[str, Any]:
    """A reply in words."""
    finish = more.pop("finish_reason", "stop")
    return completion({"content": text, **more}, finish)


def calls(*wanted: tuple[str, str], ids: tuple[str, ...] = ()) -> dict[str, Any]:
    """A reply that calls tools: name and arguments as the model writes them."""
    made = [
        {"id": ids[n] if ids else f"t{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for n, (name, arguments) in enumerate(wanted)
    ]
    return completion({"content": None, "tool_calls": made}, "tool_calls")


def completion(message: dict[str, Any], finish_reason: str) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", **message}}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    return {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


class Server(http.server.ThreadingHTTPServer):
    """Answers with its script, one item a request; the last item answers everything that follows."""

    script: list[dict[str, Any] | Fault]
    requests: list[dict[str, Any]]
    times: list[float]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error here."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        server = self.server
        server.times.append(time.monotonic())
        server.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        item = server.script.pop(0) if len(server.script) > 1 else server.script[0]
        fault = item if isinstance(item, Fault) else Fault(body=json.dumps(item).encode())
        time.sleep(fault.delay)
        body = fault.body.replace(b"{authorization}", self.headers["Authorization"].encode())
        self.send_response(fault.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) + (1000 if fault.cut else 0)))
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):  # a client may have had enough
            self.wfile.write(body)
        if fault.cut:
            self.close_connection = True


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Server]]:
    """Start a server with a script; the environment points to it."""
    started: list[Server] = []

    def start(*script: dict[str, Any] | Fault) -> Server:
        made = Server(("127.0.0.1", 0), Handler)
        made.script, made.requests, made.times = list(script), [], []
        started.append(made)
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("OPENAI_BASE_URL", made.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        return made

    yield start
    for each in started:
        each.shutdown()
        each.server_close()


@pytest.fixture
def snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong_port_incident: Path) -> Path:
    """A recorded incident, as an environment stages it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "staged-8f3a"
    for path in sorted(wrong_port_incident.rglob("*")):
        if path.is_file() and path.suffix in (".tsv", ".json"):
            target = folder / path.relative_to(wrong_port_incident)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return folder


@pytest.fixture
def ask(workspace: Callable[..., Workspace], snapshot: Path) -> Callable[..., tuple[AgentResult, Workspace]]:
    """Let an agent work on the incident."""
    import asyncio

    def run(
        spec: str = "test-model", *, agent: LlmAgent | None = None, data: bool = True, seed: int = 7, **limits: Any
    ) -> tuple[AgentResult, Workspace]:
        place = workspace(input_dir=snapshot if data else None)
        budget = Budget.model_validate(limits)
        words = f"Look into {snapshot}." if data else "Look."
        task = Task(id="t", domain="sre", instructions=words, input_dir=place.input_dir, budget=budget, seed=seed)
        return asyncio.run((agent or LlmAgent.from_text(spec)).run(task, place)), place

    return run
