"""A kind cluster of one's own: made by the kind program, torn down by removing its nodes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itbench.bundled import bundled
from itbench.environments.kind.engine import Engine
from itbench.environments.kind.monitoring import PROMETHEUS_NODE_PORT
from itbench.environments.kind.owners import new_cluster_name, owner_of
from itbench.environments.kind.programs import kind_program
from itbench.environments.kind.settings import KindSettings
from itbench.model.errors import ClusterError

FOLDER_PREFIX = "itbench-kind-"
"""How the folders of clusters begin, in the folder for temporary files; the cluster's name follows."""

_IN_NODE = "/var/log/kubernetes/audit"
_DRIVER = "cgroup-driver"  # a label of node images on which kubelet manages cgroups otherwise than kind assumes
_POLICY = "policy.yaml"
_LOG = "audit.jsonl"
_SERVER_PORT = 6443
_GRACE = 30.0

# A machine that is busy with other things must not lose its control plane: kubelet would restart what is merely slow, and
# controllers that lose a lease end themselves. There is one of each anyhow.
_PATCHES = "/kind/patches"
_CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
_PATIENCE = {"timeoutSeconds": 60, "periodSeconds": 20, "failureThreshold": 15}
_ALONE = {"leader-elect": "false"}
_NODE_GRACE = "120s"  # for which a node may be silent; 50 s by default


@dataclass(frozen=True, slots=True)
class KindCluster:
    """A cluster that runs.

    Attributes:
        name: kind's.
        folder: its own; goes with it.
        kubeconfig: of a user who may do everything.
        audit_log: what was asked of the API server by agents, a JSON object a line.
        image: of its nodes.
        nodes: its containers.
        prometheus: where a node port of Prometheus is reached on this machine, a URL.
        network: of containers that reach the cluster, and nothing else.
    """

    name: str
    folder: Path
    kubeconfig: Path
    audit_log: Path
    image: str
    nodes: tuple[str, ...]
    prometheus: str
    network: str

    @property
    def inner_server(self) -> str:
        """The address of the API server in `network`."""
        return f"https://{_first(self.name)}:{_SERVER_PORT}"

    @property
    def inner_prometheus(self) -> str:
        """The address of Prometheus in `network`."""
        return f"http://{_first(self.name)}:{PROMETHEUS_NODE_PORT}"


def node_image(engine: Engine, settings: KindSettings, wanted: str | None) -> str:
    """The node image to take.

    Args:
        engine: has images.
        settings: name those that may be.
        wanted: by the user; None leaves the choice to us. One that is not at hand is fetched by kind.
    """
    if wanted is not None:
        return wanted
    if not engine.has_image(settings.published) and engine.has_image(settings.built):
        return settings.built
    return settings.published


@contextmanager
def kind_cluster(engine: Engine, settings: KindSettings, image: str) -> Iterator[KindCluster]:
    """Make a cluster; nothing of it is left at the end.

    It ends with the process that made it, unless that is killed: then `reap_clusters` finds it.

    Raises:
        ClusterError: kind is missing, or the cluster does not get ready; says why.
    """
    program = kind_program()
    name = new_cluster_name()
    folder = Path(tempfile.gettempdir()) / f"{FOLDER_PREFIX}{name}"
    folder.mkdir(mode=0o700)
    try:
        (folder / "audit").mkdir()
        policy = (bundled("environments") / "audit.yaml").read_text(encoding="utf-8")
        (folder / "audit" / _POLICY).write_text(policy, encoding="utf-8")
        _write_patches(folder / "patches")
        config = folder / "kind.json"
        config.write_text(
            json.dumps(_config(folder, settings.workers, engine.image_label(image, _DRIVER))), encoding="utf-8"
        )
        kubeconfig = folder / "kubeconfig"
        words = [str(program), "create", "cluster", f"--name={name}", f"--config={config}", f"--image={image}"]
        _run(
            [*words, f"--kubeconfig={kubeconfig}", f"--wait={settings.waits.ready:.0f}s"], settings.waits.ready + 120, image
        )
        nodes = tuple(engine.nodes(name))
        first = _first(name)
        prometheus = f"http://127.0.0.1:{engine.port(first, PROMETHEUS_NODE_PORT)}"
        network = engine.close_in(name, first)
        yield KindCluster(name, folder, kubeconfig, folder / "audit" / _LOG, image, nodes, prometheus, network)
    finally:
        try:
            engine.remove(name)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _first(name: str) -> str:
    """The node with the control plane, as kind calls it."""
    return f"{name}-control-plane"


