"""Check a judge's answer, and combine several.

An answer counts whole or not at all: one item missing, one grade unknown or one quote that the judged text does not hold,
and the vote is invalid. A judge that obeys an instruction in the text, or invents, mostly fails here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import ConfigDict, ValidationError

from itbench.model.base import Model
from itbench.scoring.judge.question import Item, Question, clipped
from itbench.scoring.strict_json import JsonError, parse_json

_SHORTEST_QUOTE = 12
_MOST_QUOTES = 20
_LONGEST_REASONS = 1_000
_LONGEST_ANSWER = 400_000
_FENCE = re.compile(r"\A\s*```(?:json)?[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL)


class ItemVote(Model):
    """One judge's verdict on one item, its quotes checked."""

    label: str
    value: float
    reasons: str = ""
    quotes: tuple[str, ...] = ()
    addresses_judge: bool = False


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer of the judge: a verdict on each item, in the question's order, or why it does not count."""

    items: tuple[ItemVote, ...] = ()
    invalid: str = ""


@dataclass(frozen=True, slots=True)
class ItemVerdict:
    """What the valid votes on one item add up to: the median, the lower one of two."""

    item: Item
    value: float
    votes: tuple[ItemVote, ...]

    @property
    def unanimous(self) -> bool:
        """Whether all valid votes gave the same grade."""
        return len({vote.label for vote in self.votes}) == 1


class _Graded(Model):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    reasons: str
    quotes: list[str]
    addresses_judge: bool
    grade: str


class _Answer(Model):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    items: list[_Graded]


def read_vote(text: str, question: Question) -> Vote:
    """The vote in a judge's answer. Never raises: what is wrong makes it invalid."""
    try:
        by_id = {graded.id: graded for graded in _graded(text, question)}
        return Vote(tuple(_item_vote(by_id[id_], id_, item, question) for id_, item in _numbered(question)))
    except _InvalidError as error:
        return Vote(invalid=str(error))


def vote_of_grades(labels: Sequence[str] | None, question: Question) -> Vote:
    """The vote of which only the grades are left, in the question's order; None was an invalid one."""
    values = question.rubric.values
    if labels is None or len(labels) != len(question.items) or not values.keys() >= set(labels):
        return Vote(invalid="it was invalid, or its words were taken out")
    return Vote(tuple(ItemVote(label=label, value=values[label]) for label in labels))


def combine(votes: Sequence[Vote], question: Question) -> tuple[ItemVerdict, ...]:
    """The verdict on each item; none if no vote is valid."""
    valid = [vote for vote in votes if not vote.invalid]
    if not valid:
        return ()
    verdicts = []
    for at, item in enumerate(question.items):
        cast = tuple(vote.items[at] for vote in valid)
        values = sorted(vote.value for vote in cast)
        verdicts.append(ItemVerdict(item, values[(len(values) - 1) // 2], cast))
    return tuple(verdicts)


class _InvalidError(Exception):
    """The vote does not count."""


def _numbered(question: Question) -> Iterable[tuple[str, Item]]:
    return zip(question.ids, question.items, strict=True)


def _graded(text: str, question: Question) -> list[_Graded]:
    """The graded items, one for each item of the question."""
    if len(text) > _LONGEST_ANSWER:
        raise _InvalidError(f"longer than {_LONGEST_ANSWER:,} characters")
    fenced = _FENCE.match(text)
    try:
        graded = _Answer.model_validate(parse_json(fenced[1] if fenced else text)).items
    except JsonError as error:
        raise _InvalidError(error.message) from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise _InvalidError(f"not of the form asked for: {where or 'the answer'}: {first['msg']}") from None
    if sorted(each.id for each in graded) != sorted(question.ids):
        raise _InvalidError("it does not grade every item once")
    return graded


def _item_vote(graded: _Graded, id_: str, item: Item, question: Question) -> ItemVote:
    value = question.rubric.values.get(graded.grade)
    if value is None:
        raise _InvalidError(f"{clipped(graded.grade, 40)!r} is no grade of the rubric")
    if fault := _fault_of_quotes(graded, value, item):
        raise _InvalidError(f"{id_}: {fault}")
    return ItemVote(
        label=graded.grade,
        value=value,
        reasons=clipped(graded.reasons, _LONGEST_REASONS),
        quotes=tuple(graded.quotes),
        addresses_judge=graded.addresses_judge,
    )


def _fault_of_quotes(graded: _Graded, value: float, item: Item) -> str:
    if len(graded.quotes) > _MOST_QUOTES:
        return f"more than {_MOST_QUOTES} quotes"
    if value > 0 and not graded.quotes:
        return "no quote supports the grade"
    for quote in graded.quotes:
        holding = [text for text in item.said if quote in text]
        if not holding:
            return f"the quote {clipped(quote, 80)!r} is not in the answer"
        if len(quote.strip()) < min(_SHORTEST_QUOTE, *(len(text.strip()) for text in holding)):
            return f"the quote {quote!r} is too short to support anything"
    return ""
