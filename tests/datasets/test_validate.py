from __future__ import annotations

import json
from pathlib import Path

import pytest

from itbench.bundled import bundled
from itbench.datasets.findings import Finding
from itbench.datasets.validate import info, validate

TRUTH = "groups: [{id: a-1, kind: Deployment, name: a, root_cause: true}]\n"
ALERT = {"labels": {"alertname": "HighRequestErrorRate"}, "state": "firing"}
SOUND = {
    "k8s_events_raw.tsv": "Timestamp\tBody\nt\tx\n",
    "k8s_objects_raw.tsv": 'TimestampTime\tBody\nt\t"{""a"":\n1}"\n',
    "otel_logs_raw.tsv": "Timestamp\tBody\n",
    "otel_traces_raw.tsv": "Timestamp\tTraceId\tSpanId\n",
    "metrics/pod_a_raw.tsv": "metric_name\ttimestamp\tvalue\n",
    "alerts/alerts_at_2025-12-01T00-00-00.000000.json": json.dumps([ALERT]),
}


def scenario(root: Path, files: dict[str, str | bytes]) -> Path:
    folder = root / "Scenario-1"
    for name, content in {"ground_truth.yaml": TRUTH, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def found(root: Path) -> list[tuple[str, str, int | None, str]]:
    return [(finding.severity, Path(finding.path).name, finding.line, finding.message) for finding in validate(root)]


def test_a_sound_scenario_has_nothing_to_report(tmp_path: Path) -> None:
    scenario(tmp_path, dict(SOUND))
    assert validate(tmp_path) == ()


@pytest.mark.parametrize(
    ("name", "content", "line", "words"),
    [
        ("k8s_events_raw.tsv", b"Timestamp\tBody\n\0\tx\n", 2, "NUL"),
        ("k8s_events_raw.tsv", b"Timestamp\tBody\nx\tx\nx\t\xff\n", 3, "not UTF-8"),
        ("k8s_events_raw.tsv", 'Timestamp\tBody\n"never closed\tx\n', 2, "quote is never closed"),
        ("otel_logs_raw.tsv", 'Timestamp\tBody\n"a\nb"\tx\nonly one\n', 4, "1 fields where the header has 2"),
        ("otel_logs_raw.tsv", "Timestamp\tText\n", 1, "column body is missing"),
        ("otel_traces_raw.tsv", "Timestamp\tTraceId\n", 1, "column span_id is missing"),
        ("metrics/pod_a_raw.tsv", "metric_name\tvalue\n", 1, "column timestamp is missing"),
        ("alerts/a.json", "{", 1, "not JSON"),
        ("alerts/a.json", '{"alerts": [{"labels": {}}]}', None, "alert 0 has no labels.alertname"),
        ("alerts/a.json", '{"data": {"alerts": 3}}', None, "not a list of alerts"),
        ("alerts/a.json", b"\xff", None, "not UTF-8"),
        ("topology.json", "[" * 1000, None, "levels deep"),
    ],
)
def test_a_damaged_file_is_an_error_at_its_line(
    tmp_path: Path, name: str, content: str | bytes, line: int | None, words: str
) -> None:
    scenario(tmp_path, {**SOUND, name: content})
    ((severity, file, at, message),) = found(tmp_path)
    assert (severity, file, at) == ("error", Path(name).name, line)
    assert words in message


@pytest.mark.parametrize(
    "shape", [[ALERT], {"alerts": [ALERT]}, {"status": "success", "data": {"alerts": [ALERT]}}, ALERT, []]
)
def test_every_published_shape_of_alert_files_is_fine(tmp_path: Path, shape: object) -> None:
    scenario(tmp_path, {**SOUND, "alerts/a.json": json.dumps(shape)})
    assert validate(tmp_path) == ()


def test_both_generations_of_column_names_are_fine(tmp_path: Path) -> None:
    flat = {
        "k8s_events.tsv": "timestamp\tobject_kind\tobject_name\treason\n",
        "k8s_objects.tsv": "timestamp\tbody\tnamespace\n",
        "otel_traces.tsv": "timestamp\ttrace_id\tspan_id\n",
    }
    scenario(tmp_path, {**SOUND, **flat})
    assert validate(tmp_path) == ()


def test_many_errors_of_one_file_are_counted(tmp_path: Path) -> None:
    scenario(tmp_path, {**SOUND, "otel_logs_raw.tsv": "Timestamp\tBody\n" + "x\n" * 1000})
    findings = validate(tmp_path)
    assert len(findings) == 21
    assert "980 more" in str(findings)


def test_what_is_missing_is_worth_knowing(tmp_path: Path) -> None:
    scenario(tmp_path, {"k8s_events_raw.tsv": ""})
    assert found(tmp_path) == [
        ("warning", "k8s_events_raw.tsv", None, "the file is empty"),
        ("info", "Scenario-1", None, "no objects, logs, traces, metrics, alerts"),
    ]


def test_a_link_that_agents_will_not_see_is_a_warning(tmp_path: Path) -> None:
    folder = scenario(tmp_path / "data", dict(SOUND))
    (tmp_path / "x.tsv").write_text("secret")
    (folder / "more_events.tsv").symlink_to(tmp_path / "x.tsv")
    (folder / "metrics_pod").symlink_to("/root")
    (folder / "loop").symlink_to("..")
    (folder / "circle").symlink_to("circle")
    assert [(severity, name) for severity, name, _, _ in found(tmp_path / "data")] == [
        ("warning", "circle"),
        ("warning", "loop"),
        ("warning", "metrics_pod"),
        ("warning", "more_events.tsv"),
    ]


def test_finops_files_are_checked(tmp_path: Path) -> None:
    folder = tmp_path / "Scenario-1"
    folder.mkdir()
    (folder / "ground_truth.yaml").write_text("resource: [{name: a, type: Application}]")
    (folder / "anomaly.json").write_text('{"date": "2025-10-13"}')
    (folder / "data.csv").write_text('date,cost\n2025-10-13,"1\n2"\n2025-10-14\n')
    assert found(tmp_path) == [
        ("error", "data.csv", 2, "no readable cost: 1\n2"),
        ("error", "data.csv", 4, "1 fields where the header has 2"),
        ("warning", "anomaly.json", None, "has no account_id"),
        ("info", "data.csv", 1, "the column cost is read as unblended_cost"),
        (
            "info",
            "data.csv",
            1,
            "there is no column Account ID, CSP, Cloud_Service, Application, Instance_Family, Price ($/hr), Num_Instances",
        ),
    ]


def test_the_worst_comes_first_and_each_says_where(tmp_path: Path) -> None:
    scenario(tmp_path, {**SOUND, "ground_truth.yaml": TRUTH + "aliases: [[ghost]]\n", "alerts/a.json": "x"})
    first, second = validate(tmp_path)
    assert [first.severity, second.severity] == ["error", "warning"]
    assert str(second).startswith(f"{tmp_path}/Scenario-1/ground_truth.yaml:2: aliases[0][0]: there is no group 'ghost'")
    assert Finding.model_validate_json(first.model_dump_json()) == first


def test_info_counts_what_agents_see(tmp_path: Path) -> None:
    scenario(tmp_path, {**SOUND, "status.json": "x" * 1000})
    bare = tmp_path / "Scenario-2"
    bare.mkdir()
    (bare / "ground_truth.yaml").write_text("groups: []\n")
    described = info(tmp_path)
    assert (described.domains, described.errors, described.warnings) == ({"sre": 2}, 0, 1)
    full, empty = described.scenarios
    assert (full.files, full.bytes, full.rows) == (6, sum(map(len, SOUND.values())), 2)
    assert (full.dialect, full.roots, full.missing) == ("flat", 1, ())
    assert (empty.files, empty.roots) == (0, 0)
    assert empty.missing == ("events", "objects", "logs", "traces", "metrics", "alerts")


def test_what_ships_with_itbench_is_sound() -> None:
    assert validate(bundled("scenarios")) == ()


def test_a_definition_that_breaks_the_schema_is_an_error_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "slow").mkdir()
    text = "schema_version: 1\nid: slow\ntitle: Slow\napplication: otel-demo\ndisruptions: []\n"
    (tmp_path / "slow" / "scenario.yaml").write_text(text)
    (finding,) = validate(tmp_path)
    assert (finding.severity, finding.key) == ("error", "disruptions")
    assert finding.line == 5
