"""A real A2A server, by the official SDK, as a process: `python a2a_server.py PORT BEHAVIOUR [0.3]`."""

from __future__ import annotations

import asyncio
import json
import sys

import uvicorn
from a2a.helpers.proto_helpers import new_task_from_user_message, new_text_message
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, AgentSkill, Part
from starlette.applications import Starlette

ANSWER = {"entities": [], "propagations": [], "alerts_explained": []}


class Agent(AgentExecutor):
    def __init__(self, behaviour: str) -> None:
        self.behaviour = behaviour
        self.turn = 0

    async def execute(self, context: RequestContext, queue: EventQueue) -> None:
        task = context.current_task or new_task_from_user_message(context.message)
        if context.current_task is None:
            await queue.enqueue_event(task)
        updater = TaskUpdater(queue, task.id, task.context_id)
        await updater.start_work()
        said = context.get_user_input()
        say = lambda text: new_text_message(text, context_id=task.context_id, task_id=task.id)  # noqa: E731
        if self.behaviour == "artifact":
            await asyncio.sleep(0.5)
            files = sorted(part.filename for part in context.message.parts if part.filename)
            answer = ANSWER | {"said": said.split("\n")[0], "files": files}
            await updater.add_artifact([Part(raw=json.dumps(answer).encode(), filename="agent_output.json")], name="answer")
            await updater.add_artifact([Part(text="notes")], name="notes")
            await updater.complete(say("Done."))
        elif self.behaviour == "purple":
            self.turn += 1
            if said.startswith("START"):
                await updater.requires_input(say("GET alerts"))
            elif self.turn == 2:
                self.alerts = sorted(json.loads(said)["files"])
                await updater.requires_input(say("GET secrets"))
            elif self.turn == 3:
                self.error = said
                await updater.requires_input(say("I think."))
            else:
                await updater.complete(say("DONE\n" + json.dumps(ANSWER | {"alerts": self.alerts, "error": self.error})))
        elif self.behaviour == "fails":
            await updater.failed(say("no idea"))
        elif self.behaviour == "asks":
            await updater.requires_input(say("which cluster?"))
        elif self.behaviour == "huge":
            await updater.add_artifact([Part(raw=b"x" * 3_000_000)])
            await updater.complete()
        elif self.behaviour == "slow":
            await asyncio.sleep(60)
        elif self.behaviour == "chatter":
            await updater.requires_input(say("GET alerts"))

    async def cancel(self, context: RequestContext, queue: EventQueue) -> None:
        await TaskUpdater(queue, context.task_id, context.context_id).cancel()


def main(port: str, behaviour: str, version: str = "1.0") -> None:
    url = f"http://127.0.0.1:{port}/"
    card = AgentCard(
        name="stand-in",
        description="answers",
        version="7",
        supported_interfaces=[AgentInterface(url=url, protocol_binding="JSONRPC", protocol_version=version)],
        capabilities=AgentCapabilities(streaming=False),
        default_input_modes=["text"],
        default_output_modes=["text"],
        skills=[AgentSkill(id="s", name="s", description="s", tags=["s"])],
    )
    handler = DefaultRequestHandler(Agent(behaviour), InMemoryTaskStore(), card)
    routes = [*create_agent_card_routes(card), *create_jsonrpc_routes(handler, "/", enable_v0_3_compat=True)]
    uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
