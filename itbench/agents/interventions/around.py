"""Put interventions around any agent, as far as it can be."""

from __future__ import annotations

from dataclasses import replace

from itbench.agents.command import CommandAgent
from itbench.agents.interventions.catalogue import INTERVENTIONS, written
from itbench.agents.interventions.outside import AskedAgain
from itbench.agents.interventions.protocol import Intervention
from itbench.agents.protocol import Agent, AnyAgent
from itbench.model.errors import UsageError


def around(agent: AnyAgent, interventions: tuple[Intervention, ...], spec: str) -> AnyAgent:
    """The agent with interventions around it.

    `llm:` agents are asked step by step, and so are `python:` agents with a `step`, which their host finds out. Of all
    others only the answer is seen: the gate and the format guard judge that.

    Args:
        agent: any agent that gets a task. One that answers from the ground truth needs no guard.
        interventions: in the order in which they are asked.
        spec: how the user wrote the agent, for messages.

    Raises:
        UsageError: it cannot be guarded so.
    """
    from itbench.agents.llm.agent import LlmAgent
    from itbench.agents.stepping import StepAgent

    if isinstance(agent, LlmAgent | StepAgent):
        return agent.guarded(interventions)
    if isinstance(agent, CommandAgent) and agent.is_python:
        return replace(agent, argv=(*agent.argv, "--with", written(interventions)))
    if not isinstance(agent, Agent):
        raise UsageError(f"{spec} answers from the ground truth: nothing can stand around it", key="with:")
    inner = [each.name for each in interventions if not each.outside]
    if inner:
        outside = ", ".join(name for name, kind in INTERVENTIONS.items() if kind.outside)
        raise UsageError(
            f"{inner[0]} needs an agent that is asked step by step, and {spec} is not",
            hint=f"Around a program stand: {outside}. Step by step work llm: and python: agents with a step()",
        )
    return AskedAgain(agent, interventions)


def inmost(agent: AnyAgent) -> AnyAgent:
    """The agent within."""
    return inmost(agent.agent) if isinstance(agent, AskedAgain) else agent
