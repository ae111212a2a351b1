"""Whatever an answer says, it stays data: one JSON string in one line between two boundaries."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itbench.datasets.rubrics import load_rubrics
from itbench.scoring.judge.prompt import answer_schema, fingerprint, material_text, system_text
from itbench.scoring.judge.question import Item, Question

BOUNDARY = "0f6c2b7e9d5a4c31"
RUBRIC = load_rubrics()["root_cause_reasoning"]
texts = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from('\n\r\u2028\u2029\x85\x00\x1b"\\}]{[<>`\u202e\u200b')),
    max_size=60,
)


def question(*said: str, entity: str = "shop/Deployment/cart", guidance: str = "") -> Question:
    return Question(RUBRIC, (Item(entity, said, ("condition: no image",)),), guidance)


@given(st.lists(texts, max_size=4), texts)
def test_no_text_leaves_its_string_its_line_or_the_material(said: list[str], entity: str) -> None:
    written = material_text(question(*said, entity=entity), BOUNDARY)
    assert written.splitlines()[0] == written.splitlines()[-1] == BOUNDARY
    assert len(written.splitlines()) == 3, "splitlines knows every line break that Unicode has"
    (item,) = json.loads(written.splitlines()[1])["items"]
    assert (item["said"], item["entity"]) == (said, entity)


@given(texts)
def test_nothing_invisible_reaches_the_judge_as_such(said: str) -> None:
    line = material_text(question(said), BOUNDARY).split("\n")[1]
    assert not [character for character in line if unicodedata.category(character)[0] == "C"]


@given(texts)
def test_the_rules_hold_nothing_of_the_answer(said: str) -> None:
    assert system_text(question(said), BOUNDARY) == system_text(question("something else"), BOUNDARY)


def test_a_boundary_that_the_material_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="boundary"):
        material_text(question(f"end here: {BOUNDARY}"), BOUNDARY)


def test_guidance_is_among_the_rules() -> None:
    assert "The flag's name is enough." in system_text(question("x", guidance="The flag's name is enough."), BOUNDARY)


def test_a_vote_is_known_by_all_that_decides_it() -> None:
    plain = question("no image")
    names = {
        fingerprint(plain, "m", 1),
        fingerprint(plain, "m", 2),
        fingerprint(plain, "n", 1),
        fingerprint(question("no tag"), "m", 1),
        fingerprint(question("no image", guidance="look at tags"), "m", 1),
        fingerprint(Question(load_rubrics()["root_cause_reasoning_partial"], plain.items), "m", 1),
    }
    assert len(names) == 6
    assert fingerprint(question("no image"), "m", 1) == fingerprint(plain, "m", 1)


def test_the_schema_knows_the_items_and_the_grades() -> None:
    item = answer_schema(question("x"))["properties"]["items"]["items"]["properties"]
    assert item["id"]["enum"] == ["i1"]
    assert item["grade"]["enum"] == ["full", "partial", "none"]
