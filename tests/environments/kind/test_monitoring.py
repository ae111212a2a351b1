"""Monitoring of a real cluster: the twin's rules, and the metrics that they need."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from itbench.bundled import bundled
from itbench.environments.kind.archive import service_parts
from itbench.environments.kind.monitoring import SECONDS, monitoring_manifests, rule_files
from itbench.twin.app.application import Application
from itbench.twin.app.load import load_application
from itbench.twin.telemetry.catalogue import METRICS


def test_rules_are_the_very_files_of_the_twin(application: Application) -> None:
    config = next(obj for obj in monitoring_manifests(application) if obj["metadata"]["name"] == "prometheus-rules")
    for name in (f"{application.name}.yaml", "kubernetes.yaml"):
        assert config["data"][name] == (bundled("environments") / "alerts" / name).read_text()


def test_metrics_are_read_and_rules_evaluated_as_often_as_is_said() -> None:
    objects = monitoring_manifests(load_application("book-info"))
    config = next(obj for obj in objects if (obj["kind"], obj["metadata"]["name"]) == ("ConfigMap", "prometheus"))
    times = yaml.safe_load(config["data"]["prometheus.yml"])["global"]
    assert times["scrape_interval"] == times["evaluation_interval"] == f"{SECONDS:g}s"


def test_the_exporter_watches_the_applications_namespace() -> None:
    objects = monitoring_manifests(load_application("book-info"))
    exporter = next(obj for obj in objects if (obj["kind"], obj["metadata"]["name"]) == ("Deployment", "object-metrics"))
    env = exporter["spec"]["template"]["spec"]["containers"][0]["env"]
    assert env == [{"name": "NAMESPACES", "value": "book-info"}]


def test_other_rules_start_prometheus_anew() -> None:
    application = load_application("book-info")

    def template(rules: dict[str, str] | None) -> object:
        objects = monitoring_manifests(application, rules)
        deployments = (obj for obj in objects if obj["kind"] == "Deployment")
        return next(obj["spec"]["template"] for obj in deployments if obj["metadata"]["name"] == "prometheus")

    assert template(None) == template(None)
    assert template(None) != template({"mine.yaml": "groups: []"})


def test_a_namespace_comes_before_what_lies_in_it(application: Application) -> None:
    assert monitoring_manifests(application)[0]["kind"] == "Namespace"


def test_all_metrics_of_the_twin_are_told_on_a_real_cluster() -> None:
    folder = bundled("environments") / "kind" / "service"
    sources = "".join(path.read_text() for path in folder.glob("*.go") if "_test" not in path.name)
    missing = {
        name
        for name in METRICS
        if not name.startswith("container_")  # the kubelet's own
        and f'"{name.removesuffix("_bucket")}"' not in sources
    }
    assert not missing


@pytest.mark.integration
def test_prometheus_takes_rules_and_configuration(application: Application, tmp_path: Path) -> None:
    promtool = shutil.which("promtool") or shutil.which("promtool", path=str(service_parts() / "prometheus" / "usr" / "bin"))
    if promtool is None:
        pytest.skip("promtool is neither on the PATH nor left by make kind-service-image")
    for name, text in rule_files(application).items():
        (tmp_path / name).write_text(text)
    config = next(obj for obj in monitoring_manifests(application) if obj["metadata"]["name"] == "prometheus")
    (tmp_path / "prometheus.conf").write_text(config["data"]["prometheus.yml"])
    for command in (["rules", *tmp_path.glob("*.yaml")], ["config", "--syntax-only", tmp_path / "prometheus.conf"]):
        done = subprocess.run(
            [promtool, "check", *command], capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ)
        )
        assert done.returncode == 0, done.stdout + done.stderr
