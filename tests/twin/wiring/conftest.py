"""The five-service shop on a twin, and what its traffic meets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from itbench.cluster.reference import ObjectRef
from itbench.twin.app.load import load_application
from itbench.twin.flow.state import LinkState, RouteState, ServiceState, State
from itbench.twin.running import RunningApplication
from itbench.twin.wiring.wiring import Wiring

SHOP = Path(__file__).parents[1] / "applications" / "shop.yaml"


@dataclass
class Shop:
    """Shorthands for changing the shop and looking at its state."""

    running: RunningApplication = field(default_factory=lambda: RunningApplication(load_application(str(SHOP)), tick=1.0))

    def __post_init__(self) -> None:
        self.cluster = self.running.twin.cluster
        self.wiring = Wiring(self.running.graph)

    def create(self, api_version: str, kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> None:
        body = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "shop", **metadata}}
        self.cluster.create({**body, "spec": spec})

    def patch(self, text: str, patch: Any, kind: Any = "strategic") -> None:
        self.cluster.patch(ObjectRef.parse(text, "shop"), patch, kind)

    def container(self, name: str, **parts: Any) -> None:
        pod = {"containers": [{"name": name, **parts}]}
        self.patch(f"deployment/{name}", {"spec": {"template": {"spec": pod}}})

    def env(self, service: str, **values: str) -> None:
        self.container(service, env=[{"name": name, "value": value} for name, value in values.items()])

    def delete(self, text: str) -> None:
        self.cluster.delete(ObjectRef.parse(text, "shop"))

    def state(self, after: float = 30.0) -> State:
        self.running.twin.advance(after)
        return self.wiring.state(self.running.twin.store, self.running.twin.clock.now)

    def link(self, caller: str, callee: str, after: float = 30.0) -> LinkState:
        links = [(link.caller, link.callee) for link in self.running.graph.links]
        return self.state(after).links[links.index((caller, callee))]

    def service(self, name: str, after: float = 30.0) -> ServiceState:
        return self.state(after).services[self.running.graph.service_index(name)]

    def route(self, service: str, route: str, after: float = 30.0) -> RouteState:
        return self.state(after).routes[self.running.graph.route_index(service, route)]


@pytest.fixture
def shop() -> Shop:
    return Shop()
