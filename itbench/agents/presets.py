"""The common command line agents as presets over `cmd:`: `codex:`, `claude:` and `gemini:`, each with a model or without.

A preset writes the program's own configuration into the workspace, so that it reaches our tools over MCP and asks nobody
for permission (the sandbox stands around it), and reads the session file that the program leaves.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

from itbench.agents.command import CommandAgent
from itbench.agents.protocol import AgentResult, Workspace
from itbench.model.errors import DatasetError, MissingExtraError, SandboxError, UsageError
from itbench.model.task import Task
from itbench.model.trajectory import Trajectory
from itbench.sandbox.output import OutputError, read_output

SESSION_FILE = "session.jsonl"
_LARGEST_SESSION = 50_000_000
_PROMPT = (
    "Do the task that is described in the file TASK.md of the current folder. The MCP server itbench offers tools over the "
    "recorded files; use them, and read the files yourself where that is better. You are done when the answer is written "
    "to the file that the task names."
)


@dataclass(frozen=True, slots=True)
class Preset:
    """How to run one program.

    Args:
        name: the program.
        subcommand: what follows the program's name.
        argv: its arguments before the prompt, which comes last.
        model_option: how a model is named.
        env: environment; `{workspace}` stands for the workspace.
        configuration: the file that tells it of the MCP server, and its text for the command that starts the server.
        sessions: where it leaves its session, as a pattern below the workspace.
        keys: the variables in which it looks for a key, for the hint.
    """

    name: str
    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    configuration: tuple[str, Callable[[list[str]], str]]
    sessions: str
    keys: tuple[str, ...]
    subcommand: tuple[str, ...] = ()
    model_option: str = "--model"


def _toml(command: list[str]) -> str:
    # JSON strings and lists of them are TOML as well.
    lines = [
        "[mcp_servers.itbench]",
        f"command = {json.dumps(command[0])}",
        f"args = {json.dumps(command[1:])}",
        "startup_timeout_sec = 60",
        "tool_timeout_sec = 120",
    ]
    return "\n".join(lines) + "\n"


def _json(command: list[str], **server: object) -> str:
    return json.dumps({"mcpServers": {"itbench": {"command": command[0], "args": command[1:], **server}}}, indent=1)


PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name="codex",
            subcommand=("exec",),
            argv=("--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"),
            env=(("CODEX_HOME", "{workspace}/.codex"),),
            configuration=(".codex/config.toml", _toml),
            sessions=".codex/sessions/*/rollout-*.jsonl",
            keys=("CODEX_API_KEY",),
        ),
        Preset(
            name="claude",
            argv=(
                *("--mcp-config", ".mcp-itbench.json", "--strict-mcp-config", "--permission-mode", "bypassPermissions"),
                *("--output-format", "stream-json", "--verbose", "--print"),
            ),
            # Root is refused the permission mode unless it says that it is in a sandbox, which is true.
            env=(("CLAUDE_CONFIG_DIR", "{workspace}/.claude"), ("IS_SANDBOX", "1"), ("DISABLE_AUTOUPDATER", "1")),
            configuration=(".mcp-itbench.json", lambda command: _json(command, type="stdio")),
            sessions=".claude/projects/*.jsonl",
            keys=("ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN"),
        ),
        Preset(
            name="gemini",
            argv=("--yolo", "--output-format", "json", "--prompt"),
            env=(("GEMINI_CLI_TRUST_WORKSPACE", "true"),),
            configuration=(".gemini/settings.json", lambda command: _json(command, trust=True, timeout=120_000)),
            sessions=".gemini/tmp/*/chats/session-*.json*",
            keys=("GEMINI_API_KEY",),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class PresetAgent:
    """A command line agent with a model, or with the one that it chooses itself."""

    preset: Preset
    model: str = ""
    sandboxed: bool = True

    def prepare(self) -> None:
        """Refuse early what cannot work.

        Raises:
            UsageError: the program is not installed.
            MissingExtraError: the MCP server cannot run.
        """
        from importlib.util import find_spec

        name = self.preset.name
        if shutil.which(name) is None:
            raise UsageError(f"there is no program {name!r} on PATH", key=f"--agent {name}", hint="Install it first")
        if find_spec("mcp") is None:
            raise MissingExtraError("mcp", "mcp", f"the agent {name}")

    async def run(self, task: Task, workspace: Workspace) -> AgentResult:
        """Run the program in the sandbox, with our tools in its reach.

        Raises:
            SandboxError: the workspace cannot be prepared.
        """
        preset = self.preset
        if task.input_dir is not None:
            file, write = preset.configuration
            command = [sys.executable, str(Path(__file__).with_name("mcp_host.py")), str(task.input_dir), *_live(workspace)]
            try:
                (workspace.path / file).parent.mkdir(parents=True, exist_ok=True)
                (workspace.path / file).write_text(write(command), encoding="utf-8")
            except OSError as error:
                raise SandboxError(f"the harness could not write {file} ({error})") from error
        model = (preset.model_option, self.model) if self.model else ()
        argv = (preset.name, *preset.subcommand, *model, *preset.argv, _PROMPT)
        agent = CommandAgent(argv, env=preset.env, session=self._session)
        result = await agent.run(task, workspace)
        if result.failure == "agent_error" and not _passed(workspace, preset.keys):
            hint = f"{result.detail} (no key was passed on: --agent-env {preset.keys[0]})"
            return replace(result, detail=hint)
        return result

    def _session(self, workspace: Path, logs: Path) -> tuple[Trajectory | None, tuple[str, ...]]:
        """The trajectory of the newest session; its file is kept with the trial."""
        from itbench.datasets.trajectories import read_session

        warnings: tuple[str, ...] = ()
        kept = logs / SESSION_FILE
        for path in _found(workspace, self.preset.sessions):
            try:
                kept.write_bytes(read_output(path.parent, path.name, _LARGEST_SESSION))
                break
            except (OutputError, OSError) as error:
                warnings += (f"the session of {self.preset.name} is not kept: {error}",)
        if not kept.exists():
            return None, (*warnings, f"{self.preset.name} left no session")
        try:
            converted = read_session(kept)
        except DatasetError as error:
            return None, (*warnings, f"the session of {self.preset.name} cannot be read: {error.message}")
        if converted.malformed:
            first = converted.problems[0]
            count = f"{converted.malformed} lines of {SESSION_FILE} are left out"
            warnings += (f"{count}; line {first.line}: {first.message}",)
        return _completed(converted.trajectory, logs / "stdout.txt"), warnings


def preset_agent(name: str, model: str) -> PresetAgent:
    """The agent that `name:model` names; without a model, the program's own choice."""
    return PresetAgent(PRESETS[name], model)


