"""The interface, on both clusters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from itbench.cluster.protocol import Cluster, KubeObject, WatchEvent
from itbench.cluster.reference import ObjectRef
from itbench.model.errors import (
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooManyRequestsError,
)

Manifests: TypeAlias = Any
Ref: TypeAlias = Callable[[str], ObjectRef]


def test_created_object_has_what_a_server_sets(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    created = cluster.create(make.deployment(home))
    assert created["metadata"]["uid"]
    assert created["metadata"]["generation"] == 1
    assert created["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": "25%", "maxUnavailable": "25%"}
    assert cluster.get(ref("deploy/web")) == created


def test_what_is_returned_is_the_callers_own(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    cluster.create(make.named("ConfigMap", namespace=home, data={"a": "b"}))
    cluster.get(ref("cm/web"))["data"]["a"] = "changed"
    assert cluster.get(ref("cm/web"))["data"] == {"a": "b"}


def test_missing_objects_are_not_found(cluster: Cluster, home: str, ref: Ref) -> None:
    for request in (cluster.get, cluster.delete, lambda absent: cluster.patch(absent, {}, "merge")):
        with pytest.raises(NotFoundError, match=r'^deployments\.apps "absent" not found$'):
            request(ref("deployment/absent"))


def test_name_can_be_used_once(cluster: Cluster, home: str, make: Manifests) -> None:
    cluster.create(make.named("ConfigMap", namespace=home))
    with pytest.raises(AlreadyExistsError, match=r'^configmaps "web" already exists$'):
        cluster.create(make.named("ConfigMap", namespace=home))


def test_namespace_must_exist(cluster: Cluster, make: Manifests) -> None:
    with pytest.raises(NotFoundError, match=r'^namespaces "nowhere" not found$'):
        cluster.create(make.named("ConfigMap", namespace="nowhere"))


def test_nothing_new_enters_a_namespace_that_ends(cluster: Cluster, home: str, make: Manifests) -> None:
    cluster.delete(ObjectRef("Namespace", home))
    assert cluster.get(ObjectRef("Namespace", home))["status"]["phase"] == "Terminating"
    with pytest.raises(ForbiddenError, match="because it is being terminated"):
        cluster.create(make.named("ConfigMap", namespace=home))


def test_generated_names_differ(cluster: Cluster, home: str) -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "part-", "namespace": home}}
    names = {cluster.create(manifest)["metadata"]["name"] for _ in range(5)}
    assert len(names) == 5
    assert all(name.startswith("part-") and len(name) == 10 for name in names)


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        (None, ["a", "b", "c"]),
        ("tier=front", ["a"]),
        ("tier!=front", ["b", "c"]),
        ("tier in (front,back)", ["a", "b"]),
        ("tier notin (front, back)", ["c"]),
        ("!tier", ["c"]),
        ("tier,color", ["b"]),
    ],
)
def test_list_selects_by_labels(
    cluster: Cluster, home: str, selector: str | None, found: list[str], make: Manifests
) -> None:
    for name, labels in (("b", {"tier": "back", "color": "red"}), ("c", {}), ("a", {"tier": "front"})):
        cluster.create(make.named("ConfigMap", name, home, metadata={"labels": labels}))
    assert [item["metadata"]["name"] for item in cluster.list("configmaps", home, selector)] == found


def test_bad_selector_is_invalid(cluster: Cluster, home: str) -> None:
    with pytest.raises(InvalidError):
        cluster.list("pods", home, "a=b=c")


def test_listed_objects_name_their_kind(cluster: Cluster, home: str, make: Manifests) -> None:
    cluster.create(make.deployment(home))
    assert [(item["apiVersion"], item["kind"]) for item in cluster.list("deploy", home)] == [("apps/v1", "Deployment")]


def test_patches_of_each_type(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    cluster.create(make.deployment(home))
    container = {"name": "web", "env": [{"name": "B", "value": "2"}]}
    cluster.patch(ref("deploy/web"), {"spec": {"template": {"spec": {"containers": [container]}}}})
    cluster.patch(ref("deploy/web"), {"spec": {"replicas": 3}, "metadata": {"labels": {"a": "b"}}}, "merge")
    cluster.patch(ref("deploy/web"), [{"op": "add", "path": "/metadata/annotations", "value": {"x": "y"}}], "json")
    after = cluster.get(ref("deploy/web"))
    assert [item["name"] for item in after["spec"]["template"]["spec"]["containers"][0]["env"]] == ["B", "A"]
    assert (after["spec"]["replicas"], after["metadata"]["labels"], after["metadata"]["annotations"]) == (
        3,
        {"a": "b"},
        {"x": "y"},
    )
    assert after["metadata"]["generation"] == 4  # a deployment's annotations count


def test_strategic_patch_of_a_custom_kind_is_refused(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    cluster.create(make.named("NetworkChaos", namespace=home, spec={"action": "delay"}))
    with pytest.raises(InvalidError):
        cluster.patch(ref("networkchaos/web"), {"spec": {"action": "loss"}})
    assert cluster.patch(ref("networkchaos/web"), {"spec": {"action": "loss"}}, "merge")["metadata"]["generation"] == 2


def test_patch_that_changes_nothing_writes_nothing(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    before = cluster.create(make.deployment(home))
    after = cluster.patch(ref("deploy/web"), {"spec": {"replicas": 2}})
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


def test_json_patch_whose_test_fails_changes_nothing(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    cluster.create(make.deployment(home))
    operations = [
        {"op": "replace", "path": "/spec/replicas", "value": 5},
        {"op": "test", "path": "/spec/replicas", "value": 2},
    ]
    with pytest.raises(InvalidError):
        cluster.patch(ref("deploy/web"), operations, "json")
    assert cluster.get(ref("deploy/web"))["spec"]["replicas"] == 2


def test_stale_object_conflicts(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    stale = cluster.create(make.deployment(home))
    cluster.scale(ref("deploy/web"), 4)
    with pytest.raises(ConflictError, match="the object has been modified; please apply your changes to the latest version"):
        cluster.replace(stale)
    del stale["metadata"]["resourceVersion"]
    assert cluster.replace(stale)["spec"]["replicas"] == 2


def test_status_and_the_rest_are_written_apart(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    pod = cluster.create(make.pod(home))
    pod["status"] = {**pod["status"], "phase": "Running"}
    pod["metadata"]["labels"] = {"a": "b"}
    assert cluster.replace(pod)["status"]["phase"] == "Pending"
    pod = {**cluster.get(ref("pod/web")), "status": {"phase": "Running"}}
    assert cluster.replace(pod, subresource="status")["status"]["phase"] == "Running"
    assert cluster.get(ref("pod/web"))["metadata"]["generation"] == 1


def test_object_cannot_become_another(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    cluster.create(make.deployment(home))
    for metadata in ({"name": "other"}, {"namespace": "other"}, {"uid": "other"}):
        with pytest.raises(InvalidError):
            cluster.patch(ref("deploy/web"), {"metadata": metadata})


def test_deleted_object_is_gone(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    cluster.create(make.named("ConfigMap", namespace=home))
    cluster.delete(ref("cm/web"))
    with pytest.raises(NotFoundError):
        cluster.get(ref("cm/web"))


def test_finalizers_hold_an_object(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    cluster.create(make.named("ConfigMap", namespace=home, metadata={"finalizers": ["example.com/hold"]}))
    cluster.delete(ref("cm/web"))
    assert cluster.get(ref("cm/web"))["metadata"]["deletionTimestamp"]
    cluster.patch(ref("cm/web"), {"metadata": {"finalizers": None}}, "merge")
    with pytest.raises(NotFoundError):
        cluster.get(ref("cm/web"))


def test_foreground_deletion_waits_for_the_garbage_collector(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    cluster.create(make.deployment(home))
    cluster.delete(ref("deploy/web"), propagation="foreground")
    assert cluster.get(ref("deploy/web"))["metadata"]["finalizers"] == ["foregroundDeletion"]


def test_running_pod_is_given_its_grace_period(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    cluster.create(make.pod(home, terminationGracePeriodSeconds=7))
    cluster.bind(ref("pod/web"), "node-1")
    cluster.delete(ref("pod/web"))
    assert cluster.get(ref("pod/web"))["metadata"]["deletionGracePeriodSeconds"] == 7
    cluster.delete(ref("pod/web"), grace_seconds=2)
    assert cluster.get(ref("pod/web"))["metadata"]["deletionGracePeriodSeconds"] == 2
    cluster.delete(ref("pod/web"), grace_seconds=0)
    with pytest.raises(NotFoundError):
        cluster.get(ref("pod/web"))


def test_pod_that_no_node_has_goes_at_once(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    cluster.create(make.pod(home))
    cluster.delete(ref("pod/web"))
    with pytest.raises(NotFoundError):
        cluster.get(ref("pod/web"))


def test_pod_is_bound_once(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    cluster.create(make.pod(home))
    cluster.bind(ref("pod/web"), "node-1")
    bound = cluster.get(ref("pod/web"))
    assert bound["spec"]["nodeName"] == "node-1"
    assert [(each["type"], each["status"]) for each in bound["status"]["conditions"]] == [("PodScheduled", "True")]
    with pytest.raises(ConflictError, match='pod web is already assigned to node "node-1"'):
        cluster.bind(ref("pod/web"), "node-2")


def test_budget_decides_on_evictions(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    budget = cluster.create(
        make.named(
            "PodDisruptionBudget", namespace=home, spec={"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
        )
    )
    for name in ("one", "two"):
        pod = cluster.create(make.pod(home, name))
        ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        cluster.replace({**pod, "status": ready}, subresource="status")
    budget["status"] = {
        "observedGeneration": 1, "disruptionsAllowed": 1, "currentHealthy": 2, "desiredHealthy": 1, "expectedPods": 2,
    }  # fmt: skip
    cluster.replace(budget, subresource="status")
    cluster.evict(ref("pod/one"))
    with pytest.raises(NotFoundError):
        cluster.get(ref("pod/one"))
    assert "one" in cluster.get(ref("pdb/web"))["status"]["disruptedPods"]
    with pytest.raises(TooManyRequestsError, match="Cannot evict pod as it would violate the pod's disruption budget"):
        cluster.evict(ref("pod/two"))


def test_watch_tells_what_is_there_and_what_changes(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    cluster.create(make.named("ConfigMap", "first", home))
    with cluster.watch("configmaps", home) as watch:
        events = _until(watch.poll, 1)
        cluster.create(make.named("ConfigMap", "second", home))
        cluster.patch(ref("cm/second"), {"data": {"a": "b"}})
        cluster.create(make.named("Secret", "other-kind", home))
        cluster.create(make.named("ConfigMap", "other-namespace", "default"))
        cluster.delete(ref("cm/second"))
        events += _until(watch.poll, 3)
    cluster.delete(ObjectRef("ConfigMap", "other-namespace", "default"))
    assert [(event.type, event.object["metadata"]["name"]) for event in events] == [
        ("ADDED", "first"),
        ("ADDED", "second"),
        ("MODIFIED", "second"),
        ("DELETED", "second"),
    ]
    assert events[-1].object["data"] == {"a": "b"}


def test_watch_of_all_kinds(cluster: Cluster, home: str, make: Manifests) -> None:
    with cluster.watch(namespace=home) as watch:
        watch.poll()
        cluster.create(make.named("HTTPChaos", namespace=home, spec={}))
        cluster.create(make.deployment(home))
        events = _until(watch.poll, 2)
    assert {event.object["kind"] for event in events} == {"HTTPChaos", "Deployment"}


def test_watch_of_an_unknown_kind_is_refused(cluster: Cluster) -> None:
    with pytest.raises(NotFoundError):
        cluster.watch("gadgets")


def test_scale_and_restart(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    cluster.create(make.deployment(home))
    assert cluster.scale(ref("deploy/web"), 0)["spec"]["replicas"] == 0
    restarted = cluster.restart(ref("deploy/web"))
    assert "kubectl.kubernetes.io/restartedAt" in restarted["spec"]["template"]["metadata"]["annotations"]
    for refused in (lambda: cluster.restart(ref("cm/web")), lambda: cluster.scale(ref("ds/web"), 1)):
        with pytest.raises(InvalidError):
            refused()


def test_undo_goes_back_one_revision(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    owner = cluster.create(make.deployment(home))
    for revision, image in ((1, "shop/web:0"), (2, "shop/web:1")):
        cluster.create(_replica_set(make, owner, revision, image))
    undone = cluster.rollout_undo(ref("deploy/web"))["spec"]["template"]
    assert undone["spec"]["containers"][0]["image"] == "shop/web:0"
    assert undone["metadata"]["labels"] == {"app": "web"}


def test_undo_needs_an_earlier_revision(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    cluster.create(_replica_set(make, cluster.create(make.deployment(home)), 1, "shop/web:1"))
    with pytest.raises(InvalidError, match='no rollout history found for deployment "web"'):
        cluster.rollout_undo(ref("deploy/web"))


def test_apply_merges_three_ways(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    first = make.deployment(home)
    first["metadata"]["labels"] = {"keep": "1", "drop": "1"}
    cluster.apply(first)
    cluster.patch(ref("deploy/web"), {"metadata": {"labels": {"others": "1"}}, "spec": {"paused": True}})
    second = make.deployment(home)
    second["metadata"]["labels"] = {"keep": "2"}
    second["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "C", "value": "3"}]
    after = cluster.apply(second)
    assert after["metadata"]["labels"] == {"keep": "2", "others": "1"}
    assert after["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "C", "value": "3"}]
    assert after["spec"]["paused"] is True
    assert cluster.apply(second)["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]


def test_events_of_an_object_oldest_first(cluster: Cluster, home: str, make: Manifests) -> None:
    for name, about, when in (("late", "web", "09"), ("early", "web", "08"), ("other", "db", "07")):
        involved = {"kind": "Pod", "name": about, "namespace": home}
        moment = f"2026-11-23T{when}:00:00Z"
        cluster.create(make.named("Event", name, home, involvedObject=involved, reason="R", lastTimestamp=moment))
    found = cluster.events(home, ObjectRef("Pod", "web", home))
    assert [event["metadata"]["name"] for event in found] == ["early", "late"]
    assert [event["metadata"]["name"] for event in cluster.events(home)] == ["other", "early", "late"]


def test_only_pods_have_logs(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    cluster.create(make.deployment(home))
    with pytest.raises(InvalidError, match="only pods have"):
        cluster.logs(ref("deploy/web"))
    with pytest.raises(NotFoundError):
        cluster.logs(ref("pod/absent"))


def test_managed_fields_tell_who_wrote(cluster: Cluster, home: str, ref: Ref, make: Manifests) -> None:
    cluster.acting_as("author").create(make.deployment(home))
    cluster.acting_as("scaler").patch(ref("deploy/web"), {"spec": {"replicas": 5}})
    entries = {entry["manager"]: entry["fieldsV1"] for entry in cluster.get(ref("deploy/web"))["metadata"]["managedFields"]}
    assert entries["scaler"] == {"f:spec": {"f:replicas": {}}}
    assert "f:template" in entries["author"]["f:spec"]
    assert "f:replicas" not in entries["author"]["f:spec"]
    cluster.acting_as("other").patch(ref("deploy/web"), {"spec": {"replicas": 6}})
    assert "scaler" not in {entry["manager"] for entry in cluster.get(ref("deploy/web"))["metadata"]["managedFields"]}


def _until(poll: Callable[[float], list[WatchEvent]], count: int) -> list[WatchEvent]:
    """So many events; a real server takes a moment."""
    events: list[WatchEvent] = []
    for _ in range(50):
        events += poll(0.2)
        if len(events) >= count:
            break
    return events


def _replica_set(make: Manifests, owner: KubeObject, revision: int, image: str) -> KubeObject:
    pods = make.template()
    pods["metadata"]["labels"] = {"app": "web", "pod-template-hash": f"h{revision}"}
    pods["spec"]["containers"][0]["image"] = image
    reference: dict[str, Any] = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "controller": True}
    metadata = {
        "annotations": {"deployment.kubernetes.io/revision": str(revision)},
        "ownerReferences": [{**reference, "uid": owner["metadata"]["uid"]}],
    }
    spec = {"selector": {"matchLabels": {"pod-template-hash": f"h{revision}"}}, "template": pods}
    return make.named("ReplicaSet", f"web-h{revision}", owner["metadata"]["namespace"], metadata=metadata, spec=spec)


def test_no_two_services_have_one_address(cluster: Cluster, make: Manifests, home: str) -> None:
    first = cluster.create(make.named("Service", "first", home, spec={"ports": [{"port": 80}]}))
    address = first["spec"]["clusterIP"]
    with pytest.raises(InvalidError) as caught:
        cluster.create(make.named("Service", "second", home, spec={"ports": [{"port": 80}], "clusterIP": address}))
    assert caught.value.message == (
        f'Service "second" is invalid: spec.clusterIPs: Invalid value: ["{address}"]: '
        f"failed to allocate IP {address}: provided IP is already allocated"
    )
