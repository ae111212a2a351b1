"""What a service does for one kind of request: its own work, the calls that it makes, and what it logs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from itbench.model.base import Model
from itbench.model.units import Seconds, Share
from itbench.twin.app.units import Amount

Criticality = Literal["required", "degraded", "ignored"]
Severity = Literal["DEBUG", "INFO", "WARN", "ERROR", "FATAL"]

# The 95th percentile of the standard normal distribution.
_Z95 = 1.6448536269514722


class Latency(Model):
    """A lognormal distribution of time, by two of its quantiles."""

    p50: Annotated[Seconds, Field(gt=0)]
    p95: Annotated[Seconds, Field(gt=0)]

    @model_validator(mode="after")
    def _ordered(self) -> Latency:
        if self.p95 < self.p50:
            raise ValueError("p95 is less than p50")
        return self

    @property
    def sigma(self) -> float:
        """The standard deviation of the logarithm."""
        return math.log(self.p95 / self.p50) / _Z95

    @property
    def mean(self) -> float:
        """Seconds."""
        return self.p50 * math.exp(self.sigma**2 / 2)

    @property
    def square(self) -> float:
        """The mean of the square, seconds²."""
        return self.p50**2 * math.exp(2 * self.sigma**2)


class RouteName(Model):
    """A route of a service, written `service/route`."""

    service: str
    route: str

    @model_validator(mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        service, slash, route = value.partition("/")
        if not (service and slash and route):
            raise ValueError(f"{value!r} names no route; write service/route")
        return {"service": service, "route": route}

    def __str__(self) -> str:
        return f"{self.service}/{self.route}"


class Credential(Model):
    """A secret that a callee wants to see.

    Attributes:
        sends: the caller's environment variable that holds it.
        expects: the callee's; without it, or where it is unset, the callee takes anything.
        refusal: what the callee answers otherwise.
        status: the HTTP status of that answer, if there is one.
    """

    sends: str | None = None
    expects: str
    refusal: str
    status: int | None = Field(default=None, ge=400, le=599)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Call(Model):
    """A call that a route makes.

    Attributes:
        to: the callee; several stand behind one Kubernetes Service, whose endpoints decide among them.
        probability: how many of the requests make it.
        times: how often they make it, one after the other.
        address: where the caller looks for the callee, such as `$(CART_ADDR)`, expanded from its environment; the
            default is the callee's Service and port.
        timeout: after which the caller gives up, name resolution not counted.
        attempts: how often it tries.
        backoff: between attempts.
        criticality: whether the caller fails with the call, answers less, or does not care.
        credential: what the callee wants to see.
        error: what the caller says when the call fails; `{reason}` is why.
    """

    to: Annotated[tuple[RouteName, ...], BeforeValidator(_listed), Field(min_length=1, max_length=10)]
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    times: Annotated[int, Field(ge=1, le=50)] = 1
    address: str | None = None
    timeout: Annotated[Seconds, Field(gt=0)] = 30.0
    attempts: Annotated[int, Field(ge=1, le=10)] = 1
    backoff: Seconds = 0.0
    criticality: Criticality = "required"
    credential: Credential | None = None
    error: str | None = None


class Parallel(Model):
    """Calls that are made at once; the slowest decides."""

    parallel: Annotated[tuple[Call, ...], Field(min_length=1, max_length=50)]


def _step(value: Any) -> str:
    return "together" if isinstance(value, Parallel) or (isinstance(value, dict) and "parallel" in value) else "one"


Step = Annotated[Annotated[Call, Tag("one")] | Annotated[Parallel, Tag("together")], Discriminator(_step)]


class LogLine(Model):
    """What a route writes to its log.

    Attributes:
        text: may hold `{route}` and what the telemetry knows of the request, such as `{trace_id}`.
        on: which requests write it.
        share: how many of those do.
    """

    severity: Severity = "INFO"
    text: str
    on: Literal["success", "failure", "all"] = "success"
    share: Share = 1.0


class Route(Model):
    """One kind of request to a service.

    Attributes:
        cpu: processor time of a request.
        latency: what else it takes by itself: input and output, locks, other systems.
        memory: bytes that a request holds while it is served.
        calls: made in this order, after the service's own work.
        consumes: the route by which messages are published that this one works through.
        every: makes the service run it by itself, so often in each pod.
    """

    cpu: Seconds = 0.001
    latency: Latency = Latency(p50=0.001, p95=0.003)
    memory: Amount = 65_536
    calls: tuple[Step, ...] = ()
    consumes: RouteName | None = None
    every: Annotated[Seconds, Field(gt=0)] | None = None
    logs: tuple[LogLine, ...] = ()

    @model_validator(mode="after")
    def _one_origin(self) -> Route:
        if self.consumes is not None and self.every is not None:
            raise ValueError("a route is started by messages (consumes) or by the clock (every), not by both")
        return self

    def steps(self) -> Iterator[tuple[Call, ...]]:
        """The calls, in groups that are made at once."""
        for step in self.calls:
            yield step.parallel if isinstance(step, Parallel) else (step,)
