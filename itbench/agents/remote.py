"""What agents behind an address have in common: the task without this machine's paths, the recorded files as text, and a
trajectory made of what was said.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from itbench import __version__
from itbench.agents.protocol import AgentResult
from itbench.agents.redaction import Redactor
from itbench.model.errors import AgentError, UsageError
from itbench.model.outcome import Cause
from itbench.model.task import Task
from itbench.model.trajectory import AgentInfo, Step, Trajectory

TOKEN = "ITBENCH_AGENT_TOKEN"  # noqa: S105 - the variable's name
FOLDER = "snapshot"
LARGEST_REPLY = 50_000_000
LARGEST_SNAPSHOT = 100_000_000
_SHOWN = 100_000


def address(scheme: str, text: str) -> str:
    """The address of an agent.

    Raises:
        UsageError: it is no http or https address.
    """
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        hint = f"For example: --agent {scheme}:http://127.0.0.1:9000"
        raise UsageError("this is no http or https address", key=f"--agent {scheme}:{text}", hint=hint)
    return text


def redactor() -> Redactor:
    """Keeps the token out of what is written."""
    return Redactor.of_environment(os.environ, (TOKEN,))


def authorization(url: str) -> Any:
    """A request hook for httpx and httpx2: the token goes to the agent's own host and to no other."""
    token, own = os.environ.get(TOKEN), urlsplit(url).netloc

    async def authorize(request: Any) -> None:
        if token and request.url.netloc.decode() == own:
            request.headers["Authorization"] = f"Bearer {token}"

    return authorize


async def files_of(folder: Path | None, limit: int = LARGEST_SNAPSHOT) -> dict[str, str]:
    """The recorded files by their paths within the folder, as text.

    Raises:
        AgentError: they are larger than `limit` bytes together.
    """
    return {} if folder is None else await asyncio.to_thread(_read, folder, limit)


def _read(folder: Path, limit: int) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in paths)
    if size > limit:
        raise AgentError(
            f"the recorded files have {size:,} bytes, more than the {limit:,} that are sent to an agent",
            hint="Use an agent that reads them in place: cmd:, python: or container:",
        )
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8", errors="replace") for path in paths}


@dataclass(slots=True)
class Talk:
    """What was said between the harness and a remote agent, without the token."""

    name: str
    version: str = "unknown"
    steps: list[Step] = field(default_factory=list)
    redact: Redactor = field(default_factory=redactor)

    def say(self, source: Literal["user", "agent"], text: str) -> None:
        """A message; kept by its beginning."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        text = self.redact(text[:_SHOWN])
        self.steps.append(Step(step_id=len(self.steps) + 1, timestamp=now, source=source, message=text))

    def trajectory(self, extra: Mapping[str, Any]) -> Trajectory:
        """What can be said from outside."""
        return Trajectory(
            agent=AgentInfo(name=self.name[:200] or "remote", version=self.version[:200] or "unknown", extra=dict(extra)),
            notes=f"Made by itbench {__version__} from what was said; how the agent worked is not known.",
            steps=tuple(self.steps),
        )


def bounded(output: bytes, task: Task) -> tuple[bytes | None, Cause | None, str]:
    """An answer, if it is not too large."""
    limit = task.budget.output_bytes
    if len(output) > limit:
        return None, "output_invalid", f"the answer has {len(output):,} bytes, more than the allowed {limit:,}"
    return output, None, ""


def failed(talk: Talk, cause: Cause, detail: str, extra: Mapping[str, Any], warnings: Sequence[str] = ()) -> AgentResult:
    """The result of a trial that an agent did not finish."""
    detail = talk.redact(detail)[:1000]
    return AgentResult(failure=cause, detail=detail, trajectory=talk.trajectory(extra), warnings=tuple(warnings))
