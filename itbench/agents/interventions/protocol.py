"""The step protocol: where an intervention may step in, and what it knows.

An `Intervention` is a rule with parameters; for each trial it begins a `Guard`, which keeps the trial's state. A loop that
offers steps asks its guards at four places, in the order in which they were named:

    before the model is asked     `direct` tells it something or takes its tools away; `view` changes what it is shown
    before a tool is called       `before_call` may answer in the tool's place
    after a tool has answered     `after_call` may change what the model sees of the answer
    before an answer is taken     `before_answer` may object: the answer is then handed back with the reason

Guards see the course of the trial and never the ground truth. None of them can cost an answer: an objection is heard only
while there are replies left, and every guard objects a bounded number of times.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import Field, dataclass, field
from typing import Any, ClassVar, Protocol

from itbench.agents.llm.chat import Call, Message
from itbench.model.base import Domain


@dataclass(frozen=True, slots=True)
class Made:
    """A tool call that was made. `held` was answered by a guard, and never reached the tool."""

    name: str
    arguments: dict[str, Any] | None
    raw: str
    text: str
    wrong: bool
    reply: int
    held: bool = False


@dataclass(slots=True)
class Course:
    """A trial so far.

    Attributes:
        domain: of the task.
        tools: names of the tools that the agent has.
        replies: how many replies of the model there were.
        left: how many more there may be.
        calls: what was called, in order.
        said: the words of each reply.
        holds: whether the recorded files hold a word; None where calls tell what was seen.
    """

    domain: Domain
    tools: frozenset[str] = frozenset()
    replies: int = 0
    left: int = 1
    calls: list[Made] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    holds: Callable[[str], bool] | None = None

    @property
    def observed(self) -> str:
        """What tools have answered, in lower case."""
        return "\n".join(call.text for call in self.calls if not call.held).lower()


@dataclass(frozen=True, slots=True)
class Directive:
    """What a guard wants before the model is asked: words to it, and whether it may still call tools."""

    tell: str = ""
    tools: bool = True


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer that is about to be given: its text, and the document in it or what keeps it from being one."""

    text: str
    document: dict[str, Any] | None
    problem: str = ""


class Guard:
    """One intervention at work in one trial. What it does not override changes nothing."""

    def __init__(self, course: Course) -> None:
        self.course = course

    def direct(self) -> Directive | None:
        """Before the model is asked."""
        return None

    def view(self, messages: Sequence[Message]) -> Sequence[Message]:
        """The conversation as the model is shown it; what is kept of it does not change."""
        return messages

    def before_call(self, call: Call) -> str | None:  # noqa: ARG002 (for those who override it)
        """What to answer in place of the tool, None to let it answer."""
        return None

    def after_call(self, call: Call, text: str, *, wrong: bool) -> str:  # noqa: ARG002
        """What the model sees of an answer."""
        return text

    def before_answer(self, draft: Draft) -> str | None:  # noqa: ARG002
        """Why the answer is not taken yet, None to take it."""
        return None


class Intervention(Protocol):
    """A rule around an agent. Its parameters are the fields of its dataclass; its docstring is its documentation.

    Attributes:
        name: what `--with` calls it.
        modes: codes of the failure modes that it is meant to prevent.
        outside: whether it can also stand around an agent that shows only its answer.
    """

    name: ClassVar[str]
    modes: ClassVar[tuple[str, ...]]
    outside: ClassVar[bool]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def begin(self, course: Course) -> Guard:
        """A guard for one trial."""
        ...
