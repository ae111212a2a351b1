"""Contradictions, unread alerts, untested hypotheses and invented quotations are found; what only looks alike is not."""

from __future__ import annotations

import json

import pytest

from itbench.mast.annotate import annotate_trace
from itbench.mast.planting import EVIDENCE, generate
from itbench.mast.taxonomy import load_taxonomy
from itbench.mast.trace import Trace, TraceInfo
from itbench.model.mast import Annotation
from itbench.model.trajectory import AgentInfo, Observation, ObservationResult, Step, ToolCall, Trajectory

V3 = load_taxonomy()
TASK = "Find the root cause of the incident in /s and write /s/agent_output.json."


def step(said: str = "", source: str = "agent") -> Step:
    return Step(step_id=1, source=source, message=said)


def call(command: str, result: str | None = "ok", said: str = "", **extra: object) -> Step:
    results = () if result is None else (ObservationResult(source_call_id="c", content=result, extra=extra or None),)
    made = ToolCall(tool_call_id="c", function_name="shell", arguments={"command": ["bash", "-lc", command]})
    return Step(step_id=1, source="agent", message=said, tool_calls=(made,), observation=Observation(results=results))


def found(
    code: str, *steps: Step, evidence: str = "", blamed: str = "cart", task: str = TASK, **known: object
) -> Annotation:
    """What rules make of a session that looks at things, writes its answer and reads it back."""
    entity = {"name": f"shop/Deployment/{blamed}", "contributing_factor": True, "evidence": evidence}
    output = json.dumps({"entities": [entity]})
    path = "/s/agent_output.json"
    ending = (call(f"cat > {path} <<'E'\n{output}\nE", ""), call(f"jq . {path}", json.dumps(json.loads(output), indent=1)))
    numbered = [
        each.model_copy(update={"step_id": number})
        for number, each in enumerate([step(task, "user"), *steps, *ending], start=1)
    ]
    tools = known.pop("tools", None)
    agent = AgentInfo(name="a", version="1", tool_definitions=tools)
    info = TraceInfo.model_validate({"trace": "t", "source": "s", "format": "f", "agent": "a", "answer": "present"} | known)
    annotated = annotate_trace(Trace(info, Trajectory(agent=agent, steps=tuple(numbered)), output), V3)
    return next(each for each in annotated.annotations if each.code == code)


@pytest.mark.parametrize("kind", EVIDENCE)
@pytest.mark.parametrize("seed", [3, 8])
def test_planted_evidence_is_found_at_its_steps_and_a_near_miss_is_none(kind, seed):
    planted = generate(kind, seed, near_miss=False, held_out=False)
    by_code = {each.code: each for each in annotate_trace(planted.trace, V3).annotations}
    assert by_code[planted.mode].verdict == ("unknown" if kind == "1.4 contradiction" else "present")
    assert set(by_code[planted.mode].steps) & set(planted.steps)
    near = annotate_trace(generate(kind, seed, near_miss=True, held_out=False).trace, V3)
    assert all(each.verdict != "present" for each in near.annotations if each.code == planted.mode)


CART, OTHER = call("grep cart /s/logs", "cart: slow"), call("grep search /s/logs", "search: slow")


@pytest.mark.parametrize(
    ("between", "verdict"),
    [
        ([OTHER], "present"),
        ([OTHER, CART], "present"),  # asked again, with the same result: nothing new
        ([OTHER, call("grep cart /s/events", "cart: BackOff")], "absent"),
        ([call("grep -c error /s/*", "cart 900")], "absent"),
        ([OTHER, step("I was wrong about cart: I had read the lines of another day.")], "absent"),
        ([OTHER, step("The customer says that cart is slow.", "user")], "absent"),
        ([call("kubectl rollout restart deployment/search", "restarted")], "absent"),
        ([call("cat /s/events", None)], "absent"),
    ],
)
def test_what_was_ruled_out_is_blamed_only_with_something_new(between, verdict):
    seen = found("1.4", CART, step("So cart can be ruled out."), *between)
    assert seen.verdict == verdict
    assert seen.steps == ((3, 4 + len(between)) if verdict == "present" else ())
    assert seen.confidence <= (0.5 if verdict == "present" else 1)


@pytest.mark.parametrize(
    "said",
    [
        "cart cannot be ruled out.",
        "cart is not the only cause.",
        "The memory of cart is not the cause.",
        "Can cart be excluded?",
        "If cart is ruled out, search remains.",
        "search and cart: not the cause.",
        "cart logs are not the cause.",
    ],
)
def test_what_is_not_ruled_out_as_a_whole_may_be_blamed(said):
    assert found("1.4", CART, OTHER, step(said), call("grep x /s/y", "z")).verdict == "absent"


def test_to_close_what_was_suspected_is_no_contradiction():
    closed = (step("cart is the cause."), call("ls /s", "x"), step("cart can be ruled out."))
    assert found("1.4", CART, OTHER, *closed, blamed="search").verdict == "absent"


def test_a_statement_that_was_corrected_once_may_come_back():
    said = (step("cart is healthy."), step("Correction: cart is failing."), call("ls /s", "x"), step("cart is healthy."))
    assert found("1.4", CART, OTHER, *said).verdict == "absent"


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ("cart has 3 replicas.", "cart has 1 replica.", "unknown"),
        ("cart has 3 replicas.", "cart has 3 replicas.", "absent"),
        ("cart has 3 replicas.", "search has 1 replica.", "absent"),
        ("cart has 3 replicas.", "cart had 4 restarts.", "absent"),
        ("cart is healthy.", "cart is failing.", "unknown"),
        ("cart is healthy.", "cart is not failing.", "absent"),
        ("cart is healthy.", "cart is no longer healthy.", "absent"),
        ("cart is healthy.", "cart may be failing.", "absent"),
        ("cart is healthy.", "Correction: cart is failing.", "absent"),
    ],
)
def test_two_statements_on_one_entity_that_exclude_each_other_are_never_called_sound(first, second, verdict):
    assert found("1.4", CART, OTHER, step(first), call("ls /s", "x"), step(second)).verdict == verdict


