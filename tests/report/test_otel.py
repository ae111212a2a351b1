"""Trajectories as spans, received by a real OTLP/HTTP server."""

from __future__ import annotations

import gzip
import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from itbench.model.errors import UnwritableError
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
from itbench.report.otel import export_spans

TRAJECTORY = Trajectory(
    agent=AgentInfo(name="mine", version="1", model_name="m"),
    steps=(
        Step(step_id=1, source="user", message="Find it.", timestamp="2026-01-01T00:00:00Z"),
        Step(
            step_id=2,
            source="agent",
            message="I look.",
            timestamp="2026-01-01T00:00:01Z",
            tool_calls=(ToolCall(tool_call_id="c", function_name="alerts", arguments={"limit": 1}),),
            observation=Observation(
                results=(ObservationResult(source_call_id="c", content="secret", extra={"is_error": True}),)
            ),
            metrics=StepMetrics(prompt_tokens=10, completion_tokens=2),
        ),
        Step(step_id=3, source="agent", message="Done.", timestamp="2026-01-01T00:00:03.5Z"),
    ),
    final_metrics=FinalMetrics(total_prompt_tokens=10, total_completion_tokens=2, total_cost_usd=0.25),
)


@pytest.fixture
def collector() -> Iterator[tuple[str, list[Any]]]:
    received: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            request = ExportTraceServiceRequest.FromString(body)
            received.extend(span for r in request.resource_spans for s in r.scope_spans for span in s.spans)
            self.send_response(200 if self.path == "/v1/traces" else 400)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    server.server_close()


def attributes(span: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


@pytest.mark.integration
def test_replies_and_calls_are_spans_within_the_trial(collector: tuple[str, list[Any]]) -> None:
    url, received = collector
    assert export_spans(TRAJECTORY, f"{url}/v1/traces", {"itbench.scenario": "s"}) == 4
    spans = {span.name: span for span in received}
    assert sorted(span.name for span in received) == ["chat m", "chat m", "execute_tool alerts", "invoke_agent mine"]
    root, tool = spans["invoke_agent mine"], spans["execute_tool alerts"]
    assert all(span.parent_span_id == root.span_id for span in received if span is not root)
    told = attributes(root)
    assert (told["itbench.scenario"], told["gen_ai.usage.input_tokens"], told["itbench.cost_usd"]) == ("s", 10, 0.25)
    assert (root.end_time_unix_nano - root.start_time_unix_nano) == 3_500_000_000
    assert (tool.end_time_unix_nano - tool.start_time_unix_nano) == 2_500_000_000
    assert tool.status.code == 2  # error
    assert "secret" not in str(received)


@pytest.mark.integration
def test_what_was_said_is_sent_only_if_asked_for(collector: tuple[str, list[Any]]) -> None:
    url, received = collector
    export_spans(TRAJECTORY, f"{url}/v1/traces", {}, content=True)
    assert "secret" in str(received)


@pytest.mark.integration
def test_an_endpoint_that_refuses_is_named(collector: tuple[str, list[Any]]) -> None:
    with pytest.raises(UnwritableError, match="does not take the spans"):
        export_spans(TRAJECTORY, f"{collector[0]}/elsewhere", {})
