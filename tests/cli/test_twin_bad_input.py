"""Bad input to the twin: one message with file, line and key, and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from itbench.cli.main import main

APPLICATION = """\
name: tiny
title: Tiny
namespace: tiny
load: {service: users, requests: {visit: 1}, rate: 5}
services:
  users:
    language: python
    image: r.example/users:1
    routes:
      visit: {cpu: 0, calls: [{to: web/GET /, timeout: 1s}]}
  web:
    language: go
    image: r.example/web:1
    port: 80
    routes:
      GET /: {latency: {p50: 1ms, p95: 2ms}}
"""
ROUND = """\
      GET /: {calls: [{to: web/GET /x, timeout: 1s}]}
      GET /x: {calls: [{to: web/GET /, timeout: 1s}]}
"""
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: x}\n"


def run(folder: Path, *arguments: str, **files: str) -> str:
    """What is said on stderr, with the folder left out."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    result = CliRunner().invoke(main, [argument.replace("@", f"{folder}/") for argument in arguments])
    assert result.exit_code == 2, result.output
    assert not isinstance(result.exception, Exception) or isinstance(result.exception, SystemExit)
    assert result.stderr.startswith("itbench: ")
    assert result.stderr.count("\n") == 1
    return result.stderr.replace(f"{folder}/", "").removeprefix("itbench: ").rstrip("\n")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "to: web/GET /",
            "to: nobody/GET /",
            "app.yaml:10: services.users.routes.visit.calls[0].to: there is no service 'nobody'",
        ),
        (
            "      GET /: {latency: {p50: 1ms, p95: 2ms}}\n",
            ROUND,
            "app.yaml:17: services.web.routes.GET /x.calls[0]: a cycle of",
        ),
        (
            "    port: 80\n",
            "    port: 80\n    replicas: 0\n",
            "app.yaml:15: services.web.replicas: should be greater than or equal to 1",
        ),
        ("rate: 5", "rate: -5", "app.yaml:4: load.rate: should be greater than 0"),
    ],
    ids=["undefined service", "cycle of required calls", "zero replicas", "negative load"],
)
def test_an_application_that_cannot_be(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in APPLICATION
    assert run(tmp_path, "app", "check", "@app.yaml", app=APPLICATION.replace(old, new, 1)).startswith(message)


def test_an_alert_rule_of_an_unknown_metric(tmp_path: Path) -> None:
    rules = "groups:\n  - name: x\n    rules:\n      - alert: A\n        expr: sum(rate(no_such_metric[5m])) > 1\n"
    said = run(tmp_path, "app", "check", "@app.yaml", "--alerts", "@rules.yaml", app=APPLICATION, rules=rules)
    assert said.startswith("rules.yaml:5: groups[0].rules[0].expr: ")
    assert "unknown metric 'no_such_metric'" in said


@pytest.mark.parametrize(
    ("objects", "changes", "message"),
    [
        (
            f"{CONFIG_MAP}---\napiVersion: v1\nkind: Gizmo\nmetadata: {{name: b}}\n",
            "[]",
            'objects.yaml:6: kind: no matches for kind "Gizmo" in version "v1"',
        ),
        (
            CONFIG_MAP,
            "- at: 0\n  verb: scale\n  object: deployment/ghost\n  replicas: 0\n",
            'changes.yaml:3: [0].object: deployments.apps "ghost" not found',
        ),
        (
            CONFIG_MAP,
            "- {at: 10, verb: delete, object: configmap/a}\n- {at: 5, verb: delete, object: configmap/a}\n",
            "changes.yaml:2: [1].at: 5 comes before the change above it, which is at 10",
        ),
    ],
    ids=["unknown kind", "missing object", "out of order"],
)
def test_a_play_that_cannot_be(tmp_path: Path, objects: str, changes: str, message: str) -> None:
    arguments = ("twin", "play", "@objects.yaml", "@changes.yaml", "--minutes", "0.1", "--out", "@out.jsonl")
    assert run(tmp_path, *arguments, objects=objects, changes=changes).startswith(message)
