"""Agents in containers on a real kind cluster: they reach what they were given, and nothing else."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import socket
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from itbench.agents.container import ContainerAgent, connect
from itbench.agents.protocol import LiveAccess, Workspace
from itbench.cluster.kube_assets import kube_asset
from itbench.environments.tasks import make_live_task
from itbench.model.task import Budget

pytestmark = pytest.mark.integration
Trials = Callable[[str, str, str], Any]

SCRIPT = """\
kubectl scale deployment ratings-v1 --replicas=1 > said 2>&1
echo '{"ground_truth": {}}' >> "$FINDINGS"
wget -q -O - "$PROMETHEUS_URL/api/v1/query?query=up" | head -c 200 > metrics
for place in PLACES; do nc -w 2 ${place%:*} ${place#*:} </dev/null >/dev/null 2>&1 && echo $place >> reached; done
wget -q -T 5 -O - http://deb.debian.org/ >> reached 2>/dev/null
ls /var/run/docker.sock /run/docker.sock >> reached 2>/dev/null
kubectl get secrets -A >> reached 2>refused
echo '{}' > "$OUTPUT"
"""


@pytest.fixture
def image() -> Iterator[Callable[[str], str]]:
    """Make an image of busybox whose entry point is a script."""
    engine = connect()
    name = f"itbench-test-kind:{os.getpid()}"

    def make(script: str) -> str:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            archive.add(str(shutil.which("busybox")), "bin/busybox")
            for applet in ("sh", "cat", "head", "nc", "wget", "ls", "ip"):
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(link)
            entry = tarfile.TarInfo("agent.sh")
            entry.size, entry.mode = len(script.encode()), 0o755
            archive.addfile(entry, io.BytesIO(script.encode()))
        changes = ['ENTRYPOINT ["/bin/sh", "/agent.sh"]', "ENV PATH=/bin"]
        repository, _, tag = name.partition(":")
        engine.api.import_image_from_data(buffer.getvalue(), repository=repository, tag=tag, changes=changes)
        return name

    yield make
    engine.images.remove(name, force=True)
    engine.close()


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the engine can mount."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    cache.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="itbench-test-", dir=cache) as made:
        yield Path(made)


@pytest.fixture
def listening() -> Iterator[int]:
    """A port that something listens on, on every address of this machine."""
    with socket.create_server(("0.0.0.0", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.skipif(shutil.which("busybox") is None, reason="a static busybox is needed: apt-get install busybox-static")
def test_a_container_repairs_the_incident_and_reaches_nothing_else(
    trial: Trials, image: Callable[[str], str], place: Path, listening: int
) -> None:
    made = trial("scaled-to-zero-kubernetes-workload", "Deployment", "ratings-v1")
    with made.stage as stage:
        stage.begin()
        stage.hand_over(place / "snapshot")
        with closing(connect()) as engine:
            addresses = {address for network in engine.networks.list() for address in _gateways(network)}
        places = " ".join([*(f"{address}:{listening}" for address in addresses), "1.1.1.1:80", "10.96.0.1:443"])
        (place / "logs").mkdir()
        kubectl = kube_asset("kubectl").parent
        live = LiveAccess(stage.kubeconfig, stage.cluster, kubectl, stage.prometheus, container=stage.container)
        workspace = Workspace(place / "work", place / "snapshot", place / "logs", live=live)
        task = make_live_task(
            PurePosixPath(place / "snapshot"), Budget(), 1, repair=True, kubectl=True, real=True, prometheus=stage.prometheus
        )
        agent = ContainerAgent.from_text(image(SCRIPT.replace("PLACES", places)))
        result = asyncio.run(agent.run(task, workspace))
        verdict = stage.judge()
    work = place / "work"
    assert result.failure is None, result.detail
    assert "scaled" in (work / "said").read_text()
    assert '"status":"success"' in (work / "metrics").read_text()
    assert "orbidden" in (work / "refused").read_text()
    assert (work / "reached").read_text() == ""
    assert stage.prometheus not in (work / "TASK.md").read_text()
    assert stage.container.prometheus in (work / "TASK.md").read_text()
    assert len(live.findings.posted) == 1
    assert verdict.resolution.resolved, str(verdict.resolution)
    assert [(deed.verb, deed.name) for deed in verdict.deeds if deed.verb == "patch"] == [("patch", "ratings-v1")]


def _gateways(network: Any) -> list[str]:
    """The addresses of this machine in a network of containers."""
    return [each["Gateway"] for each in network.attrs["IPAM"]["Config"] or () if "." in each.get("Gateway", "")]
