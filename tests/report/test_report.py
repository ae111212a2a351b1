from __future__ import annotations

import io

from rich.console import Console

from itbench.model.outcome import Outcome, Score
from itbench.model.summary import AgentSummary, DomainSummary, Estimate, Summary
from itbench.model.trial import Timing, TrialRecord
from itbench.report.explanation import explain
from itbench.report.markdown import markdown_scorecard
from itbench.report.reference import print_reference, reference_figures
from itbench.report.scorecard import sections, show
from itbench.report.terminal import print_scorecard


def domain(**change: object) -> DomainSummary:
    base = {
        "domain": "sre",
        "scenarios": 2,
        "trials": 4,
        "scored": 3,
        "unscored": {"agent_timeout": 1, "cancelled": 0},
        "scored_rate": Estimate(mean=0.75, n=4),
        "metrics": {
            "odd|metric": Estimate(mean=0.1, n=2),
            "root_cause_entity_f1": Estimate(mean=0.5, low=0.25, high=0.75, n=2),
        },
        "by_complexity": {
            "high": {"root_cause_entity_f1": Estimate(mean=0.0, n=1)},
            "low": {"root_cause_entity_f1": Estimate(mean=1.0, n=1)},
        },
        "agent_seconds": 12.3456,
    }
    return DomainSummary.model_validate(base | change)


def summary(*domains: DomainSummary, notices: tuple[str, ...] = ()) -> Summary:
    agents = tuple(
        AgentSummary(agent=f"a{number}", isolation="bubblewrap", domains=(it,)) for number, it in enumerate(domains)
    )
    return Summary(run_dir="run", agents=agents, notices=notices)


def test_figures_show_their_interval_where_there_is_one() -> None:
    assert str(show(Estimate(mean=0.5, low=0.25, high=0.75, n=3))) == "0.50 [0.25, 0.75]"
    assert str(show(Estimate(mean=0.5, n=1))) == "0.50"
    assert str(show(Estimate(mean=1.0, low=1.0, high=1.0, n=4))) == "1.00"
    assert str(show(Estimate(mean=None, n=0))) == "–"
    assert str(show(None)) == "–"


def test_each_agent_is_a_column_and_only_causes_that_occurred_are_rows() -> None:
    (section,) = sections(summary(domain(), domain(metrics={}, unscored={"agent_timeout": 0}, scored=4)))
    rows = {row.label: tuple(map(str, row.cells)) for row in section.headline}
    assert section.agents == ("a0", "a1")
    assert rows["root cause F1"] == ("0.50 [0.25, 0.75]", "–")
    assert rows["trials scored"] == ("3 of 4", "4 of 4")
    assert rows["unscored: agent_timeout"] == ("1", "0")
    assert "unscored: cancelled" not in rows
    assert rows["seconds per trial"] == ("12.3", "12.3")


def test_a_compliance_scorecard_opens_with_how_often_every_set_was_judged_rightly() -> None:
    half = Estimate(mean=0.5, n=2)
    levels = {level: {"exactness": half} for level in ("low", "high")}
    metrics = {"required_files_exist": half, "detection_rate": half, "exactness": half, "safety": half}
    (section,) = sections(summary(domain(domain="ciso", metrics=metrics, by_complexity=levels)))
    assert [row.label for row in section.headline[:3]] == ["every set judged rightly", "violating sets detected", "safety"]
    assert [row.label for row in section.details] == ["required_files_exist"]
    assert section.complexity[0].label == "low (2): every set judged rightly"


def test_complexity_is_shown_from_low_to_high_with_its_scenarios() -> None:
    (section,) = sections(summary(domain()))
    assert [row.label for row in section.complexity] == ["low (1): root cause F1", "high (1): root cause F1"]


def test_domains_are_separate_sections() -> None:
    both = summary(domain(domain="finops"), domain())
    assert [section.title for section in sections(both)] == [
        "SRE: 2 scenarios, 4 trials per agent",
        "FinOps: 2 scenarios, 4 trials per agent",
    ]


def test_markdown_holds_every_metric_and_survives_odd_names() -> None:
    text = markdown_scorecard(summary(domain(), notices=("weak isolation",)))
    assert "| root cause F1 | 0.50 [0.25, 0.75] |" in text
    assert "| odd\\|metric | 0.10 |" in text
    assert "- weak isolation" in text


def test_the_terminal_shows_the_scorecard_and_what_must_be_known() -> None:
    out = io.StringIO()
    print_scorecard(summary(domain(), notices=("mind [this]",)), Console(file=out, width=100))
    assert "0.50 [0.25, 0.75]" in out.getvalue()
    assert "Note: mind [this]" in out.getvalue()


