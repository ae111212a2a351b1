"""The trajectory of an `llm:` agent, written as it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from itbench import __version__
from itbench.agents.llm.chat import Call, Completion
from itbench.agents.llm.spending import Spending
from itbench.agents.llm.tooling import Answered
from itbench.agents.llm.window import shortened
from itbench.model.trajectory import (
    AgentInfo,
    FinalMetrics,
    Observation,
    ObservationResult,
    Step,
    StepMetrics,
    ToolCall,
    Trajectory,
)

_LONGEST = 100_000


@dataclass(slots=True)
class Diary:
    """Steps so far. Texts longer than 100,000 characters are kept by their beginning."""

    model: str
    tools: tuple[dict[str, Any], ...]
    settings: dict[str, Any]
    steps: list[Step] = field(default_factory=list)

    def say(self, source: str, text: str, **extra: str) -> None:
        """A message of the system or the harness; `extra` says why it was sent."""
        self._add(source=source, message=shortened(text, _LONGEST), extra=extra or None)

    def reply(
        self, reply: Completion, cost: float | None, calls: Sequence[Call] = (), answers: Sequence[Answered] = ()
    ) -> None:
        """A reply of the model, with its calls and what came back in the same order."""
        results = tuple(
            ObservationResult(source_call_id=call.id, content=shortened(answer.text, _LONGEST), extra=_marks(answer) or None)
            for call, answer in zip(calls, answers, strict=True)
        )
        self._add(
            source="agent",
            message=shortened(reply.text or reply.refusal, _LONGEST),
            model_name=reply.served_model or self.model,
            reasoning_content=shortened(reply.reasoning, _LONGEST) or None,
            tool_calls=tuple(map(_tool_call, calls)) or None,
            observation=Observation(results=results) if results else None,
            metrics=_metrics(reply, cost),
            llm_call_count=1,
            extra={"refusal": True} if reply.refusal else None,
        )

    def trajectory(self, spending: Spending) -> Trajectory:
        """The whole, with sums."""
        usage = spending.usage()
        return Trajectory(
            agent=AgentInfo(
                name="itbench-llm",
                version=__version__,
                model_name=self.model,
                tool_definitions=self.tools or None,
                extra=self.settings,
            ),
            steps=tuple(self.steps),
            final_metrics=FinalMetrics(
                total_prompt_tokens=usage.prompt_tokens,
                total_completion_tokens=usage.completion_tokens,
                total_cached_tokens=spending.cached_tokens if usage.prompt_tokens is not None else None,
                total_cost_usd=usage.cost_usd,
                total_steps=len(self.steps),
            ),
        )

    def _add(self, **fields: Any) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.steps.append(Step(step_id=len(self.steps) + 1, timestamp=now, **fields))


def _tool_call(call: Call) -> ToolCall:
    extra = None if call.arguments is not None else {"malformed_arguments": shortened(call.raw, 2000)}
    return ToolCall(tool_call_id=call.id, function_name=call.name, arguments=call.arguments or {}, extra=extra)


def _marks(answer: Answered) -> dict[str, Any]:
    marks: dict[str, Any] = {"is_error": True} if answer.wrong else {}
    return marks | ({"held_by": answer.held_by} if answer.held_by else {})


def _metrics(reply: Completion, cost: float | None) -> StepMetrics | None:
    if reply.tokens is None:
        return None
    return StepMetrics(
        prompt_tokens=reply.tokens.prompt_tokens,
        completion_tokens=reply.tokens.completion_tokens,
        cached_tokens=reply.tokens.cached,
        cost_usd=cost,
    )
