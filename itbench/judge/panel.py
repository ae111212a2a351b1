"""Ask a model for its votes on a question, remembering every reply.

A vote is one request at temperature 0, with a boundary of its own. A model that cannot be reached is not asked again:
whoever waits for retries once need not wait for every question.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from itbench.agents.llm.channel import Channel
from itbench.agents.llm.chat import Message, Request
from itbench.agents.llm.endpoint import Endpoint, sdk_of_openai
from itbench.agents.llm.failures import ModelError
from itbench.judge.access import NO_ACCESS, Access
from itbench.judge.replies import JudgeReply, Remembered
from itbench.model.errors import MissingExtraError
from itbench.model.trial import JudgeConfig
from itbench.scoring.judge.opinion import Polled
from itbench.scoring.judge.prompt import answer_schema, fingerprint, material_text, system_text
from itbench.scoring.judge.question import Question
from itbench.scoring.judge.votes import Vote, read_vote, vote_of_grades

ATTEMPTS = 4
REQUEST_SECONDS = 180.0
PATIENCE = 60.0
_AT_ONCE = 4
_LASTING = frozenset({0, 401, 402, 403, 404})
_FAILURES_IN_A_ROW = 3
_LONGEST_KEPT = 500_000  # longer than any vote that counts


@dataclass(slots=True)
class Bill:
    """What the judge cost: requests and US dollars now, and those of replies that were remembered.

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


@dataclass(slots=True)
class Panel:
    """A model that votes. Without a channel only remembered replies count, and `down` says why.

    Args:
        boundary: makes a word that nobody can guess.
    """

    config: JudgeConfig
    replies: Remembered
    channel: Channel | None
    down: str = ""
    boundary: Callable[[], str] = lambda: secrets.token_hex(16)
    bill: Bill = field(default_factory=Bill)
    _failures: int = 0
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def poll(self, question: Question) -> Polled:
        """The votes on a question. Never raises for what a model or an endpoint does."""
        votes: list[Vote] = []
        costs: list[float | None] = []
        problem = ""
        for number in range(1, self.config.votes + 1):
            reply = await self._reply(question, number)
            if isinstance(reply, str):
                problem = reply
            else:
                votes.append(_vote(reply, question))
                costs.append(reply.cost_usd)
        if votes and all(vote.invalid for vote in votes):
            problem = f"no valid vote of {len(votes)}: {votes[0].invalid}"
        known = [cost for cost in costs if cost is not None]
        keys = tuple(fingerprint(question, self.config.model, number) for number in range(1, self.config.votes + 1))
        return Polled(question, tuple(votes), problem, sum(known) if len(known) == len(costs) else None, keys)

    async def _reply(self, question: Question, number: int) -> JudgeReply | str:
        """A reply, remembered or new, or why there is none."""
        key = fingerprint(question, self.config.model, number)
        async with self._locks.setdefault(key, asyncio.Lock()):  # equal answers ask the same: one of them pays
            known = self.replies.find(key)
            if known is None:
                return await self._new(key, question, number)
            self.bill.add(known, remembered=True)
            return known

    async def _new(self, key: str, question: Question, number: int) -> JudgeReply | str:
        async with self._turns:
            if self.channel is None or self.down:
                return self.down
            try:
                async with asyncio.timeout(ATTEMPTS * (REQUEST_SECONDS + PATIENCE)):  # a body may come drop by drop
                    reply = await self._ask(self.channel, question, number)
            except TimeoutError:
                return self._failed(ModelError("it took too long", "endpoint"))
            except ModelError as error:
                return self._failed(error)
        self._failures = 0
        self.bill.add(reply, remembered=False)
        self.replies.keep(key, reply)
        return reply

    async def _ask(self, channel: Channel, question: Question, number: int) -> JudgeReply:
        boundary = self.boundary()
        messages = (Message("system", system_text(question, boundary)), Message("user", material_text(question, boundary)))
        form = {"name": "verdict", "strict": True, "schema": answer_schema(question)}
        parameters: dict[str, Any] = {
            "temperature": 0,
            "seed": number,
            "response_format": {"type": "json_schema", "json_schema": form},
        }
        reply = await channel.complete(Request(self.config.model, messages, parameters=parameters))
        completion = reply.completion
        made = JudgeReply(
            model=self.config.model,
            served_model=completion.served_model,
            criterion=question.rubric.criterion,
            rubric_version=question.rubric.version,
            vote=number,
            text=completion.text[:_LONGEST_KEPT],
            refusal=completion.refusal,
            finish_reason=completion.finish_reason,
            prompt_tokens=completion.tokens.prompt_tokens if completion.tokens else None,
            completion_tokens=completion.tokens.completion_tokens if completion.tokens else None,
            cost_usd=reply.cost,
        )
        vote = _vote(made, question)
        return made.model_copy(update={"grades": None if vote.invalid else tuple(item.label for item in vote.items)})

    def _failed(self, error: ModelError) -> str:
        reason = f"the judge gave no reply: {error.message}"
        self.bill.failed += 1
        self._failures += 1
        if error.kind == "endpoint" and (error.status in _LASTING or self._failures >= _FAILURES_IN_A_ROW):
            self.down = reason
        return reason


@asynccontextmanager
async def open_panel(config: JudgeConfig, replies: Remembered, access: Access | None) -> AsyncIterator[Panel]:
    """A panel that can be polled while the block lasts; without access, or the extra, from memory alone."""
    problem = NO_ACCESS if access is None else _missing()
    if access is None or problem:
        yield Panel(config, replies, None, problem)
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
        yield Panel(config, replies, Channel(endpoint, None, 0, ignore, time.monotonic()))


def _missing() -> str:
    try:
        sdk_of_openai("a judge")
    except MissingExtraError as error:
        return str(error)
    return ""


def _vote(reply: JudgeReply, question: Question) -> Vote:
    if reply.published:
        return vote_of_grades(reply.grades, question)
    if reply.refusal:
        return Vote(invalid=f"the judge refused: {reply.refusal[:200]}")
    if reply.finish_reason == "length":
        return Vote(invalid="the reply was cut off at the model's limit")
    return read_vote(reply.text, question)