def test_intervals_go_below_their_figures_where_the_terminal_is_narrow() -> None:
    out = io.StringIO()
    print_scorecard(summary(*[domain()] * 4), Console(file=out, width=90))
    lines = out.getvalue().splitlines()
    (row,) = [number for number, line in enumerate(lines) if "root cause F1 " in line and "0.50" in line]
    assert lines[row].count("0.50") == 4
    assert lines[row + 1].count("[0.25, 0.75]") == 4


def test_agents_that_do_not_fit_side_by_side_get_tables_of_their_own() -> None:
    out = io.StringIO()
    print_scorecard(summary(*[domain()] * 18), Console(file=out, width=80))
    text = out.getvalue()
    assert all(f" a{number} " in text for number in range(18))
    assert text.count("[0.25, 0.75]") == 18
    assert max(map(len, text.splitlines())) <= 80


def test_figures_of_the_public_evaluator_drop_bad_runs_and_say_so() -> None:
    scores = {"root_cause_entity": Score(values={"root_cause_entity_f1": 0.5})}
    figures = reference_figures([record(scores=scores), record(trial=2, outcome=Outcome.unscored("output_missing"))])
    out = io.StringIO()
    print_reference(figures, Console(file=out, width=100))
    assert figures["a"]["sre"]["overall"]["root_cause_entity_f1"] == {"mean": 0.5, "stderr": None, "n_incidents": 1}
    assert "as the public evaluator aggregates (ev)" in out.getvalue()
    assert "1 runs without a verdict are dropped." in out.getvalue()


def record(**change: object) -> TrialRecord:
    base = {
        "agent": "a",
        "scenario": "7",
        "domain": "sre",
        "trial": 1,
        "seed": 0,
        "outcome": Outcome.scored(),
        "timing": Timing(started_at="", wall_seconds=0, agent_seconds=0),
    }
    return TrialRecord.model_validate(base | change)


def test_an_explanation_shows_each_prediction_each_root_and_the_chain() -> None:
    scores = {
        "root_cause_entity": Score(
            values={"root_cause_entity_f1": 0.5},
            evidence={
                "predicted_entities": [
                    {"entity": "shop/Pod/x", "matches_gt": False, "reason": "fits no root cause"},
                    {"entity": "y" * 500, "matches_gt": True, "matched_to": "y-1", "through": "y-2", "reason": "alias"},
                ],
                "roots": [
                    {"id": "y-1", "entity": "shop/Deployment/y", "aliases": ["y-2: shop/Pod/y-.*"], "found_by": ["yyy"]},
                    {"id": "z-1", "entity": "shop/Deployment/z", "aliases": [], "found_by": []},
                ],
            },
        ),
        "propagation_chain": Score(
            values={"propagation_chain": 0.4},
            evidence={
                "details": {
                    "contracted_gt_path": ["y", "front"],
                    "contracted_model_path": ["x", "front"],
                    "lcs_components": ["front"],
                }
            },
        ),
        "root_cause_reasoning": Score(note="left to a judge"),
    }
    lines = list(explain(record(scores=scores, repairs=("a fence was removed",))))
    assert "repaired: a fence was removed" in lines
    assert "  1. ✗ shop/Pod/x: fits no root cause" in lines
    assert any("(500 characters) → y-1 (through its alias y-2): alias" in line for line in lines)
    assert "  ✗ shop/Deployment/z [z-1]: missed" in lines
    assert "  ground truth: y → [front]" in lines
    assert any(line.endswith("not judged: left to a judge") for line in lines)


def test_a_trial_without_verdict_is_explained_by_its_cause() -> None:
    lines = list(explain(record(outcome=Outcome.unscored("agent_timeout", "stopped after 8 s"))))
    assert "outcome: unscored, agent_timeout: stopped after 8 s" in lines
    assert "  none: there is no verdict" in lines


def test_resources_are_explained_one_by_one() -> None:
    evidence = {
        "predicted_resources": [{"name": "web", "type": "Application", "matches_gt": False}],
        "gt_resources": [{"name": "batch", "type": "Application", "found": False}],
    }
    scores = {"root_cause_resource": Score(values={"root_cause_resource": 0.0}, evidence=evidence)}
    lines = list(explain(record(domain="finops", scores=scores)))
    assert "  ✗ Application web" in lines
    assert "  ✗ Application batch" in lines
