from __future__ import annotations

from itbench.environments.live.access import access_objects, load_access

WRITES = {"create", "update", "patch", "delete", "deletecollection", "*"}


def rules(*, repair: bool) -> list[tuple[str, dict[str, list[str]]]]:
    objects = access_objects(load_access(), ["shop"], repair=repair)
    return [(obj["kind"], rule) for obj in objects if "rules" in obj for rule in obj["rules"]]


def test_who_only_looks_may_write_nothing_and_read_no_secret() -> None:
    for _, rule in rules(repair=False):
        assert not WRITES & set(rule["verbs"])
        assert "secrets" not in rule["resources"]


def test_secrets_can_never_be_listed() -> None:
    for _, rule in rules(repair=True):
        if "secrets" in rule["resources"]:
            assert not {"list", "watch"} & set(rule["verbs"])


def test_nobody_gets_rights_to_give_rights_or_to_run_commands() -> None:
    for kind, rule in rules(repair=True):
        if set(rule["verbs"]) & WRITES:
            assert "rbac.authorization.k8s.io" not in rule["apiGroups"]
        assert not {"pods/exec", "nodes/proxy", "pods/attach", "pods/portforward"} & set(rule["resources"])
        assert not (kind == "ClusterRole" and "*" in rule["resources"])


def test_rights_of_a_namespace_are_given_in_each_of_them() -> None:
    objects = list(access_objects(load_access(), ["shop", "chaos-mesh"], repair=True))
    assert {obj["metadata"].get("namespace") for obj in objects if obj["kind"] == "RoleBinding"} == {"shop", "chaos-mesh"}
