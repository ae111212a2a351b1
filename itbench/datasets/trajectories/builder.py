"""Put a trajectory together from the records of a session, in their order.

A step of the agent is one reply of its model: reasoning, words and calls that come without anything in between. What
comes back from a call belongs to the step that made it, however late it comes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

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


@dataclass(slots=True)
class Draft:
    """A step in the making."""

    source: Literal["system", "user", "agent"]
    timestamp: str | None = None
    said: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    model: str | None = None
    calls: dict[str, ToolCall] = field(default_factory=dict)
    results: list[ObservationResult] = field(default_factory=list)
    metrics: StepMetrics | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def step(self, number: int) -> Step:
        """The finished step."""
        own = self.source == "agent"
        return Step(
            step_id=number,
            timestamp=self.timestamp,
            source=self.source,
            message="\n\n".join(self.said),
            model_name=self.model if own else None,
            reasoning_content="\n\n".join(self.reasoning) or None,
            tool_calls=tuple(self.calls.values()) or None,
            observation=Observation(results=tuple(self.results)) if self.results else None,
            metrics=self.metrics,
            extra=self.extra or None,
        )


@dataclass(slots=True)
class Builder:
    """A session so far."""

    steps: list[Draft] = field(default_factory=list)
    _open: Draft | None = None
    _owners: dict[str, Draft] = field(default_factory=dict)

    def say(self, source: Literal["system", "user"], text: str, timestamp: str | None, **extra: Any) -> None:
        """A message that is not the agent's."""
        self.close()
        self.steps.append(Draft(source, timestamp, [text], extra=extra))

    def agent(self, timestamp: str | None, model: str | None) -> Draft:
        """The step that the agent's next record belongs to."""
        if self._open is None:
            self._open = Draft("agent", timestamp, model=model)
            self.steps.append(self._open)
        return self._open

    def close(self) -> None:
        """What the agent does next begins a new step."""
        self._open = None

    def call(self, draft: Draft, call_id: str, name: str, arguments: dict[str, Any], malformed: str | None = None) -> None:
        """A call in a step. Ids that are missing or taken are made up."""
        known = call_id if call_id and call_id not in self._owners else f"call-{len(self._owners) + 1}"
        extra = None if malformed is None else {"malformed_arguments": malformed}
        draft.calls[known] = ToolCall(tool_call_id=known, function_name=name, arguments=arguments, extra=extra)
        self._owners[known] = draft

    def result(self, call_id: str, text: str, *, is_error: bool = False) -> bool:
        """What came back; False, and nothing is kept, if no such call is known."""
        self.close()
        owner = self._owners.get(call_id)
        if owner is None:
            return False
        extra = {"is_error": True} if is_error else None
        owner.results.append(ObservationResult(source_call_id=call_id, content=text, extra=extra))
        return True

    def trajectory(
        self, agent: AgentInfo, session: str | None, totals: FinalMetrics | None = None, **extra: Any
    ) -> Trajectory:
        """The whole; `totals` are by the session's own count, else summed over the steps."""
        return Trajectory(
            session_id=session or None,
            agent=agent,
            steps=tuple(draft.step(number) for number, draft in enumerate(self.steps, start=1)),
            final_metrics=totals or self._sums(),
            extra=extra or None,
        )

    def _sums(self) -> FinalMetrics | None:
        known = [draft.metrics for draft in self.steps if draft.metrics is not None]
        if not known:
            return None
        costs = [each.cost_usd for each in known if each.cost_usd is not None]
        return FinalMetrics(
            total_prompt_tokens=sum(each.prompt_tokens or 0 for each in known),
            total_completion_tokens=sum(each.completion_tokens or 0 for each in known),
            total_cached_tokens=sum(each.cached_tokens or 0 for each in known),
            total_cost_usd=sum(costs) if len(costs) == len(known) else None,
            total_steps=len(self.steps),
        )
