"""Pictures of bills: what they show, and that areas are to scale."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itbench.report.bill.draw import draw
from itbench.report.bill.picture import picture_of
from itbench.report.bill.treemap import Box, squarify

FIRST = date(2026, 3, 2)
TRUTH = """resource: [{name: batch, type: Application}]
cost:
  benign: false
  window: [2026-05-01, 2026-05-10]
  causes: [{class: gpu_idle, onset: 2026-05-01, amount: 480, monthly: 1400, resources: [{name: batch, type: Application}]}]
  attribution:
  - path: {Account ID: "7", CSP: AWS, Cloud_Service: EC2, Application: batch, Instance_Family: m5}
    amount: 480
    class: gpu_idle
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    lines = ["date,Account ID,CSP,Cloud_Service,Application,Instance_Family,Price ($/hr),Num_Instances,unblended_cost"]
    for number in range(70):
        day = FIRST + timedelta(days=number)
        count = 8 if number >= 60 else 4
        lines.append(f"{day},7,AWS,EC2,batch,m5,0.5,{count},{count * 12}")
        lines.append(f"{day},7,AWS,S3,<web>,standard,0.01,1000,{240 + number % 3}")
    made = tmp_path / "bill"
    made.mkdir()
    (made / "data.csv").write_text("\n".join(lines) + "\n")
    return made


def test_a_picture_shows_what_the_truth_measured(folder: Path) -> None:
    (folder / "ground_truth.yaml").write_text(TRUTH)
    picture = picture_of(folder, "A bill")
    (layer,) = picture.layers
    assert layer.title == "gpu idle: batch"
    assert layer.excess.sum() == pytest.approx(480, abs=1)
    assert picture.before + sum(step.change for step in picture.steps) == pytest.approx(picture.after)
    assert sum(tile.cost for tile in picture.tiles) == pytest.approx(picture.after)
    assert picture.steps[0].caused


def test_without_a_truth_the_baseline_says_what_it_finds(folder: Path) -> None:
    picture = picture_of(folder, "A bill")
    assert "found by the baseline" in picture.subtitle
    assert [layer.onset for layer in picture.layers] == [FIRST + timedelta(days=60)]


def test_a_drawing_is_whole_and_the_same_each_time(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    picture = picture_of(folder, "A <bill>")
    svg = draw(picture, "svg").decode()
    assert svg == draw(picture, "svg").decode()
    assert "<title>A &lt;bill&gt;</title>" in svg
    assert "<web>" not in svg
    assert draw(picture, "png").startswith(b"\x89PNG")


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=40))
def test_areas_are_to_scale_and_fill_the_box(amounts: list[float]) -> None:
    ranked = sorted(amounts, reverse=True)
    boxes = squarify(ranked, Box(0, 0, 10, 3))
    assert len(boxes) == len(ranked)
    total = sum(ranked)
    for amount, box in zip(ranked, boxes, strict=True):
        assert box.width * box.height == pytest.approx(30 * amount / total, rel=1e-6)
        assert box.x >= -1e-6
        assert box.x + box.width <= 10 + 1e-6
        assert box.y >= -1e-6
        assert box.y + box.height <= 3 + 1e-6
