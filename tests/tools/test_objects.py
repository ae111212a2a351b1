"""Objects, their changes, the graph they make, and the names they go by."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from itbench.model.entity import Entity
from itbench.snapshot.records import Event, LogRecord, ObjectVersion
from itbench.tools.errors import ToolError, near
from itbench.tools.graph import build
from itbench.tools.session import Session
from itbench.tools.toolbox import Toolbox
from tests.tools.conftest import Story, at, deployment, incident, manifest, pod, pod_of

Rows = Callable[[str], list[dict[str, str]]]
SessionOf = Callable[[Story], Session]


def test_an_object_is_given_as_it_was_at_a_time(toolbox: Toolbox) -> None:
    early = toolbox.call("object", {"name": "Deployment/cart", "at": "12:07"}).text
    late = toolbox.call("object", {"name": "shop/deploy/cart"}).text
    assert early.startswith("# shop/Deployment/cart, as observed at 2026-03-01T12:05:00Z\n")
    assert "image: cart:1" in early
    assert "image: cart:2" in late
    assert "managedFields" not in late


def test_a_name_alone_means_the_workload_and_names_the_others(toolbox: Toolbox) -> None:
    text = toolbox.call("object", {"name": "CART"}).text
    assert "kind: Deployment" in text
    assert "# others with this name: shop/Service/cart" in text


@pytest.mark.parametrize(
    ("name", "lesson"),
    [
        ("crt", "Did you mean shop/Deployment/cart, shop/Service/cart"),
        ("bank/Deployment/cart", "There are shop/Deployment/cart, shop/Service/cart"),
        ("ConfigMap/cart", "There are shop/Deployment/cart"),
        ("zzzz", "Known, for example: shop/Deployment/cart"),
        ("/", "an empty name"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(toolbox: Toolbox, name: str, lesson: str) -> None:
    answer = toolbox.call("object", {"name": name})
    assert answer.is_error
    assert lesson in answer.text


def test_an_object_before_its_time_is_refused_with_when_it_was(toolbox: Toolbox) -> None:
    answer = toolbox.call("object", {"name": "cart", "at": "11:00"})
    assert answer.is_error
    assert "no manifest of shop/Deployment/cart, shop/Service/cart is known at 2026-03-01T11:00:00Z" in answer.text


def test_near_names_contain_each_other_first() -> None:
    assert near("cart", ["valkey-cart", "card", "checkout", "cart-db"]) == ["cart-db", "valkey-cart", "card"]


def test_entities_come_from_telemetry_and_events_too(session_of: SessionOf) -> None:
    session = session_of(
        Story(
            logs=[LogRecord(at(0), "x", "cart", resource=pod_of("cart"))],
            events=[Event(at(0), Entity(kind="Node", name="n1"), "Ready", "m")],
            objects=[ObjectVersion(at(0), manifest("Namespace", "shop", {}))],
        )
    )
    assert [str(entity) for entity in session.entities.known] == ["Namespace/shop", "Node/n1", "shop/Pod/cart-7d9f-x1"]
    # Namespaces and nodes are in no namespace, but people write one before them.
    assert session.entities.resolve("shop/Namespace/shop") == (Entity(kind="Namespace", name="shop"),)
    with pytest.raises(ToolError):
        session.entities.resolve("bank/Pod/cart-7d9f-x1")


def test_a_change_is_told_once_with_its_field_and_when_it_was_made(toolbox: Toolbox, rows: Rows) -> None:
    (found,) = rows(toolbox.call("object_changes", {}).text)
    assert found == {
        "time": "2026-03-01T12:09:30Z",  # managedFields say so; the dump saw it at minute 10
        "observed": "2026-03-01T12:10:00Z",
        "change": "modified",
        "object": "shop/Deployment/cart",
        "fields": "spec.template.spec.containers[cart].image: cart:1 → cart:2",
    }
    assert "no changes" in toolbox.call("object_changes", {"kind": "Pod"}).text
    assert "no changes" in toolbox.call("object_changes", {"until": "12:09"}).text


def versions(*observed: tuple[float, dict]) -> list[ObjectVersion]:
    return [ObjectVersion(at(minute), body) for minute, body in observed]


def changes(session: Session) -> list[tuple[float, str, str]]:
    return [((change.time - at(0)).total_seconds() / 60, change.type, str(change.entity)) for change in session.changes]


def test_creations_and_reported_deletions_are_changes(session_of: SessionOf) -> None:
    born = manifest("ConfigMap", "born", {}, creationTimestamp="2026-03-01T12:03:00Z")
    objects = [
        *versions((0, manifest("ConfigMap", "old", {})), (4, born)),
        ObjectVersion(at(6), born, deleted=True),
        *versions((8, born | {"metadata": {**born["metadata"], "creationTimestamp": "2026-03-01T12:07:00Z"}})),
    ]
    assert changes(session_of(Story(objects=objects))) == [
        (3, "created", "shop/ConfigMap/born"),
        (6, "deleted", "shop/ConfigMap/born"),
        (7, "created", "shop/ConfigMap/born"),
    ]


def test_what_later_dumps_leave_out_is_gone(session_of: SessionOf) -> None:
    kept = [manifest("ConfigMap", name, {}) for name in ("a", "b", "c")]
    objects = [ObjectVersion(at(minute), body) for minute in range(0, 25, 5) for body in kept]
    objects += versions((0, manifest("ConfigMap", "lost", {})), (5, manifest("ConfigMap", "lost", {})))
    assert changes(session_of(Story(objects=objects))) == [(10, "gone", "shop/ConfigMap/lost")]


def test_a_watch_that_reports_an_object_once_makes_nothing_gone(session_of: SessionOf) -> None:
    objects = versions(*((0, manifest("ConfigMap", name, {})) for name in "abc"), (20, manifest("ConfigMap", "a", {"x": 1})))
    assert changes(session_of(Story(objects=objects))) == [(20, "modified", "shop/ConfigMap/a")]


def test_a_status_alone_is_no_change_unless_asked_for(tell: Callable[[Story], Toolbox], rows: Rows) -> None:
    ready, unready = ({**deployment("cart", "cart:1"), "status": {"readyReplicas": number}} for number in (1, 0))
    box = tell(Story(objects=versions((0, ready), (5, unready))))
    assert "no changes" in box.call("object_changes", {}).text
    (found,) = rows(box.call("object_changes", {"status": True}).text)
    assert found["fields"] == "status.readyReplicas: 1 → 0"


def test_leases_and_events_do_not_count_as_objects_that_change(session_of: SessionOf) -> None:
    beats = versions(*((n, manifest("Lease", "leader", {"holderIdentity": str(n)})) for n in range(5)))
    assert changes(session_of(Story(objects=beats))) == []


def test_the_graph_has_each_relation_with_namespaces() -> None:
    volumes = [
        {"name": "v1", "configMap": {"name": "settings"}},
        {"name": "v2", "secret": {"secretName": "keys"}},
        {"name": "v3", "persistentVolumeClaim": {"claimName": "disk"}},
        {"name": "v4", "projected": {"sources": [{"secret": {"name": "token"}}]}},
    ]
    env = [{"name": "DSN", "valueFrom": {"secretKeyRef": {"name": "dsn", "key": "k"}}}, {"name": "PLAIN", "value": "x"}]
    cart = pod("cart-0", "cart", "cart")
    cart["spec"] |= {"volumes": volumes, "containers": [{"name": "cart", "env": env}]}
    backend = {"http": {"paths": [{"backend": {"service": {"name": "cart"}}}]}}
    bodies = [
        deployment("cart", "cart:1"),
        cart,
        manifest("Service", "cart", {"selector": {"app": "cart"}}),
        manifest("Service", "other", {"selector": {"app": "cart", "tier": "x"}}),
        manifest("Service", "external", {}),
        manifest("HorizontalPodAutoscaler", "cart", {"scaleTargetRef": {"kind": "Deployment", "name": "cart"}}),
        manifest("Ingress", "web", {"rules": [backend]}),
        manifest("NetworkPolicy", "deny", {"podSelector": {}}),
        manifest("NetworkChaos", "cut", {"selector": {"namespaces": ["shop"], "labelSelectors": {"app": "cart"}}}),
        manifest("ResourceQuota", "quota", {"hard": {"pods": "1"}}),
    ]
    front, service = (
        Entity(namespace="shop", kind="Service", name="front"),
        Entity(namespace="shop", kind="Service", name="cart"),
    )
    graph = build(versions(*((0, body) for body in bodies)), [(front, service, "3 calls")])
    assert [f"{edge.source} {edge.relation} {edge.target}" for edge in graph.edges] == [
        "shop/Deployment/cart owns shop/Pod/cart-0",
        "shop/Deployment/cart uses shop/ConfigMap/cart-config",
        "shop/Deployment/cart uses shop/ServiceAccount/cart",
        "shop/HorizontalPodAutoscaler/cart scales shop/Deployment/cart",
        "shop/Ingress/web routes shop/Service/cart",
        "shop/NetworkChaos/cut selects shop/Pod/cart-0",
        "shop/NetworkPolicy/deny selects shop/Pod/cart-0",
        "shop/Pod/cart-0 runs_on Node/n1",
        "shop/Pod/cart-0 uses shop/ConfigMap/settings",
        "shop/Pod/cart-0 uses shop/PersistentVolumeClaim/disk",
        "shop/Pod/cart-0 uses shop/Secret/dsn",
        "shop/Pod/cart-0 uses shop/Secret/keys",
        "shop/Pod/cart-0 uses shop/Secret/token",
        "shop/ResourceQuota/quota limits Namespace/shop",
        "shop/Service/cart selects shop/Pod/cart-0",
        "shop/Service/front calls shop/Service/cart",
    ]


def test_equal_names_in_two_namespaces_stay_apart() -> None:
    bodies = []
    for namespace in ("shop", "bank"):
        for body in (pod("cart-0", "cart", "cart"), manifest("Service", "cart", {"selector": {"app": "cart"}})):
            body["metadata"]["namespace"] = namespace
            bodies.append(body)
    graph = build(versions(*((0, body) for body in bodies)), [])
    selections = [f"{edge.source} > {edge.target}" for edge in graph.edges if edge.relation == "selects"]
    assert selections == ["bank/Service/cart > bank/Pod/cart-0", "shop/Service/cart > shop/Pod/cart-0"]


def test_pods_without_owners_belong_to_the_workload_with_their_labels() -> None:
    lone = pod("cart-0", "cart", "cart")
    del lone["metadata"]["ownerReferences"]
    owner = manifest("Deployment", "cart", {"selector": {"matchLabels": {"app": "cart"}}})
    edges = build(versions((0, lone), (0, owner)), []).edges
    assert [(str(edge.source), edge.relation, edge.note) for edge in edges if edge.relation == "owns"] == [
        ("shop/Deployment/cart", "owns", "by labels")
    ]


@pytest.mark.parametrize(
    "spec",
    [
        {"selector": "x"}, {"selector": {"app": ["x"]}}, {"template": []},
        {"template": {"spec": {"containers": [1, {"env": "x"}]}}},
        {"scaleTargetRef": 5}, {"rules": [{"http": {"paths": "x"}}]}, [], None, {"volumes": {"a": 1}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["Service", "Deployment", "Pod", "Ingress", "NetworkPolicy", "NetworkChaos"])
def test_odd_manifests_make_no_trouble(kind: str, spec: object) -> None:
    build(versions((0, manifest(kind, "odd", spec)), (0, pod("cart-0", "cart", "cart"))), [])  # type: ignore[arg-type]


def test_topology_and_neighbours_show_edges_with_calls_from_spans(toolbox: Toolbox, rows: Rows) -> None:
    calls = rows(toolbox.call("topology", {"relation": "calls"}).text)
    assert [(row["source"], row["target"], row["by"]) for row in calls] == [
        ("shop/Service/cart", "shop/Service/db", "20 calls, 9 failed"),
        ("shop/Service/front", "shop/Service/cart", "20 calls, 9 failed"),
    ]
    near_cart = rows(toolbox.call("neighbours", {"name": "Service/cart"}).text)
    assert {(row["steps"], row["source"], row["relation"], row["target"]) for row in near_cart} == {
        ("1", "shop/Service/cart", "calls", "shop/Service/db"),
        ("1", "shop/Service/front", "calls", "shop/Service/cart"),
        ("1", "shop/Service/cart", "selects", "shop/Pod/cart-7d9f-x1"),
    }
    further = rows(toolbox.call("neighbours", {"name": "Service/cart", "depth": 2, "relation": "owns"}).text)
    assert [row["source"] for row in further] == ["shop/Deployment/cart"]


def test_objects_are_listed_with_when_they_were_seen(toolbox: Toolbox, rows: Rows) -> None:
    (found,) = rows(toolbox.call("objects", {"kind": "deploy", "name_contains": "CAR"}).text)
    assert (found["object"], found["seen"], found["first"]) == ("shop/Deployment/cart", "5", "2026-03-01T12:00:00Z")
    assert "Did you mean Deployment" in toolbox.call("objects", {"kind": "Deploymnt"}).text


def test_the_context_of_an_entity_has_a_part_for_each_kind_of_evidence(toolbox: Toolbox) -> None:
    text = toolbox.call("entity_context", {"name": "cart"}).text
    titles = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert titles == [
        "Entities", "Alerts", "Changes", "Events (warnings first)", "Neighbours", "Calls before and after the incident",
        "Log patterns", "Metrics of cart-7d9f-x1 that deviate",
    ]  # fmt: skip
    for evidence in ("shop/Pod/cart-7d9f-x1", "HighErrors", "cart:1 → cart:2", "probe 2", "[db]", "dial <*>", "+66.7"):
        assert evidence in text


def test_the_overview_shows_the_change_before_the_alert(session_of: SessionOf) -> None:
    session = session_of(incident())
    from itbench.tools.library.overview import incident_overview

    text = incident_overview(session, {})
    for evidence in ("HighErrors", "cart:1 → cart:2", "Unhealthy", "vanished | cart | db", "11m00s of recording before"):
        assert evidence in text
