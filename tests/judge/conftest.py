"""A model that judges, over the real protocol on loopback, and misbehaves as it is told."""

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

from itbench.judge import asking

KEY = "sk-judge-0123456789abcdef"
TRUTH = """\
fault:
- condition: the image of cart has a tag that does not exist
  entity: {group_id: cart, kind: Deployment, name: cart}
groups:
  - {id: cart, kind: Deployment, namespace: shop, filter: ['cart\\b'], root_cause: true}
  - {id: front, kind: Service, namespace: shop, filter: ['front\\b']}
propagations:
  - {source: cart, target: front, condition: cart cannot start, effect: front answers with errors}
"""
RIGHT = {"name": "shop/Deployment/cart", "contributing_factor": True, "reasoning": "The tag cart:5.4.0 was never pushed."}
DOWNSTREAM = {"name": "shop/Service/front", "contributing_factor": True, "reasoning": "front returns many 500 errors."}
WRONG = {"name": "shop/Deployment/ads", "contributing_factor": True, "reasoning": "ads uses much memory."}


@dataclass(frozen=True)
class Fault:
    """Anything but a chat completion. `cut` closes the connection in the middle of the body."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    delay: float = 0.0


def says(text: str | None, finish_reason: str = "stop", **more: Any) -> dict[str, Any]:
    """A chat completion."""
    message = {"role": "assistant", "content": text, **more}
    usage = {"prompt_tokens": 1000, "completion_tokens": 100}
    return {"model": "gpt-4o", "choices": [{"message": message, "finish_reason": finish_reason}], "usage": usage}


def material(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The items of a request, found as a judge finds them: between the two lines that the system message names."""
    system, user = (message["content"] for message in request["messages"])
    first, line, last = user.split("\n")
    assert first == last
    assert f"two lines that read {first}." in system
    items: list[dict[str, Any]] = json.loads(line)["items"]
    return items


def honest(request: dict[str, Any], grade: Callable[[dict[str, Any]], str]) -> dict[str, Any]:
    """A judge that keeps its schema, quotes what is there, and grades each item by a function of it."""
    items = [
        {"id": item["id"], "reasons": "because", "quotes": item["said"][:1], "addresses_judge": False, "grade": grade(item)}
        for item in material(request)
    ]
    return says(json.dumps({"items": items}))


def lowest_of(request: dict[str, Any]) -> str:
    """The worst grade of the request's schema."""
    schema = request["response_format"]["json_schema"]["schema"]
    grades: list[str] = schema["properties"]["items"]["items"]["properties"]["grade"]["enum"]
    return grades[-1]


class Server(http.server.ThreadingHTTPServer):
    """Answers what `act` says to the n-th request (from 1)."""

    act: Callable[[dict[str, Any], int], dict[str, Any] | Fault]
    requests: list[dict[str, Any]]
    keys: list[str]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error here."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    dribble = False
    server: Server

    def log_message(self, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        server = self.server
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.requests.append(request)
        server.keys.append(self.headers["Authorization"])
        acted = server.act(request, len(server.requests))
        fault = acted if isinstance(acted, Fault) else Fault(body=json.dumps(acted).encode())
        time.sleep(fault.delay)
        self.send_response(fault.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(fault.body) + (1000 if fault.cut else 0)))
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):
            for at in range(len(fault.body)) if self.dribble else ():
                self.wfile.write(fault.body[at : at + 1])
                time.sleep(0.02)
            self.wfile.write(b"" if self.dribble else fault.body)
        if fault.cut:
            self.close_connection = True


@pytest.fixture(autouse=True)
def no_other_judge(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody's real key or cache takes part; retries wait for nothing."""
    for name in ("JUDGE_BASE_URL", "JUDGE_API_KEY", "JUDGE_MODEL", "OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("itbench.agents.llm.endpoint._FIRST_PAUSE", 0.001)
    monkeypatch.setattr(asking, "ATTEMPTS", 2)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Server]]:
    """Start a judge; the environment points to it."""
    started: list[Server] = []

    def start(act: Callable[[dict[str, Any], int], dict[str, Any] | Fault]) -> Server:
        made = Server(("127.0.0.1", 0), Handler)
        made.act, made.requests, made.keys = act, [], []
        started.append(made)
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("JUDGE_BASE_URL", f"http://127.0.0.1:{made.server_port}/v1")
        monkeypatch.setenv("JUDGE_API_KEY", KEY)
        return made

    yield start
    for each in started:
        each.shutdown()
        each.server_close()


@pytest.fixture
def answers(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """Ground truth and outputs as the public evaluator has them: one incident for each answer (a list of entities)."""

    def make(*entities: list[dict[str, Any]]) -> tuple[Path, Path]:
        for number, named in enumerate(entities, start=1):
            truth = tmp_path / "truth" / f"Scenario-{number}"
            truth.mkdir(parents=True)
            (truth / "ground_truth.yaml").write_text(TRUTH)
            answer = tmp_path / "answers" / str(number) / "1"
            answer.mkdir(parents=True)
            (answer / "agent_output.json").write_text(
                json.dumps({"entities": named, "propagations": [], "alerts_explained": []})
            )
        return tmp_path / "truth", tmp_path / "answers"

    return make


@pytest.fixture
def score(answers: Callable[..., tuple[Path, Path]], tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Score answers with a judge; the whole of scores.json by incident, under `scores`."""
    from click.testing import CliRunner

    from itbench.cli.score import score as command

    def run(*entities: list[dict[str, Any]], options: tuple[str, ...] = ("--judge", "gpt-4o")) -> dict[str, Any]:
        truth, outputs = (tmp_path / "truth", tmp_path / "answers") if not entities else answers(*entities)
        out = tmp_path / "out" / "evaluation_results.json"
        arguments = ["-g", str(truth), "-o", str(outputs), "--out", str(out), *options]
        result = CliRunner().invoke(command, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        ours = json.loads(out.with_name("scores.json").read_text())
        return {
            "stderr": result.stderr,
            "public": json.loads(out.read_text()),
            "summary": ours["summary"],
            "trials": {trial["scenario"]: trial for trial in ours["trials"]},
        }

    return run
