"""Applications that ship, and the service program if Go is here to build it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from itbench.bundled import bundled
from itbench.twin.app.application import Application
from itbench.twin.app.load import application_names, load_application

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
