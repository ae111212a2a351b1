"""A real control plane of one's own: etcd and kube-apiserver on this machine, without controllers or nodes."""

from __future__ import annotations

import http.client
import json
import secrets
import select
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from itbench.cluster.crds import custom_definitions, is_served
from itbench.cluster.kube_assets import kube_asset
from itbench.cluster.reference import ObjectRef
from itbench.cluster.server import ServerCluster
from itbench.model.errors import ClusterError

_START_SECONDS = 90.0
_LOOK_SECONDS = 0.1
_REQUEST_SECONDS = 5.0
_STOP_SECONDS = 30.0
_LOG_LINES = 5
_ATTEMPTS, _TAKEN = 3, "address already in use"
_USER = "itbench"
FOLDER_PREFIX = "itbench-control-plane-"
"""How the folders of control planes begin, in the folder for temporary files."""

# etcd listens on sockets in the folder, which only its owner can enter: nobody else may speak to it past the API server.
# It insists on HOST:PORT even for them, and makes that the file's name.
_CLIENT, _PEER = "client:0", "peer:0"


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who may speak to an API server; what they may do is decided by its RBAC objects.

    Attributes:
        name: of the user.
        groups: that the user belongs to.
        token: proves it.
    """

    name: str
    groups: tuple[str, ...]
    token: str


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """A control plane that runs.

    Attributes:
        folder: its own; goes with it.
        kubeconfig: of a user who may do everything.
        address: of the API server, a URL.
        authority: certificate of the API server, PEM.
        store: the socket of its etcd.
        audit_log: what was asked of the API server, a JSON object a line; None if nobody keeps it.
    """

    folder: Path
    kubeconfig: Path
    address: str
    authority: str
    store: Path
    audit_log: Path | None


@contextmanager
def control_plane() -> Iterator[Path]:
    """Start a control plane; yields a kubeconfig file for it, whose user may do everything.

    It has the kinds of `itbench.cluster.kinds`, custom ones included, and a folder and a port of its own. Nothing of it
    is left at the end, nor when this process is killed.

    Raises:
        ClusterError: a program is missing (the message names it), or it does not get ready.
    """
    with open_control_plane() as plane:
        yield plane.kubeconfig


@contextmanager
def open_control_plane(
    users: Sequence[Identity] = (), audit_policy: str | None = None, *, custom_kinds: bool = True
) -> Iterator[ControlPlane]:
    """Start a control plane, as `control_plane` does.

    Args:
        users: who may speak to it besides the one who may do everything.
        audit_policy: what its audit log keeps, in the API's YAML; None keeps none.
        custom_kinds: whether it has those of `itbench.cluster.kinds`, which takes a second or two.

    Raises:
        ClusterError: as `control_plane`.
    """
    with ExitStack() as stack:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                plane = stack.enter_context(_on_port(_free_port(), users, audit_policy))
                break
            except ClusterError as error:
                # A port that was free a moment ago may be another program's when the API server comes to listen.
                if _TAKEN not in str(error) or attempt == _ATTEMPTS:
                    raise
        if custom_kinds:
            with ServerCluster.connect(plane.kubeconfig) as cluster:
                _define_kinds(cluster)
        yield plane


@contextmanager
def _on_port(port: int, users: Sequence[Identity], audit_policy: str | None) -> Iterator[ControlPlane]:
    """A control plane whose API server listens on a port, without custom kinds."""
    etcd, apiserver = kube_asset("etcd"), kube_asset("kube-apiserver")
    folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX))  # for its owner alone
    token = secrets.token_hex(16)
    known = (Identity(_USER, ("system:masters",), token), *users)
    lines = [f'{user.token},{user.name},{user.name},"{",".join(user.groups)}"' for user in known]
    (folder / "tokens.csv").write_text("\n".join(lines) + "\n")
    audit_log = None if audit_policy is None else folder / "audit.jsonl"
    if audit_policy is not None:
        (folder / "audit-policy.yaml").write_text(audit_policy)
    commands = [_etcd(etcd), [*_apiserver(apiserver, folder, port), *_audit(folder, audit_log)]]
    guard = subprocess.Popen(
        [sys.executable, "-m", "itbench.cluster.guard", str(folder), json.dumps(commands)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        _wait_until_ready(guard, folder, port, token)
        yield ControlPlane(
            folder=folder,
            kubeconfig=_write_kubeconfig(folder, port, token),
            address=f"https://127.0.0.1:{port}",
            authority=(folder / "certs" / "apiserver.crt").read_text(),
            store=folder / _CLIENT,
            audit_log=audit_log,
        )
    finally:
        with suppress(subprocess.TimeoutExpired):
            guard.communicate(timeout=_STOP_SECONDS)  # closes its input, which is the order to clean up
        shutil.rmtree(folder, ignore_errors=True)  # in case the guard itself was killed


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _etcd(program: Path) -> list[str]:
    return [
        str(program),
        "--name=itbench",
        "--data-dir=etcd",
        f"--listen-client-urls=unix://{_CLIENT}",
        f"--advertise-client-urls=unix://{_CLIENT}",
        f"--listen-peer-urls=unix://{_PEER}",
        f"--initial-advertise-peer-urls=unix://{_PEER}",
        f"--initial-cluster=itbench=unix://{_PEER}",
        "--unsafe-no-fsync",  # a power cut takes the whole control plane anyhow
        "--log-level=warn",
    ]


def _apiserver(program: Path, folder: Path, port: int) -> list[str]:
    key = folder / "certs" / "apiserver.key"  # made by the API server itself, and good enough to sign tokens with
    return [
        str(program),
        f"--etcd-servers=unix://{folder / _CLIENT}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={folder / 'certs'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=RBAC",
        "--allow-privileged=true",  # as on most clusters: whether pods should be is for policies to say
        "--disable-admission-plugins=ServiceAccount",  # nobody makes service accounts without a controller manager
        "--endpoint-reconciler-type=none",
        "--storage-media-type=application/json",  # so that others can read and write the store
        "--kubelet-preferred-address-types=InternalIP",  # names of simulated nodes do not resolve
    ]


def _audit(folder: Path, log: Path | None) -> list[str]:
    if log is None:
        return []
    return [f"--audit-policy-file={folder / 'audit-policy.yaml'}", f"--audit-log-path={log}", "--audit-log-maxsize=1000"]


def _wait_until_ready(guard: subprocess.Popen[bytes], folder: Path, port: int, token: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(folder, port, token, "/readyz") or not _answers(folder, port, token, "/api/v1/namespaces/default"):
        assert guard.stdout is not None
        if select.select([guard.stdout], [], [], _LOOK_SECONDS)[0]:
            name = guard.stdout.readline().decode().split(" ")[0] or "guard"
            raise ClusterError(f"{name} ended while the control plane was starting: {_last_lines(folder / f'{name}.log')}")
        if time.monotonic() > deadline:
            last = _last_lines(folder / "kube-apiserver.log")
            raise ClusterError(f"the control plane was not ready after {_START_SECONDS:.0f} s: {last}")


def _answers(folder: Path, port: int, token: str, path: str) -> bool:
    """Whether the API server answers a request with success."""
    certificate = folder / "certs" / "apiserver.crt"
    try:
        context = ssl.create_default_context(cafile=certificate)
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=_REQUEST_SECONDS, context=context)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            return connection.getresponse().status == http.HTTPStatus.OK
        finally:
            connection.close()
    except (OSError, http.client.HTTPException):
        return False


def _last_lines(log: Path) -> str:
    try:
        return " / ".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
    except OSError:
        return "it printed nothing"


def _write_kubeconfig(folder: Path, port: int, token: str) -> Path:
    server = {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(folder / "certs" / "apiserver.crt")}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "itbench", "cluster": server}],
        "users": [{"name": _USER, "user": {"token": token}}],
        "contexts": [{"name": "itbench", "context": {"cluster": "itbench", "user": _USER}}],
        "current-context": "itbench",
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config, indent=2))
    return path


def _define_kinds(cluster: ServerCluster) -> None:
    """Define the custom kinds, and wait until the server serves them."""
    definitions = custom_definitions()
    for definition in definitions:
        cluster.create(definition)
    deadline = time.monotonic() + _START_SECONDS
    for definition in definitions:
        while not is_served(cluster.get(ObjectRef.of(definition))):
            if time.monotonic() > deadline:
                raise ClusterError(f"the API server does not serve {definition['metadata']['name']}")
            time.sleep(_LOOK_SECONDS)
