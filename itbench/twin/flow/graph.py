"""The call graph of an application as arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from itbench.twin.app.application import Application
from itbench.twin.app.routes import Call, Credential, Route, RouteName
from itbench.twin.flow.moments import Array

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Link:
    """The way from one service to another: all calls that look for the callee in the same place.

    Attributes:
        address: as the application file gives it; None for the callee's Service and port.
        alternatives: services among which the endpoints of that address decide, the callee one of them.
    """

    caller: str
    callee: str
    address: str | None
    alternatives: tuple[str, ...]
    credential: Credential | None


@dataclass(frozen=True, slots=True)
class CallSite:
    """One call of the application file towards one callee; telemetry is told apart by these."""

    caller: RouteName
    callee: RouteName
    call: Call
    link: int


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Routes, calls and links as arrays.

    A call that is made several times in a row stands here as many times (`calls` > `sites`). Calls are sorted by
    route, step, branch: branches of a step run at once, and the calls of one branch exclude each other.

    Attributes:
        services, routes, links, sites: what the indices of the arrays mean.
        call_*: one entry for each call.
        branch_calls, step_branches, route_steps, walk_calls: where each branch, step, route begins among its parts.
        branch_step, step_route: what each is part of.
        walks: routes that make calls, in the order of `route_steps` and `walk_calls`.
        depth: how many calls the longest way through the graph has.
    """

    application: Application
    services: tuple[str, ...]
    routes: tuple[RouteName, ...]
    links: tuple[Link, ...]
    sites: tuple[CallSite, ...]
    route_service: Indices
    route_cpu: Array
    route_mean: Array
    route_square: Array
    call_site: Indices
    call_from: Indices
    call_to: Indices
    call_link: Indices
    call_branch: Indices
    call_step: Indices
    call_probability: Array
    call_limit: Array
    call_attempts: Array
    call_backoff: Array
    call_required: NDArray[np.bool_]
    call_degrades: NDArray[np.bool_]
    branch_calls: Indices
    branch_step: Indices
    step_branches: Indices
    step_route: Indices
    route_steps: Indices
    walks: Indices
    walk_calls: Indices
    depth: int

    def service_index(self, name: str) -> int:
        """The index of a service."""
        return self.services.index(name)

    def route_index(self, service: str, route: str) -> int:
        """The index of a route."""
        return self.routes.index(RouteName(service=service, route=route))


def compile_graph(application: Application) -> Graph:
    """The arrays of an application that passed its check."""
    builder = _Builder(application)
    for index, name in enumerate(builder.routes):
        builder.add(index, application.services[name.service].routes[name.route])
    return builder.graph()


@dataclass(frozen=True, slots=True)
class _Instance:
    """One call that is made once, at its place in its route."""

    site: int
    route: int
    callee: int
    branch: int
    step: int


class _Builder:
    """Numbers things in the order in which the application file names them."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.services = tuple(application.services)
        self.routes = tuple(
            RouteName(service=service, route=route)
            for service, body in application.services.items()
            for route in body.routes
        )
        self.links: dict[Link, int] = {}
        self.sites: list[CallSite] = []
        self.instances: list[_Instance] = []
        self.branch_step: list[int] = []
        self.step_route: list[int] = []

    def add(self, index: int, route: Route) -> None:
        """Number the calls of a route."""
        for calls in route.steps():
            sites = [self._sites(index, call) for call in calls]
            for turn in range(max(call.times for call in calls)):
                step = len(self.step_route)
                self.step_route.append(index)
                for call, own in zip(calls, sites, strict=True):
                    if turn < call.times:
                        self._branch(index, step, own)

    def _branch(self, route: int, step: int, sites: list[int]) -> None:
        branch = len(self.branch_step)
        self.branch_step.append(step)
        for site in sites:
            callee = self.routes.index(self.sites[site].callee)
            self.instances.append(_Instance(site, route, callee, branch, step))

    def _sites(self, route: int, call: Call) -> list[int]:
        first = len(self.sites)
        caller = self.routes[route]
        services = tuple(name.service for name in call.to)
        for name in call.to:
            link = Link(caller.service, name.service, call.address, services, call.credential)
            self.sites.append(CallSite(caller, name, call, self.links.setdefault(link, len(self.links))))
        return list(range(first, len(self.sites)))

    def graph(self) -> Graph:
        """The arrays."""
        bodies = [self.application.services[name.service].routes[name.route] for name in self.routes]
        calls = [self.sites[instance.site].call for instance in self.instances]
        step_route = _indices(self.step_route)
        return Graph(
            application=self.application,
            services=self.services,
            routes=self.routes,
            links=tuple(self.links),
            sites=tuple(self.sites),
            route_service=_indices([self.services.index(name.service) for name in self.routes]),
            route_cpu=np.array([body.cpu for body in bodies]),
            route_mean=np.array([body.latency.mean for body in bodies]),
            route_square=np.array([body.latency.square for body in bodies]),
            call_site=self._each(lambda instance: instance.site),
            call_from=self._each(lambda instance: instance.route),
            call_to=self._each(lambda instance: instance.callee),
            call_link=self._each(lambda instance: self.sites[instance.site].link),
            call_branch=self._each(lambda instance: instance.branch),
            call_step=self._each(lambda instance: instance.step),
            call_probability=np.array([call.probability for call in calls]),
            call_limit=np.array([call.timeout for call in calls]),
            call_attempts=np.array([float(call.attempts) for call in calls]),
            call_backoff=np.array([call.backoff for call in calls]),
            call_required=np.array([call.criticality == "required" for call in calls], dtype=np.bool_),
            call_degrades=np.array([call.criticality == "degraded" for call in calls], dtype=np.bool_),
            branch_calls=_starts(self._each(lambda instance: instance.branch)),
            branch_step=_indices(self.branch_step),
            step_branches=_starts(_indices(self.branch_step)),
            step_route=step_route,
            route_steps=_starts(step_route),
            walks=np.unique(step_route),
            walk_calls=_starts(self._each(lambda instance: instance.route)),
            depth=self._depth(),
        )

    def _depth(self) -> int:
        below = [0] * len(self.routes)
        for _ in self.routes:  # an application has no circle of calls
            for instance in self.instances:
                below[instance.route] = max(below[instance.route], below[instance.callee] + 1)
        return max(below)

    def _each(self, value: Callable[[_Instance], int]) -> Indices:
        return _indices([value(instance) for instance in self.instances])


def _indices(values: list[int]) -> Indices:
    return np.array(values, dtype=np.intp)


def _starts(groups: Indices) -> Indices:
    """Where each run of equal numbers begins."""
    return np.flatnonzero(np.diff(groups, prepend=-1))
