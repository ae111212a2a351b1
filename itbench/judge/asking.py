"""Ask a model a question once for each vote, remembering every reply and what it cost.

A model that cannot be reached is not asked again: whoever waits for retries once need not wait for every question.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from itbench.agents.llm.channel import Channel
from itbench.agents.llm.chat import Request
from itbench.agents.llm.endpoint import Endpoint, sdk_of_openai
from itbench.agents.llm.failures import ModelError
from itbench.judge.access import NO_ACCESS, Access
from itbench.judge.replies import JudgeReply, Remembered
from itbench.model.errors import MissingExtraError

ATTEMPTS = 4
REQUEST_SECONDS = 180.0
PATIENCE = 60.0
_AT_ONCE = 4
_LASTING = frozenset({0, 401, 402, 403, 404})
_FAILURES_IN_A_ROW = 3
_LONGEST_KEPT = 500_000  # longer than any vote that counts


@dataclass(slots=True)
class Bill:
    """What a model cost: requests and US dollars now, and those of replies that were remembered.

    A reply without a known price counts in `unpriced`.
    """

    asked: int = 0
    remembered: int = 0
    failed: int = 0
    paid_usd: float = 0.0
    saved_usd: float = 0.0
    unpriced: int = 0

    def add(self, reply: JudgeReply, *, remembered: bool) -> None:
        """Count one reply."""
        self.unpriced += reply.cost_usd is None
        if remembered:
            self.remembered += 1
            self.saved_usd += reply.cost_usd or 0.0
        else:
            self.asked += 1
            self.paid_usd += reply.cost_usd or 0.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One vote on one question: what is sent, and what it is about.

    Attributes:
        key: the hash of what is asked; equal keys are asked once.
        request: makes the request; it is only called if nothing is remembered.
        grades: what a valid reply says in short, kept with it; None if it is invalid.
    """

    key: str
    criterion: str
    version: str
    vote: int
    request: Callable[[], Request]
    grades: Callable[[JudgeReply], tuple[str, ...] | None] = lambda _: None


@dataclass(slots=True)
class Asker:
    """A model that can be asked. Without a channel only remembered replies count, and `down` says why."""

    model: str
    replies: Remembered
    channel: Channel | None
    down: str = ""
    bill: Bill = field(default_factory=Bill)
    _failures: int = 0
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def reply(self, asked: Asked) -> JudgeReply | str:
        """A reply, remembered or new, or why there is none. Never raises for what a model or an endpoint does."""
        async with self._locks.setdefault(asked.key, asyncio.Lock()):  # equal questions: one of them pays
            known = self.replies.find(asked.key)
            if known is None:
                return await self._new(asked)
            self.bill.add(known, remembered=True)
            return known

    async def _new(self, asked: Asked) -> JudgeReply | str:
        async with self._turns:
            if self.channel is None or self.down:
                return self.down
            try:
                async with asyncio.timeout(ATTEMPTS * (REQUEST_SECONDS + PATIENCE)):  # a body may come drop by drop
                    reply = await self._ask(self.channel, asked)
            except TimeoutError:
                return self._failed(ModelError("it took too long", "endpoint"))
            except ModelError as error:
                return self._failed(error)
        self._failures = 0
        self.bill.add(reply, remembered=False)
        self.replies.keep(asked.key, reply)
        return reply

    async def _ask(self, channel: Channel, asked: Asked) -> JudgeReply:
        reply = await channel.complete(asked.request())
        completion = reply.completion
        made = JudgeReply(
            model=self.model,
            served_model=completion.served_model,
            criterion=asked.criterion,
            rubric_version=asked.version,
            vote=asked.vote,
            text=completion.text[:_LONGEST_KEPT],
            refusal=completion.refusal,
            finish_reason=completion.finish_reason,
            prompt_tokens=completion.tokens.prompt_tokens if completion.tokens else None,
            completion_tokens=completion.tokens.completion_tokens if completion.tokens else None,
            cost_usd=reply.cost,
        )
        return made.model_copy(update={"grades": asked.grades(made)})

    def _failed(self, error: ModelError) -> str:
        reason = f"the judge gave no reply: {error.message}"
        self.bill.failed += 1
        self._failures += 1
        if error.kind == "endpoint" and (error.status in _LASTING or self._failures >= _FAILURES_IN_A_ROW):
            self.down = reason
        return reason


@asynccontextmanager
async def open_asker(model: str, replies: Remembered, access: Access | None) -> AsyncIterator[Asker]:
    """A model that can be asked while the block lasts; without access, or the extra, from memory alone."""
    problem = NO_ACCESS if access is None else _missing()
    if access is None or problem:
        yield Asker(model, replies, None, problem)
        return
    import numpy as np

    def ignore(*_: object, **__: object) -> None:
        """Retries are no news here."""

    async with Endpoint(
        np.random.default_rng(0),
        None,
        ignore,
        base_url=access.base_url,
        key=access.key,
        attempts=ATTEMPTS,
        request_seconds=REQUEST_SECONDS,
        patience=PATIENCE,
    ) as endpoint:
        yield Asker(model, replies, Channel(endpoint, None, 0, ignore, time.monotonic()))


def problem_of(reply: JudgeReply) -> str:
    """Why a reply cannot be read as an answer at all; empty if it can."""
    if reply.refusal:
        return f"the judge refused: {reply.refusal[:200]}"
    return "the reply was cut off at the model's limit" if reply.finish_reason == "length" else ""


def _missing() -> str:
    try:
        sdk_of_openai("a judge")
    except MissingExtraError as error:
        return str(error)
    return ""
