"""From trials under two conditions to what to put around an agent."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from itbench.cli.main import main
from itbench.mast.ablation.arms import Arm, Arms, arms_of_run, specs_of_arms
from itbench.mast.ablation.report import grids, pictures, summary
from itbench.mast.ablation.results import Ablation, Trial, ablation_of
from itbench.mast.outcomes import Success
from itbench.mast.report import html_page, markdown_grids
from itbench.mast.taxonomy import load_taxonomy
from itbench.model.errors import RunError, UsageError
from itbench.model.mast import AnnotatedTrace, Annotation
from itbench.model.outcome import Outcome, Score
from itbench.model.trial import AgentConfig, Timing, TrialRecord, Usage
from itbench.runner.store import folder_name

V3 = load_taxonomy()
SUCCESS = Success.from_text("recall>=1")
EXAMPLES = Path(__file__).parents[2] / "examples"


def trial(
    agent: str, scenario: str, good: bool | None, *modes: str, unknown: tuple[str, ...] = (), tokens: int = 100
) -> Trial:
    outcome = Outcome.unscored("environment_error", "down") if good is None else Outcome.scored()
    scores = {} if good is None else {"r": Score(values={"recall": float(good)})}
    record = TrialRecord(
        agent=agent,
        scenario=scenario,
        domain="sre",
        trial=1,
        seed=0,
        outcome=outcome,
        scores=scores,
        timing=Timing(started_at="", wall_seconds=2, agent_seconds=1),
        usage=Usage(prompt_tokens=tokens, completion_tokens=10),
    )
    verdicts = {code: "present" if code in modes else "unknown" if code in unknown else "absent" for code in V3.codes}
    annotations = tuple(Annotation(code=c, verdict=v, confidence=0.5, annotator="t") for c, v in verdicts.items())
    return Trial(record, AnnotatedTrace(trace=scenario, annotations=annotations), 5)


def ablation(*trials: Trial, names: tuple[tuple[str, ...], ...] = (("loop",), ("gate",), ("loop", "gate"))) -> Ablation:
    arms = Arms("a", Arm("a", ()), tuple(Arm(f"a+{'-'.join(each)}", each) for each in names))
    known = {(t.record.agent, t.record.scenario, t.record.trial): t for t in trials}
    return ablation_of([arms], known, V3, SUCCESS, np.random.default_rng(0), run_dir="runs/x")


def repeating_agent() -> Ablation:
    """Fails by repetition in 12 of 20; loop repairs them all, gate changes nothing and costs."""
    trials = []
    for n in range(20):
        fails = n < 12
        trials += [
            trial("a", f"s{n}", not fails, *(["1.3"] if fails else [])),
            trial("a+loop", f"s{n}", True, tokens=80),
            trial("a+gate", f"s{n}", not fails, *(["1.3"] if fails else []), tokens=300),
            trial("a+loop-gate", f"s{n}", True, tokens=300),
        ]
    return ablation(*trials)


def test_what_repairs_is_to_be_used_and_what_does_nothing_is_not():
    found = repeating_agent().agents[0]
    loop, gate = found.arms[0], found.arms[1]
    assert (loop.success.gained, loop.success.lost, loop.success.difference) == (12, 0, pytest.approx(0.6))
    assert loop.success.low > 0
    assert [(m.change.before, m.change.after) for m in loop.modes if m.code == "1.3"] == [(0.6, 0.0)]
    assert (gate.success.gained, gate.success.difference, gate.costs["tokens"].difference) == (0, 0, 200)
    told = {each.intervention: (each.verdict, each.targets) for each in found.advice.interventions}
    assert told == {"loop": ("use", ("1.3",)), "gate": ("no need", ())}
    assert found.advice.best == "a+loop"  # together they are as good, and cost more


def test_what_breaks_successes_is_left_out():
    trials = [t for n in range(20) for t in (trial("a", f"s{n}", n > 5), trial("a+gate", f"s{n}", n > 16))]
    found = ablation(*trials, names=(("gate",),)).agents[0]
    assert (found.advice.interventions[0].verdict, found.advice.best) == ("leave out", None)


def test_what_cannot_be_told_says_how_many_pairs_would():
    trials = [t for n in range(8) for t in (trial("a", f"s{n}", n > 3), trial("a+gate", f"s{n}", n > 2))]
    found = ablation(*trials, names=(("gate",),)).agents[0].advice.interventions[0]
    assert found.verdict == "undecided"
    assert 16 < found.needed < 300


def test_a_frequent_mode_calls_for_what_was_not_tried():
    trials = [t for n in range(9) for t in (trial("a", f"s{n}", n > 5, "1.5"), trial("a+gate", f"s{n}", n > 5, "1.5"))]
    told = {each.intervention: each for each in ablation(*trials, names=(("gate",),)).agents[0].advice.interventions}
    assert (told["fsm"].verdict, told["fsm"].targets) == ("try", ("1.5",))
    assert "loop" not in told


def test_faults_of_the_environment_are_left_out_and_told():
    trials = [t for n in range(5) for t in (trial("a", f"s{n}", n > 2), trial("a+gate", f"s{n}", None if n == 0 else True))]
    found = ablation(*trials, names=(("gate",),))
    assert found.agents[0].arms[0].success.n == 4
    assert found.notes == ("a+gate: 1 of 5 pairs of trials have no verdict on success",)


def test_what_rules_cannot_see_is_counted_and_is_no_flag():
    trials = [t for n in range(4) for t in (trial("a", f"s{n}", False, unknown=("3.3",)), trial("a+gate", f"s{n}", True))]
    mode = next(m for m in ablation(*trials, names=(("gate",),)).agents[0].arms[0].modes if m.code == "3.3")
    assert (mode.unknown, mode.change.before, mode.change.after) == (4, 0, 0)


def test_reports_show_every_arm_and_run_nothing():
    found = repeating_agent()
    hostile = Ablation("<script>x</script>|", found.taxonomy, found.success, found.agents)
    page = html_page("Ablation", summary(hostile), pictures(hostile), grids(hostile, V3))
    assert "<script" not in page
    assert page.count("<svg") == 1
    assert "12 repaired, 0 broken" in page
    text = markdown_grids("Ablation", summary(hostile), grids(hostile, V3))
    assert "| loop | 40% → 100% | +60%" in text
    assert "a: use a+loop" in text


def test_the_arms_are_bare_each_and_all():
    specs = specs_of_arms(["m=llm:x?turns=9", "nop"], "gate(tries=1),format")
    assert specs == (
        "m=llm:x?turns=9",
        "m+gate=with:gate(tries=1):llm:x?turns=9",
        "m+format=with:format:llm:x?turns=9",
        "m+gate-format=with:gate(tries=1),format:llm:x?turns=9",
        "nop",
        "with:gate(tries=1):nop",
        "with:format:nop",
        "with:gate(tries=1),format:nop",
    )
    with pytest.raises(UsageError, match="interventions already"):
        specs_of_arms(["with:gate:nop"], "format")


def test_a_run_without_arms_is_no_ablation():
    with pytest.raises(RunError, match="no ablation"):
        arms_of_run([AgentConfig(spec="nop", label="nop"), AgentConfig(spec="with:gate:baseline", label="x")])


@pytest.mark.integration
def test_an_ablation_runs_reports_and_goes_on(tmp_path: Path, wrong_port_incident: Path):
    for name in ("1", "2"):
        shutil.copytree(wrong_port_incident, tmp_path / "data" / f"Scenario-{name}")
    run, agent = tmp_path / "run", f"flaky=python:flaky_agents:Invents@{EXAMPLES}"
    request = [
        "ablate",
        "--dataset",
        str(tmp_path / "data"),
        "--agent",
        agent,
        "--with",
        "gate",
        "--out",
        str(run),
        "--json",
    ]
    first = CliRunner().invoke(main, [*request, "--html", str(tmp_path / "a.html")])
    assert first.exit_code == 0, first.output
    found = json.loads(first.stdout)["agents"][0]
    assert [arm["arm"]["label"] for arm in found["arms"]] == ["flaky+gate"]
    assert (found["arms"][0]["success"]["gained"], found["arms"][0]["success"]["n"]) == (2, 2)
    assert found["signature"]["modes"]["3.3"] == 1.0
    assert [m["change"]["after"] for m in found["arms"][0]["modes"] if m["code"] == "3.3"] == [0.0]
    assert "flaky: success" in (tmp_path / "a.html").read_text()
    shutil.rmtree(run / "agents" / folder_name("flaky+gate") / "trials/2")
    again = CliRunner().invoke(main, ["ablate", "--resume", str(run), "--json"])
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["agents"][0]["arms"][0]["success"]["n"] == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--suite", "starter", "--agent", "nop"], "--with"),
        (["--suite", "starter", "--with", "gate"], "--agent"),
        (["--suite", "starter", "--agent", "nop", "--with", "gat"], "no intervention 'gat'"),
        (["--resume", "x", "--suite", "starter"], "--resume"),
        (["--suite", "starter", "--agent", "oracle", "--with", "gate"], "ground truth"),
    ],
)
def test_what_cannot_be_ablated_is_refused(arguments: list[str], told: str):
    result = CliRunner().invoke(main, ["ablate", *arguments])
    assert result.exit_code == 2
    assert told in result.output
    assert "Traceback" not in result.output


def test_the_list_names_parameters_and_modes():
    result = CliRunner().invoke(main, ["ablate", "--list"])
    assert "loop(allowed=1, stops=4)  against 1.3" in result.output
