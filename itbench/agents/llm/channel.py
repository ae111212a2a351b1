"""One way to get a completion, whether from an endpoint, from an endpoint while recording, or from a recording."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from itbench.agents.llm.chat import Completion, Request, read_completion
from itbench.agents.llm.endpoint import Endpoint, Notice, refused_parameter
from itbench.agents.llm.failures import ModelError, TapeError
from itbench.agents.llm.pricing import price
from itbench.agents.llm.tape import Tape


@dataclass(frozen=True, slots=True)
class Reply:
    """A completion with its cost (US dollars, None if unknown) and when it came (seconds into the trial).

    `request` is what was asked in the end: without parameters that the endpoint refuses.
    """

    completion: Completion
    cost: float | None
    elapsed: float
    request: Request


class Speaker(Protocol):
    """Whatever completes a conversation: a model behind a channel, or a program's own steps."""

    async def complete(self, request: Request) -> Reply:
        """The next reply.

        Raises:
            ModelError: there is none.
            TapeError: a recording has none.
        """
        ...

    def note_timeout(self) -> None:
        """The trial's time ended while it was asked."""
        ...


@dataclass(slots=True)
class Channel:
    """Where the requests of one trial go. Without an endpoint, everything comes from the tape."""

    endpoint: Endpoint | None
    tape: Tape | None
    seed: int
    notice: Notice
    began: float
    _waiting: Request | None = None

    async def complete(self, request: Request) -> Reply:
        """A completion.

        Raises:
            ModelError: no usable reply.
            TapeError: the tape has no such request, or cannot be written.
        """
        while True:
            try:
                return await self._once(request)
            except ModelError as error:
                refused = refused_parameter(error, request)
                if refused is None:
                    raise
                self.notice("model_parameter_dropped", parameter=refused, reason=error.message)
                request = request.without(refused)

    def note_timeout(self) -> None:
        """The trial's time ended; if that was while waiting for a reply, the tape knows."""
        if self.tape and self.endpoint and self._waiting:
            self.tape.keep_failure(self._waiting, self.seed, ModelError("no reply before the end of the trial", "timeout"))

    async def _once(self, request: Request) -> Reply:
        if self.endpoint is None:
            return self._recorded(request)
        self._waiting = request
        try:
            body, completion = await self.endpoint.send(request)
        except ModelError as error:
            if self.tape:
                self.tape.keep_failure(request, self.seed, error)
            raise
        self._waiting = None
        cost = price(completion.served_model or request.model, completion.tokens, self.endpoint.base_url)
        elapsed = round(time.monotonic() - self.began, 3)
        if self.tape:
            self.tape.keep(request, self.seed, body, cost=cost, elapsed=elapsed)
        return Reply(completion, cost, elapsed, request)

    def _recorded(self, request: Request) -> Reply:
        assert self.tape is not None, "a channel has an endpoint or a tape"
        exchange = self.tape.look_up(request, self.seed)
        try:
            completion = read_completion(exchange.body or "")
        except ValueError as error:
            raise TapeError(f"a recorded reply is damaged: {error}", path=self.tape.folder) from None
        return Reply(completion, exchange.cost, exchange.elapsed, request)


@asynccontextmanager
async def open_channel(
    tape: Tape | None, seed: int, began: float, deadline: float | None, notice: Notice
) -> AsyncIterator[Channel]:
    """A channel that lives as long as the block; times are of time.monotonic()."""
    if tape is not None and tape.mode == "replay":
        yield Channel(None, tape, seed, notice, began)
        return
    import numpy as np

    async with Endpoint(np.random.default_rng(seed), deadline, notice) as endpoint:
        yield Channel(endpoint, tape, seed, notice, began)
