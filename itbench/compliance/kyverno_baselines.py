"""Kyverno policies that need no thought: skeletons by words, and adversaries."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from itbench.compliance.definition import PolicyKind
from itbench.compliance.kyverno_policy import API_VERSIONS

Json = dict[str, Any]
_KINDS = tuple(
    "Pod Deployment StatefulSet DaemonSet Job CronJob Service Ingress "
    "Role ClusterRole RoleBinding ClusterRoleBinding".split()
)
_RESOURCES: tuple[tuple[str, str, str], ...] = (
    ("", "v1", "pods services"),
    ("apps", "v1", "deployments statefulsets daemonsets"),
    ("batch", "v1", "jobs cronjobs"),
    ("networking.k8s.io", "v1", "ingresses"),
    ("rbac.authorization.k8s.io", "v1", "roles clusterroles rolebindings clusterrolebindings"),
)
_NO_AUTOGEN = {"pod-policies.kyverno.io/autogen-controllers": "none"}
# Words of a requirement, and what a hasty author would write: a pattern of ClusterPolicies, an expression in CEL.
_SKELETONS: tuple[tuple[str, Json, str], ...] = (
    (r"hostNetwork", {"spec": {"=(hostNetwork)": False}}, "!object.spec.?hostNetwork.orValue(false)"),
    (
        r"hostPath",
        {"spec": {"=(volumes)": [{"X(hostPath)": "null"}]}},
        "!object.spec.?volumes.orValue([]).exists(v, has(v.hostPath))",
    ),
    (
        r"privileged",
        {"spec": {"containers": [{"=(securityContext)": {"=(privileged)": False}}]}},
        "object.spec.containers.all(c, !c.?securityContext.?privileged.orValue(false))",
    ),
    (
        r"runAsNonRoot",
        {"spec": {"securityContext": {"runAsNonRoot": True}}},
        "object.spec.?securityContext.?runAsNonRoot.orValue(false)",
    ),
    (
        r"limits",
        {"spec": {"containers": [{"resources": {"limits": {"memory": "?*"}}}]}},
        "object.spec.containers.all(c, has(c.resources) && has(c.resources.limits))",
    ),
)


def kyverno_skeleton(problem: str, kind: PolicyKind) -> str:
    """The policy of the first word that fits, or one that passes everything."""
    chosen = next((skeleton for skeleton in _SKELETONS if re.search(skeleton[0], problem, re.IGNORECASE)), None)
    if kind == "ClusterPolicy":
        pattern = chosen[1] if chosen else {"metadata": {"name": "?*"}}
        return _text([_cluster_policy("template", [_rule("Pod", {"pattern": pattern})])])
    return _text([_validating_policy("template", chosen[2] if chosen else "true", pods_only=True)])


def kyverno_adversary(name: str, kind: PolicyKind, given: str, names: Sequence[str]) -> str:
    """One who says the same of everything, or knows the objects of the visible set by their names.

    Args:
        name: of the adversary.
        kind: of the policies asked for.
        given: policies to change; the first gets the rule, the others stay.
        names: KIND/NAME of the visible objects. Kyverno sees them with other ends.
    """
    stems = [text.partition("/")[2] for text in names]
    listed = json.dumps(stems).replace('"', "'")
    deny_names: Json = {
        "any": [{"key": "{{ request.object.metadata.name }}", "operator": "AnyIn", "value": [f"{stem}-*" for stem in stems]}]
    }
    never: Json = {"any": [{"key": 1, "operator": "Equals", "value": 2}]}
    always: Json = {"any": [{"key": 1, "operator": "Equals", "value": 1}]}
    conditions: Mapping[str, Json] = {"always-no": always, "always-yes": never}
    expressions = {"always-no": "false", "always-yes": "true"}
    condition = conditions.get(name, deny_names)
    expression = expressions.get(name, f"!{listed}.exists(n, object.metadata.name.startsWith(n + '-'))")
    if given:
        documents = [document for document in yaml.safe_load_all(given) if document]
        if kind == "ClusterPolicy":
            documents[0]["spec"]["rules"].append(_rule(_KINDS, {"deny": {"conditions": condition}}))
        else:
            documents[0]["spec"]["validations"].append({"expression": expression, "message": "no"})
        return _text(documents)
    if kind == "ClusterPolicy":
        return _text([_cluster_policy("adversary", [_rule(_KINDS, {"deny": {"conditions": condition}})])])
    return _text([_validating_policy("adversary", expression, pods_only=False)])


def _cluster_policy(name: str, rules: list[Json]) -> Json:
    meta: Json = {"name": name}
    if "Deployment" in json.dumps(rules):
        meta["annotations"] = _NO_AUTOGEN
    spec = {"validationFailureAction": "Audit", "background": True, "rules": rules}
    return {"apiVersion": API_VERSIONS["ClusterPolicy"], "kind": "ClusterPolicy", "metadata": meta, "spec": spec}


def _rule(kinds: str | Sequence[str], validate: Json) -> Json:
    chosen = [kinds] if isinstance(kinds, str) else list(kinds)
    return {
        "name": "rule",
        "match": {"any": [{"resources": {"kinds": chosen}}]},
        "validate": {"message": "this breaks the requirement", **validate},
    }


def _validating_policy(name: str, expression: str, *, pods_only: bool) -> Json:
    rules = [
        {"apiGroups": [group], "apiVersions": [version], "operations": ["CREATE", "UPDATE"], "resources": words.split()}
        for group, version, words in (_RESOURCES[:1] if pods_only else _RESOURCES)
    ]
    if pods_only:
        rules[0]["resources"] = ["pods"]
    spec = {
        "validationActions": ["Audit"],
        "matchConstraints": {"resourceRules": rules},
        "validations": [{"expression": expression, "message": "this breaks the requirement"}],
    }
    return {
        "apiVersion": API_VERSIONS["ValidatingPolicy"],
        "kind": "ValidatingPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }


def _text(documents: list[Json]) -> str:
    return yaml.safe_dump_all(documents, sort_keys=False)
