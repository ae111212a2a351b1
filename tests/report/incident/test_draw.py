from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from itbench.cli.main import main
from itbench.model.errors import UsageError
from itbench.report.incident.draw import draw, format_of
from itbench.report.incident.picture import Picture, picture_of
from itbench.report.incident.svg import inline
from itbench.twin.incident.simulate import Simulation

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def picture(simulation: Simulation) -> Picture:
    return picture_of(simulation)


@pytest.fixture(scope="module")
def drawn(picture: Picture) -> str:
    return draw(picture, "svg").decode()


def test_a_drawing_names_every_service_alert_event_and_root(picture: Picture, drawn: str) -> None:
    texts = ["".join(element.itertext()) for element in ElementTree.fromstring(drawn).iter(f"{SVG}text")]
    assert {row.service for row in picture.curves.rows} | {node.lines[0] for node in picture.graph.nodes} <= set(texts)
    assert picture.bars
    assert {f"{bar.name} · {bar.about}" for bar in picture.bars} <= set(texts)
    assert "Failed · reco" in texts
    assert "fault · Deployment/store" in texts
    assert "errors 100 %" in texts
    assert picture.title in texts


def test_equal_pictures_give_equal_bytes(picture: Picture, drawn: str) -> None:
    assert draw(picture, "svg").decode() == drawn
    assert draw(picture, "png") == draw(picture, "png")
    assert "<metadata" not in drawn


def test_pictures_in_one_page_share_no_id_and_bring_no_style(picture: Picture, drawn: str) -> None:
    other = draw(replace(picture, id="other"), "svg").decode()
    ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in (drawn, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    used = set(re.findall(r"url\(#([^)]+)\)", drawn)) | set(re.findall(r'href="#([^"]+)"', drawn))
    assert used == ids[0]
    assert "<style" not in drawn
    assert inline(drawn).startswith("<svg ")


def test_texts_stay_on_the_sheet(drawn: str) -> None:
    root = ElementTree.fromstring(drawn)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for text in root.iter(f"{SVG}text"):
        x, y = (float(text.attrib[key]) for key in ("x", "y"))
        assert 0 <= x <= width
        assert 0 <= y <= height


def test_a_drawing_is_small(drawn: str) -> None:
    assert len(drawn) < 300_000


def test_the_effect_is_said_in_a_sentence(picture: Picture) -> None:
    assert picture.effect.startswith("First impact")
    assert "of 6 services suffer; 100 % of users’ requests fail." in picture.effect
    assert picture.causes[0] == "Workload scaled to zero. Deployment store: spec.replicas was changed from 1 to 0"


def test_only_svg_and_png_are_drawn() -> None:
    assert format_of(Path("a.SVG")) == "svg"
    with pytest.raises(UsageError, match=r"a\.jpg.*SVG or a PNG"):
        format_of(Path("a.jpg"))


def test_the_command_writes_a_picture(scenario_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.png"
    result = CliRunner().invoke(main, ["scenario", "plot", str(scenario_path), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert out.read_bytes().startswith(b"\x89PNG")
    assert "services suffer" in result.output


def test_without_matplotlib_one_message_says_what_to_install(scenario_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = CliRunner().invoke(main, ["scenario", "plot", str(scenario_path)])
    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert "pip install 'itbench[plot]'" in result.output
