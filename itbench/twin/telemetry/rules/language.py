"""The expressions of alert rules, as a tree.

A subset of PromQL, so that every rule is one that Prometheus accepts: selectors with matchers, `rate`, `increase` and the
`*_over_time` functions over a window, `histogram_quantile`, aggregation `by` labels, arithmetic, comparison.
Grammar: docs/alerts.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias, get_args

MatchOperator: TypeAlias = Literal["=", "!=", "=~", "!~"]
RangeFunction: TypeAlias = Literal["rate", "increase", "max_over_time", "min_over_time", "avg_over_time"]
Aggregation: TypeAlias = Literal["sum", "max", "min", "avg", "count"]
Arithmetic: TypeAlias = Literal["+", "-", "*", "/"]
Comparison: TypeAlias = Literal[">", "<", ">=", "<=", "==", "!="]

RANGE_FUNCTIONS: tuple[RangeFunction, ...] = get_args(RangeFunction)
AGGREGATIONS: tuple[Aggregation, ...] = get_args(Aggregation)
ARITHMETIC: tuple[Arithmetic, ...] = get_args(Arithmetic)
COMPARISONS: tuple[Comparison, ...] = get_args(Comparison)


@dataclass(frozen=True)
class Matcher:
    """What a label must be; one that is not there counts as empty."""

    label: str
    operator: MatchOperator
    value: str

    def accepts(self, value: str) -> bool:
        """Whether a series with this value of the label is selected."""
        found = bool(self._pattern.fullmatch(value)) if "~" in self.operator else value == self.value
        return found is not self.operator.startswith("!")

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(self.value)


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Selector:
    """The present values of the series of a metric; `place` is where it stands in the text, from 1."""

    metric: str
    matchers: tuple[Matcher, ...]
    place: int


@dataclass(frozen=True, slots=True)
class OverTime:
    """A function of the values of series in a window of `seconds`."""

    function: RangeFunction
    selector: Selector
    seconds: float


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile of histograms, estimated from their buckets."""

    level: float
    buckets: Expression
    place: int


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Series that agree in the labels `by`, as one."""

    function: Aggregation
    by: tuple[str, ...]
    operand: Expression
    place: int


@dataclass(frozen=True, slots=True)
class Calculation:
    """Arithmetic, value by value; of two vectors, those with equal labels."""

    operator: Arithmetic
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Filter:
    """Those values of `left` that compare so with `right`."""

    operator: Comparison
    left: Expression
    right: Expression


Expression: TypeAlias = Number | Selector | OverTime | Quantile | Aggregate | Calculation | Filter


def longest_window(expression: Expression) -> float:
    """How many seconds an expression looks back; 0 if it asks for present values only."""
    match expression:
        case OverTime(_, _, seconds):
            return seconds
        case Quantile(_, operand) | Aggregate(_, _, operand):
            return longest_window(operand)
        case Calculation(_, left, right) | Filter(_, left, right):
            return max(longest_window(left), longest_window(right))
        case Number() | Selector():
            return 0.0
