"""What a judge has replied, kept by the hash of what it was asked, so that no question is paid for twice.

    FOLDER/<sha256>.json      one reply: of one model, to one question in the words of one rubric, for one vote

A reply is kept as it came, valid or not: the same question would get it again. A failure to get one is not kept. The
files may quote the ground truth; agents must not see them.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import Field, FiniteFloat, ValidationError

from itbench.model.base import Document
from itbench.model.errors import UnwritableError


class JudgeReply(Document):
    """One reply of a judge."""

    model: str = Field(description="the model that was asked for")
    served_model: str = Field(default="", description="the model that the endpoint says it used")
    criterion: str
    rubric_version: str
    vote: int = Field(ge=1)
    grades: tuple[str, ...] | None = Field(
        default=None, description="what a valid vote says, item by item; None if it is invalid"
    )
    text: str = ""
    refusal: str = ""
    finish_reason: str = ""
    prompt_tokens: int | None = Field(default=None, ge=0)
    completion_tokens: int | None = Field(default=None, ge=0)
    cost_usd: FiniteFloat | None = Field(default=None, ge=0, description="None if it has no known price")
    published: bool = Field(default=False, description="words and prices were taken out; `grades` is all that is left")

    def publishable(self) -> JudgeReply:
        """The grades without the words, which may quote the ground truth."""
        return JudgeReply(
            model=self.model,
            served_model=self.served_model,
            criterion=self.criterion,
            rubric_version=self.rubric_version,
            vote=self.vote,
            grades=self.grades,
            published=True,
        )


class Remembered(Protocol):
    """Replies that can be looked up."""

    def find(self, key: str) -> JudgeReply | None:
        """The reply to a question, None if there is none."""

    def keep(self, key: str, reply: JudgeReply) -> None:
        """Keep a new reply."""


@dataclass(frozen=True, slots=True)
class Replies:
    """A folder of replies; it is made when the first one is kept."""

    folder: Path

    def find(self, key: str) -> JudgeReply | None:
        """The reply to a question, None if there is none that can be read."""
        try:
            return JudgeReply.model_validate_json(self._path(key).read_bytes())
        except (OSError, ValidationError):
            return None

    def keep(self, key: str, reply: JudgeReply) -> None:
        """Keep a reply, whole or not at all.

        Raises:
            UnwritableError: it cannot be written.
        """
        path = self._path(key)
        partial = path.with_name(f".{key}.{secrets.token_hex(4)}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(reply.model_dump_json(indent=1), encoding="utf-8")
            os.replace(partial, path)  # noqa: PTH105 - questions are asked in parallel
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise UnwritableError(f"the judge's reply cannot be kept ({error.strerror})", path=path) from error

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"


def user_folder() -> Path:
    """$XDG_CACHE_HOME/itbench/judge, or ~/.cache/itbench/judge."""
    home = os.environ.get("XDG_CACHE_HOME")
    return Path(home or Path.home() / ".cache") / "itbench" / "judge"
