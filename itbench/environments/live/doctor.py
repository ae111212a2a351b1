"""What this machine has of what live environments need, and how to get the rest."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from itbench.cluster.kube_assets import kube_asset
from itbench.environments.live.prometheus import find_prometheus
from itbench.model.errors import ItbenchError

_ASSETS = "make kube-assets (builds them), or setup-envtest, and set KUBEBUILDER_ASSETS"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is needed.

    Attributes:
        needed_by: the environments that do not work without it; empty for what is merely good to have.
        found: what there is; empty if it is missing.
        remedy: how to get it.
    """

    name: str
    needed_by: tuple[str, ...]
    found: str
    remedy: str


def findings() -> Iterator[Finding]:
    """Everything that was looked for."""
    for name, needed_by in (("etcd", ("hybrid",)), ("kube-apiserver", ("hybrid",)), ("kubectl", ())):
        yield Finding(name, needed_by, _asset(name), _ASSETS)
    client = importlib.util.find_spec("kubernetes")
    yield Finding("kubernetes (Python)", ("hybrid", "kind"), "installed" if client else "", "pip install 'itbench[cluster]'")
    program = find_prometheus()
    yield Finding(
        "prometheus", (), str(program or ""), "make prometheus (Debian's, unpacked), or put one on PATH: metrics over HTTP"
    )
    yield Finding(
        "bubblewrap", (), shutil.which("bwrap") or "", "install the package bubblewrap: agents are isolated better"
    )
    yield Finding("memory", ("hybrid",), _memory(500), "an API server and its store take about 350 MB")
    yield from _of_kind()


def _asset(name: str) -> str:
    try:
        path = kube_asset(name)
    except ItbenchError:
        found = shutil.which(name)
        return found or ""
    words = [str(path), "version", "--client"] if name == "kubectl" else [str(path), "--version"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    first = (done.stdout or done.stderr).strip().splitlines()
    return f"{path} ({first[0].removeprefix('Kubernetes ')})" if first else str(path)


def _of_kind() -> Iterator[Finding]:
    from itbench.environments.kind.archive import require_parts, service_parts
    from itbench.environments.kind.engine import Engine
    from itbench.environments.kind.programs import kind_program
    from itbench.environments.kind.settings import load_kind_settings

    client = importlib.util.find_spec("docker")
    yield Finding("docker (Python)", ("kind",), "installed" if client else "", "pip install 'itbench[container]'")
    daemon = image = ""
    remedy = "start Docker: make docker, or see docs/kind.md"
    settings = load_kind_settings()
    try:
        with Engine.connect() as engine:
            daemon = f"version {engine.version}"
            image = next((name for name in (settings.published, settings.built) if engine.has_image(name)), "")
    except ItbenchError as error:
        remedy = f"{error.message}. {error.hint or ''}".strip()
    yield Finding("Docker daemon", ("kind",), daemon, remedy)
    yield Finding("node image", ("kind",), image, f"docker pull {settings.published}, or make kind-node-image (builds one)")
    try:
        program, remedy = str(kind_program()), ""
    except ItbenchError as error:
        program, remedy = "", error.hint or ""
    yield Finding("kind", ("kind",), program, remedy)
    try:
        require_parts()
        parts, remedy = str(service_parts()), ""
    except ItbenchError:
        parts, remedy = "", "make kind-service-image (the service program and Prometheus)"
    yield Finding("service program", ("kind",), parts, remedy)
    yield Finding("memory for kind", ("kind",), _memory(3000), "a node and an application take about 2.5 GB")


def _memory(needed: int) -> str:
    """Free memory, where the system tells; empty if it is less than `needed` MB."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:  # noqa: PTH123  not a file of ours
            table = dict(line.split(":", 1) for line in lines)
    except OSError:
        return "unknown"
    megabytes = int(table["MemAvailable"].split()[0]) // 1024
    return f"{megabytes} MB available" if megabytes >= needed else ""
