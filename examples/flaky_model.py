"""The agents of flaky_agents.py behind the chat-completions protocol: models that fail in known ways, without a key.

    python examples/flaky_model.py &
    export OPENAI_BASE_URL=http://127.0.0.1:8077/v1 OPENAI_API_KEY=none
    itbench run --suite sre-all --agent llm:Mixed --trials 3
    itbench ablate --suite sre-all --agent llm:Mixed --with loop,gate,fsm,format

The name of the model is that of the agent. `Mixed` draws its flaw by the seed that the request carries.
"""

from __future__ import annotations

from typing import Any

import flaky_agents
from scripted_model import Handler, main


class Flaky(Handler):
    """POST /v1/chat/completions."""

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """What the agent that the model is named after does next."""
        kind = getattr(flaky_agents, request["model"])
        agent = kind.drawn(request.get("seed", 0)) if kind is flaky_agents.Mixed else kind()
        tools = [] if request.get("tool_choice") == "none" else request.get("tools", [])
        said = agent.step(request["messages"], tools)
        return {"role": "assistant", "content": said} if isinstance(said, str) else said


if __name__ == "__main__":
    main(Flaky)
