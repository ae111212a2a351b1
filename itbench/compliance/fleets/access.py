"""Roles and bindings with no more rights than needed."""

from __future__ import annotations

from typing import Any

import numpy as np

from itbench.compliance.fleets.words import TEAMS, chance, names, pick

Object = dict[str, Any]
_API = "rbac.authorization.k8s.io/v1"
_GROUP = "rbac.authorization.k8s.io"
_READ = ["get", "list", "watch"]


def access(rng: np.random.Generator) -> list[Object]:
    """Cluster roles (one of them aggregated), roles, service accounts and bindings of a few teams."""
    teams = names(rng, TEAMS, 4)
    namespace = pick(rng, ("shop", "store", "market"))
    objects: list[Object] = [_namespace(namespace), _builtin_admin(), _builtin_binding()]
    reader = f"{teams[0]}-reader"
    objects.append(_role("ClusterRole", reader, None, [_rule([""], ["pods", "services", "configmaps"], _READ)]))
    part = _role("ClusterRole", f"{teams[1]}-view", None, [_rule(["apps"], ["deployments", "statefulsets"], _READ)])
    part["metadata"]["labels"] = {f"rbac.example.com/aggregate-to-{teams[1]}": "true"}
    whole = _role("ClusterRole", f"{teams[1]}-all", None, [])
    whole["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": part["metadata"]["labels"]}]}
    objects += [part, whole]
    verbs = [*_READ, "update", "patch"]
    rules = [_rule(["apps"], ["deployments", "deployments/scale"], verbs), _rule([""], ["pods/log", "events"], _READ)]
    if chance(rng, 0.5):
        rules.append({"nonResourceURLs": ["/healthz"], "verbs": ["get"]})
    deploy_rules = [rule for rule in rules if "apiGroups" in rule]
    objects.append(_role("Role", f"{teams[2]}-deploy", namespace, deploy_rules))
    objects.append(_role("ClusterRole", f"{teams[3]}-health", None, rules[1:]))
    for team in teams:
        meta = {"name": f"{team}-bot", "namespace": namespace}
        objects.append(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta, "automountServiceAccountToken": False}
        )
    for team, kind, role, bound in (
        (teams[0], "ClusterRoleBinding", f"ClusterRole/{reader}", None),
        (teams[1], "ClusterRoleBinding", f"ClusterRole/{teams[1]}-all", None),
        (teams[2], "RoleBinding", f"Role/{teams[2]}-deploy", namespace),
        (teams[3], "RoleBinding", f"ClusterRole/{teams[3]}-health", namespace),
    ):
        person = {"kind": pick(rng, ("User", "Group")), "name": f"{team}@shop.example", "apiGroup": _GROUP}
        bot = {"kind": "ServiceAccount", "name": f"{team}-bot", "namespace": namespace}
        objects.append(_binding(kind, f"{team}-binding", bound, role, [bot, person]))
    return objects


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _builtin_admin() -> Object:
    """The role that every cluster has; the rules except it and its binding by name."""
    rules = [_rule(["*"], ["*"], ["*"]), {"nonResourceURLs": ["*"], "verbs": ["*"]}]
    return _role("ClusterRole", "cluster-admin", None, rules)


def _builtin_binding() -> Object:
    masters = {"kind": "Group", "name": "system:masters", "apiGroup": _GROUP}
    return _binding("ClusterRoleBinding", "cluster-admin", None, "ClusterRole/cluster-admin", [masters])


def _rule(groups: list[str], resources: list[str], verbs: list[str]) -> Object:
    return {"apiGroups": groups, "resources": list(resources), "verbs": list(verbs)}


def _role(kind: str, name: str, namespace: str | None, rules: list[Object]) -> Object:
    meta: Object = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    return {"apiVersion": _API, "kind": kind, "metadata": meta, "rules": rules}


def _binding(kind: str, name: str, namespace: str | None, role: str, subjects: list[Object]) -> Object:
    role_kind, _, role_name = role.partition("/")
    meta: Object = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    reference = {"apiGroup": _GROUP, "kind": role_kind, "name": role_name}
    return {"apiVersion": _API, "kind": kind, "metadata": meta, "roleRef": reference, "subjects": subjects}
