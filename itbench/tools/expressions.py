"""The small language of the tool `metrics`: arithmetic on metrics, with label matchers and functions as PromQL has them.

    rate(http_requests_total{code=~"5.."}) / rate(http_requests_total)
    p95(request_duration_milliseconds_bucket{service_name="cart"})

It is parsed by hand and never evaluated by Python; texts are short and nesting is bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from itbench.tools.errors import ToolError
from itbench.tools.measures import is_counter

Function = Literal["value", "rate", "increase", "p50", "p90", "p95", "p99"]
FUNCTIONS: tuple[Function, ...] = ("value", "rate", "increase", "p50", "p90", "p95", "p99")
MAX_CHARS = 1000
_MAX_DEPTH = 20
_TOKEN = re.compile(
    r'\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([a-zA-Z_:][\w:.]*)|("(?:[^"\\]|\\.)*")|(=~|!~|!=|[-+*/(){}=,]))'
)
_HELP = (
    'Write for example: rate(requests_total{code=~"5.."}) / rate(requests_total). '
    f"Functions: {', '.join(FUNCTIONS)} (p… take a *_bucket metric); + - * / and numbers. "
    "Aggregate with the arguments agg and group_by, choose the resolution with step"
)


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on a label; regular expressions match the whole value."""

    label: str
    operator: Literal["=", "!=", "=~", "!~"]
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric's series that fit, and what to make of their samples."""

    metric: str
    matchers: tuple[Matcher, ...]
    function: Function

    @property
    def counts(self) -> bool:
        """Whether samples are taken for those of counters."""
        return self.function != "value"


@dataclass(frozen=True, slots=True)
class Operation:
    """`left` operator `right`."""

    operator: Literal["+", "-", "*", "/"]
    left: Expression
    right: Expression


Expression = Selector | Operation | float


def parse(text: str) -> Expression:
    """The expression that `text` says.

    Raises:
        ToolError: it says none.
    """
    if len(text) > MAX_CHARS:
        raise ToolError(f"the expression has more than {MAX_CHARS} characters")
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[str] = []
        at = 0
        while at < len(text.rstrip()):
            match = _TOKEN.match(text, at)
            if match is None:
                raise ToolError(f"cannot read the expression at {text[at : at + 30].strip()!r}", hint=_HELP)
            self._tokens.append(match[0].strip())
            at = match.end()
        self._at = 0

    def whole(self) -> Expression:
        found = self._sum(0)
        if self._peek():
            raise self._error(f"{self._peek()!r} is too much")
        return found

    def _sum(self, depth: int) -> Expression:
        if depth > _MAX_DEPTH:
            raise self._error("the expression is nested too deeply")
        left = self._product(depth)
        while (operator := self._peek()) in ("+", "-"):
            self._at += 1
            left = Operation("+" if operator == "+" else "-", left, self._product(depth))
        return left

    def _product(self, depth: int) -> Expression:
        left = self._factor(depth)
        while (operator := self._peek()) in ("*", "/"):
            self._at += 1
            left = Operation("*" if operator == "*" else "/", left, self._factor(depth))
        return left

    def _factor(self, depth: int) -> Expression:
        symbol = self._next("a metric or a number")
        if symbol == "-":
            if depth > _MAX_DEPTH:
                raise self._error("the expression is nested too deeply")
            return Operation("*", -1.0, self._factor(depth + 1))
        if symbol == "(":
            inside = self._sum(depth + 1)
            self._expect(")")
            return inside
        if symbol[0].isdigit():
            return float(symbol)
        if not re.match(r"[a-zA-Z_:]", symbol):
            raise self._error(f"{symbol!r} stands where a metric or a number should")
        if self._peek() != "(":
            return self._selector(symbol, None)
        function = next((each for each in FUNCTIONS if each == symbol.lower()), None)
        if function is None:
            raise self._error(f"there is no function {symbol!r}")
        self._expect("(")
        found = self._selector(self._next("a metric"), function)
        self._expect(")")
        return found

    def _selector(self, metric: str, function: Function | None) -> Selector:
        if not re.match(r"[a-zA-Z_:]", metric):
            raise self._error(f"{metric!r} is no metric")
        matchers = []
        if self._peek() == "{":
            self._at += 1
            while self._peek() != "}":
                matchers.append(self._matcher())
                if self._peek() == ",":
                    self._at += 1
                elif self._peek() != "}":
                    raise self._error("a comma or } is missing between matchers")
            self._expect("}")
        return Selector(metric, tuple(matchers), function or ("rate" if is_counter(metric) else "value"))

    def _matcher(self) -> Matcher:
        label, operator, value = self._next("a label"), self._next("= != =~ or !~"), self._next("a text in double quotes")
        if operator not in ("=", "!=", "=~", "!~") or not value.startswith('"') or not re.fullmatch(r"[\w.]+", label):
            raise self._error(f'a matcher is written label="value", not {label} {operator} {value}')
        known: tuple[Literal["=", "!=", "=~", "!~"], ...] = ("=", "!=", "=~", "!~")
        return Matcher(label, known[known.index(operator)], re.sub(r'\\(["\\])', r"\1", value[1:-1]))

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self, wanted: str) -> str:
        token = self._peek()
        if not token:
            raise self._error(f"{wanted} is missing at the end")
        self._at += 1
        return token

    def _expect(self, token: str) -> None:
        if self._peek() != token:
            raise self._error(f"{token} is missing" + (f" before {self._peek()!r}" if self._peek() else " at the end"))
        self._at += 1

    def _error(self, message: str) -> ToolError:
        return ToolError(f"{message} in the expression {self._text!r}", hint=_HELP)
