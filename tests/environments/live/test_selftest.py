"""The self-test from the agent's side of the API server: it passes as things are, and fails where something is open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from itbench.cluster.control_plane import ControlPlane, Identity, open_control_plane
from itbench.cluster.kube_assets import kube_asset
from itbench.cluster.server import ServerCluster
from itbench.environments.live.access import GROUP, access_objects, load_access
from itbench.environments.live.selftest import ApiReport, Door, self_test
from itbench.model.errors import ClusterError

pytestmark = pytest.mark.integration
AGENT = Identity("operator", (GROUP,), "token-of-the-agent")
RBAC = "rbac.authorization.k8s.io/v1"


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    try:
        for program in ("etcd", "kube-apiserver"):
            kube_asset(program)
    except ClusterError as error:
        pytest.skip(str(error))
    with open_control_plane([AGENT]) as opened:
        with ServerCluster.connect(opened.kubeconfig) as connected:
            admin = connected.acting_as("kubectl-create")
            admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
            for obj in access_objects(load_access(), ["shop"], repair=True):
                admin.create(obj)
        yield opened


@pytest.fixture
def admin(plane: ControlPlane) -> Iterator[ServerCluster]:
    with ServerCluster.connect(plane.kubeconfig) as opened:
        yield opened.acting_as("kubectl-create")


def checked(plane: ControlPlane, *telling: str) -> ApiReport:
    door = Door(plane.address, plane.authority, AGENT.name, AGENT.token, plane.folder)
    return self_test(door, ["shop"], telling)


def leaks(report: ApiReport) -> list[tuple[str, str, str]]:
    return [(each.how, each.target, each.result) for each in report.leaks]


def test_as_things_are_nothing_is_open(plane: ControlPlane) -> None:
    report = checked(plane, "scaled-to-zero-kubernetes-workload")
    assert leaks(report) == []
    assert not report.leaked
    assert {"read", "right", "history"} <= {each.how for each in report.attempts}
    seen = {each.target for each in report.attempts if each.how == "history" and each.result == "nothing"}
    assert {"pods", "events", "deployments.apps", "configmaps"} <= seen


def test_too_many_rights_are_found(plane: ControlPlane, admin: ServerCluster) -> None:
    metadata = {"name": "careless"}
    rules = [{"apiGroups": [""], "resources": ["secrets", "pods/exec"], "verbs": ["list", "create"]}]
    admin.create({"apiVersion": RBAC, "kind": "ClusterRole", "metadata": metadata, "rules": rules})
    binding = {
        "apiVersion": RBAC,
        "kind": "ClusterRoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "careless"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": GROUP}],
    }
    admin.create(binding)
    try:
        found = leaks(checked(plane))
    finally:
        from itbench.cluster.reference import ObjectRef

        admin.delete(ObjectRef.of(binding))
    assert ("read", "/api/v1/namespaces/kube-system/secrets", "allowed") in found
    assert ("right", "create pods/exec in shop", "allowed") in found


@pytest.mark.parametrize(
    "metadata",
    [
        {"annotations": {"injected-by": "itbench"}},
        {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": '{"id": "scaled-to-zero-workload"}'}},
        {"labels": {"fault": "scaled-to-zero-workload"}},
    ],
)
def test_a_history_that_tells_is_found(
    plane: ControlPlane, admin: ServerCluster, metadata: dict[str, dict[str, str]], request: pytest.FixtureRequest
) -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note", "namespace": "shop", **metadata}}
    forget(admin, admin.create(obj), request)
    assert leaks(checked(plane, "scaled-to-zero-workload")) == [("history", "configmaps", "named")]


def test_a_manager_that_tells_is_found(plane: ControlPlane, admin: ServerCluster, request: pytest.FixtureRequest) -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note", "namespace": "shop"}, "data": {"a": "b"}}
    forget(admin, admin.acting_as("fault-harness").create(obj), request)
    assert leaks(checked(plane)) == [("history", "configmaps", "named")]


def test_another_trial_that_takes_the_token_is_found(plane: ControlPlane) -> None:
    with open_control_plane([AGENT]) as other:
        assert ("other trial", other.address, "accepted") in leaks(checked(plane))
    with open_control_plane([Identity("operator", (GROUP,), "another-token")]) as other:
        report = checked(plane)
        assert not report.leaked
        assert ("other trial", other.address, "denied") in [(e.how, e.target, e.result) for e in report.attempts]


def forget(admin: ServerCluster, obj: object, request: pytest.FixtureRequest) -> None:
    from itbench.cluster.reference import ObjectRef

    request.addfinalizer(lambda: admin.delete(ObjectRef.of(obj)))  # type: ignore[arg-type]
