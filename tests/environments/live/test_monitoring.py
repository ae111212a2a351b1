"""Monitoring goes on with a live world: files grow, alerts clear after a repair, a real Prometheus is fed."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from itbench.cluster.reference import ObjectRef
from itbench.environments.live.metrics_api import Alerting, MetricsApi
from itbench.environments.live.monitoring import Monitoring
from itbench.environments.live.prometheus import Prometheus, PrometheusError, find_prometheus, running_prometheus
from itbench.environments.live.world import World
from itbench.tools.live import LiveTools
from itbench.tools.prometheus import PrometheusClient
from itbench.tools.refreshing import open_growing
from itbench.tools.toolbox import Toolbox
from itbench.twin.incident.incident import Incident
from itbench.twin.incident.plan import Plan
from itbench.twin.incident.simulate import observe
from itbench.twin.telemetry.recording import LITE
from itbench.twin.telemetry.rules.load import rules_for

PAGE = ObjectRef.parse("deploy/productpage-v1", "book-info")


@dataclass
class Watched:
    """A world that goes on, and what watches it."""

    incident: Incident
    world: World
    folder: Path
    monitoring: Monitoring
    url: str

    def pass_minutes(self, minutes: float) -> None:
        """Wait until monitoring has seen so much more."""
        end = self.incident.ticked + minutes * 60
        deadline = time.monotonic() + 120
        while self.seen < end:
            assert self.monitoring.failure is None, self.monitoring.failure
            assert time.monotonic() < deadline
            time.sleep(0.1)

    @property
    def seen(self) -> float:
        """Seconds from the beginning that the files tell of."""
        return (len(list((self.folder / "alerts").iterdir()))) * 60.0

    def repair(self) -> None:
        with self.world.lock:
            self.incident.running.twin.cluster.scale(PAGE, 1)
            self.world.wake()

    def ask(self, path: str, **values: str) -> Any:
        url = f"{self.url}/api/v1/{path}" + (f"?{urllib.parse.urlencode(values)}" if values else "")
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]


def watched(planned: Plan, folder: Path, stack: ExitStack, prometheus: Prometheus | None) -> Watched:
    incident = Incident(planned, 7)
    incident.play()
    recorded = observe(planned, 7, incident.happened(), LITE)
    recorded.write(folder)
    world = stack.enter_context(World(incident, scale=200))
    monitoring = stack.enter_context(Monitoring(incident, world.lock, folder, recorded, prometheus))
    url = ""
    if prometheus is not None:
        alerting = Alerting(rules_for(planned.application.name), monitoring.alerts)
        url = stack.enter_context(MetricsApi(prometheus, alerting)).url
    return Watched(incident, world, folder, monitoring, url)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def prometheus(stack: ExitStack) -> Prometheus:
    program = find_prometheus()
    if program is None:
        pytest.skip("there is no prometheus: make prometheus")
    return stack.enter_context(running_prometheus(program))


def test_files_grow_and_what_they_said_stays(planned: Callable[..., Plan], tmp_path: Path, stack: ExitStack) -> None:
    folder = tmp_path / "recording"
    found = watched(planned(), folder, stack, None)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found.pass_minutes(3)
    stack.close()
    for path, content in before.items():
        if path.parent.name == "metrics":  # by series, each of which goes on
            assert set(content.splitlines()) <= set(path.read_bytes().splitlines())
        elif path.parent.name == "alerts":
            assert path.read_bytes() == content
        else:
            assert path.read_bytes().startswith(content), path.name
    # What came in parts is what a recording of the whole has.
    again = Incident(planned(), 7)
    again.play()
    again.wait_until((found.monitoring.recording.scrapes.count - 1) * 60.0)
    whole = observe(planned(), 7, again.happened(), LITE)
    assert found.monitoring.recording.alerts == whole.alerts
    for ours, theirs in zip(found.monitoring.recording.samples, whole.samples, strict=True):
        assert ours.labels == theirs.labels
        assert np.array_equal(ours.values, theirs.values, equal_nan=True)


def test_alerts_clear_after_a_repair(planned: Callable[..., Plan], tmp_path: Path, stack: ExitStack) -> None:
    found = watched(planned(), tmp_path / "recording", stack, None)
    live = LiveTools(growing=found.folder)
    toolbox = stack.enter_context(Toolbox(open_growing(found.folder, cache_dir=tmp_path / "cache"), live=live))
    firing = {alert.name for alert in found.monitoring.alerts() if alert.state == "firing"}
    assert firing
    found.repair()
    found.pass_minutes(12)
    assert not [alert for alert in found.monitoring.alerts() if alert.state == "firing"]
    last = sorted((found.folder / "alerts").iterdir())[-1]
    assert json.loads(last.read_text()) == []
    answer = toolbox.call("alert_summary", {})
    assert not answer.is_error
    for name in firing:
        assert name in answer.text
    late = toolbox.call("events", {"since": "start+13m", "limit": 200})
    assert "productpage-v1" in late.text


@pytest.mark.integration
def test_prometheus_has_the_past_and_the_present(
    planned: Callable[..., Plan], tmp_path: Path, stack: ExitStack, prometheus: Prometheus
) -> None:
    found = watched(planned(), tmp_path / "recording", stack, prometheus)
    recording = found.monitoring.recording
    one = next(each for each in recording.samples if each.metric == "kube_deployment_spec_replicas")
    matchers = ",".join(f'{name}="{value}"' for name, value in one.labels.items())
    begin, end = recording.scrapes.times[0], recording.scrapes.times[-1]
    data = found.ask(
        "query_range", query=f"{one.metric}{{{matchers}}}", start=begin.isoformat(), end=end.isoformat(), step="60"
    )
    assert [float(value) for _, value in data["result"][0]["values"]] == one.values.tolist()

    def firing(moment: float) -> set[str]:
        result = found.ask("query", query='ALERTS{alertstate="firing"}', time=str(moment))["result"]
        return {each["metric"]["alertname"] for each in result}

    assert firing(end.timestamp()) == {alert.name for alert in found.monitoring.alerts() if alert.state == "firing"} != set()
    found.repair()
    found.pass_minutes(12)
    now = found.monitoring.recording.scrapes.times[-1].timestamp()
    assert firing(now) == set()
    assert found.ask("alerts") == {"alerts": []}
    (group,) = found.ask("rules")["groups"]
    assert {rule["state"] for rule in group["rules"]} == {"inactive"}
    assert all(rule["query"] for rule in group["rules"])


@pytest.mark.integration
def test_agents_can_only_read(
    planned: Callable[..., Plan], tmp_path: Path, stack: ExitStack, prometheus: Prometheus
) -> None:
    found = watched(planned(), tmp_path / "recording", stack, prometheus)
    for path in ("/api/v1/write", "/api/v1/admin/tsdb/delete_series", "/-/quit", "/", "/api/v1/query/../write", "/metrics"):
        for data in (None, b"x=1"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(found.url + path, data, timeout=30)
            assert refused.value.code == 404
            refused.value.close()
    with pytest.raises(urllib.error.HTTPError) as refused:  # and past the front, nobody knows the path
        urllib.request.urlopen(f"http://{prometheus.host}/api/v1/query?query=up", timeout=30)
    refused.value.close()


@pytest.mark.integration
def test_promql_is_a_tool(planned: Callable[..., Plan], tmp_path: Path, stack: ExitStack, prometheus: Prometheus) -> None:
    found = watched(planned(), tmp_path / "recording", stack, prometheus)
    live = LiveTools(prometheus=PrometheusClient(found.url))
    toolbox = stack.enter_context(Toolbox(open_growing(found.folder, cache_dir=tmp_path / "cache"), live=live))
    query = 'kube_deployment_spec_replicas{deployment=~"productpage-v1|details-v1"}'
    instant = toolbox.call("promql", {"query": query, "at": "end"})
    assert not instant.is_error
    assert sorted(line.split(" | ")[-1] for line in instant.text.splitlines()[2:]) == ["0", "1"]
    course = toolbox.call("promql", {"query": query, "since": "end-4m", "until": "end", "step": "1m"})
    assert len(course.text.splitlines()[1].split(" | ")) >= 6
    assert "series 1–2 of 2" in course.text
    assert toolbox.call("promql", {"query": "sum(", "at": "end"}).text.startswith("error: promql:")
    assert "more than 60 steps" in toolbox.call("promql", {"query": query, "since": "start", "step": "1s"}).text
    assert toolbox.call("promql", {"query": "vector(3)", "at": "end"}).text.splitlines()[-1] == "3"


@pytest.mark.integration
def test_nothing_is_left_of_it(stack: ExitStack, prometheus: Prometheus) -> None:
    assert prometheus.ask("GET", "/-/ready")[0] == 200
    stack.close()
    with pytest.raises(PrometheusError, match="does not answer"):
        prometheus.ask("GET", "/-/ready")
