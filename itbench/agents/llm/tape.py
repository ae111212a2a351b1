"""Record and replay of model traffic, so that a run can be repeated without a server and without a key.

    TAPE/<agent label>/<hash>.json

The hash is of the request as it was sent (model, messages, tools, parameters) and of the trial's seed; keys, addresses and
headers are no part of it, and the ids of tool calls count by their order only. What is kept is the reply as the loop read
it, after retries; a request that failed for good is kept as its failure.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import FiniteFloat, ValidationError

from itbench.agents.llm.chat import Request
from itbench.agents.llm.failures import Kind, ModelError, TapeError
from itbench.model.base import Document

Mode = Literal["record", "replay"]


class Exchange(Document):
    """One request's outcome: the body of the reply, or why there is none.

    Cost (US dollars) and time (seconds from the beginning of the trial) are kept because what the loop does depends on them.
    """

    model: str
    messages: int
    body: str | None = None
    cost: FiniteFloat | None = None
    elapsed: FiniteFloat = 0.0
    failure: Kind | None = None
    status: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Tape:
    """The recorded traffic of one agent of a run."""

    folder: Path
    mode: Mode

    def look_up(self, request: Request, seed: int) -> Exchange:
        """The recorded exchange; it has a body.

        Raises:
            ModelError: the recorded request failed in this way.
            TapeError: this request was never recorded, or its file is damaged.
        """
        path = self._path(request, seed)
        try:
            exchange = Exchange.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise TapeError(
                f"the tape has no reply to request {sum(m.role == 'assistant' for m in request.messages) + 1} of this trial",
                path=self.folder,
                hint="Replay with the scenario, seed, model, options, label and version of itbench of the recording",
            ) from None
        except (OSError, ValidationError) as error:
            raise TapeError(f"the recording cannot be read ({type(error).__name__})", path=path) from None
        if exchange.failure is not None:
            raise ModelError(exchange.detail, exchange.failure, exchange.status)
        return exchange

    def keep(self, request: Request, seed: int, body: str, *, cost: float | None, elapsed: float) -> None:
        """Record a reply; a later one to the same request takes its place.

        Raises:
            TapeError: it cannot be written.
        """
        self._write(request, seed, {"body": body, "cost": cost, "elapsed": elapsed})

    def keep_failure(self, request: Request, seed: int, error: ModelError) -> None:
        """Record that there was no reply.

        Raises:
            TapeError: it cannot be written.
        """
        self._write(request, seed, {"failure": error.kind, "status": error.status, "detail": error.message})

    def _write(self, request: Request, seed: int, outcome: dict[str, Any]) -> None:
        exchange = Exchange(model=request.model, messages=len(request.messages), **outcome)
        path = self._path(request, seed)
        partial = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(exchange.model_dump_json(indent=1), encoding="utf-8")
            os.replace(partial, path)  # noqa: PTH105 - parallel trials never see half a file
        except OSError as error:
            raise TapeError(f"the tape cannot be written ({error.strerror})", path=path) from error

    def _path(self, request: Request, seed: int) -> Path:
        return self.folder / f"{fingerprint(request, seed)}.json"


def fingerprint(request: Request, seed: int) -> str:
    """A stable name for a request of a trial with this seed."""
    body = request.body()
    order: dict[str, str] = {}
    for message in body["messages"]:
        for call in message.get("tool_calls", ()):
            call["id"] = order[call["id"]] = f"#{len(order)}"
        if "tool_call_id" in message:
            message["tool_call_id"] = order.get(message["tool_call_id"], "?")
    text = json.dumps({"seed": seed, "request": body}, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
