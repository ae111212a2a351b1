"""The twin against recordings of a real application under faults (../shared/data/traffic)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from itbench.twin.app.load import load_application
from itbench.twin.base import node
from itbench.twin.compare.traffic import compare_traffic, read_recording
from itbench.twin.recorded import record_traffic, write_recording

SHOP = Path(__file__).parents[1] / "applications" / "shop.yaml"


# The changes that the README beside the recordings describes, in the words of this application's file.
CHANGES: dict[str, list[dict[str, Any]]] = yaml.safe_load((SHOP.parent / "shop-faults.yaml").read_text(encoding="utf-8"))


@pytest.mark.integration
@pytest.mark.parametrize("name", CHANGES)
def test_the_twin_fails_where_how_and_as_often_as_reality(shared: Path, tmp_path: Path, name: str) -> None:
    marks = json.loads((shared / "data" / "traffic" / "marks.json").read_text(encoding="utf-8"))[name]
    end = marks["undo"] or marks["end"]
    changes = tmp_path / "changes.yaml"
    changes.write_text(yaml.safe_dump([{"at": 0, **change} for change in CHANGES[name]]), encoding="utf-8")
    nodes = [node("node-1", cpu="2", memory="24Gi")]
    recording = tmp_path / "twin.jsonl"
    write_recording(record_traffic(load_application(str(SHOP)), changes, end, seed=1, nodes=nodes), recording)
    real = read_recording(shared / "data" / "traffic" / f"{name}.jsonl", end=end)
    found = compare_traffic(real, read_recording(recording, end=end))
    wrong = [row for row in found.rows if not row.agrees]
    assert found.places >= 0.95, wrong
    assert found.shares >= 0.95, wrong
    assert found.latency == 1.0, wrong
    assert found.times >= 0.95
    assert found.rates == 1.0
