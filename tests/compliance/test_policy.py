from __future__ import annotations

import asyncio

import pytest

from itbench.compliance import policy
from itbench.compliance.engine import Engine
from itbench.compliance.place import Place
from itbench.compliance.policy import Evaluated, evaluate

pytestmark = pytest.mark.integration
HEAD = "package check\n"


def ruled(text: str, engine: Engine, place: Place, *inputs: bytes) -> Evaluated:
    return asyncio.run(evaluate(HEAD + text, inputs or (b"{}",), engine, place))


def verdict(text: str, engine: Engine, place: Place, data: bytes = b"{}") -> str:
    return ruled(text, engine, place, data).rulings[0].verdict


def test_each_input_has_its_own_ruling(engine: Engine, place: Place) -> None:
    found = ruled("default result := false\nresult if input.x == 1", engine, place, b'{"x":1}', b'{"x":2}', b'{"x":1}')
    assert [ruling.verdict for ruling in found.rulings] == ["true", "false", "true"]


def test_a_syntax_error_has_its_line_and_column(engine: Engine, place: Place) -> None:
    problem = ruled("result := true if {\n\tx := [1,\n}", engine, place).problem
    assert problem is not None
    assert (problem.kind, problem.line, problem.column) == ("syntax", 4, 1)


@pytest.mark.parametrize(
    "policy",
    [
        "result { input.x }",
        "default result = false\nresult { input.x }\n",
        "deny[x] { x := input.y }\nresult := count(deny) == 0",
    ],
)
def test_the_old_dialect_is_told_apart_from_a_wrong_policy(policy: str, engine: Engine, place: Place) -> None:
    problem = ruled(policy, engine, place).problem
    assert problem is not None
    assert problem.kind == "dialect"
    assert "Rego v1" in problem.message


def test_a_builtin_that_does_not_exist_here_is_a_matter_of_dialect(engine: Engine, place: Place) -> None:
    problem = ruled("result := strings.shout(input.x)", engine, place).problem
    assert problem is not None
    assert (problem.kind, problem.line) == ("dialect", 2)


@pytest.mark.parametrize(
    "call", ['http.send({"method": "get", "url": "http://127.0.0.1"})', "opa.runtime()", 'rand.intn("a", 9)']
)
def test_builtins_that_reach_out_are_taken_away(call: str, engine: Engine, place: Place) -> None:
    problem = ruled(f"result := true if {call}", engine, place).problem
    assert problem is not None
    assert (problem.kind, problem.line) == ("forbidden builtin", 2)


def test_naming_a_forbidden_builtin_in_a_text_is_no_offence(engine: Engine, place: Place) -> None:
    assert verdict('# http.send({})\nresult := contains("http.send(1)", "send")', engine, place) == "true"


def test_a_policy_without_the_rule_and_one_that_is_not_boolean(engine: Engine, place: Place) -> None:
    assert verdict("other := true", engine, place) == "undefined"
    assert verdict('result := "no"', engine, place) == "not boolean"
    assert verdict("result := 0", engine, place) == "not boolean"


def test_two_results_are_an_error_of_the_evaluation(engine: Engine, place: Place) -> None:
    found = ruled("result := x if some x in [true, false]", engine, place).rulings[0]
    assert found.verdict == "error"
    assert "multiple outputs" in found.detail


def test_an_infinite_comprehension_ends(place: Place, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "SECONDS", 1.0)
    monkeypatch.setattr(policy, "_STARTUP_SECONDS", 4.0)
    endless = "result := count([1 | numbers.range(1, 90000)[_]; numbers.range(1, 90000)[_]]) > 5"
    found = ruled(endless, engine, place, b"{}", b"{}", b"{}")
    assert [ruling.verdict for ruling in found.rulings] == ["timeout"] * 3


def test_an_exponential_regex_is_none_here(place: Place, engine: Engine) -> None:
    data = b'{"x": "' + b"a" * 5000 + b'b"}'
    assert verdict("default result := false\nresult if regex.match(`^(a+)+$`, input.x)", engine, place, data) == "false"


def test_every_sort_of_ruling_is_told_apart_among_many_inputs(engine: Engine, place: Place) -> None:
    text = "result := input.x if not input.two\nresult := 1 if input.two\nresult := 2 if input.two\n"
    inputs = [b'{"x": true}', b'{"x": false}', b"{}", b'{"two": true}', b'{"x": null}', b'{"x": [1]}', b'{"x": true}']
    found = ruled(text, engine, place, *inputs)
    assert [ruling.verdict for ruling in found.rulings] == [
        "true",
        "false",
        "undefined",
        "error",
        "not boolean",
        "not boolean",
        "true",
    ]
    assert [ruling.detail for ruling in found.rulings[4:6]] == ["data.check.result is null", "data.check.result is [1]"]


def test_one_endless_input_among_many_ends_the_evaluation_there(
    place: Place, both: tuple[Engine, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the program, which stops by itself; where only the limit of the sandbox does, it is as above."""
    monkeypatch.setattr(policy, "SECONDS", 2.0)
    pairs = "numbers.range(1, input.x)[_]; numbers.range(1, input.x)[_]"
    text = f"result := true if not input.x\nresult := count([1 | {pairs}]) > 5 if input.x"
    found = ruled(text, both[0], place, b"{}", b"{}", b'{"x": 90000}', b"{}")
    assert [ruling.verdict for ruling in found.rulings] == ["true", "true", "timeout", "timeout"]
