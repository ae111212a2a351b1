"""Modes are held against success: effects have their published values, verdicts follow from intervals, reports show all."""

from __future__ import annotations

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from itbench.cli.main import main
from itbench.mast.analysis import Collected, analyse
from itbench.mast.annotate import annotate_trace
from itbench.mast.drawing import cascade, forest, heat_map
from itbench.mast.effects import Observation, Share, benjamini_hochberg, effect, fisher_exact
from itbench.mast.importing import import_traces
from itbench.mast.outcomes import DEFAULT_SUCCESS, Success
from itbench.mast.planting import generate
from itbench.mast.report import html_analysis, markdown_analysis, print_analysis
from itbench.mast.taxonomy import load_taxonomy
from itbench.mast.trace import Trace, TraceInfo
from itbench.model.errors import UsageError

V3 = load_taxonomy()


def observed(failed: tuple[int, int], succeeded: tuple[int, int], *, unknown: int = 0, alike: int = 1) -> list[Observation]:
    """(present, absent) among failed and among successful traces; `alike` traces share a scenario."""
    verdicts = []
    for fails, (present, absent) in ((True, failed), (False, succeeded)):
        verdicts += [(fails, "present")] * present + [(fails, "absent")] * absent
    verdicts += [(bool(number % 2), "unknown") for number in range(unknown)]
    return [Observation(f"S{number // alike}", fails, verdict) for number, (fails, verdict) in enumerate(verdicts)]


def found(*args, **kwargs):
    return effect(observed(*args, **kwargs), np.random.default_rng(0))


