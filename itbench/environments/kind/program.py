"""What each program of an application does, as the document that the service image reads.

The types mirror environments/kind/service/document.go; times are seconds, sizes bytes. A document says all that the
application file says of a service's behaviour and nothing of its Kubernetes objects: those are the objects themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from urllib.parse import quote

from itbench.model.base import Model
from itbench.twin.app.application import Application, Effect
from itbench.twin.app.objects import service_name
from itbench.twin.app.routes import Call, Credential, LogLine, Route, RouteName
from itbench.twin.app.services import Service
from itbench.twin.flow.graph import Graph, compile_graph
from itbench.twin.telemetry.semantics import Operation, Semantics, exported, in_mesh, topic_of
from itbench.twin.wording import phrases

COLLECTOR_PORT = 4318
"""Where a collector listens on every node."""

_VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_REFUSED = 401


class SpanForm(Model):
    """How a request or a call shows in traces; `failed` are its attributes where it failed."""

    name: str
    kind: str
    attributes: dict[str, str]
    failed: dict[str, str]


class Wording(Model):
    """What the caller's library says of a failed call, by what happened."""

    refused: str
    timeout: str
    name: str
    name_temporary: str
    reset: str
    status: str


class ProgramCredential(Model):
    """What a callee wants to see: names of environment variables, and what it answers otherwise."""

    sends: str
    expects: str
    refusal: str
    status: int


class ProgramCall(Model):
    """A call; `services` stand behind the Kubernetes Service `host`."""

    services: tuple[str, ...]
    host: str
    method: str
    path: str
    address: str
    default_port: int
    probability: float
    times: int
    timeout: float
    attempts: int
    backoff: float
    criticality: str
    credential: ProgramCredential | None
    error: str
    phrases: Wording
    span: SpanForm | None


class ProgramLatency(Model):
    """A lognormal time: its median, and the standard deviation of its logarithm."""

    p50: float
    sigma: float


class Consumes(Model):
    """Where messages come from: a broker's address and topic."""

    address: str
    path: str
    topic: str


class ProgramRoute(Model):
    """One kind of request; the calls of a step are made at once. `groups` work through what it publishes."""

    method: str
    path: str
    cpu: float
    latency: ProgramLatency
    memory: int
    steps: tuple[tuple[ProgramCall, ...], ...]
    logs: tuple[LogLine, ...]
    every: float
    consumes: Consumes | None
    groups: tuple[str, ...]
    topic: str
    span: SpanForm | None


class ProgramSetting(Model):
    """An environment variable that the program obeys."""

    variable: str
    sets: str
    unit: float
    text: str


class ProgramMemory(Model):
    """What a process holds after its start, and what it leaks a second."""

    base: float
    leak: float


class ProgramLoad(Model):
    """Who makes requests. The numbers are those of one pod; `users` is 0 for an open load."""

    users: float
    spawn_rate: float
    think: float
    rate: float
    amplitude: float
    peak: float
    requests: dict[str, float]


class ProgramEffect(Model):
    """What a feature flag does here while its value is not zero."""

    flag: str
    variants: dict[str, float]
    route: str
    failures: float
    latency: float
    cpu: float
    cores: float
    leak: float
    traffic: float
    unreachable: str
    text: str


class ProgramFlags(Model):
    """Feature flags: the file from which they are served, or the address to ask, and what they do here."""

    file: str
    ask: str
    effects: tuple[ProgramEffect, ...]


class ProgramTelemetry(Model):
    """Who makes metrics of the spans, and where they are sent."""

    metrics: Literal["spans", "mesh", "none"]
    collector: str


class Program(Model):
    """All that a program of the service image knows. Zero stands for: no port, any number of workers or threads."""

    version: Literal[1] = 1
    service: str
    namespace: str
    port: int
    workers: int
    threads: int
    queue: int
    startup: float
    startup_cpu: float
    memory: ProgramMemory
    fails_with: int
    needs: tuple[str, ...]
    settings: tuple[ProgramSetting, ...]
    routes: dict[str, ProgramRoute]
    load: ProgramLoad | None
    flags: ProgramFlags | None
    telemetry: ProgramTelemetry


def programs(application: Application) -> dict[str, Program]:
    """The programs of all services, by name."""
    writer = _Writer(application, compile_graph(application))
    return {name: writer.program(name, service) for name, service in application.services.items()}


