from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "scripted_model.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scripted_model", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_asks_before_it_answers(example: ModuleType) -> None:
    message = example.reply([{"role": "user", "content": "what is wrong?"}])
    assert [call["function"]["name"] for call in message["tool_calls"]] == list(example.FIRST_QUESTIONS)


def test_it_blames_the_first_change_that_is_more_than_cosmetic(example: ModuleType) -> None:
    rows = "\n".join(
        f"2026-02-24T08:1{minute}:00Z | 2026-02-24T08:20:00Z | modified | shop/{name} | {fields}"
        for minute, name, fields in (
            (0, "Deployment/reco", "+ metadata.labels.owner: team"),
            (1, "ReplicaSet/cart-1", "spec.replicas: 1 → 0"),
            (2, "Service/cart", "spec.ports[http].targetPort: 8080 → 9999"),
            (3, "Deployment/store", "spec.replicas: 1 → 0"),
        )
    )
    assert [item["name"] for item in example.answer(rows)["entities"]] == ["shop/Service/cart"]
    assert example.answer("nothing changed")["entities"] == []
