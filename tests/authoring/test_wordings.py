"""An author may word what was measured, and is told with file, line and key where the words are about something else."""

from __future__ import annotations

from typing import Any

import pytest

from itbench.authoring.check import check_scenario
from itbench.authoring.rehearsal import Exhibit
from itbench.authoring.wordings import contradiction
from itbench.datasets.scenario_file import read_scenario
from itbench.model.errors import DatasetError

from .conftest import Write, lost_selector

MEASURED = {"source": "Service/details", "target": "Service/productpage", "effect": "pages come without blurbs"}
INVENTED = {"source": "Service/details", "target": "Service/ratings", "effect": "no stars"}


def steps(found: Exhibit) -> set[tuple[str, str]]:
    return {(item.source, item.target) for item in found.truth.propagations}


def test_a_measured_step_may_be_worded(write: Write, files_of_lost: Exhibit) -> None:
    assert ("details-service-1", "productpage-service-1") in steps(files_of_lost)
    assert contradiction(read_scenario(write(lost_selector(), wording=[MEASURED])), files_of_lost) is None


@pytest.mark.parametrize(
    "wrong",
    [
        INVENTED,
        {**MEASURED, "source": MEASURED["target"], "target": MEASURED["source"]},
        {**MEASURED, "source": "Pod/details"},
    ],
    ids=["no such step", "the wrong way round", "another kind"],
)
def test_a_step_that_is_not_measured_is_told_with_its_place(
    write: Write, files_of_lost: Exhibit, wrong: dict[str, str]
) -> None:
    path = write(lost_selector(), wording=[MEASURED, wrong])
    error = contradiction(read_scenario(path), files_of_lost)
    assert error is not None
    lines = path.read_text().splitlines()
    assert error.line == len(lines) - 2
    assert str(error).startswith(f"{path}:{error.line}: wording[1]: no step from {wrong['source']} to {wrong['target']}")
    assert "Service/details to Service/productpage" in str(error.hint)


def test_the_check_fails_and_names_what_is_measured(write: Write) -> None:
    path = write(lost_selector(), wording=[INVENTED])
    (failed,) = check_scenario(path, seeds=1).failures
    assert failed.name == "plan"
    assert failed.evidence.startswith(f"{path}:")
    assert "wording[0]" in failed.evidence
    assert "Service/details to Service/productpage" in failed.evidence


@pytest.mark.parametrize(
    ("wording", "key"),
    [
        ([{**MEASURED, "source": "details"}], "wording[0].source"),
        ([{**MEASURED, "target": "Service/Product Page"}], "wording[0].target"),
        ([MEASURED, MEASURED], "wording[1]"),
    ],
    ids=["no kind", "no name", "twice"],
)
def test_words_for_what_cannot_be_a_step_are_refused_when_read(
    write: Write, wording: list[dict[str, Any]], key: str
) -> None:
    path = write(lost_selector(), wording=wording)
    with pytest.raises(DatasetError) as caught:
        read_scenario(path)
    assert caught.value.key == key
    assert (caught.value.line or 0) > 1