class _Writer:
    """Turns the parts of an application into those of documents."""

    def __init__(self, application: Application, graph: Graph) -> None:
        self._application = application
        self._graph = graph
        self._semantics = Semantics(graph)
        self._metrics: Literal["spans", "mesh"] = "mesh" if in_mesh(application) else "spans"

    def program(self, name: str, service: Service) -> Program:
        """The document of one service."""
        measured = exported(self._application, name) or self._metrics == "mesh"
        collector = f"gateway:{COLLECTOR_PORT}"
        return Program(
            service=name,
            namespace=self._application.namespace,
            port=service.port or 0,
            workers=service.workers or 0,
            threads=service.threads or 0,
            queue=service.queue,
            startup=service.startup,
            startup_cpu=service.startup_cpu,
            memory=ProgramMemory(base=service.memory.base, leak=service.memory.leak),
            fails_with=service.fails_with,
            needs=service.needs,
            settings=tuple(
                ProgramSetting(variable=variable, sets=known.sets, unit=known.unit, text=known.text or "")
                for variable, known in service.settings.items()
            ),
            routes={
                route: self._route(RouteName(service=name, route=route), body) for route, body in service.routes.items()
            },
            load=self._load(service) if name == self._application.load.service else None,
            flags=self._flags(name),
            telemetry=ProgramTelemetry(metrics=self._metrics if measured else "none", collector=collector),
        )

    def _route(self, name: RouteName, body: Route) -> ProgramRoute:
        method, path = on_the_wire(name.route)
        groups = self._consumers(name)
        return ProgramRoute(
            method=method,
            path=path,
            cpu=body.cpu,
            latency=ProgramLatency(p50=body.latency.p50, sigma=body.latency.sigma),
            memory=round(body.memory),
            steps=tuple(tuple(self._call(name, call) for call in step) for step in body.steps()),
            logs=body.logs,
            every=body.every or 0.0,
            consumes=self._consumed(name.service, body.consumes) if body.consumes else None,
            groups=groups,
            topic=topic_of(name) if groups else "",
            span=self._request_span(self._graph.routes.index(name)),
        )

    def _consumers(self, published: RouteName) -> tuple[str, ...]:
        return tuple(
            name
            for name, service in self._application.services.items()
            if any(route.consumes == published for route in service.routes.values())
        )

    def _consumed(self, consumer: str, published: RouteName) -> Consumes:
        """Where a consumer finds its broker: where its calls look for it, or at its Service."""
        broker = self._application.services[published.service]
        default = f"{service_name(published.service, broker)}:{broker.service_port or 0}"
        addresses = (
            call.address
            for body in self._application.services[consumer].routes.values()
            for step in body.steps()
            for call in step
            if call.address and published.service in (name.service for name in call.to)
        )
        _, path = on_the_wire(published.route)
        return Consumes(address=next(addresses, default), path=path, topic=topic_of(published))

    def _call(self, caller: RouteName, call: Call) -> ProgramCall:
        first = call.to[0]
        callee = self._application.services[first.service]
        method, path = on_the_wire(first.route)
        said = phrases(self._application.services[caller.service].language, callee.protocol)
        return ProgramCall(
            services=tuple(name.service for name in call.to),
            host=service_name(first.service, callee),
            method=method,
            path=path,
            address=call.address or "",
            default_port=callee.service_port or 0,
            probability=call.probability,
            times=call.times,
            timeout=call.timeout,
            attempts=call.attempts,
            backoff=call.backoff,
            criticality=call.criticality,
            credential=_credential(call.credential) if call.credential else None,
            error=call.error or "",
            phrases=Wording.model_validate(said.model_dump()),
            span=self._call_span(caller, call),
        )

    def _request_span(self, route: int) -> SpanForm | None:
        operation = self._semantics.routes[route]
        if operation is None:
            return None
        attributes = [self._semantics.route_attributes(route, failed=failed) for failed in (False, True)]
        return _form(operation, *attributes)

    def _call_span(self, caller: RouteName, call: Call) -> SpanForm | None:
        site = next(index for index, site in enumerate(self._graph.sites) if site.caller == caller and site.call is call)
        operation = self._semantics.sites[site]
        if operation is None:
            return None
        address = ("", 0)  # the program knows where it calls
        attributes = [self._semantics.site_attributes(site, address, failed=failed) for failed in (False, True)]
        return _form(operation, *({key: text for key, text in one.items() if key[:7] != "server."} for one in attributes))

    def _load(self, service: Service) -> ProgramLoad:
        load = self._application.load
        share = 1 / service.replicas
        return ProgramLoad(
            users=(load.users or 0.0) * share,
            spawn_rate=load.spawn_rate * share,
            think=load.think,
            rate=(load.rate or 0.0) * share,
            amplitude=load.daily.amplitude,
            peak=load.daily.peak,
            requests=load.requests,
        )

    def _flags(self, name: str) -> ProgramFlags | None:
        flags = self._application.flags
        if flags is None:
            return None
        server = self._application.services[flags.service]
        mounted = next((mount.path for mount in server.mounts if mount.config_map == flags.config_map), None)
        effects = tuple(self._effects(name))
        serves = name == flags.service and mounted is not None
        if not (effects or serves):
            return None
        ask = f"{service_name(flags.service, server)}:{server.service_port or 0}"
        return ProgramFlags(file=f"{mounted}/{flags.key}" if serves else "", ask=ask, effects=effects)

    def _effects(self, name: str) -> Iterator[ProgramEffect]:
        assert self._application.flags is not None
        for flag, body in self._application.flags.flags.items():
            variants = {variant: float(value) for variant, value in body.variants.items()}
            for effect in body.effects:
                if effect.service == name:
                    yield _effect(flag, variants, effect)


def on_the_wire(route: str) -> tuple[str, str]:
    """HTTP method and path of a route. What is no HTTP (databases, queues, gRPC) is posted under its name.

    Names in braces, which stand for a part of the path, stay and are escaped.
    """
    verb, _, path = route.partition(" ")
    if verb in _VERBS and path.startswith("/"):
        return verb, quote(path, safe="/:@!$&'()*+,;=~")
    return "POST", "/" + quote(route, safe="/:@!$&'()*+,;=~")


def _form(operation: Operation, attributes: dict[str, str], failed: dict[str, str]) -> SpanForm:
    return SpanForm(name=operation.name, kind=operation.kind, attributes=attributes, failed=failed)


def _credential(credential: Credential) -> ProgramCredential:
    return ProgramCredential(
        sends=credential.sends or "",
        expects=credential.expects,
        refusal=credential.refusal,
        status=credential.status or _REFUSED,
    )


def _effect(flag: str, variants: dict[str, float], effect: Effect) -> ProgramEffect:
    return ProgramEffect(
        flag=flag,
        variants=variants,
        route=effect.route or "",
        failures=effect.failures or 0.0,
        latency=effect.latency or 0.0,
        cpu=effect.cpu or 0.0,
        cores=effect.cores or 0.0,
        leak=effect.leak or 0.0,
        traffic=effect.traffic or 0.0,
        unreachable=effect.unreachable or "",
        text=effect.text or "",
    )
