"""What objects do to connections."""

from __future__ import annotations

from typing import Any

import pytest

from itbench.cluster.reference import ObjectRef
from itbench.twin.flow.state import Kind

Shop = Any


def only(link: Any) -> tuple[Kind, float, str]:
    """The one failure of a link: kind, share, mechanism."""
    (failure,) = link.failures
    return failure.kind, failure.share, failure.cause.mechanism


def blamed(link: Any) -> list[str]:
    causes = [failure.cause for failure in link.failures] + ([link.rejected.cause] if link.rejected else [])
    return [str(ref) for cause in causes for ref in cause.objects]


def test_what_runs_is_reached(shop: Shop) -> None:
    state = shop.state()
    assert all(link.failures == () and link.rejected is None and link.balance == 1.0 for link in state.links)
    assert shop.link("front", "cart").address == ("cart", 80)


def test_a_service_without_endpoints_is_rejected_by_the_node(shop: Shop) -> None:
    shop.cluster.scale(ObjectRef.parse("deployment/cart", "shop"), 0)
    link = shop.link("front", "cart")
    assert link.rejected is not None
    assert (link.rejected.share, link.failures) == (1.0, ())
    assert blamed(link) == ["service/cart"]


def test_a_selector_that_fits_no_pod_leaves_no_endpoints(shop: Shop) -> None:
    shop.patch("service/cart", {"spec": {"selector": {"app.kubernetes.io/name": "basket"}}})
    assert shop.link("front", "cart").rejected is not None


def test_a_selector_that_fits_other_pods_leads_to_strangers(shop: Shop) -> None:
    shop.patch("service/cart", {"spec": {"selector": {"app.kubernetes.io/name": "store"}}})
    assert only(shop.link("front", "cart")) == (Kind.STATUS, 1.0, "wrong pods")


def test_a_port_on_which_nobody_listens_is_refused_by_the_pod(shop: Shop) -> None:
    shop.patch("service/cart", [{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 9999}], "json")
    link = shop.link("front", "cart")
    assert only(link) == (Kind.REFUSED, 1.0, "port closed")
    assert link.failures[0].seconds < 0.01
    assert blamed(link) == ["service/cart"]


def test_a_program_told_to_listen_elsewhere_is_refused_where_it_was(shop: Shop) -> None:
    shop.container("store", readinessProbe=None)
    shop.env("store", PORT="9000")
    assert only(shop.link("cart", "store")) == (Kind.REFUSED, 1.0, "port closed")


def test_a_deleted_service_does_not_resolve(shop: Shop) -> None:
    shop.delete("service/store")
    link = shop.link("cart", "store")
    assert only(link) == (Kind.NAME, 1.0, "name not found")
    assert (link.failures[0].seconds, link.failures[0].bounded) == (4.0, False)
    assert blamed(link) == ["service/store"]


def test_a_wrong_host_in_the_environment_does_not_resolve(shop: Shop) -> None:
    shop.env("cart", STORE_ADDR="stroe:80")
    link = shop.link("cart", "store")
    assert only(link) == (Kind.NAME, 1.0, "name not found")
    assert blamed(link) == ["deployment/cart"]


def test_a_port_that_the_service_does_not_have_leads_nowhere(shop: Shop) -> None:
    shop.env("cart", STORE_ADDR="store:81")
    assert only(shop.link("cart", "store")) == (Kind.TIMEOUT, 1.0, "no such port")


def test_port_zero_is_refused_at_once(shop: Shop) -> None:
    shop.env("cart", STORE_ADDR="store:0000")
    assert only(shop.link("cart", "store")) == (Kind.REFUSED, 1.0, "port 0")


@pytest.mark.parametrize("host", ["store.shop", "store.shop.svc", "store.shop.svc.cluster.local", "http://store:80/path"])
def test_longer_names_of_a_service_lead_to_it(shop: Shop, host: str) -> None:
    shop.env("cart", STORE_ADDR=host)
    assert shop.link("cart", "store").failures == ()


def test_the_nodes_resolver_knows_no_service(shop: Shop) -> None:
    shop.patch("deployment/cart", {"spec": {"template": {"spec": {"dnsPolicy": "Default"}}}})
    assert only(shop.link("cart", "store")) == (Kind.NAME, 1.0, "node's DNS")


def test_a_policy_that_allows_nobody_drops_everything(shop: Shop) -> None:
    shop.create("networking.k8s.io/v1", "NetworkPolicy", "quiet", {"podSelector": {}, "policyTypes": ["Ingress"]})
    link = shop.link("cart", "store", after=1)
    assert only(link) == (Kind.TIMEOUT, 1.0, "network policy")
    assert blamed(link) == ["networkpolicy/quiet"]


def test_a_policy_that_keeps_a_caller_in_is_told_from_one_that_keeps_callers_out(shop: Shop) -> None:
    names = {"to": [{"namespaceSelector": {}}], "ports": [{"port": 53, "protocol": "UDP"}]}
    shop.create("networking.k8s.io/v1", "NetworkPolicy", "locked", {"podSelector": {}, "egress": [names]})
    shop.create("networking.k8s.io/v1", "NetworkPolicy", "open", {"podSelector": {}, "ingress": [{}]})
    assert only(shop.link("cart", "store", after=1)) == (Kind.TIMEOUT, 1.0, "egress policy")


def test_a_policy_lets_those_through_whom_it_names(shop: Shop) -> None:
    selector = {"matchLabels": {"app.kubernetes.io/name": "catalog"}}
    friends = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "reco"}}}
    rule = {"from": [friends], "ports": [{"port": 8080}]}
    shop.create("networking.k8s.io/v1", "NetworkPolicy", "few", {"podSelector": selector, "ingress": [rule]})
    assert shop.link("reco", "catalog", after=1).failures == ()
    assert only(shop.link("front", "catalog", after=1)) == (Kind.TIMEOUT, 1.0, "network policy")