OFFERED = f"{TASK} The firing alerts are in /s/alerts."
FIRING = '[{"alertname": "HighErrorRate"}]'


@pytest.mark.parametrize(
    ("look", "verdict"),
    [
        (CART, "present"),
        (call("ls /s", "alerts/alerts_at_start.json cart"), "present"),
        (call("cat /s/alerts/alerts_at_start.json", FIRING), "absent"),
        (call("curl -s localhost:9093/api/v2/alerts", FIRING), "absent"),
        (call("kubectl get events", "cart: alert KubePodNotReady is firing"), "absent"),
        (call("head /s/*/*", "HighErrorRate cart"), "unknown"),
        (call("python3 /w/all.py", "HighErrorRate cart"), "unknown"),
        (call("cat /s/x", None), "unknown"),
    ],
)
def test_alerts_at_hand_must_be_looked_at_in_some_way(look, verdict):
    seen = found("3.1", CART, look, task=OFFERED)
    assert (seen.verdict, seen.steps) == (verdict, (4,) if verdict == "present" else ())


def test_alerts_that_may_be_missing_or_are_told_are_not_called_unread():
    assert found("3.1", CART, task=f"{TASK} /s holds some or all of alerts/*.json, logs.").verdict == "unknown"
    assert found("3.1", CART, task=f"{OFFERED} {FIRING}").verdict == "unknown"
    assert found("3.1", CART).verdict == "absent"
    assert found("3.1", CART, task=OFFERED, domain="ciso").verdict == "absent"
    other = step("I saw to that.").model_copy(update={"extra": {"speaker": "Critic"}})
    assert found("3.1", CART, other, task=OFFERED).verdict == "unknown"  # who may have read them
    tool = ({"type": "function", "function": {"name": "alert_summary"}},)
    assert found("3.1", CART, tools=tool).verdict == "present"


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        ([OTHER, step("I suspect cart.")], "present"),
        ([OTHER, step("I suspect cart."), CART], "absent"),
        ([CART, step("I suspect cart.")], "absent"),
        ([OTHER, step("I suspect cart."), call("sort /s/objects", "Deployment cart replicas 0")], "absent"),
        ([OTHER, step("I suspect search.")], "absent"),
        ([OTHER, step("I suspect cart."), call("sort /s/objects", "x" * 30_000)], "absent"),
    ],
)
def test_what_was_suspected_must_be_looked_at_before_it_is_blamed(steps, verdict):
    alerts = call("cat /s/alerts/alerts.json", '[{"alertname": "HighErrorRate", "entity": "cart"}]')
    seen = found("3.1", alerts, *steps)
    assert (seen.verdict, seen.steps) == (verdict, (4,) if verdict == "present" else ())


LOG = call(
    "grep cart /s/logs",
    'cart 10:05 ERROR dial tcp 10.1.2.3:5432: i/o timeout, took 0.9367 s {"replicas": 0, "mem": 496123904}',
)


@pytest.mark.parametrize(
    "evidence",
    [
        'It says "ERROR dial tcp 10.1.2.3:5432: i/o timeout".',
        "It says `error  DIAL tcp 10.1.2.3:5432`.",
        "“ERROR dial … took 0.94 s”",
        "`replicas=0` since '10:05'",
        "The limit should be `memory: 768Mi`.",
        "No 'OOMKilled 137' anywhere.",
        "It runs `grep cart /s/logs`.",
        "See 'the root cause of the incident'.",
        "A 'thundering herd' of retries.",
        "`<pod>-7f9` of cart",
        "Connections run into a time-out; 473Mi, 937 ms, about 700Mi.",
        "don't say that it's 10.9.9.9:1's fault, or cart's",
    ],
)
def test_true_quotations_and_paraphrases_are_no_invention(evidence):
    assert found("3.3", LOG, evidence=evidence).verdict == "unknown"


@pytest.mark.parametrize(
    ("evidence", "confidence"),
    [
        ('It says "panic: nil map in handler.go:88".', 0.75),
        ("It says `dial tcp 10.9.9.9:5432: i/o timeout`.", 0.75),
        ("“too many open descriptors remain”", 0.75),
        ("Memory stands at 734Mi.", 0.5),
    ],
)
def test_quotations_and_measures_that_nothing_shows_are_invented(evidence, confidence):
    seen = found("3.3", LOG, evidence=evidence)
    assert (seen.verdict, seen.steps, seen.confidence) == ("present", (3,), confidence)


def test_a_trace_that_does_not_show_all_cannot_tell_of_quotations():
    invented = 'It says "panic: nil map in handler.go:88".'
    assert found("3.3", LOG, call("cat /s/x", None), evidence=invented).verdict == "unknown"
    late = call("cat /s/x", f"{'cart ' * 5000} panic: nil map in handler.go:88")  # beyond what other rules read
    assert found("3.3", late, evidence=invented).verdict == "unknown"


def test_a_check_that_repeats_the_answer_does_not_complain():
    seen = found("3.3", call("grep cart /s/logs", "cart: FAILED to start"), evidence="'cart: FAILED to start'")
    assert seen.verdict == "unknown"
