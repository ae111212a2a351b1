"""A trajectory as OpenTelemetry spans, by the semantic conventions of generative AI, for whatever shows traces.

    invoke_agent NAME            the trial
    ├── chat MODEL               one reply of a model, with its tokens
    └── execute_tool NAME        one call

A trajectory tells when a step was made and not how long it took: a span lasts until the next step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from itbench.model.errors import MissingExtraError, UnwritableError
from itbench.model.trajectory import Step, Trajectory

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

_LONGEST = 10_000


def export_spans(trajectory: Trajectory, endpoint: str, attributes: Mapping[str, str], *, content: bool = False) -> int:
    """Send a trajectory to an OTLP/HTTP endpoint; the number of spans.

    Args:
        trajectory: of one trial.
        endpoint: such as http://127.0.0.1:4318/v1/traces.
        attributes: more attributes of the trial's span, such as its scenario.
        content: also send what was said; it is long, and may be confidential.

    Raises:
        MissingExtraError: the extra `otel` is not installed.
        UnwritableError: the endpoint does not take the spans.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SpanExportResult
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    except ImportError:
        raise MissingExtraError("opentelemetry-sdk", "otel", "the export of spans") from None
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "itbench"}), shutdown_on_exit=False)
    record_spans(trajectory, provider, memory, attributes, content=content)
    spans = memory.get_finished_spans()
    exporter = OTLPSpanExporter(endpoint=endpoint, timeout=10)
    try:
        if exporter.export(spans) is not SpanExportResult.SUCCESS:
            raise UnwritableError(f"the endpoint {endpoint} does not take the spans", hint="Is a collector listening there?")
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call]
    return len(spans)


def record_spans(
    trajectory: Trajectory, provider: TracerProvider, exporter: Any, attributes: Mapping[str, str], *, content: bool = False
) -> None:
    """The spans of a trajectory, through a provider of their own into an exporter."""
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.trace import set_span_in_context

    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("itbench")
    agent, sums = trajectory.agent, trajectory.final_metrics
    times = list(_times(trajectory.steps))
    root = tracer.start_span(
        f"invoke_agent {agent.name}",
        start_time=times[0][0] if times else 0,
        attributes=_known(
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.name": agent.name,
                "gen_ai.agent.version": agent.version,
                "gen_ai.request.model": agent.model_name,
                "gen_ai.conversation.id": trajectory.session_id,
                "gen_ai.usage.input_tokens": sums.total_prompt_tokens if sums else None,
                "gen_ai.usage.output_tokens": sums.total_completion_tokens if sums else None,
                "itbench.cost_usd": sums.total_cost_usd if sums else None,
                **attributes,
            }
        ),
    )
    context = set_span_in_context(root)
    for step, (start, end) in zip(trajectory.steps, times, strict=True):
        if step.source == "agent":
            _reply(tracer, context, step, agent.model_name, start, end, content=content)
            _calls(tracer, context, step, start, end, content=content)
    root.end(end_time=times[-1][1] if times else 0)


def _reply(tracer: Tracer, context: Any, step: Step, model: str | None, start: int, end: int, *, content: bool) -> None:
    if step.llm_call_count == 0:
        return
    name, tokens = step.model_name or model, step.metrics
    span = tracer.start_span(
        f"chat {name}" if name else "chat",
        context=context,
        start_time=start,
        attributes=_known(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.request.model": model or name,
                "gen_ai.response.model": step.model_name,
                "gen_ai.usage.input_tokens": tokens.prompt_tokens if tokens else None,
                "gen_ai.usage.output_tokens": tokens.completion_tokens if tokens else None,
                "itbench.cost_usd": tokens.cost_usd if tokens else None,
                "itbench.step": step.step_id,
                "gen_ai.output.messages": str(step.message)[:_LONGEST] if content else None,
            }
        ),
    )
    span.end(end_time=end)


def _calls(tracer: Tracer, context: Any, step: Step, start: int, end: int, *, content: bool) -> None:
    from opentelemetry.trace import Status, StatusCode

    results = {result.source_call_id: result for result in (step.observation.results if step.observation else ())}
    for call in step.tool_calls or ():
        result = results.get(call.tool_call_id)
        span = tracer.start_span(
            f"execute_tool {call.function_name}",
            context=context,
            start_time=start,
            attributes=_known(
                {
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.name": call.function_name,
                    "gen_ai.tool.call.id": call.tool_call_id,
                    "itbench.step": step.step_id,
                    "gen_ai.tool.call.arguments": str(call.arguments)[:_LONGEST] if content else None,
                    "gen_ai.tool.call.result": str(result.content)[:_LONGEST] if content and result else None,
                }
            ),
        )
        if result is not None and (result.extra or {}).get("is_error"):
            span.set_status(Status(StatusCode.ERROR))
        span.end(end_time=end)


def _times(steps: tuple[Step, ...]) -> Iterator[tuple[int, int]]:
    """Start and end of each step, in nanoseconds since 1970. Without times, steps follow each other without duration."""
    known = 0
    starts = []
    for step in steps:
        known = max(known, _nanoseconds(step.timestamp) if step.timestamp else known)
        starts.append(known)
    yield from zip(starts, [*starts[1:], known], strict=True)


def _nanoseconds(text: str) -> int:
    time = datetime.fromisoformat(text)
    since = (time if time.tzinfo else time.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000


def _known(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value is not None}
