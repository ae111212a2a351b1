"""The agent's rights on an API server: environments/access.yaml as Kubernetes objects."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from itbench.bundled import bundled
from itbench.cluster.control_plane import Identity
from itbench.cluster.protocol import KubeObject
from itbench.datasets.shipped import read_shipped
from itbench.model.base import Document, Model

GROUP = "operators"
"""The group of the agent's user; the audit policy (environments/audit.yaml) keeps what it does."""
_RBAC = "rbac.authorization.k8s.io/v1"
_OPERATORS: Mapping[str, str] = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": GROUP}


class Rules(Model):
    """Rules of roles, in the API's form."""

    namespaced: tuple[dict[str, Any], ...] = ()
    cluster: tuple[dict[str, Any], ...] = ()


class Access(Document):
    """environments/access.yaml.

    Attributes:
        namespaces: besides the application's own, as far as they exist.
        look: what is always permitted.
        repair: what is permitted besides, where a repair is asked for.
    """

    namespaces: tuple[str, ...] = ()
    look: Rules = Field(default_factory=Rules)
    repair: Rules = Field(default_factory=Rules)


def load_access() -> Access:
    """The rights that ship.

    Raises:
        DatasetError: the file is broken.
    """
    return read_shipped(bundled("environments") / "access.yaml", Access, "docs/live.md describes it.")


def new_identity() -> Identity:
    """A user for one trial."""
    return Identity("operator", (GROUP,), secrets.token_hex(16))


def access_objects(
    access: Access, namespaces: Sequence[str], *, repair: bool, subject: Mapping[str, str] = _OPERATORS
) -> Iterator[KubeObject]:
    """The roles and bindings that give the agent its rights.

    Args:
        access: what they are.
        namespaces: in which the rights that belong to a namespace are given.
        repair: whether the agent may change things.
        subject: who gets them, as bindings name it; by default the agent's group.
    """
    parts = (access.look, access.repair) if repair else (access.look,)
    namespaced = [dict(rule) for part in parts for rule in part.namespaced]
    cluster = [dict(rule) for part in parts for rule in part.cluster]
    for namespace in namespaces:
        yield from _granted("", namespaced, namespace, subject)
    yield from _granted("Cluster", cluster, None, subject)


def reading_objects(access: Access) -> Iterator[KubeObject]:
    """The role and binding that let the agent look at everything, in all namespaces: nothing is anybody else's."""
    yield from _granted(
        "Cluster", [dict(rule) for rule in (*access.look.namespaced, *access.look.cluster)], None, _OPERATORS
    )


def _granted(
    scope: str, rules: list[dict[str, Any]], namespace: str | None, subject: Mapping[str, str]
) -> Iterator[KubeObject]:
    metadata = {"name": GROUP} if namespace is None else {"name": GROUP, "namespace": namespace}
    yield {"apiVersion": _RBAC, "kind": f"{scope}Role", "metadata": dict(metadata), "rules": rules}
    yield {
        "apiVersion": _RBAC,
        "kind": f"{scope}RoleBinding",
        "metadata": dict(metadata),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": f"{scope}Role", "name": GROUP},
        "subjects": [dict(subject)],
    }