def test_a_rule_without_ports_and_peers_allows_all(shop: Shop) -> None:
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": []}]}
    shop.create("networking.k8s.io/v1", "NetworkPolicy", "open", spec)
    assert shop.link("cart", "store", after=1).failures == ()


def test_a_policy_on_egress_takes_names_away_first(shop: Shop) -> None:
    selector = {"matchLabels": {"app.kubernetes.io/name": "cart"}}
    shop.create("networking.k8s.io/v1", "NetworkPolicy", "mute", {"podSelector": selector, "policyTypes": ["Egress"]})
    assert only(shop.link("cart", "store", after=1)) == (Kind.NAME, 1.0, "network policy")


def test_a_changed_secret_counts_with_the_next_start(shop: Shop) -> None:
    shop.state(0)
    shop.patch("secret/store-access", {"stringData": {"token": "other"}}, "merge")
    assert shop.link("cart", "store").failures == ()
    shop.cluster.restart(ObjectRef.parse("deployment/store", "shop"))
    kind, share, mechanism = only(shop.link("cart", "store"))
    assert (kind, share, mechanism) == (Kind.STATUS, 1.0, "credentials")


def test_half_of_the_endpoints_fail_half_of_the_calls(shop: Shop) -> None:
    shop.container("catalog", readinessProbe=None)
    shop.state(60)
    pods = [pod["metadata"]["name"] for pod in shop.cluster.list("Pod", "shop", "app.kubernetes.io/name=catalog")]
    spec = {"mode": "all", "action": "pod-failure", "selector": {"pods": {"shop": pods[:1]}}}
    shop.create("chaos-mesh.org/v1alpha1", "PodChaos", "one", spec)
    assert only(shop.link("front", "catalog")) == (Kind.REFUSED, 0.5, "pod failure")


def test_a_readiness_probe_takes_a_replaced_program_out_of_the_endpoints(shop: Shop) -> None:
    spec = {"action": "pod-failure", **selector("cart")}
    shop.create("chaos-mesh.org/v1alpha1", "PodChaos", "one", spec)
    assert shop.link("front", "cart").rejected is not None
    assert shop.service("cart", after=0).running == 0


def selector(service: str) -> dict[str, Any]:
    return {"mode": "all", "selector": {"namespaces": ["shop"], "labelSelectors": {"app.kubernetes.io/component": service}}}


def test_a_partition_cuts_only_between_its_sides(shop: Shop) -> None:
    spec = {"action": "partition", "direction": "both", "target": selector("catalog"), **selector("reco")}
    shop.create("chaos-mesh.org/v1alpha1", "NetworkChaos", "cut", spec)
    assert only(shop.link("reco", "catalog", after=1)) == (Kind.TIMEOUT, 1.0, "partition")
    assert shop.link("front", "catalog", after=1).failures == ()


def test_a_delay_counts_for_each_answer_that_a_new_connection_waits_for(shop: Shop) -> None:
    spec = {"action": "delay", "delay": {"latency": "300ms", "jitter": "20ms"}, **selector("store")}
    shop.create("chaos-mesh.org/v1alpha1", "NetworkChaos", "slow", spec)
    (delay,) = shop.link("cart", "store", after=1).delays
    assert delay.seconds == pytest.approx(0.6)
    assert delay.jitter == pytest.approx(0.02 * 2**0.5)


def test_loss_both_ways_is_more_than_one_way(shop: Shop) -> None:
    spec = {"action": "loss", "loss": {"loss": "20"}, "direction": "both", "target": selector("store"), **selector("cart")}
    shop.create("chaos-mesh.org/v1alpha1", "NetworkChaos", "lossy", spec)
    loss = shop.link("cart", "store", after=1).loss
    assert loss is not None
    assert loss.share == pytest.approx(1 - 0.8**2)


def test_an_experiment_ends_with_its_duration(shop: Shop) -> None:
    spec = {"action": "partition", "duration": "55s", **selector("store")}
    shop.create("chaos-mesh.org/v1alpha1", "NetworkChaos", "short", spec)
    assert shop.link("cart", "store", after=50).failures != ()
    assert shop.link("cart", "store", after=10).failures == ()


def test_a_paused_experiment_does_nothing(shop: Shop) -> None:
    annotations = {"experiment.chaos-mesh.org/pause": "true"}
    shop.create(
        "chaos-mesh.org/v1alpha1",
        "NetworkChaos",
        "rest",
        {"action": "partition", **selector("store")},
        annotations=annotations,
    )
    assert shop.link("cart", "store", after=1).failures == ()


def test_chaos_of_names_keeps_callers_from_resolving(shop: Shop) -> None:
    shop.create("chaos-mesh.org/v1alpha1", "DNSChaos", "lost", {"action": "error", "patterns": ["sto*"], **selector("cart")})
    assert only(shop.link("cart", "store", after=1)) == (Kind.NAME, 1.0, "DNS chaos")


def test_pods_of_a_node_that_is_down_do_not_answer(shop: Shop) -> None:
    pod = shop.cluster.list("Pod", "shop", "app.kubernetes.io/name=store")[0]
    node = shop.cluster.get(ObjectRef("Node", pod["spec"]["nodeName"]))
    for condition in node["status"]["conditions"]:
        condition["status"] = "False" if condition["type"] == "Ready" else condition["status"]
    shop.cluster.replace(node, subresource="status")
    callers = {pod["spec"]["nodeName"] for pod in shop.cluster.list("Pod", "shop", "app.kubernetes.io/name=cart")}
    assert callers
    assert Kind.TIMEOUT in {failure.kind for failure in shop.link("cart", "store", after=0.01).failures}
