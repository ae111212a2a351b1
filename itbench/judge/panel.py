"""Ask a model for its votes on a question.

A vote is one request at temperature 0, with a boundary of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from itbench.agents.llm.chat import Message, Request
from itbench.judge.access import Access
from itbench.judge.asking import Asked, Asker, Bill, open_asker, problem_of
from itbench.judge.replies import JudgeReply, Remembered
from itbench.model.trial import JudgeConfig
from itbench.scoring.judge.opinion import Polled
from itbench.scoring.judge.prompt import answer_schema, fingerprint, material_text, system_text
from itbench.scoring.judge.question import Question
from itbench.scoring.judge.votes import Vote, read_vote, vote_of_grades


@dataclass(slots=True)
class Panel:
    """A model that votes.

    Args:
        boundary: makes a word that nobody can guess.
    """

    config: JudgeConfig
    asker: Asker
    boundary: Callable[[], str] = lambda: secrets.token_hex(16)

    @property
    def bill(self) -> Bill:
        """What it cost so far."""
        return self.asker.bill

    @property
    def down(self) -> str:
        """Why the model is not asked any more; empty if it is."""
        return self.asker.down

    async def poll(self, question: Question) -> Polled:
        """The votes on a question. Never raises for what a model or an endpoint does."""
        votes: list[Vote] = []
        costs: list[float | None] = []
        problem = ""
        for number in range(1, self.config.votes + 1):
            reply = await self.asker.reply(self._asked(question, number))
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

    def _asked(self, question: Question, number: int) -> Asked:
        def grades(reply: JudgeReply) -> tuple[str, ...] | None:
            vote = _vote(reply, question)
            return None if vote.invalid else tuple(item.label for item in vote.items)

        return Asked(
            key=fingerprint(question, self.config.model, number),
            criterion=question.rubric.criterion,
            version=question.rubric.version,
            vote=number,
            request=lambda: self._request(question, number),
            grades=grades,
        )

    def _request(self, question: Question, number: int) -> Request:
        boundary = self.boundary()
        messages = (Message("system", system_text(question, boundary)), Message("user", material_text(question, boundary)))
        form = {"name": "verdict", "strict": True, "schema": answer_schema(question)}
        parameters: dict[str, Any] = {
            "temperature": 0,
            "seed": number,
            "response_format": {"type": "json_schema", "json_schema": form},
        }
        return Request(self.config.model, messages, parameters=parameters)


@asynccontextmanager
async def open_panel(config: JudgeConfig, replies: Remembered, access: Access | None) -> AsyncIterator[Panel]:
    """A panel that can be polled while the block lasts; without access, or the extra, from memory alone."""
    async with open_asker(config.model, replies, access) as asker:
        yield Panel(config, asker)


def _vote(reply: JudgeReply, question: Question) -> Vote:
    if reply.published:
        return vote_of_grades(reply.grades, question)
    problem = problem_of(reply)
    return Vote(invalid=problem) if problem else read_vote(reply.text, question)
