"""`http:URL`: an agent behind an address of its own. The task is posted as JSON, the answer comes back as JSON.

Request:  `{"schema_version": 1, "task": {…}, "files": {"alerts/….json": "…"}}`
Reply:    200 with the answer itself or `{"output": …, "trajectory": ATIF}`; or 202 with a Location, which is asked until it
          says 200.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urljoin

from pydantic import ValidationError

from itbench.agents.bounded_http import ReplyTooLargeError, bounded_transport
from itbench.agents.protocol import AgentResult, Workspace, own_seconds
from itbench.agents.remote import FOLDER, LARGEST_REPLY, Talk, address, authorization, bounded, failed, files_of
from itbench.agents.transcript import stated_usage
from itbench.model.errors import MissingExtraError
from itbench.model.task import Task
from itbench.model.trajectory import Trajectory

_AGAIN = frozenset({429, 502, 503, 504})
_ATTEMPTS = 5
_PAUSES = (0.5, 1.0, 2.0, 5.0)
_LEAST_PAUSE = 0.1  # whatever it asks for: nobody makes us spin


@dataclass(frozen=True, slots=True)
class HttpAgent:
    """Posts tasks to `url`. A token in ITBENCH_AGENT_TOKEN goes along."""

    url: str
    sandboxed: bool = False
    isolation: Literal["remote"] = "remote"

    @classmethod
    def from_text(cls, text: str) -> HttpAgent:
        """From what follows `http:`.

        Raises:
            UsageError: it is no address.
        """
        return cls(address("http", text))

    def prepare(self) -> None:
        """Refuse early what cannot work.

        Raises:
            MissingExtraError: the extra `http` is not installed.
        """
        http_client()

    async def run(self, task: Task, workspace: Workspace) -> AgentResult:
        """Post the task and wait for the answer.

        Raises:
            AgentError: the recorded files are too large to be sent.
        """
        http = http_client()
        talk, extra = Talk("http-agent"), {"url": self.url.split("?")[0]}
        question = task.model_copy(update={"instructions": task.words(FOLDER), "input_dir": None})
        talk.say("user", question.instructions)
        body = {
            "schema_version": 1,
            "task": question.model_dump(mode="json"),
            "files": await files_of(workspace.input_dir),
        }
        seconds = task.budget.wall_seconds
        hooks = {"request": [authorization(self.url)]}
        try:
            async with (
                asyncio.timeout(own_seconds(task.budget)),
                http.AsyncClient(
                    transport=bounded_transport(http, LARGEST_REPLY), timeout=600.0, event_hooks=hooks
                ) as client,
            ):
                reply = await self._ask(client, http, body)
        except TimeoutError:
            return failed(talk, "agent_timeout", f"no answer within {seconds:g} s", extra)
        except ReplyTooLargeError as error:
            return failed(talk, "output_invalid", str(error), extra)
        except http.HTTPError as error:
            return failed(talk, "environment_error", f"the agent cannot be reached ({type(error).__name__}: {error})", extra)
        except (http.InvalidURL, ValueError) as error:
            return failed(talk, "agent_error", f"the agent sent us to no address ({type(error).__name__}: {error})", extra)
        talk.say("agent", reply.text)
        if reply.status_code != 200:
            return failed(talk, "agent_error", f"the agent answered {reply.status_code}: {reply.text[:300]}", extra)
        return _result(reply.content, task, talk, extra)

    async def _ask(self, client: Any, http: Any, body: dict[str, Any]) -> Any:
        """The last reply. Where the agent is not there yet, or says that it is busy, it is asked again."""
        for attempt in range(_ATTEMPTS):
            last = attempt == _ATTEMPTS - 1
            try:
                reply = await client.post(self.url, json=body)
            except http.ConnectError:
                if last:
                    raise
                await asyncio.sleep(_PAUSES[attempt])
                continue
            if reply.status_code not in _AGAIN or last:
                break
            await asyncio.sleep(_pause(reply, _PAUSES[attempt]))
        number = 0
        while reply.status_code == 202 and reply.headers.get("location"):
            await asyncio.sleep(_pause(reply, _PAUSES[min(number, len(_PAUSES) - 1)]))
            number += 1
            reply = await client.get(urljoin(self.url, reply.headers["location"]))
        return reply


def http_client() -> Any:
    """The httpx2 module.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import httpx2
    except ImportError:
        raise MissingExtraError("httpx2", "http", "an http: agent") from None
    return httpx2


def _pause(reply: Any, otherwise: float) -> float:
    from itbench.agents.llm.endpoint import retry_after

    asked = retry_after(reply.headers, time.time())
    return otherwise if asked is None else max(asked, _LEAST_PAUSE)


def _result(content: bytes, task: Task, talk: Talk, extra: dict[str, Any]) -> AgentResult:
    """The answer itself, or what an envelope holds."""
    trajectory, warnings = None, []
    try:
        envelope = json.loads(content)
    except (ValueError, RecursionError):
        envelope = None
    if isinstance(envelope, dict) and "output" in envelope:
        given = envelope["output"]
        content = given.encode("utf-8", errors="replace") if isinstance(given, str) else json.dumps(given).encode()
        if envelope.get("trajectory") is not None:
            try:
                trajectory = Trajectory.model_validate(envelope["trajectory"])
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                where = ".".join(map(str, first["loc"])) or "the document"
                warnings.append(f"the trajectory is not ATIF and is not kept: {where}: {first['msg']}")
    trajectory = trajectory or talk.trajectory(extra)
    usage, doubts = stated_usage(trajectory)
    output, failure, detail = bounded(content, task)
    return AgentResult(output, failure, detail, trajectory, usage, (*warnings, *doubts))
