"""Rules of the guards, one promise at a time."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itbench.agents.interventions.catalogue import INTERVENTIONS, parameters, read_interventions, written
from itbench.agents.interventions.facts import telling_lines
from itbench.agents.interventions.form import FormatGuard
from itbench.agents.interventions.gate import Gate
from itbench.agents.interventions.hygiene import Hygiene
from itbench.agents.interventions.loop import LoopGuard
from itbench.agents.interventions.machine import StateMachine
from itbench.agents.interventions.protocol import Course, Draft, Made
from itbench.agents.interventions.readonly import ClarifyOrReadOnly
from itbench.agents.llm.chat import Call, Message
from itbench.mast.taxonomy import load_taxonomy
from itbench.model.errors import UsageError

TOOLS = frozenset({"object", "object_changes", "alert_summary", "kubectl"})


def made(name: str, text: str, /, **arguments: object) -> Made:
    return Made(name, arguments, json.dumps(arguments), text, False, 1)


def call(name: str, /, **arguments: object) -> Call:
    return Call("c", name, json.dumps(arguments), arguments)


def draft(name: str, evidence: str = "", root: bool = True) -> Draft:
    entity = {"name": name, "contributing_factor": root, "reasoning": "", "evidence": evidence}
    return Draft("", {"entities": [entity]})


def course(*calls: Made, said: tuple[str, ...] = ()) -> Course:
    return Course("sre", TOOLS, calls=list(calls), said=list(said))


def test_every_intervention_names_modes_of_the_taxonomy():
    codes = load_taxonomy().codes
    assert all(kind.modes and set(kind.modes) <= set(codes) for kind in INTERVENTIONS.values())


def test_interventions_are_read_back_as_they_are_written():
    text = "gate(tries=1,quote=off),loop,fsm(explore=4)"
    assert written(read_interventions(text)) == text
    assert parameters(read_interventions(text)[0]) == {"tries": 1, "spec": True, "quote": False, "alerts": True}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("gat", "no intervention 'gat'"),
        ("gate,gate", "named twice"),
        ("gate(x=1)", "no parameter 'x'"),
        ("gate(tries=many)", "no whole number"),
        ("gate(quote=1)", "neither on nor off"),
        ("gate(tries=1", "no intervention"),
        ("", "no intervention"),
    ],
)
def test_what_is_no_list_of_interventions_is_refused(text, told):
    with pytest.raises(UsageError, match=told.replace("(", r"\(")):
        read_interventions(text)


CHANGED = made("object_changes", "modified | shop/Service/cart | targetPort: 8080 → 9999")


@pytest.mark.parametrize(
    ("calls", "answer", "objection"),
    [
        ((), draft("shop/Service/cart"), "no tool was asked"),
        ((CHANGED,), draft("shop/Service/cart", "targetPort 9999"), None),
        ((CHANGED,), draft("shop/Service/ledger", "targetPort 9999"), "no tool named 'ledger'"),
        ((CHANGED,), draft("shop/Service/ledger", root=False), None),
        ((made("alert_summary", "cart fails"),), draft("shop/Service/cart"), "never looked at"),
        ((CHANGED,), draft("shop/Service/cart", "memory limit 128Mi"), "nothing that the evidence"),
        ((CHANGED,), draft("shop/Service/cart", "somebody changed its port"), None),
    ],
)
def test_the_gate_asks_for_what_tools_bear_out(calls, answer, objection):
    told = Gate().begin(course(*calls)).before_answer(answer)
    assert told is None if objection is None else objection in told


def test_the_gate_asks_for_the_alerts_after_a_change():
    changed = made("kubectl", "patched", command="patch service cart -n shop -p '{}'")
    assert "alerts" in Gate().begin(course(CHANGED, changed)).before_answer(draft("shop/Service/cart", "9999"))
    looked = course(CHANGED, changed, made("alert_summary", "nothing fires"))
    assert Gate().begin(looked).before_answer(draft("shop/Service/cart", "9999")) is None


def test_the_gate_looks_into_the_files_where_calls_are_not_seen():
    outside = Course("sre", holds=lambda word: word == "cart")
    assert Gate().begin(outside).before_answer(draft("shop/Service/cart")) is None
    assert "no recorded file names 'ledger'" in Gate().begin(outside).before_answer(draft("shop/Service/ledger"))


@given(
    st.recursive(st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_guards_of_answers_survive_any_answer(value):
    for document in (value if isinstance(value, dict) else {}, {"entities": value}, {"entities": [value, {"name": value}]}):
        answer = Draft("x", document)
        for rule in (Gate(), FormatGuard(), StateMachine()):
            assert isinstance(rule.begin(course(CHANGED)).before_answer(answer), str | None)


def test_a_root_cause_without_its_kind_is_handed_back():
    assert "does not say what kind" in FormatGuard().begin(course()).before_answer(draft("cart"))
    for fine in (draft("Node/n1"), draft("shop/Service/cart"), draft("cart", root=False)):
        assert FormatGuard().begin(course()).before_answer(fine) is None
    assert FormatGuard(names=False).begin(course()).before_answer(draft("cart")) is None


def test_the_format_guard_gives_up_after_its_tries():
    guard = FormatGuard(tries=2).begin(course())
    assert [guard.before_answer(Draft("x", None, "no JSON")) is None for _ in range(4)] == [False, False, True, True]


def test_a_repetition_is_answered_with_what_it_brought():
    guard = LoopGuard().begin(course())
    assert guard.before_call(call("object", name="a", at="x")) is None
    guard.after_call(call("object", name="a", at="x"), "the manifest", wrong=False)
    assert "the manifest" in guard.before_call(call("object", at="x", name="a"))
    assert guard.before_call(call("object", name="b")) is None


def test_after_a_change_all_may_be_asked_again():
    guard = LoopGuard().begin(course())
    for _ in range(2):
        assert guard.before_call(call("object", name="a")) is None
        guard.after_call(call("object", name="a"), "m", wrong=False)
        assert guard.before_call(call("kubectl", command="scale deployment/a --replicas=2")) is None


def test_a_failed_call_may_be_tried_again():
    guard = LoopGuard().begin(course())
    for _ in range(3):
        assert guard.before_call(call("object", name="a")) is None
        guard.after_call(call("object", name="a"), "error: timeout", wrong=True)


@pytest.mark.parametrize(
    ("said", "command", "refused"),
    [
        ("I guess the namespace is shop.", "delete pod cart-1 -n shop", True),
        ("It is unclear which one; presumably cart.", "scale deployment cart --replicas=0", True),
        ("ASSUMPTION: cart of shop is meant, I guess.", "scale deployment cart --replicas=0", False),
        ("I repair cart.", "scale deployment cart --replicas=2", False),
        ("I repair it.", "rollout restart deployment ledger-api -n shop", True),
        ("I guess I look at it.", "get pods -n shop", False),
    ],
)
def test_who_is_not_sure_may_look_and_not_change(said, command, refused):
    guard = ClarifyOrReadOnly().begin(course(CHANGED, said=(said,)))
    assert (guard.before_call(call("kubectl", command=command)) is not None) is refused


def test_refusals_are_bounded():
    guard = ClarifyOrReadOnly(refusals=2).begin(course(said=("I guess.",)))
    held = [guard.before_call(call("kubectl", command="delete pod x")) is not None for _ in range(4)]
    assert held == [True, True, False, False]


def test_the_machine_ends_exploring_and_verifying_by_itself():
    now = course()
    guard = StateMachine(explore=3, verify=2).begin(now)
    told = []
    for _ in range(7):
        told.append(guard.direct())
        now.replies += 1
        now.said.append("Looking.")
    assert [each is not None and bool(each.tell) for each in told] == [False, False, False, True, False, True, False]
    assert [each is None or each.tools for each in told] == [True] * 5 + [False] * 2


def test_old_outputs_are_trimmed_to_what_tells_most_and_recent_ones_are_whole():
    long = "\n".join(f"line {n}" for n in range(500)) + "\nshop/Service/cart modified: 1 → 2"
    messages = [Message("user", "task"), *(Message("tool", long, call_id=str(n)) for n in range(3))]
    shown = Hygiene(recent=1).begin(course()).view(messages)
    assert [len(message.content) < 600 for message in shown] == [True, True, True, False]
    assert "1 → 2" in shown[1].content
    assert messages[1].content == long


def test_changes_by_people_tell_more_than_failures_and_those_more_than_the_rest():
    text = "header\nshop/Pod/a modified: x → y\nerror: refused\nshop/Service/a modified: 1 → 2\nplain"
    assert telling_lines(text, 1) == ["shop/Service/a modified: 1 → 2"]
    assert telling_lines(text, 2) == ["error: refused", "shop/Service/a modified: 1 → 2"]
