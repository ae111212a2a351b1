"""What holds for every tool: how it is described, called, bounded, and how it answers mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from itbench.model.errors import SnapshotError
from itbench.snapshot.records import LogRecord
from itbench.snapshot.snapshot import open_snapshot
from itbench.tools.live import LiveTools
from itbench.tools.registry import tools
from itbench.tools.toolbox import Toolbox
from tests.tools.conftest import Story, at

# What a tool that needs something is asked about the incident of these tests.
NEEDED = {
    "metrics": {"expression": "memory_bytes"},
    "object": {"name": "cart"},
    "neighbours": {"name": "cart"},
    "entity_context": {"name": "cart"},
    "sql": {"query": "SELECT count(*) FROM logs"},
}
# The others need a live incident.
RECORDED = [name for name, each in tools().items() if each.needs is None]


@pytest.mark.parametrize("name", RECORDED)
def test_each_tool_is_described_and_answers_with_the_least_it_needs(toolbox: Toolbox, name: str) -> None:
    spec = tools()[name].spec
    answer = toolbox.call(name, NEEDED.get(name, {}))
    assert set(spec.parameters.get("required", [])) == set(NEEDED.get(name, {}))
    assert len(spec.description) >= 40
    assert all(each.get("description") for each in spec.parameters["properties"].values())
    assert not answer.is_error
    assert len(answer.text) <= 20_000
    if name != "sql":
        assert len(answer.text) >= 40


@pytest.mark.parametrize("name", RECORDED)
def test_each_tool_answers_alike_twice(toolbox: Toolbox, name: str) -> None:
    assert toolbox.call(name, NEEDED.get(name, {})) == toolbox.call(name, NEEDED.get(name, {}))


@pytest.mark.parametrize("name", RECORDED)
def test_no_tool_tells_the_ground_truth(toolbox: Toolbox, name: str) -> None:
    assert "secret-root" not in toolbox.call(name, NEEDED.get(name, {})).text


@pytest.mark.parametrize("name", [name for name in RECORDED if name != "costs"])
def test_an_empty_recording_is_answered_and_not_a_crash(tell: Callable[[Story], Toolbox], name: str) -> None:
    box = tell(Story(logs=[LogRecord(at(0), "alone", "cart")]))
    assert "defect" not in box.call(name, NEEDED.get(name, {})).text


def test_schemas_are_objects_that_say_types_and_take_nothing_else() -> None:
    for spec in (each.spec for each in tools().values()):
        assert spec.parameters["type"] == "object"
        assert spec.parameters["additionalProperties"] is False
        json.dumps(spec.parameters)
        for schema in spec.parameters["properties"].values():
            assert "type" in schema, (spec.name, schema)
            assert "title" not in schema


def test_a_domain_has_its_own_tools(tmp_path: Path) -> None:
    Story(logs=[LogRecord(at(0), "alone", "cart")]).write(tmp_path / "s")
    with Toolbox(open_snapshot(tmp_path / "s", cache_dir=tmp_path / "c"), "finops") as box:
        assert [spec.name for spec in box.specs()] == [
            *("overview", "anomalies", "drilldown", "allocation", "costs", "compare_periods", "decompose", "sql")
        ]
        assert box.call("logs", {}).is_error


def test_an_unknown_tool_is_answered_with_the_nearest(toolbox: Toolbox) -> None:
    answer = toolbox.call("alert_sumary", {})
    assert answer.is_error
    assert "Did you mean alert_summary" in answer.text


def test_an_unknown_argument_is_answered_with_those_that_there_are(toolbox: Toolbox) -> None:
    answer = toolbox.call("logs", {"servce": "cart"})
    assert answer.is_error
    assert "no argument 'servce'. Did you mean service" in answer.text
    assert "min_severity (one of TRACE, DEBUG, INFO, WARN, ERROR, FATAL)" in answer.text


def test_a_missing_argument_is_named_with_its_meaning(toolbox: Toolbox) -> None:
    assert "metrics needs the argument 'expression': A metric, or arithmetic" in toolbox.call("metrics", {}).text


@pytest.mark.parametrize(
    "arguments",
    [
        {"limit": "many"}, {"limit": 0}, {"limit": 10**9}, {"offset": -1}, {"since": "yesterday-ish"}, {"since": 5},
        {"since": "13:00", "until": "12:00"}, {"min_severity": "LOUD"}, {"service": "nobody"}, {"service": ""},
        {"since": "incident+99999999999999d"}, {1: 2}, {"contains": ["x"]},
    ],
)  # fmt: skip
def test_wrong_arguments_are_answered_never_raised(toolbox: Toolbox, arguments: dict) -> None:
    answer = toolbox.call("logs", arguments)
    assert answer.is_error
    assert answer.text.startswith("error: ")
    assert "defect" not in answer.text


def test_numbers_and_lists_may_be_written_as_text(toolbox: Toolbox) -> None:
    assert toolbox.call("logs", {"limit": "3"}) == toolbox.call("logs", {"limit": 3})
    both = ({"expression": "memory_bytes", "group_by": group} for group in ("object, container", ["object", "container"]))
    first, second = (toolbox.call("metrics", each) for each in both)
    assert first == second
    assert not first.is_error


def test_pages_put_together_are_the_whole(toolbox: Toolbox, rows: Callable[[str], list[dict[str, str]]]) -> None:
    whole = rows(toolbox.call("logs", {}).text)
    pages = [rows(toolbox.call("logs", {"limit": 10, "offset": offset}).text) for offset in (0, 10, 20)]
    assert [row for page in pages for row in page] == whole
    assert len(whole) == 25
    assert toolbox.call("logs", {"limit": 10}).text.startswith("log records 1–10 of 25; next: offset=10\n")
    assert toolbox.call("logs", {"limit": 10, "offset": 20}).text.startswith("log records 21–25 of 25\n")


def test_an_offset_beyond_the_end_says_how_many_there_are(toolbox: Toolbox) -> None:
    assert toolbox.call("logs", {"offset": 100}).text == "no log records at offset 100: there are 25, from offset 0 on"


def test_long_answers_leave_rows_to_the_next_page_and_lose_none(
    tell: Callable[[Story], Toolbox], rows: Callable[[str], list[dict[str, str]]]
) -> None:
    box = tell(Story(logs=[LogRecord(at(n), f"{n:03} " + "x" * 790, "cart") for n in range(60)]))
    seen: list[str] = []
    while len(seen) < 60:
        text = box.call("logs", {"limit": 1000, "offset": len(seen)}).text
        assert len(text) <= 20_000
        seen += [row["body"][:3] for row in rows(text)]
    assert seen == [f"{n:03}" for n in range(60)]


def test_one_huge_record_is_cut(tell: Callable[[Story], Toolbox]) -> None:
    text = tell(Story(logs=[LogRecord(at(0), "x" * 100_000, "cart")])).call("logs", {}).text
    assert "(99200 more characters)" in text
    assert len(text) < 2000


def test_a_row_stays_on_its_line_whatever_was_logged(
    tell: Callable[[Story], Toolbox], rows: Callable[[str], list[dict[str, str]]]
) -> None:
    box = tell(Story(logs=[LogRecord(at(0), "one\ntwo\r\nthree", "cart")]))
    assert rows(box.call("logs", {}).text)[0]["body"] == "one ⏎ two ⏎ three"


def test_a_defect_is_answered_and_logged(
    toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(toolbox._sessions._session.snapshot, "query", lambda *_: 1 / 0)
    answer = toolbox.call("events", {"limit": 7})
    assert answer.is_error
    assert "ZeroDivisionError" in answer.text
    assert "the tool events failed" in caplog.text


def test_files_named_as_ground_truth_are_no_part_of_a_snapshot_not_even_through_a_link(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    Story(logs=[LogRecord(at(0), "alone", "cart")]).write(folder)
    (folder / "alerts").mkdir()
    (folder / "ground_truth.json").write_text('[{"labels": {"alertname": "secret-root"}, "state": "firing"}]')
    (folder / "alerts" / "alerts_at_2026-03-01T12-00-00.json").symlink_to(folder / "ground_truth.json")
    (folder / "ground_truth_logs.tsv").write_text("Timestamp\tBody\n2026-03-01 12:00:00\tsecret-root\n")
    with Toolbox(open_snapshot(folder, cache_dir=tmp_path / "cache")) as box:
        assert box.call("alerts", {}).text.startswith("no sightings of alerts")
        assert box.call("logs", {}).text.startswith("log records 1–1 of 1\n")


def test_tools_for_a_live_cluster_are_offered_only_where_there_is_one(toolbox: Toolbox) -> None:
    assert {spec.name for spec in toolbox.specs()} == set(RECORDED)
    answer = toolbox.call("kubectl", {"command": "get pods"})
    assert answer.is_error
    assert "there is no tool 'kubectl'" in answer.text


def test_a_recording_that_grows_is_seen_as_it_is_now(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    Story(logs=[LogRecord(at(0), "first", "cart")]).write(folder)
    first = open_snapshot(folder, cache_dir=tmp_path / "cache")
    with Toolbox(first, live=LiveTools(growing=folder)) as box:
        assert box.call("logs", {}).text.startswith("log records 1–1 of 1\n")
        Story(logs=[LogRecord(at(0), "first", "cart"), LogRecord(at(1), "second", "cart")]).write(folder)
        assert "second" in box.call("logs", {}).text
        with pytest.raises(SnapshotError):  # nobody asks it any more
            first.logs()


def test_a_recording_is_read_once(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    Story(logs=[LogRecord(at(0), "first", "cart")]).write(folder)
    with Toolbox(open_snapshot(folder, cache_dir=tmp_path / "cache")) as box:
        Story(logs=[LogRecord(at(1), "second", "cart")]).write(folder)
        assert "second" not in box.call("logs", {}).text


def test_a_finding_is_passed_on(tmp_path: Path) -> None:
    folder, posted = tmp_path / "data", list[bytes]()
    Story(logs=[LogRecord(at(0), "first", "cart")]).write(folder)
    with Toolbox(open_snapshot(folder, cache_dir=tmp_path / "cache"), live=LiveTools(findings=posted.append)) as box:
        assert "post_finding" in {spec.name for spec in box.specs()}
        assert not box.call("post_finding", {"root_causes": ["shop/Deployment/cart"], "note": "new image"}).is_error
        assert box.call("post_finding", {"root_causes": ["a", "b", "c", "d"]}).is_error
    assert [json.loads(text) for text in posted] == [{"root_causes": ["shop/Deployment/cart"], "note": "new image"}]
