from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from itbench.environments.live.deeds import deeds_of

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def event(verb: str, resource: str, group: str = "", user: str = "operator", code: int = 200, **more: Any) -> dict[str, Any]:
    target = {"resource": resource, "apiGroup": group, "namespace": "shop", "name": "web", **more.pop("target", {})}
    return {
        "verb": verb,
        "user": {"username": user},
        "objectRef": target,
        "responseStatus": {"code": code},
        "requestReceivedTimestamp": "2026-11-23T08:00:12.500000Z",
        "requestURI": "/",
        **more,
    }


def test_requests_of_one_user_are_told_by_kind_with_their_seconds() -> None:
    found = deeds_of([event("patch", "deployments", "apps"), event("get", "pods", user="itbench")], "operator", START)
    assert [(deed.verb, deed.kind, deed.name, deed.seconds) for deed in found] == [("patch", "Deployment", "web", 12.5)]


def test_scaling_to_nothing_is_seen_although_the_answer_leaves_zero_out() -> None:
    scale = event(
        "patch", "deployments", "apps", target={"subresource": "scale"}, responseObject={"kind": "Scale", "spec": {}}
    )
    (deed,) = deeds_of([scale], "operator", START)
    assert deed.after is not None
    assert deed.after["spec"] == {"replicas": 0}


def test_questions_about_rights_and_dry_runs_are_no_deeds() -> None:
    asked = event("create", "selfsubjectaccessreviews", "authorization.k8s.io")
    tried = event("delete", "pods", requestURI="/api/v1/namespaces/shop/pods/web?dryRun=All")
    assert deeds_of([asked, tried], "operator", START) == []


def test_what_was_refused_is_told_as_not_done() -> None:
    (deed,) = deeds_of([event("delete", "namespaces", code=403)], "operator", START)
    assert not deed.done
    assert str(deed) == "delete shop/Namespace/web (refused, 403)"


def test_the_name_of_a_created_object_comes_from_the_answer() -> None:
    made = event("create", "pods", target={"name": ""}, responseObject={"metadata": {"name": "web-x1"}})
    assert deeds_of([made], "operator", START)[0].name == "web-x1"
