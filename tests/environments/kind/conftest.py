"""Applications that ship, the service program if Go is here to build it, and a cluster for the tests that need one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from itbench.bundled import bundled
from itbench.cluster.kube_assets import kube_asset
from itbench.datasets.scenario_file import read_scenario
from itbench.environments.kind.settings import load_kind_settings
from itbench.environments.kind.stage import KindStage
from itbench.environments.kind.system import KindSystems
from itbench.environments.live.stage import LiveSettings
from itbench.twin.app.application import Application
from itbench.twin.app.load import application_names, load_application
from itbench.twin.incident.plan import Plan, plan

SOURCES = bundled("environments") / "kind" / "service"


@pytest.fixture(params=application_names())
def application(request: pytest.FixtureRequest) -> Application:
    """Each application that ships."""
    return load_application(str(request.param))


@pytest.fixture(scope="session")
def go() -> str:
    """The go command, or a skip."""
    found = shutil.which("go")
    if found is None:
        pytest.skip("go is not on the PATH: the service program was not built")
    return found


@pytest.fixture(scope="session")
def program(go: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The service program."""
    target = tmp_path_factory.mktemp("program") / "service"
    subprocess.run([go, "build", "-o", target, "."], cwd=SOURCES, check=True, timeout=300)
    return target


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """What images are made of, as far as an archive cares."""
    for name in ("service", "busybox/bin/busybox", "prometheus/usr/bin/prometheus", "prometheus/usr/bin/promtool"):
        path = tmp_path / "parts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!{name}")
    return tmp_path / "parts"


SCENARIO = """\
schema_version: 1
id: stars
domain: sre
title: Books have no stars
application: book-info
timeline: {before: 5m, after: 8m}
disruptions:
  - faults:
      - id: FAULT
        args:
          kubernetesObject: {apiVersion: VERSION, kind: KIND, metadata: {name: NAME, namespace: book-info}}
"""


class Trial:
    """A stage, and what it told."""

    def __init__(self, planned: Plan, systems: KindSystems) -> None:
        self.steps: dict[str, dict[str, object]] = {}
        self.stage = KindStage(planned, 7, systems, load_kind_settings(), LiveSettings("kind"), self._note)

    def _note(self, kind: str, **data: object) -> None:
        self.steps[str(data.get("step", kind))] = data


def made_trial(systems: KindSystems, folder: Path, fault: str, kind: str, name: str) -> Trial:
    """A trial with one fault, in an object of book-info."""
    version = "v1" if kind == "Service" else "apps/v1"
    text = SCENARIO.replace("FAULT", fault).replace("KIND", kind).replace("NAME", name).replace("VERSION", version)
    (folder / "scenario.yaml").write_text(text)
    return Trial(plan(read_scenario(folder)), systems)


@pytest.fixture(scope="session")
def systems(kind_here: None) -> Iterator[KindSystems]:
    """One cluster for all tests, made by the first that needs it."""
    with KindSystems(load_kind_settings()) as found:
        yield found


@pytest.fixture
def trial(systems: KindSystems, tmp_path: Path) -> Callable[[str, str, str], Trial]:
    """Make a trial of a fault in an object of a kind and a name."""
    return partial(made_trial, systems, tmp_path)


@pytest.fixture
def kubectl_of(tmp_path: Path) -> Callable[[str], Callable[..., subprocess.CompletedProcess[str]]]:
    """Make a kubectl with the rights of a kubeconfig."""

    def make(kubeconfig: str) -> Callable[..., subprocess.CompletedProcess[str]]:
        path = tmp_path / "kubeconfig"
        path.write_text(kubeconfig)
        path.chmod(0o600)
        env = {"KUBECONFIG": str(path), "HOME": str(tmp_path), "PATH": os.environ["PATH"]}

        def run(*words: str) -> subprocess.CompletedProcess[str]:
            program = str(kube_asset("kubectl"))
            return subprocess.run([program, *words], env=env, capture_output=True, text=True, check=False, timeout=120)

        return run

    return make
