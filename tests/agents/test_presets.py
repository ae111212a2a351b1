"""Presets of command line agents, with stand-ins of the same names that speak real MCP and leave sessions."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from itbench.agents.presets import preset_agent
from itbench.agents.protocol import AgentResult, Workspace
from itbench.agents.registry import configure, make_agent
from itbench.model.errors import UsageError
from itbench.model.task import Task
from itbench.sandbox.box import inner_input

pytestmark = pytest.mark.integration

# What all stand-ins share: ask a tool over MCP with the configuration that was written, then write the answer.
COMMON = """\
#!{python}
import asyncio, json, os, pathlib, sys, tomllib
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

async def ask(command, args):
    async with stdio_client(StdioServerParameters(command=command, args=args)) as (r, w):
        async with ClientSession(r, w) as client:
            await client.initialize()
            return (await client.call_tool("alert_summary", {{}})).content[0].text

def write(path, *lines):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\\n" for line in lines))

pathlib.Path("agent_output.json").write_text(json.dumps({{"entities": [], "args": sys.argv[1:]}}))
now = "2026-01-02T03:04:05Z"
"""
CODEX = """\
home = os.environ["CODEX_HOME"]
server = tomllib.loads(pathlib.Path(home, "config.toml").read_text())["mcp_servers"]["itbench"]
told = asyncio.run(ask(server["command"], server["args"]))
record = lambda kind, **payload: {"timestamp": now, "type": kind, "payload": payload}
write(home + "/sessions/2026/01/02/rollout-2026-01-02T03-04-05-x.jsonl",
    record("session_meta", id="s", originator="codex_exec", cli_version="0.90.0", instructions="Be Codex."),
    record("turn_context", model="gpt-x"),
    record("response_item", type="function_call", name="mcp__itbench__alert_summary", arguments="{}", call_id="c"),
    record("event_msg", type="token_count", info={"total_token_usage": {"input_tokens": 9, "output_tokens": 2}}),
    record("response_item", type="function_call_output", call_id="c", output=json.dumps([{"type": "text", "text": told}])))
"""
CLAUDE = """\
home = os.environ["CLAUDE_CONFIG_DIR"]
config = sys.argv[sys.argv.index("--mcp-config") + 1]
server = json.loads(pathlib.Path(config).read_text())["mcpServers"]["itbench"]
told = asyncio.run(ask(server["command"], server["args"]))
line = lambda kind, content, **message: {"type": kind, "sessionId": "s", "version": "2.1", "timestamp": now,
    "message": {"role": kind, "content": content, **message}}
write(home + "/projects/-tmp-workspace/s.jsonl",
    line("user", sys.argv[-1]),
    line("assistant", [{"type": "tool_use", "id": "c", "name": "mcp__itbench__alert_summary", "input": {}}],
        id="m", model="claude-x", usage={"input_tokens": 9, "output_tokens": 2}),
    line("user", [{"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": told}]}]))
print(json.dumps({"type": "result", "subtype": "success", "total_cost_usd": 0.125, "session_id": "s"}))
"""
GEMINI = """\
server = json.loads(pathlib.Path(".gemini/settings.json").read_text())["mcpServers"]["itbench"]
told = asyncio.run(ask(server["command"], server["args"]))
response = {"functionResponse": {"id": "c", "name": "alert_summary", "response": {"output": told}}}
write(os.environ["HOME"] + "/.gemini/tmp/hash/chats/session-2026-01-02T03-04-s.jsonl",
    {"sessionId": "s", "projectHash": "hash", "startTime": now},
    {"id": "1", "type": "user", "timestamp": now, "content": sys.argv[-1]},
    {"id": "2", "type": "gemini", "timestamp": now, "content": "", "model": "gemini-x", "tokens": {"input": 9, "output": 2},
     "toolCalls": [{"id": "c", "name": "alert_summary", "args": {}, "result": [response], "status": "success"}]})
