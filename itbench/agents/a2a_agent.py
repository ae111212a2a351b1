"""`a2a:URL`: an agent that speaks the Agent2Agent protocol, by the official SDK (protocol 1.0, and 0.3 for older agents).

Two modes:
- `a2a:URL` sends one message with the task and the recorded files, and takes the answer from the artifacts of the task.
- `a2a:URL#itbench` is the public exchange of ITBench's purple agents: the harness says START and the task; the agent asks
  for data with `GET <type>`, as often as it likes, and ends with `DONE` and its answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from itbench.agents.bounded_http import ReplyTooLargeError, bounded_transport
from itbench.agents.protocol import AgentResult, Workspace, own_seconds
from itbench.agents.purple import TYPES, data_of, read_command
from itbench.agents.remote import FOLDER, LARGEST_REPLY, Talk, address, authorization, bounded, failed, files_of
from itbench.model.errors import MissingExtraError, UsageError
from itbench.model.task import Task

if TYPE_CHECKING:
    from a2a.client import Client
    from a2a.types import Message, Part, StreamResponse
    from a2a.types import Task as RemoteTask

ATTACHED = 20_000_000
_MOST_EXCHANGES = 200
_PAUSES = (0.2, 0.5, 1.0, 2.0)


class RemoteFailure(Exception):  # noqa: N818 - the protocol's own word
    """The agent says that it failed, or breaks the protocol."""


@dataclass(frozen=True, slots=True)
class A2aAgent:
    """Sends tasks to the agent whose card is at `url`. A token in ITBENCH_AGENT_TOKEN goes along."""

    url: str
    purple: bool = False
    sandboxed: bool = False
    isolation: Literal["remote"] = "remote"

    @classmethod
    def from_text(cls, text: str) -> A2aAgent:
        """From what follows `a2a:`.

        Raises:
            UsageError: it is no address, or no mode.
        """
        url, _, mode = text.partition("#")
        if mode not in ("", "itbench"):
            raise UsageError(
                f"there is no mode {mode!r}", key=f"--agent a2a:{text}", hint="Write a2a:URL or a2a:URL#itbench"
            )
        return cls(address("a2a", url), mode == "itbench")

    def prepare(self) -> None:
        """Refuse early what cannot work.

        Raises:
            MissingExtraError: the extra `a2a` is not installed.
        """
        try:
            import a2a.client  # noqa: F401
        except ImportError:
            raise MissingExtraError("a2a-sdk", "a2a", "an a2a: agent") from None

    async def run(self, task: Task, workspace: Workspace) -> AgentResult:
        """Talk to the agent until it has answered.

        Raises:
            AgentError: the recorded files are too large to be sent.
        """
        import httpx
        from a2a.client import A2ACardResolver, A2AClientError, ClientConfig, ClientFactory
        from a2a.utils.errors import A2AError

        files = await files_of(workspace.input_dir, *(() if self.purple else (ATTACHED,)))
        talk, extra = Talk("a2a-agent"), {"url": self.url.split("?")[0], "protocol": "A2A"}
        seconds = task.budget.wall_seconds
        hooks = {"request": [authorization(self.url)]}
        try:
            async with (
                asyncio.timeout(own_seconds(task.budget)),
                httpx.AsyncClient(
                    transport=bounded_transport(httpx, LARGEST_REPLY), timeout=600.0, event_hooks=hooks
                ) as http,
            ):
                config = ClientConfig(streaming=False, polling=True, httpx_client=http)
                card = await A2ACardResolver(http, self.url).get_agent_card()
                talk.name, talk.version = card.name or talk.name, card.version or talk.version
                session = Session(ClientFactory(config).create(card), talk)
                answer = await (session.exchange(task, files) if self.purple else session.delegate(task, files))
        except TimeoutError:
            return failed(talk, "agent_timeout", f"no answer within {seconds:g} s", extra)
        except RemoteFailure as error:
            return failed(talk, "agent_error", str(error), extra)
        except ReplyTooLargeError as error:
            return failed(talk, "output_invalid", str(error), extra)
        except (A2AClientError, httpx.HTTPError) as error:
            return failed(talk, "environment_error", f"the agent cannot be reached ({type(error).__name__}: {error})", extra)
        except (A2AError, ValueError) as error:
            return failed(talk, "agent_error", f"the agent broke the protocol ({type(error).__name__}: {error})", extra)
        output, failure, detail = bounded(answer, task)
        return AgentResult(output, failure, detail, talk.trajectory(extra))


@dataclass(slots=True)
class Session:
    """One conversation with an agent."""

    client: Client
    talk: Talk
    _context: str = ""
    _task: str = ""

    async def delegate(self, task: Task, files: dict[str, str]) -> bytes:
        """Send the task with its files, and wait for the artifacts.

        Raises:
            RemoteFailure: the agent failed, or asks something back.
        """
        from a2a.types import Part

        self.talk.say("user", task.words(FOLDER))
        attached = [
            Part(raw=text.encode(), filename=f"snapshot/{name}", media_type=_media(name)) for name, text in files.items()
        ]
        reply = await self._send([Part(text=task.words(FOLDER)), *attached])
        self.talk.say("agent", reply.text)
        if reply.asks:
            raise RemoteFailure(f"the agent asks something back: {reply.text[:300]}")
        return reply.answer(task.output_file)

    async def exchange(self, task: Task, files: dict[str, str]) -> bytes:
        """START, then GET after GET until DONE.

        Raises:
            RemoteFailure: the agent failed, or never ends.
        """
        from a2a.types import Part

        say = f"START\n{task.words(FOLDER)}"
        for _ in range(_MOST_EXCHANGES):
            self.talk.say("user", say)
            reply = await self._send([Part(text=say)])
            self.talk.say("agent", reply.text)
            command = read_command(reply.text)
            if command.word == "DONE":
                return command.rest.encode() if command.rest else reply.answer(task.output_file)
            if command.word == "GET":
                say = data_of(command.rest, files)
            elif reply.artifacts:
                return reply.answer(task.output_file)
            else:
                say = f"ERROR expected GET <type> or DONE <answer>. Types: {', '.join(TYPES)}"
        raise RemoteFailure(f"no DONE within {_MOST_EXCHANGES} exchanges")

    async def _send(self, parts: Sequence[Part]) -> Reply:
        """One message, and what the agent says once it has stopped working on it."""
        import uuid

        from a2a.types import Message, Role, SendMessageRequest

        message = Message(message_id=uuid.uuid4().hex, role=Role.ROLE_USER, parts=parts)
        message.context_id, message.task_id = self._context, self._task
        event: StreamResponse | None = None
        async for each in self.client.send_message(SendMessageRequest(message=message)):
            event = each
        if event is None:
            raise RemoteFailure("the agent said nothing")
        if event.HasField("message"):
            self._context = event.message.context_id or self._context
            return Reply.of_message(event.message)
        if not event.HasField("task"):
            raise RemoteFailure("the agent answered with neither a task nor a message")
        return await self._finished(event.task)

    async def _finished(self, remote: RemoteTask) -> Reply:
        from a2a.types import GetTaskRequest, TaskState

        number = 0
        while remote.status.state in (TaskState.TASK_STATE_SUBMITTED, TaskState.TASK_STATE_WORKING):
            await asyncio.sleep(_PAUSES[min(number, len(_PAUSES) - 1)])
            number += 1
            remote = await self.client.get_task(GetTaskRequest(id=remote.id))
        state = remote.status.state
        self._context = remote.context_id
        # A task that is over takes no more messages: what follows is a new one in the same context.
        self._task = remote.id if state == TaskState.TASK_STATE_INPUT_REQUIRED else ""
        reply = Reply.of_task(remote)
        if state not in (TaskState.TASK_STATE_COMPLETED, TaskState.TASK_STATE_INPUT_REQUIRED):
            name = TaskState.Name(state).removeprefix("TASK_STATE_").lower()
            raise RemoteFailure(f"the agent's task ended as {name}: {reply.text[:300]}")
        return reply


@dataclass(frozen=True, slots=True)
class Reply:
    """What an agent said: text, and the artifacts as (name, bytes)."""

    text: str
    artifacts: tuple[tuple[str, bytes], ...] = ()
    asks: bool = False

    @classmethod
    def of_message(cls, message: Message) -> Reply:
        """A plain message; its data parts count as artifacts."""
        pieces = [_piece(part) for part in message.parts]
        return cls(
            "\n".join(text for _, text, _ in pieces if text), tuple((name, data) for name, text, data in pieces if not text)
        )

    @classmethod
    def of_task(cls, remote: RemoteTask) -> Reply:
        """A task: the message of its status, else the last words of its history."""
        from a2a.types import Role, TaskState

        said = remote.status.message
        if not said.parts:
            own = [message for message in remote.history if message.role == Role.ROLE_AGENT]
            said = own[-1] if own else said
        artifacts = []
        for artifact in remote.artifacts:
            pieces = [_piece(part) for part in artifact.parts]
            joined = b"".join(data or text.encode() for _, text, data in pieces)
            named = [name for name, _, _ in pieces if name]
            artifacts.append((named[0] if named else artifact.name, joined))
        text = "\n".join(text for _, text, _ in map(_piece, said.parts) if text)
        if not text and artifacts:
            text = artifacts[-1][1].decode("utf-8", errors="replace")
        return cls(text, tuple(artifacts), remote.status.state == TaskState.TASK_STATE_INPUT_REQUIRED)

    def answer(self, name: str) -> bytes:
        """The artifact of this name, else the last one, else the text."""
        for title, data in self.artifacts:
            if title.rpartition("/")[2] == name:
                return data
        return self.artifacts[-1][1] if self.artifacts else self.text.encode("utf-8", errors="replace")


def _piece(part: Part) -> tuple[str, str, bytes]:
    """File name, text, and bytes of a part; one of the last two is empty."""
    from google.protobuf.json_format import MessageToDict

    if part.HasField("text"):
        return part.filename, part.text, b""
    if part.HasField("data"):
        return part.filename, "", json.dumps(MessageToDict(part.data)).encode()
    return part.filename, "", part.raw


def _media(name: str) -> str:
    return {"json": "application/json", "tsv": "text/tab-separated-values", "csv": "text/csv"}.get(
        name.rpartition(".")[2], "text/plain"
    )
