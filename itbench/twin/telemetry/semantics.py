"""How calls and requests appear as spans: which are seen at all, their names, kinds and attributes.

After OpenTelemetry's semantic conventions. Programs (HTTP, gRPC) report their requests; databases, caches and brokers do
not, so that only their callers' spans show them. What a program does by the clock, such as polling, is no request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from itbench.twin.app.application import Application
from itbench.twin.app.routes import RouteName
from itbench.twin.flow.graph import Graph
from itbench.twin.wiring.mesh import MODE

SpanKind = Literal["Server", "Client", "Internal", "Producer", "Consumer"]

_TRACED = ("http", "grpc")
_VERBS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD")
_DATABASES = ("postgresql", "redis")
_OK_STATUS = 200
# https://github.com/grpc/grpc/blob/master/doc/statuscodes.md
_GRPC_OK, _GRPC_INTERNAL = "0", "13"


@dataclass(frozen=True, slots=True)
class Operation:
    """What a span tells of itself; equal operations share their metrics."""

    service: str
    name: str
    kind: SpanKind

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """Of its metrics."""
        return ("service_name", self.service), ("span_name", self.name), ("span_kind", f"SPAN_KIND_{self.kind.upper()}")


class Semantics:
    """The operations of an application.

    Attributes:
        routes: of the requests to each route; None where the service reports none.
        sites: of the calls at each site, reported by the caller; None likewise.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._application = graph.application
        bodies = (body for service in graph.application.services.values() for body in service.routes.values())
        self._topics = frozenset(str(body.consumes) for body in bodies if body.consumes is not None)
        self.routes = [self._route(route) for route in range(len(graph.routes))]
        self.sites = [self._site(site) for site in range(len(graph.sites))]
        self._known: dict[tuple[object, ...], dict[str, str]] = {}

    def route_attributes(self, route: int, *, failed: bool) -> dict[str, str]:
        """The attributes of the span of a request; equal ones are one object."""
        key = (route, failed)
        if key not in self._known:
            name = self._graph.routes[route]
            service = self._application.services[name.service]
            topic = service.routes[name.route].consumes
            base = _messaging(topic, "process") if topic else _protocol(service.protocol, name.route)
            self._known[key] = {**base, **_status(service.protocol, service.fails_with if failed else _OK_STATUS)}
        return self._known[key]

    def site_attributes(self, site: int, address: tuple[str, int], *, failed: bool) -> dict[str, str]:
        """The attributes of the span of a call to an address; equal ones are one object."""
        key = (site, address, failed)
        if key not in self._known:
            callee = self._graph.sites[site].callee
            service = self._application.services[callee.service]
            peer = {"server.address": address[0], "server.port": str(address[1])}
            operation = self.sites[site]
            publishes = operation is not None and operation.kind == "Producer"
            base = _messaging(callee, "publish") if publishes else _protocol(service.protocol, callee.route)
            # A call that got no answer has no status.
            status = {} if failed else _status(service.protocol, _OK_STATUS)
            self._known[key] = {**base, **peer, **status}
        return self._known[key]

    def _route(self, route: int) -> Operation | None:
        name = self._graph.routes[route]
        service = self._application.services[name.service]
        body = service.routes[name.route]
        if body.every is not None:
            return None
        if body.consumes is not None:
            return Operation(name.service, name.route, "Consumer")
        if service.port is None:
            return Operation(name.service, name.route, "Internal")
        return Operation(name.service, name.route, "Server") if service.protocol in _TRACED else None

    def _site(self, site: int) -> Operation | None:
        call = self._graph.sites[site]
        if self.routes[self._graph.routes.index(call.caller)] is None:
            return None
        kind: SpanKind = "Producer" if str(call.callee) in self._topics else "Client"
        return Operation(call.caller.service, call.callee.route, kind)


def in_mesh(application: Application) -> bool:
    """Whether the proxies of a service mesh (Istio in ambient mode) report the requests, and not the programs."""
    return application.namespace_labels.get(MODE) == "ambient"


def exported(application: Application, service: str) -> bool:
    """Whether recorders keep a service's metrics: those of the load and of the flags they leave out."""
    return service != application.load.service and (application.flags is None or service != application.flags.service)


def _protocol(protocol: str, route: str) -> dict[str, str]:
    if protocol == "grpc":
        service, _, method = route.rpartition("/")
        return {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}
    if protocol in _DATABASES:
        return {"db.system": protocol, "db.operation.name": route.partition(" ")[0]}
    if protocol == "http":
        verb, _, path = route.partition(" ")
        return {"http.request.method": verb, "url.path": path} if verb in _VERBS else {"url.path": f"/{route}"}
    return {}


def topic_of(published: RouteName) -> str:
    """The topic of a route by which messages are published, such as `publish orders`."""
    return published.route.rpartition(" ")[2]


def _messaging(published: RouteName, operation: str) -> dict[str, str]:
    topic = topic_of(published)
    return {"messaging.system": "kafka", "messaging.destination.name": topic, "messaging.operation.type": operation}


def _status(protocol: str, status: int) -> dict[str, str]:
    if protocol == "http":
        return {"http.response.status_code": str(status)}
    if protocol == "grpc":
        return {"rpc.grpc.status_code": _GRPC_OK if status == _OK_STATUS else _GRPC_INTERNAL}
    return {}