"""
PROGRAMS = {"codex": CODEX, "claude": CLAUDE, "gemini": GEMINI}
Run = Callable[..., AgentResult]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Put a program on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def put(name: str, body: str) -> None:
        (folder / name).write_text(COMMON.format(python=sys.executable) + body)
        (folder / name).chmod(0o755)

    return put


@pytest.fixture
def run(workspace: Callable[..., Workspace], wrong_port_incident: Path) -> Run:
    """Run a preset on a recorded incident, without a sandbox (tests lie in /tmp, which the sandbox hides)."""

    def go(name: str, model: str = "") -> AgentResult:
        place = workspace(input_dir=wrong_port_incident)
        seen = inner_input("none", wrong_port_incident)
        return asyncio.run(
            preset_agent(name, model).run(Task(id="t", domain="sre", instructions="Find it.", input_dir=seen), place)
        )

    return go


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_preset_reaches_our_tools_and_its_session_becomes_the_trajectory(
    install, run: Run, name: str, tmp_path: Path
) -> None:
    install(name, PROGRAMS[name])
    result = run(name, "model-x")
    assert result.failure is None, result.detail
    args = json.loads(result.output)["args"]
    assert args[args.index("--model") + 1] == "model-x"
    assert "TASK.md" in args[-1]
    assert result.warnings == ()
    trajectory = result.trajectory
    (called,) = [step for step in trajectory.steps if step.tool_calls]
    assert called.tool_calls[0].function_name.endswith("alert_summary")
    assert "firing alerts" in called.observation.results[0].content  # a real answer of our tool
    assert "alert_summary" in {tool["function"]["name"] for tool in trajectory.agent.tool_definitions}
    assert (result.usage.prompt_tokens, result.usage.completion_tokens) == (9, 2)
    assert result.usage.cost_usd == (0.125 if name == "claude" else None)
    assert (tmp_path / "logs" / "session.jsonl").is_file()


def test_a_session_that_is_a_link_is_not_followed(install, run: Run, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jsonl"
    secret.write_text('{"role": "user", "content": "secret"}\n')
    body = f"p = pathlib.Path('.claude/projects/x/s.jsonl'); p.parent.mkdir(parents=True); p.symlink_to({str(secret)!r})\n"
    install("claude", body)
    result = run("claude")
    assert "secret" not in result.trajectory.model_dump_json()
    assert any("not followed" in warning for warning in result.warnings)


def test_a_program_without_session_or_with_a_broken_one_says_so(install, run: Run) -> None:
    install("codex", "")
    result = run("codex")
    assert result.warnings == ("codex left no session",)
    assert result.trajectory.notes.startswith("Made by itbench")  # the transcript stands in


def test_a_broken_line_of_a_session_is_located(install, run: Run) -> None:
    install("gemini", "p = pathlib.Path('.gemini/tmp/h/chats/session-1.jsonl'); p.parent.mkdir(parents=True)\n"
            "p.write_text('{\"sessionId\": \"s\", \"projectHash\": \"h\"}\\n{broken\\n')\n")  # fmt: skip
    result = run("gemini")
    assert result.warnings[0].startswith("1 lines of session.jsonl are left out; line 2: not JSON")


def test_a_failure_without_a_key_hints_at_the_key(install, run: Run) -> None:
    install("codex", "os.remove('agent_output.json'); sys.exit('401 Unauthorized')\n")
    result = run("codex")
    assert result.failure == "agent_error"
    assert "401 Unauthorized (no key was passed on: --agent-env CODEX_API_KEY)" in result.detail


def test_a_preset_without_its_program_is_refused_before_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="no program 'codex'"):
        make_agent("codex").prepare()


def test_presets_may_be_named_with_or_without_a_model(tmp_path: Path) -> None:
    labels = [agent.label for agent in configure(["codex", "codex:gpt-x", "claude:", "gemini:gemini-x"], tmp_path)]
    assert labels == ["codex", "codex:gpt-x", "claude", "gemini:gemini-x"]
    assert (make_agent("claude").model, make_agent("codex:gpt-x").model) == ("", "gpt-x")
