"""Runs with a judge: resumed, submitted, verified."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from itbench.agents.protocol import AgentResult, Workspace
from itbench.model.task import Task
from itbench.model.trial import JudgeConfig, TrialRecord
from itbench.runner.execute import run_pending
from itbench.runner.judging import judge_session
from itbench.runner.session import RunRequest, Session, begin, reopen
from itbench.runner.summary import summarise_session
from itbench.submission.build import build
from itbench.submission.manifest import AgentCard
from itbench.submission.verify import Verification, verify
from tests.judge.conftest import RIGHT, WRONG, Fault, honest

CARD = AgentCard(name="Nightshift", organisation="Example Org", model="none")
TRUTH = """\
fault:
- condition: canary-7f3a is the image that does not exist
  entity: {group_id: cart, kind: Deployment, name: cart}
groups:
  - {id: cart, kind: Deployment, namespace: shop, filter: ['cart\\b'], root_cause: true}
  - {id: front, kind: Service, namespace: shop, filter: ['front\\b']}
propagations:
  - {source: cart, target: front, condition: cart cannot start, effect: front answers with errors}
"""


class Agent:
    """Answers right, then wrong, then right, …"""

    sandboxed = False

    def __init__(self) -> None:
        self.asked = 0

    async def run(self, task: Task, workspace: Workspace) -> AgentResult:
        self.asked += 1
        named = [RIGHT] if self.asked % 2 else [WRONG]
        return AgentResult(output=json.dumps({"entities": named, "propagations": [], "alerts_explained": []}).encode())


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    for number in (1, 2):
        folder = tmp_path / "data" / f"Scenario-{number}"
        (folder / "alerts").mkdir(parents=True)
        (folder / "alerts" / "alerts.json").write_text("[]")
        (folder / "ground_truth.yaml").write_text(TRUTH)
    return tmp_path / "data"


@pytest.fixture
def session(dataset: Path, tmp_path: Path) -> Callable[..., Session]:
    def start(**change: Any) -> Session:
        asked = RunRequest(agents=[], out=tmp_path / "run", dataset=dataset, judge=JudgeConfig(model="gpt-4o"))
        made = begin(replace(asked, **change), {"mock": Agent()})
        run_pending(made)
        return made

    return start


def reasoning(session: Session) -> list[float | None]:
    return [record.metrics.get("root_cause_reasoning") for record in session.store.records()]


def test_a_run_is_judged_after_its_trials_and_the_summary_says_by_whom(server, session) -> None:
    server(lambda request, _: honest(request, lambda _: "partial"))
    made = session()
    assert reasoning(made) == [None, None]
    bill = judge_session(made)
    assert bill is not None
    assert (bill.asked, bill.paid_usd > 0) == (3, True)
    assert reasoning(made) == [0.5, 0.0]
    summary = summarise_session(made)
    assert summary.agents[0].domains[0].metrics["root_cause_reasoning"].mean == 0.25
    assert any("gpt-4o, 3 votes" in notice for notice in summary.notices)


def test_resuming_pays_nothing_again_even_when_the_judge_is_gone(server, session, tmp_path: Path) -> None:
    made = server(lambda request, _: honest(request, lambda _: "full"))
    judge_session(session())
    made.act = lambda *_: Fault(status=500)
    again = reopen(tmp_path / "run", {"mock": Agent()})
    bill = judge_session(again)
    assert bill is not None
    assert (bill.asked, bill.remembered, bill.failed) == (0, 3, 0)
    assert reasoning(again) == [1.0, 0.0]


def test_what_could_not_be_judged_is_judged_on_resume(server, session, tmp_path: Path) -> None:
    made = server(lambda *_: Fault(status=500))
    begun = session()
    judge_session(begun)
    assert reasoning(begun) == [None, None]
    made.act = lambda request, _: honest(request, lambda _: "full")
    again = reopen(tmp_path / "run", {"mock": Agent()})
    judge_session(again)
    assert reasoning(again) == [1.0, 0.0]


def test_a_verdict_outlives_its_replies(server, session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server(lambda request, _: honest(request, lambda _: "full"))
    judge_session(session())
    for path in (tmp_path / "run/judge").iterdir():
        path.unlink()
    monkeypatch.delenv("JUDGE_BASE_URL")
    monkeypatch.delenv("JUDGE_API_KEY")
    again = reopen(tmp_path / "run", {"mock": Agent()})
    judge_session(again)
    assert reasoning(again) == [1.0, 0.0]


def test_an_answer_that_was_changed_since_is_not_judged(server, session) -> None:
    server(lambda request, _: honest(request, lambda _: "full"))
    made = session()
    (made.store.trial_dir("mock", "1", 1) / "agent_output.json").write_text("{}")
    judge_session(made)
    (first, _) = made.store.records()
    assert first.scores["root_cause_reasoning"].note == "the answer was changed after it was scored"


@pytest.fixture
def submitted(server, session, tmp_path: Path) -> Path:
    """A submission of a judged run."""
    server(lambda request, _: honest(request, lambda _: "partial"))
    judge_session(session())
    build(tmp_path / "run", tmp_path / "submission.zip", CARD)
    return tmp_path / "submission.zip"


def changed(source: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The archive with other contents, and a manifest that vouches for them."""
    import hashlib

    with zipfile.ZipFile(source) as pack:
        members = {name: change(name, pack.read(name)) for name in pack.namelist()}
    kept = {name: content for name, content in members.items() if content is not None}
    manifest = json.loads(kept.pop("manifest.json"))
    manifest["files"] = [
        {"path": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in kept.items()
    ]
    target = source.with_name("changed.zip")
    with zipfile.ZipFile(target, "w") as pack:
        for name, content in (kept | {"manifest.json": json.dumps(manifest).encode()}).items():
            pack.writestr(name, content)
    return target


def differences(verdict: Verification) -> list[tuple[str, Any, Any]]:
    return [(each.what, each.claimed, each.recomputed) for trial in verdict.trials for each in trial.differences]


def test_judged_numbers_follow_from_the_grades_in_the_submission(submitted: Path, dataset: Path) -> None:
    verdict = verify(submitted, dataset)
    assert verdict.ok
    assert (verdict.judged, verdict.unrepeated) == (4, 0)
    assert any("submitter's word" in notice for notice in verdict.notices)


def test_a_submission_holds_grades_and_no_word_of_the_judge_or_the_truth(submitted: Path) -> None:
    with zipfile.ZipFile(submitted) as pack:
        replies = [json.loads(pack.read(name)) for name in pack.namelist() if name.startswith("judge/")]
        everything = b"".join(pack.read(name) for name in pack.namelist())
    assert [(reply["grades"], reply["text"]) for reply in replies] == [(["partial"], "")] * 3
    assert b"canary-7f3a" not in everything


def test_a_number_that_the_grades_do_not_give_differs(submitted: Path, dataset: Path) -> None:
    def raise_it(name: str, content: bytes) -> bytes:
        if not name.endswith("1/1/result.json"):
            return content
        record = TrialRecord.model_validate_json(content)
        scores = dict(record.scores)
        scores["root_cause_reasoning"] = scores["root_cause_reasoning"].model_copy(
            update={"values": {"root_cause_reasoning": 1.0}}
        )
        return record.model_copy(update={"scores": scores}).model_dump_json().encode()

    verdict = verify(changed(submitted, raise_it), dataset)
    assert not verdict.ok
    assert differences(verdict) == [("root_cause_reasoning", 1.0, 0.5)]


def test_without_the_grades_judged_numbers_are_not_compared_and_verify_says_so(submitted: Path, dataset: Path) -> None:
    verdict = verify(changed(submitted, lambda name, content: None if name.startswith("judge/") else content), dataset)
    assert verdict.ok
    assert (verdict.judged, verdict.unrepeated) == (4, 2)  # the wrong answer's zeros need no judge
    assert any("2 of them cannot be recomputed" in notice for notice in verdict.notices)


def test_a_trial_is_explained_with_the_votes_and_the_scorecard_has_the_means(server, session) -> None:
    from itbench.report.explanation import explain
    from itbench.report.scorecard import sections

    server(lambda request, n: honest(request, lambda _: "full" if n > 1 else "none"))
    made = session()
    judge_session(made)
    (first, second) = made.store.records()
    lines = list(explain(first))
    assert "  shop/Deployment/cart: 1.00 (none, full, full)" in lines
    assert "      because" in lines
    assert "What the judge says of the reasons:" not in list(explain(second))
    (section,) = sections(summarise_session(made))
    shown = {row.label: row.cells[0].figure for row in (*section.headline, *section.details)}
    assert shown["reasoning, by a judge"] == "0.50"


def test_an_explanation_tells_of_votes_that_do_not_count_and_of_disagreement(server, session) -> None:
    from itbench.report.explanation import explain

    asked: list[int] = []  # questions about reasons: which of the questions comes first is anybody's guess

    def act(request: dict[str, Any], n: int) -> dict[str, Any]:
        grades = request["response_format"]["json_schema"]["schema"]["properties"]["items"]["items"]["properties"]["grade"]
        if "same" in grades["enum"]:
            return honest(request, lambda _: "different")
        asked.append(n)
        return {"choices": [{"message": {"content": "no"}}]} if len(asked) == 1 else honest(request, lambda _: "full")

    server(act)
    made = session(judge=JudgeConfig(model="gpt-4o", cross_check=True))
    judge_session(made)
    lines = list(explain(next(made.store.records())))
    assert any(line.startswith("      a vote does not count: not JSON") for line in lines)
    assert "Cross-check of the matcher, whose verdict stands: shop/Deployment/cart" in lines
