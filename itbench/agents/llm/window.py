"""Keep a conversation within the model's context window.

Once a request would fill most of it, the oldest tool outputs are replaced by references to them: which tool was asked
what, and how long the answer was. The system prompt, the task and what the model said are kept. So much is replaced at once
that it is not needed again soon, because every change of old messages costs the endpoint's cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from itbench.agents.llm.chat import Message

DEFAULT_WINDOW = 128_000
_FULL, _AIM = 0.75, 0.5
_CHARACTERS_PER_TOKEN = 3.5
_KEPT_OUTPUTS = 2
_KEPT_SAYING = 8_000
_CUT_TO = 2_000


@dataclass(slots=True)
class Window:
    """The room of a conversation, in tokens. What a token is, is learnt from the endpoint's counts."""

    tokens: int
    overhead: int = 0  # characters of the tools' descriptions
    _ratio: float = _CHARACTERS_PER_TOKEN

    def learn(self, messages: Sequence[Message], prompt_tokens: int) -> None:
        """Take the endpoint's count of a request for the estimates to come."""
        characters = self._characters(messages)
        if prompt_tokens > 0 and characters > 0:
            self._ratio = min(max(characters / prompt_tokens, 1.0), 6.0)

    def estimate(self, messages: Sequence[Message]) -> int:
        """Tokens of a request."""
        return int(self._characters(messages) / self._ratio)

    def is_full(self, messages: Sequence[Message]) -> bool:
        """Whether a request would fill most of the room."""
        return self.estimate(messages) > _FULL * self.tokens

    def fit(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """The messages, with old tool outputs replaced if the window is nearly full."""
        if not self.is_full(messages):
            return tuple(messages)
        return self.shrink(messages, _AIM * self.tokens)

    def shrink(self, messages: Sequence[Message], aim: float) -> tuple[Message, ...]:
        """The messages with outputs replaced, oldest first, until the estimate is at most `aim`.

        The last outputs go only if that is not enough; they are then cut, not replaced.
        """
        kept = list(messages)
        outputs = [index for index, message in enumerate(kept) if message.role == "tool" and message.reference]
        for index in outputs[:-_KEPT_OUTPUTS]:
            if self.estimate(kept) <= aim:
                return tuple(kept)
            kept[index] = replace(kept[index], content=kept[index].reference, reference="")
        for index, message in enumerate(kept):
            if self.estimate(kept) <= aim:
                break
            limit = _CUT_TO if message.role == "tool" else _KEPT_SAYING if message.role == "assistant" else None
            if limit is not None and len(message.content or "") > limit:
                kept[index] = replace(message, content=shortened(message.content or "", limit))
        return tuple(kept)

    def _characters(self, messages: Sequence[Message]) -> int:
        return self.overhead + sum(message.size for message in messages)


def shortened(text: str, limit: int) -> str:
    """The beginning of a text, with a note of what is missing."""
    return text if len(text) <= limit else f"{text[:limit]}\n[… {len(text) - limit:,} more characters are left out]"