def reap_clusters(engine: Engine) -> list[str]:
    """Remove the clusters and folders of processes that are gone; gives a line for each."""
    told = []
    for name in engine.clusters():
        owner = owner_of(name)
        if owner is not None and not owner.alive:
            told.append(f"{name}: its {engine.remove(name)} node(s)")
    for folder in sorted(Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*")):
        owner = owner_of(folder.name.removeprefix(FOLDER_PREFIX))
        with suppress(FileNotFoundError):  # somebody else reaps, too
            if owner is not None and not owner.alive and folder.stat().st_uid == os.getuid():
                shutil.rmtree(folder, ignore_errors=True)
                told.append(f"{folder.name}: its folder")
    return told


def _write_patches(folder: Path) -> None:
    """What kubeadm is to change in the manifests that it makes of the control plane."""
    folder.mkdir()
    for name in _CONTROL_PLANE:
        container = {"name": name, "livenessProbe": _PATIENCE}
        patch = {"spec": {"containers": [container]}}
        (folder / f"{name}+strategic.json").write_text(json.dumps(patch), encoding="utf-8")


def _config(folder: Path, workers: int, driver: str | None) -> dict[str, Any]:
    # A machine that withholds CAP_SYS_RESOURCE lets nobody lower the score.
    kubelet = {"kind": "KubeletConfiguration", "oomScoreAdj": 0, **({"cgroupDriver": driver} if driver else {})}
    server = {
        "extraArgs": {"audit-policy-file": f"{_IN_NODE}/{_POLICY}", "audit-log-path": f"{_IN_NODE}/{_LOG}"},
        "extraVolumes": [{"name": "audit", "hostPath": _IN_NODE, "mountPath": _IN_NODE, "pathType": "Directory"}],
    }
    # A power cut takes the whole cluster anyhow, so that etcd need not wait for disks.
    store = {"local": {"extraArgs": {"unsafe-no-fsync": "true"}}}
    mounts = [
        {"hostPath": str(folder / "audit"), "containerPath": _IN_NODE},
        {"hostPath": str(folder / "patches"), "containerPath": _PATCHES, "readOnly": True},
    ]
    controllers = {"extraArgs": {**_ALONE, "node-monitor-grace-period": _NODE_GRACE}}
    plane = {"apiServer": server, "etcd": store, "controllerManager": controllers, "scheduler": {"extraArgs": _ALONE}}
    port = {"containerPort": PROMETHEUS_NODE_PORT, "hostPort": 0, "listenAddress": "127.0.0.1", "protocol": "TCP"}
    first = {"role": "control-plane", "extraMounts": mounts, "extraPortMappings": [port]}
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [first, *({"role": "worker"} for _ in range(workers))],
        "kubeadmConfigPatches": [
            json.dumps({"kind": "ClusterConfiguration", **plane}),
            json.dumps({"kind": "InitConfiguration", "patches": {"directory": _PATCHES}}),
            json.dumps(kubelet),
        ],
    }


def _run(words: list[str], seconds: float, image: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            if process.poll() is None:
                _end(process)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if code == 0:
        return
    if code is None:
        raise ClusterError(f"kind was not done after {seconds:.0f} s: {_last(text)}")
    raise ClusterError(f"kind could not make a cluster: {_last(text)}", hint=_hint(text, image))


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):  # it may end by itself meanwhile
            os.killpg(process.pid, number)
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            continue
        return


def _last(text: str) -> str:
    errors = [line.strip() for line in text.splitlines() if line.lstrip().lower().startswith(("error", "command output"))]
    lines = errors or [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-2:])[:500] or "it printed nothing"


def _hint(text: str, image: str) -> str | None:
    lower = text.lower()
    if "no space left on device" in lower:
        return "Make room: docker system df shows what takes it."
    if "pull" in lower and image in text:
        return f"docker pull {image}, or make one here: make kind-node-image. Another one: --node-image."
    if "unable to apply caps" in lower:
        return "This machine withholds a capability: start Docker with make docker (docs/kind.md)."
    if "port is already allocated" in lower or "address already in use" in lower:
        return "Something else took the port meanwhile; run it again."
    return None
