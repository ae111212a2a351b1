"""The FinOps answer beyond the public form: read tolerantly, and never without a note."""

from __future__ import annotations

import json
from datetime import date

import pytest

from itbench.model.diagnosis import CostDiagnosis
from itbench.scoring.answer import Answer, read_answer

PUBLIC = {"resource": [{"name": "batch", "type": "Application"}]}


def read(**extra: object) -> Answer:
    return read_answer(json.dumps({**PUBLIC, **extra}).encode(), "finops")


def cost(answer: Answer) -> CostDiagnosis:
    assert isinstance(answer.diagnosis, CostDiagnosis), answer.problem
    return answer.diagnosis


def test_the_public_form_alone_is_read_without_a_note() -> None:
    answer = read()
    assert answer.notes == ()
    assert cost(answer) == CostDiagnosis.model_validate({"resources": PUBLIC["resource"]})


def test_what_may_be_added_is_read() -> None:
    claims = [{"class": "gpu_idle", "resources": PUBLIC["resource"], "onset": "2026-05-01", "amount": 12.5, "share": 1}]
    proposals = [{"action": "Terminate-Environment", "target": PUBLIC["resource"][0], "reason": "nobody uses it"}]
    answer = read(anomaly=True, causes=claims, mitigations=proposals)
    found = cost(answer)
    assert answer.notes == ()
    assert (found.anomaly, found.causes[0].onset, found.causes[0].amount) == (True, date(2026, 5, 1), 12.5)
    assert found.mitigations[0].action == "terminate_environment"


@pytest.mark.parametrize(
    ("extra", "note"),
    [
        ({"causes": "autoscaler"}, "causes: left out: causes is not a list"),
        ({"causes": [3]}, "causes[0]: no object; left out"),
        ({"causes": [{"amount": "lots"}]}, "causes[0].amount: no number; left out (lots)"),
        ({"causes": [{"amount": "12"}]}, "causes[0].amount: text, read as a number (12)"),
        ({"causes": [{"amount": 1e300}]}, "causes[0].amount: no number; left out"),
        ({"causes": [{"onset": "May"}]}, "causes[0].onset: no day as YYYY-MM-DD; left out (May)"),
        ({"causes": [{"resources": [{"name": "x"}]}]}, "causes[0].resources[0]: without name or type; left out"),
        ({"mitigations": [{"action": "pray"}]}, "mitigations[0]: no proposal that can be carried out (action"),
        ({"mitigations": [{"action": "scale"}]}, "needs a target"),
        ({"anomaly": False}, "false, and yet something is named"),
        ({"why": "because"}, "keys that are not part of the schema are not used (why)"),
    ],
)
def test_what_cannot_be_used_is_noted_and_spoils_nothing_else(extra: dict, note: str) -> None:
    answer = read(**extra)
    assert note in "\n".join(answer.notes)
    assert cost(answer).resources[0].name == "batch"


def test_causes_alone_name_resources() -> None:
    answer = read_answer(json.dumps({"causes": [{"resources": PUBLIC["resource"]}] * 2}).encode(), "finops")
    assert [resource.name for resource in cost(answer).resources] == ["batch"]


def test_neither_resources_nor_causes_is_no_answer() -> None:
    assert read_answer(b'{"anomaly": false}', "finops").problem == "holds neither resource nor resources"
