"""The language of expressions: what it means, and that nothing else gets in."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itbench.tools.errors import ToolError
from itbench.tools.expressions import Matcher, Operation, Selector, parse

CALLS = Selector("calls_total", (), "rate")


def test_counters_are_rates_and_gauges_values_unless_a_function_says_so() -> None:
    assert parse("calls_total") == CALLS
    assert parse("memory_bytes") == Selector("memory_bytes", (), "value")
    assert parse("value(calls_total)") == Selector("calls_total", (), "value")
    assert parse("p95(ms_bucket)") == Selector("ms_bucket", (), "p95")


def test_matchers_are_read_with_their_escapes() -> None:
    found = parse(r'calls_total{code=~"5..", path!="/a\"b",}')
    assert found == Selector("calls_total", (Matcher("code", "=~", "5.."), Matcher("path", "!=", '/a"b')), "rate")


def test_products_bind_before_sums_and_both_from_the_left() -> None:
    assert parse("1 - 2 - 3 * 4") == Operation("-", Operation("-", 1.0, 2.0), Operation("*", 3.0, 4.0))
    assert parse("(1 - 2) * -3") == Operation("*", Operation("-", 1.0, 2.0), Operation("*", -1.0, 3.0))


def test_names_of_recording_rules_have_colons() -> None:
    assert parse("cluster:namespace:cpu:active") == Selector("cluster:namespace:cpu:active", (), "value")


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "calls_total /", "sum(calls_total)", "rate(calls_total[5m])", "calls_total{code}", "calls_total{code=5}",
        'calls_total{code="5"', "(calls_total", "calls_total)", "1 2", "__import__('os')", "a{b='c'}", "rate(1)", "rate()",
        "calls_total by (x)", "x" * 1001, "(" * 100 + "1" + ")" * 100, "-" * 500 + "1", 'a{x"=~"b"}', '{a="b"}',
    ],
)  # fmt: skip
def test_what_is_no_expression_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ToolError):
        parse(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ToolError):
        parse(text)