def _found(workspace: Path, pattern: str) -> Iterator[Path]:
    """Session files, the one written last first; of equal age, by name. Folders that are links are not followed."""
    found = []
    top = workspace / pattern.split("/", 1)[0]
    for folder, _, files in os.walk(top, followlinks=False):
        for name in files:
            path = Path(folder, name)
            # `*` also matches `/`: the folders in between are the program's business.
            if fnmatch(str(path.relative_to(workspace)), pattern):
                found.append(path)
    yield from sorted(found, key=lambda path: (path.lstat().st_mtime, path.name), reverse=True)


def _completed(trajectory: Trajectory, stdout: Path) -> Trajectory:
    """With the tools that we offered, and with the cost that Claude Code prints but does not keep."""
    from itbench.tools.registry import tools

    agent = trajectory.agent
    if agent.tool_definitions is None:
        offered = tuple(
            {
                "type": "function",
                "function": {"name": spec.name, "description": spec.description, "parameters": spec.parameters},
            }
            for spec in (tool.spec for tool in tools().values())
        )
        agent = agent.model_copy(update={"tool_definitions": offered})
    sums = trajectory.final_metrics
    if sums is not None and sums.total_cost_usd is None and (cost := _printed_cost(stdout)) is not None:
        sums = sums.model_copy(update={"total_cost_usd": cost})
    return trajectory.model_copy(update={"agent": agent, "final_metrics": sums})


def _printed_cost(stdout: Path) -> float | None:
    try:
        with stdout.open("rb") as stream:
            stream.seek(max(0, stdout.stat().st_size - 1_000_000))
            lines = stream.read().splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            continue
        cost = told.get("total_cost_usd") if isinstance(told, dict) else None
        if isinstance(cost, int | float) and not isinstance(cost, bool) and 0 <= cost < 1e6:
            return float(cost)
    return None


def _live(workspace: Workspace) -> list[str]:
    """What the tools' server is told of a live incident, as the agent sees it."""
    if workspace.live is None or workspace.boundary is None:
        return []
    from itbench.agents.mcp_host import words_for
    from itbench.sandbox.box import inner_workspace

    return words_for(workspace.live, inner_workspace(workspace.boundary.mode, workspace.path))


def _passed(workspace: Workspace, keys: tuple[str, ...]) -> bool:
    passed = workspace.boundary.passed_env if workspace.boundary else ()
    return any(key in passed for key in keys)
