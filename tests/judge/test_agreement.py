"""`itbench judge agreement`: a judge, the matcher and people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from itbench.cli.main import main
from tests.judge.conftest import DOWNSTREAM, RIGHT, WRONG, honest

HEADER = "rater,criterion,scenario,trial,entity,label\n"


def call(*arguments: Any) -> Any:
    return CliRunner().invoke(main, ["judge", "agreement", *map(str, arguments)])


def test_a_judge_is_compared_with_people_and_with_the_matcher(server, score, tmp_path: Path) -> None:
    def grade(item: dict[str, Any]) -> str:
        if any("root cause" in text for text in item["truth"]):
            return "full"
        return "same" if item["said"] == [item["entity"]] else "partial"

    server(lambda request, _: honest(request, grade))
    score([RIGHT], [RIGHT, WRONG], [DOWNSTREAM], options=("--judge", "gpt-4o", "--judge-cross-check"))
    labels = tmp_path / "labels.csv"
    labels.write_text(
        HEADER
        + "ann,root_cause_reasoning,1,1,shop/Deployment/cart,1\n"
        + "ann,root_cause_reasoning,2,1,shop/Deployment/cart,0.5\n"
        + "ann,root_cause_reasoning_partial,3,1,shop/Service/front,0.5\n"
        + "ann,root_cause_entity,2,1,shop/Deployment/ads,0\n"
    )
    result = call(tmp_path / "out/scores.json", labels, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    by_pair = {(pair["criterion"], *sorted(pair["raters"])): pair for pair in found["pairs"]}
    assert by_pair["root_cause_reasoning", "ann", "judge"]["n"] == 2
    assert by_pair["root_cause_reasoning", "ann", "judge"]["agreement"] == 0.5
    assert by_pair["root_cause_reasoning_partial", "ann", "judge"]["agreement"] == 1.0
    assert by_pair["root_cause_entity", "judge", "matcher"]["n"] == 4
    assert by_pair["root_cause_entity", "judge", "matcher"]["agreement"] == 0.5  # ads and front are no root causes
    differing = {(each["criterion"], each["scenario"], each["entity"]): each["labels"] for each in found["disagreements"]}
    assert differing["root_cause_reasoning", "2", "shop/Deployment/cart"] == {"judge": 1.0, "ann": 0.5}
    assert differing["root_cause_entity", "2", "shop/Deployment/ads"] == {"matcher": 0.0, "judge": 1.0, "ann": 0.0}
    shown = call(tmp_path / "out/scores.json", labels)
    assert "Rated differently" in shown.stdout


def test_kappa_of_two_people_from_csv_and_json(tmp_path: Path) -> None:
    cells = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    first, second = tmp_path / "a.csv", tmp_path / "b.json"
    first.write_text(HEADER + "".join(f"a,root_cause_entity,{n},1,x,{one}\n" for n, (one, _) in enumerate(cells)))
    second.write_text(
        json.dumps(
            {
                "labels": [
                    {
                        "rater": "b",
                        "criterion": "root_cause_entity",
                        "scenario": str(n),
                        "trial": 1,
                        "entity": "x",
                        "label": b,
                    }
                    for n, (_, b) in enumerate(cells)
                ]
            }
        )
    )
    (pair,) = json.loads(call(first, second, "--json").stdout)["pairs"]
    assert pair["kappa"]["value"] == pytest.approx(0.4)
    assert pair["kappa"]["low"] < 0.4 < pair["kappa"]["high"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rater,label\nann,1\n", "labels.csv:1: the header lacks 'criterion'"),
        (HEADER + "ann,root_cause_entity,1,1,cart,2\n", "labels.csv:2: label"),
        (HEADER + "ann,beauty,1,1,cart,1\n", "labels.csv:2: criterion"),
        (HEADER + "ann,root_cause_entity,1,1,cart\n", "labels.csv:2: the line has another number of cells"),
        (HEADER + "ann,root_cause_entity,1,1,cart,1\n", "no two raters rated the same entity (1 labels were read)"),
        (HEADER + 'ann,root_cause_entity,1,1,"cart,1\n', "labels.csv"),
    ],
)
def test_bad_labels_are_one_message_with_file_and_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "labels.csv").write_text(text)
    result = call(tmp_path / "labels.csv")
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
