"""A session in the making: an incident that is made up, and agents that look into it step by step."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from itbench.datasets.trajectories.builder import Builder
from itbench.mast.planting import wording as say
from itbench.mast.planting.wording import Voice
from itbench.mast.trace import Trace, TraceInfo
from itbench.model.trajectory import AgentInfo

_SERVICES = (
    *("checkout", "cart", "payment", "shipping", "frontend", "catalog", "quote", "currency", "email", "search", "ledger"),
    *("accounts", "gateway", "inventory", "pricing", "profile", "reviews", "ratings"),
)
_DATA = ("events", "logs", "traces", "metrics")
_FILES = {
    "events": "k8s_events_raw.tsv",
    "logs": "otel_logs_raw.tsv",
    "traces": "otel_traces_raw.tsv",
    "metrics": "metrics.tsv",
}


@dataclass(frozen=True, slots=True)
class Planted:
    """A trace with what is true of it.

    Attributes:
        mode: what was planted, or nearly planted.
        near_miss: whether it was only nearly.
        present: the modes that are there; all others are not.
        either: modes on which honest people could differ here.
        steps: where the planted mode shows.
        kind: the evidence within the mode that was planted, a key of `EVIDENCE`; empty for the mode as such.
    """

    trace: Trace
    mode: str
    near_miss: bool
    present: frozenset[str]
    either: frozenset[str]
    steps: tuple[int, ...]
    kind: str = ""


@dataclass(slots=True)
class Script:
    """What happened so far; every method that adds a step returns its number."""

    voice: Voice
    held_out: bool
    builder: Builder = field(default_factory=Builder)
    folder: str = "/s"
    output: str | None = None
    _seconds: int = 0
    _calls: int = 0
    services: list[str] = field(default_factory=list)
    asked: set[tuple[str, str]] = field(default_factory=set)
    tools: tuple[str, ...] = ()
    _fine: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.services = [str(name) for name in self.voice.rng.permutation(_SERVICES)[:8]]
        self.folder = self.voice.one("/s", "/data/incident", "/srv/snapshot")

    @property
    def root(self) -> str:
        """The service that is broken."""
        return self.services[0]

    @property
    def number(self) -> int:
        """Steps so far."""
        return len(self.builder.steps)

    def user(self, text: str) -> int:
        """The user speaks."""
        self.builder.say("user", text, self._now())
        return self.number

    def compact(self) -> int:
        """The history is replaced by a summary."""
        self.builder.say("system", self.voice(say.SUMMARY), self._now(), compacted=True)
        return self.number

    def agent(self, text: str, *, speaker: str = "", thought: str = "") -> int:
        """An agent speaks; calls that follow are of the same step."""
        self.builder.close()
        draft = self.builder.agent(self._now(), "model-g")
        draft.said.append(text)
        if thought:
            draft.reasoning.append(thought)
        if speaker:
            draft.extra["speaker"] = speaker
        return self.number

    def call(self, name: str, arguments: dict[str, Any], result: str, *, failed: bool = False) -> None:
        """The agent who spoke last calls a tool."""
        self._calls += 1
        call_id = f"g{self._calls}"
        self.builder.call(self.builder.steps[-1], call_id, name, arguments)
        self.builder.result(call_id, result, is_error=failed)

    def shell(self, command: str, result: str = "", *, failed: bool = False) -> None:
        """The agent who spoke last runs a command."""
        self.call("shell", {"command": ["bash", "-lc", command], "workdir": "/w"}, result, failed=failed)

    def alerts(self) -> None:
        """Read the alerts."""
        firing = [{"alertname": "HighErrorRate", "entity": name} for name in self.services[:3]]
        if self.held_out and self.voice.chance(0.5):
            self.shell(f"cat {self.folder}/alerts/alerts_at_start.json", json.dumps(firing))
        else:
            self.call("alert_summary", {"base_dir": f"{self.folder}/alerts"}, json.dumps(firing))

    def query(self, kind: str, target: str, result: str | None = None) -> None:
        """Ask for data of a service; the answer names it."""
        told = f"12:0{self.voice.rng.integers(10)} {target} {kind}: {self._noise()}" if result is None else result
        if self.held_out and self.voice.chance(0.5):
            tool = {"events": "event_analysis", "logs": "get_logs", "traces": "get_traces", "metrics": "get_metrics"}[kind]
            self.call(tool, {"service": target}, told)
        else:
            lines = 20 + int(self.voice.rng.integers(80))
            self.shell(f"grep {target} {self.folder}/{_FILES[kind]} | head -{lines}", told)

    def fresh(self, *, root: bool = False) -> tuple[str, str]:
        """A kind of data and a service that were not asked for before."""
        while True:
            target = self.root if root else self.services[int(self.voice.rng.integers(len(self.services)))]
            pair = (_DATA[int(self.voice.rng.integers(len(_DATA)))], target)
            if pair not in self.asked or len(self.asked) > 28:
                self.asked.add(pair)
                return pair

    def remark(self, target: str) -> str:
        """A remark on a service: of the broken one that it suffers, of any other always the same."""
        fine = self._fine.setdefault(target, target != self.root and self.voice.chance(0.4))
        return self.voice(say.REMARK_FINE if fine else say.REMARK, target=target)

    def explore(self, steps: int, *, speaker: str = "", without: frozenset[str] = frozenset()) -> list[int]:
        """Look at so many things, each announced and done, but not at some services."""
        numbers = []
        for _ in range(steps):
            kind, target = self.fresh()
            while target in without:
                kind, target = self.fresh()
            remark = f"{self.remark(target)} " if self.voice.chance(0.4) else ""
            numbers.append(self.agent(remark + self.voice(say.LOOK, kind=kind, target=target), speaker=speaker))
            self.query(kind, target)
        return numbers

    def write(self, *, speaker: str = "", answer: str | None = None, file: str = "agent_output.json") -> int:
        """Write the answer."""
        entity = {"name": f"shop/Deployment/{self.root}", "contributing_factor": True, "reasoning": "r", "evidence": "e"}
        self.output = json.dumps({"entities": [entity]}) if answer is None else answer
        number = self.agent(self.voice(say.CONCLUDE, target=self.root), speaker=speaker)
        path = f"{self.folder}/{file}" if "/" not in file else file
        if self.held_out and self.voice.chance(0.4):
            self.call("write_file", {"path": path, "content": self.output}, "written")
        elif self.voice.chance(0.3):
            body = f"import json\nwith open('{path}', 'w') as f:\n    json.dump({self.output!r}, f)"
            self.shell(f"python3 - <<'PY'\n{body}\nPY")
        else:
            self.shell(f"cat > {path} <<'EOF'\n{self.output}\nEOF")
        return number

    def verify(self, *, speaker: str = "", result: str | None = None, failed: bool = False) -> int:
        """Read the answer back."""
        number = self.agent(self.voice(say.CHECK), speaker=speaker)
        path = f"{self.folder}/agent_output.json"
        told = (self.output or "") if result is None else result
        if self.held_out and self.voice.chance(0.4):
            self.call("read_file", {"path": path}, told, failed=failed)
        else:
            command = self.voice.one(f"jq . {path}", f"cat {path}", f"python3 -m json.tool {path} > /dev/null && echo fine")
            self.shell(command, told, failed=failed)
        return number

    def close(self, *, speaker: str = "") -> int:
        """Last words."""
        return self.agent(self.voice(say.CLOSE, target=self.root), speaker=speaker)

    def trace(self, name: str) -> Trace:
        """The finished trace."""
        tools = tuple({"type": "function", "function": {"name": each}} for each in self.tools) or None
        agent = AgentInfo(name="generated", version="1", model_name="model-g", tool_definitions=tools)
        trajectory = self.builder.trajectory(agent, name)
        answer = "present" if self.output is not None else "missing"
        info = TraceInfo.model_validate(
            {"trace": name, "source": "generated", "format": "generated", "agent": "model-g", "answer": answer}
        )
        return Trace(info, trajectory, self.output)

    def _noise(self) -> str:
        return f"{self.voice.one('timeout', 'connection refused', 'slow', 'ok')} #{self.voice.rng.integers(10**6)}"

    def _now(self) -> str:
        self._seconds += int(self.voice.rng.integers(2, 60))
        return (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._seconds)).isoformat()
