"""CustomResourceDefinitions for the custom kinds known here: enough for an API server to keep any object of them."""

from __future__ import annotations

from itbench.cluster.kinds import KINDS, Kind
from itbench.cluster.protocol import KubeObject


def custom_definitions() -> list[KubeObject]:
    """One definition for every custom kind. None has a schema: what the real operators would refuse is kept."""
    return [_definition(kind) for kind in KINDS if kind.custom]


def is_served(definition: KubeObject) -> bool:
    """Whether the API server has begun to serve a definition's kind."""
    conditions = (definition.get("status") or {}).get("conditions") or ()  # null at first
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def _definition(kind: Kind) -> KubeObject:
    versions = (kind.api_version, *kind.other_versions)
    metadata: KubeObject = {"name": kind.qualified_plural}
    if kind.group.endswith(".k8s.io"):  # such groups are reserved, and a definition must admit that nobody approved it
        metadata["annotations"] = {"api-approved.kubernetes.io": "unapproved, without a schema"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": {
            "group": kind.group,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "names": {
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "plural": kind.plural,
                "singular": kind.name.lower(),
                "shortNames": list(kind.short),
            },
            "versions": [_version(kind, version.rpartition("/")[2]) for version in versions],
        },
    }


def _version(kind: Kind, name: str) -> KubeObject:
    version: KubeObject = {
        "name": name,
        "served": True,
        "storage": kind.api_version.endswith(f"/{name}"),
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    return {**version, "subresources": {"status": {}}} if kind.status else version