def test_the_interval_of_a_difference_is_newcombes():
    # Newcombe 1998, example (a): 56/70 against 48/80, 0.2 with limits 0.0524 and 0.3339
    result = found((56, 14), (48, 32))
    assert result.difference == pytest.approx(0.2)
    assert (result.low, result.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(("table", "p"), [((3, 1, 1, 3), 0.4857), ((8, 2, 1, 5), 0.0350), ((0, 5, 0, 5), 1.0)])
def test_fisher_has_its_published_values(table, p):
    a, b, c, d = table
    assert fisher_exact(Share(a, a + b), Share(c, c + d)) == pytest.approx(p, abs=5e-5)


@given(*[st.integers(0, 12)] * 4)
def test_fisher_is_scipys(a, b, c, d):
    from scipy.stats import fisher_exact as reference

    assert fisher_exact(Share(a, a + b), Share(c, c + d)) == pytest.approx(reference([[a, b], [c, d]])[1], abs=1e-9)


def test_benjamini_hochberg_by_hand():
    adjusted = benjamini_hochberg([0.01, None, 0.04, 0.03, 0.2])
    assert adjusted == [pytest.approx(0.04), None, pytest.approx(0.16 / 3), pytest.approx(0.16 / 3), pytest.approx(0.2)]


def test_a_mode_of_failures_is_fatal_and_one_of_both_is_recoverable():
    assert found((30, 10), (5, 35)).verdict == "fatal"
    assert found((5, 195), (20, 180)).verdict == "recoverable"
    assert found((0, 40), (0, 40)).verdict == "not seen"


def test_an_undecided_mode_says_how_many_traces_would_decide():
    few = found((6, 14), (3, 17))
    assert few.verdict == "undecided"
    factor = few.needed / 40
    assert factor > 1
    more = int(factor + 1)
    assert found((6 * more, 14 * more), (3 * more, 17 * more)).verdict == "fatal"


def test_an_annotator_who_cannot_tell_calls_nothing_recoverable():
    assert found((2, 10), (2, 10), unknown=400).verdict == "undecided"


def test_trials_of_one_scenario_do_not_count_as_many():
    alone, alike = found((20, 20), (8, 32)), found((20, 20), (8, 32), alike=10)
    assert alike.high - alike.low > alone.high - alone.low


def test_success_is_a_rule_that_is_said():
    rule = Success.from_text("resolved>=1, root_cause_entity_recall>=0.5")
    info = {"trace": "t", "source": "s", "format": "f", "agent": "a", "answer": "present"}
    assert rule.of(TraceInfo(**info, metrics={"root_cause_entity_recall": 0.5})) is True
    assert rule.of(TraceInfo(**info, metrics={"resolved": 0, "root_cause_entity_recall": 1})) is False
    assert rule.of(TraceInfo(**info)) is None
    assert rule.of(TraceInfo(**info, cause="agent_timeout")) is False
    assert rule.of(TraceInfo(**info, cause="environment_error", metrics={"resolved": 1})) is None
    assert str(rule) == "resolved ≥ 1, else root_cause_entity_recall ≥ 0.5"
    with pytest.raises(UsageError, match="no rule for success"):
        Success.from_text("recall > high")


def collected() -> Collected:
    """Sessions that stop early fail, those that repeat succeed half of the time."""
    made = Collected()
    for mode in ("3.1", "1.3", "2.3"):
        for near in (False, True):
            for seed in range(8):
                planted = generate(mode, seed, near_miss=near, held_out=False)
                failed = mode == "3.1" and not near if mode != "1.3" else bool(seed % 2)
                update = {
                    "agent": "<b>x</b>" if near else "y|z",
                    "scenario": f"S{seed}",
                    "metrics": {"resolved": float(not failed)},
                }
                trace = Trace(planted.trace.info.model_copy(update=update), planted.trace.trajectory, planted.trace.output)
                made.add(trace, annotate_trace(trace, V3))
    return made


def test_the_planted_cause_of_failure_is_the_fatal_mode():
    analysis = analyse(collected(), V3, Success.from_text(DEFAULT_SUCCESS), np.random.default_rng(0))
    whole = analysis.groups[0]
    verdicts = {each.code: each.effect.verdict for each in whole.modes}
    assert [code for code, verdict in verdicts.items() if verdict == "fatal"] == ["3.1"]
    assert verdicts["1.2"] == "not applicable"
    assert whole.signature[0] == "3.1"
    assert (whole.traces, whole.failed, whole.succeeded) == (48, 16, 32)
    assert analysis.examples["3.1"][0].excerpt


def test_the_number_of_modes_in_a_trace_is_never_said_to_be_below_none():
    whole = collected()
    flagged = {bool(sum(each.verdict == "present" for each in row[1].annotations)): row for row in whole.rows}
    both = [(info.model_copy(update={"metrics": {"resolved": 0.0}}), seen) for info, seen in flagged.values()]
    (group, *_) = analyse(Collected(both), V3, Success.from_text(DEFAULT_SUCCESS), np.random.default_rng(0)).groups
    assert group.failed == 2
    assert group.modes_failed.low == 0.0
    assert group.modes_failed.high <= len(V3.codes)


def test_the_model_of_all_modes_says_why_it_is_not_fitted():
    analysis = analyse(collected(), V3, Success.from_text(DEFAULT_SUCCESS), np.random.default_rng(0), logistic=True)
    assert "8 scenarios, of at least 10" in analysis.regression.refused
    assert "8 scenarios, of at least 10" in markdown_analysis(analysis, V3)


def test_reports_show_names_and_run_nothing():
    analysis = analyse(collected(), V3, Success.from_text(DEFAULT_SUCCESS), np.random.default_rng(0))
    page, text = html_analysis(analysis, V3), markdown_analysis(analysis, V3)
    assert "<b>x" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "<script" not in page
    assert "y\\|z" in text
    assert "3.1 Premature termination" in text
    for picture in (heat_map(analysis, V3), forest(analysis.groups[0], V3), cascade(analysis)):
        if picture:
            assert ElementTree.fromstring(picture).tag.endswith("svg")
    seen = [each for each in analysis.groups[0].modes if each.effect.seen]
    assert forest(analysis.groups[0], V3).count("<circle") == len(seen) > 2


def test_where_rules_cannot_tell_a_picture_shows_no_zero():
    made = collected()
    analysis = analyse(made, V3, Success.from_text(DEFAULT_SUCCESS), np.random.default_rng(0))
    blind = [each for group in analysis.groups if group.kind == "agent" for each in group.modes if each.effect.blind]
    assert any(not each.effect.seen for each in blind)
    assert heat_map(analysis, V3).count(">?<") == 2 * sum(not each.effect.seen for each in blind)


@pytest.mark.parametrize("width", [80, 160])
def test_a_terminal_shows_what_was_flagged_and_names_the_rest_in_a_line(width):
    analysis = analyse(collected(), V3, Success.from_text(DEFAULT_SUCCESS), np.random.default_rng(0))
    out = io.StringIO()
    print_analysis(analysis, V3, Console(file=out, width=width))
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert ("ratio" in text, "p (adjusted)" in text) == ((True, True) if width == 160 else (False, False))
    assert "not applicable: 1.2, 2.4, 2.5" in " ".join(text.split())
    assert "2.4 Information withholding" not in text
    assert "2.4 Information withholding" in markdown_analysis(analysis, V3)


def test_analyze_reads_folders_and_writes_reports(tmp_path: Path):
    lines = [{"role": "user", "content": "Find it."}, {"role": "assistant", "content": "Next I will read the logs."}]
    for number in range(3):
        place = tmp_path / f"in/model-x/sre/Scenario-{number}/1"
        place.mkdir(parents=True)
        (place / "session.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    import_traces(tmp_path / "in", tmp_path / "traces", V3)
    arguments = [
        "mast",
        "analyze",
        str(tmp_path / "traces"),
        "--html",
        str(tmp_path / "r.html"),
        "--markdown",
        str(tmp_path / "r.md"),
        "--plots",
        str(tmp_path / "plots"),
    ]
    result = CliRunner().invoke(main, [*arguments, "--json"])
    document = json.loads(result.stdout)
    assert document["groups"][1]["name"] == "model-x"
    assert document["groups"][0]["failed"] == 3
    assert "Premature termination" in (tmp_path / "r.html").read_text()
    assert f'href="{(tmp_path / "in/model-x/sre/Scenario-0/1/session.jsonl").as_uri()}"' in (tmp_path / "r.html").read_text()
    assert (tmp_path / "plots/mast-where-modes-show.svg").read_text().startswith("<svg")
    assert "# Failure modes" in (tmp_path / "r.md").read_text()
    assert "undecided" in CliRunner().invoke(main, arguments).stdout
