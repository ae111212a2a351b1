"""Images for another machine."""

from __future__ import annotations

from typing import Any

import pytest

from itbench.twin.base import node
from itbench.twin.kubelet.images import StockedRegistry
from itbench.twin.twin import Twin
from itbench.twin.workload.behaviour import ImageBehaviour
from itbench.twin.workload.process import KnownPrograms

IMAGE = "registry.example/tool"


def status(**described: Any) -> dict[str, Any]:
    known = {IMAGE: ImageBehaviour(image=IMAGE, published=True, **described)}
    twin = Twin(nodes=[node("node-1")], programs=KnownPrograms(known), registry=StockedRegistry([], known))
    twin.advance(1)
    metadata = {"name": "tool", "namespace": "default"}
    spec = {"containers": [{"name": "tool", "image": f"{IMAGE}:2"}]}
    twin.cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    twin.advance(60)
    (found,) = twin.store.list("Pod")[0]["status"]["containerStatuses"]
    return dict(found)


def test_what_is_built_for_this_machine_runs() -> None:
    assert "running" in status(architectures=("arm64", "amd64"))["state"]


def test_a_manifest_list_says_so_before_the_pull() -> None:
    waiting = status(architectures=("arm64",))["state"]["waiting"]
    assert waiting["reason"] in ("ErrImagePull", "ImagePullBackOff")
    assert "no match for platform in manifest" in waiting["message"]


def test_otherwise_the_program_cannot_be_executed() -> None:
    found = status(architectures=("arm64",), manifest_list=False)
    assert found["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert found["lastState"]["terminated"]["exitCode"] == 255


@pytest.mark.parametrize("image", ["registry.example/other:1"])
def test_what_nobody_publishes_is_not_found(image: str) -> None:
    known = {"registry.example/other": ImageBehaviour(image="registry.example/other")}
    assert "not found" in str(StockedRegistry([], known).pull(image, 0.5, "amd64").problem)
