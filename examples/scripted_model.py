"""A stand-in for a language model: a server that speaks chat completions and follows a script.

    python examples/scripted_model.py &                      # prints its address, and serves until it is stopped
    export OPENAI_BASE_URL=http://127.0.0.1:8077/v1 OPENAI_API_KEY=none
    itbench run --suite starter --agent llm:scripted --agent nop

It asks for the overview and for the changes of objects, blames the first object that somebody changed, and answers. So the
`llm:` agent can be tried with no key, and a model that does worse than this script has a problem.
"""

from __future__ import annotations

import argparse
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FIRST_QUESTIONS = ("incident_overview", "object_changes")
# What controllers write follows from something else.
DERIVED = ("Pod", "ReplicaSet", "EndpointSlice", "Endpoints", "Event", "Lease")
ROW = re.compile(r"^\S+ \| \S+ \| (\w+) \| (\S+/(\w+)/\S+) \| (.*)$", re.MULTILINE)
COSMETIC = re.compile(
    r"^[+-]? ?(metadata\.(labels|annotations)|spec\.(revisionHistoryLimit|progressDeadlineSeconds)|.*restartedAt)"
)


def reply(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """The next message of the script: questions first, then the answer."""
    results = [str(message.get("content")) for message in messages if message["role"] == "tool"]
    if not results:
        calls = [
            {"id": f"call-{name}", "type": "function", "function": {"name": name, "arguments": "{}"}}
            for name in FIRST_QUESTIONS
        ]
        return {"role": "assistant", "content": None, "tool_calls": calls}
    return {"role": "assistant", "content": json.dumps(answer("\n".join(results)))}


def answer(seen: str) -> dict[str, Any]:
    """Blame the first object that somebody changed for a reason."""
    for deed, name, kind, fields in ROW.findall(seen):
        if kind not in DERIVED and not COSMETIC.match(fields):
            found = {
                "name": name,
                "contributing_factor": True,
                "reasoning": f"it was {deed} when the incident began",
                "evidence": fields[:300],
            }
            return {"entities": [found], "propagations": [], "alerts_explained": []}
    return {"entities": [], "propagations": [], "alerts_explained": []}


class Handler(BaseHTTPRequestHandler):
    """POST /v1/chat/completions."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The message that answers a request."""
        return reply(request["messages"])

    def do_POST(self) -> None:
        """Answer one request."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        message = self.answer(request)
        size = len(json.dumps(request)) // 4
        body = json.dumps(
            {
                "id": "scripted",
                "object": "chat.completion",
                "created": 0,
                "model": request["model"],
                "choices": [
                    {
                        "index": 0,
                        "message": message,
                        "finish_reason": "tool_calls" if message.get("tool_calls") else "stop",
                    }
                ],
                "usage": {"prompt_tokens": size, "completion_tokens": 50, "total_tokens": size + 50},
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(handler: type[Handler] = Handler) -> None:
    """Serve on loopback until stopped."""
    parser = argparse.ArgumentParser(description="A scripted stand-in for a language model.")
    parser.add_argument("--port", type=int, default=8077)
    port = parser.parse_args().port
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise SystemExit(f"port {port} cannot be had ({error.strerror}): choose another with --port") from None
    print(f"serving on http://127.0.0.1:{server.server_port}/v1", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
