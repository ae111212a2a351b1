"""What a trial has used so far, held against its budget."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from itbench.agents.llm.channel import Reply
from itbench.agents.llm.settings import Options
from itbench.agents.protocol import LAST_MOMENT
from itbench.model.trial import Usage

# From here on the model must answer: the rest is for the answer itself, and one repair of it.
_ENOUGH_TOKENS, _ENOUGH_COST, _ENOUGH_TIME = 0.9, 0.9, 0.8


@dataclass(slots=True)
class Spending:
    """Replies, tokens, cost and time of one trial.

    Args:
        options: the budget.
        seconds: wall time of the trial, None without limit.
    """

    options: Options
    seconds: float | None
    began: float = field(default_factory=time.monotonic)
    elapsed: float = 0.0
    replies: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    estimated_tokens: int = 0
    cost: float | None = 0.0
    counted: bool = True

    @property
    def deadline(self) -> float | None:
        """The last moment to end by oneself, by time.monotonic(): the runner's own clock leaves no trajectory."""
        return None if self.seconds is None else self.began + LAST_MOMENT * self.seconds

    def add(self, reply: Reply, estimate: int) -> None:
        """Count a reply; `estimate` stands for its tokens where the endpoint does not count them.

        Time is that of the reply, which a replay knows too: it must decide as the recorded run did.
        """
        self.replies += 1
        self.elapsed = reply.elapsed
        tokens = reply.completion.tokens
        if tokens is None:
            self.counted, self.cost = False, None
            self.estimated_tokens += estimate
            return
        self.prompt_tokens += tokens.prompt_tokens
        self.completion_tokens += tokens.completion_tokens
        self.cached_tokens += tokens.cached or 0
        self.cost = None if reply.cost is None or self.cost is None else self.cost + reply.cost

    def now(self) -> float:
        """Seconds since the trial began."""
        return round(time.monotonic() - self.began, 3)

    @property
    def replies_left(self) -> int:
        """How many replies there may still be."""
        return max(0, self.options.turns - self.replies)

    @property
    def nearly_spent(self) -> str:
        """Which budget is so far used that the next reply must be the answer; empty if none is."""
        limits = self.options
        tokens = self.prompt_tokens + self.completion_tokens + self.estimated_tokens
        if self.replies >= limits.turns - 1:
            return f"{limits.turns} replies"
        if limits.tokens is not None and tokens >= _ENOUGH_TOKENS * limits.tokens:
            return f"{limits.tokens:,} tokens"
        if limits.cost is not None and (self.cost or 0.0) >= _ENOUGH_COST * limits.cost:
            return f"{limits.cost:g} dollars"
        if self.seconds is not None and self.elapsed >= _ENOUGH_TIME * self.seconds:
            return f"{self.seconds:g} seconds"
        return ""

    def usage(self) -> Usage:
        """As the trial's record keeps it; unknown where the endpoint did not count."""
        if not self.replies or not self.counted:
            return Usage()
        return Usage(
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            cost_usd=None if self.cost is None else round(self.cost, 9),
        )
