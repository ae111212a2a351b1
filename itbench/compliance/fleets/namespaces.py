"""Namespaces with pod security labels, network policies and services that stay inside the cluster."""

from __future__ import annotations

from typing import Any

import numpy as np

from itbench.compliance.fleets.words import TEAMS, chance, names, pick

Object = dict[str, Any]
_PSS = "pod-security.kubernetes.io"


def namespaces(rng: np.random.Generator) -> list[Object]:
    """kube-system, which the rules except by name, and three namespaces of teams."""
    objects: list[Object] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}}]
    for team in names(rng, TEAMS, 3):
        level = pick(rng, ("restricted", "baseline"))
        labels = {f"{_PSS}/enforce": level, "team": team}
        if chance(rng, 0.5):
            labels[f"{_PSS}/enforce-version"] = pick(rng, ("latest", "v1.31"))
        if chance(rng, 0.5):
            labels[f"{_PSS}/warn"] = "restricted"
        objects.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": team, "labels": labels}})
        types = ["Ingress", "Egress"] if chance(rng, 0.5) else ["Ingress"]
        deny = _policy(f"{team}-deny", team, {"podSelector": {}, "policyTypes": types})
        if "Egress" in types and chance(rng, 0.5):
            deny["spec"]["egress"] = []
        web: Object = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"]}
        web["ingress"] = [{"from": [{"podSelector": {}}], "ports": [{"port": 8080}]}]
        objects += [deny, _policy(f"{team}-web", team, web)]
        spec: Object = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
        if chance(rng, 0.5):
            spec["type"] = "ClusterIP"
        meta = {"name": f"{team}-web", "namespace": team}
        objects.append({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})
        host = f"{team}.shop.example"
        ingress = {
            "tls": [{"hosts": [host], "secretName": f"{team}-tls"}],
            "rules": [{"host": host, "http": {"paths": [_path(f"{team}-web")]}}],
        }
        meta = {"name": f"{team}-web", "namespace": team}
        objects.append({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta, "spec": ingress})
    return objects


def services(rng: np.random.Generator) -> list[Object]:
    """The Services and Ingresses of such namespaces alone."""
    return [item for item in namespaces(rng) if item["kind"] in ("Service", "Ingress")]


def _policy(name: str, namespace: str, spec: Object) -> Object:
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}


def _path(service: str) -> Object:
    return {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}}
