"""The agent on a real cluster: a ServiceAccount, new in every trial, with the rights of environments/access.yaml."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from itbench.cluster.protocol import KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.cluster.server import ServerCluster
from itbench.cluster.transport import Transport
from itbench.model.errors import NotFoundError

NAMESPACE = "operators"
NAME = "operator"
USER = f"system:serviceaccount:{NAMESPACE}:{NAME}"
SUBJECT: Mapping[str, str] = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
_ACCOUNT = ObjectRef("ServiceAccount", NAME, NAMESPACE)
_HOURS = 24


def new_account(cluster: ServerCluster, transport: Transport, bindings: Iterable[KubeObject]) -> str:
    """Make the account anew, so that what an earlier trial's agent holds is worth nothing; gives a token for it.

    Args:
        cluster: with all rights.
        transport: the same.
        bindings: give the account its rights.
    """
    bindings = list(bindings)
    close_account(cluster, bindings)
    for binding in bindings:
        cluster.create(binding)
    cluster.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": NAMESPACE}})
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": _HOURS * 3600},
    }
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{NAME}/token"
    return str(transport.json("POST", path, None, request)["status"]["token"])


def close_account(cluster: ServerCluster, bindings: Iterable[KubeObject]) -> None:
    """Let nobody in with the account's tokens any more.

    An API server remembers for 10 s that a token was good, so that the account's rights go first.
    """
    for ref in (*map(ObjectRef.of, bindings), _ACCOUNT):
        with suppress(NotFoundError):
            cluster.delete(ref)


def operator_kubeconfig(admin: Path, token: str, namespace: str, server: str | None = None) -> str:
    """A kubeconfig with everything in it, for somebody who cannot see the administrator's.

    Args:
        admin: the administrator's.
        token: of the account.
        namespace: that is meant where none is named.
        server: address of the API server, where it is another one than the administrator's.
    """
    cluster = _cluster_of(admin)
    reached = {"server": server or cluster["server"], "certificate-authority-data": cluster["certificate-authority-data"]}
    config: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": reached}],
        "users": [{"name": NAME, "user": {"token": token}}],
        "contexts": [{"name": "cluster", "context": {"cluster": "cluster", "user": NAME, "namespace": namespace}}],
        "current-context": "cluster",
    }
    return json.dumps(config, indent=2)


def authority_of(kubeconfig: Path) -> str:
    """The certificate that vouches for a kubeconfig's API server, in PEM."""
    return base64.b64decode(_cluster_of(kubeconfig)["certificate-authority-data"]).decode("ascii")


def server_of(kubeconfig: Path) -> str:
    """The address of a kubeconfig's API server."""
    return str(_cluster_of(kubeconfig)["server"])


def _cluster_of(kubeconfig: Path) -> KubeObject:
    found: KubeObject = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]
    return found
