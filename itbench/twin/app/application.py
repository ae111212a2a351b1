"""An application: services, the load on them, feature flags and the configuration objects that they share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from itbench.model.base import Model
from itbench.model.units import Seconds, Share
from itbench.twin.app.routes import Latency, Route, RouteName
from itbench.twin.app.services import DnsLabel, Service
from itbench.twin.app.units import Amount


class Daily(Model):
    """A wave of load with a period of a day.

    Attributes:
        amplitude: of the wave, as a share of the mean.
        peak: hour of the day (UTC) of the most load.
    """

    amplitude: Share = 0.0
    peak: Annotated[float, Field(ge=0, lt=24)] = 20.0


class Load(Model):
    """Who makes the requests, and how many.

    Either `rate` requests a second come whatever happens (open), or `users` each wait for their answer, think, and
    ask again (closed); users arrive `spawn_rate` a second.

    Attributes:
        service: the workload that makes them.
        requests: weights of its routes.
        think: mean time between the answer and the next request of a user.
    """

    service: DnsLabel
    requests: Annotated[dict[str, Annotated[float, Field(gt=0)]], Field(min_length=1)]
    users: Annotated[float, Field(gt=0, le=1e7)] | None = None
    spawn_rate: Annotated[float, Field(gt=0)] = 1.0
    think: Annotated[Seconds, Field(gt=0)] = 5.0
    rate: Annotated[float, Field(gt=0, le=1e7)] | None = None
    daily: Daily = Daily()

    @model_validator(mode="after")
    def _one_kind(self) -> Load:
        if (self.users is None) == (self.rate is None):
            raise ValueError("give either users (who wait for answers) or rate (requests a second)")
        return self


class Resolver(Model):
    """How names that do not exist are answered: at once, or after searching servers that never answer."""

    seconds: Seconds = 0.005
    temporary: bool = False


class Network(Model):
    """What lies between two pods.

    Attributes:
        hop: what a call takes besides the callee's work: connecting, sending, receiving.
    """

    hop: Latency = Latency(p50=0.0004, p95=0.001)
    resolver: Resolver = Resolver()


class Effect(Model):
    """What a feature flag does while its value is not zero; numbers are multiplied by the value.

    Attributes:
        service: where it acts.
        route: only on this route.
        failures: share of the requests that fail, with `text`.
        latency: seconds added to a request.
        cpu: processor seconds added to a request.
        cores: processor used beside all requests.
        leak: bytes leaked a second.
        traffic: requests of the route added, as a multiple of what there is.
        unreachable: calls to this service go to an address that does not exist.
    """

    service: DnsLabel
    route: str | None = None
    failures: Share | None = None
    latency: Seconds | None = None
    cpu: Seconds | None = None
    cores: Amount | None = None
    leak: Amount | None = None
    traffic: Annotated[float, Field(gt=0)] | None = None
    unreachable: DnsLabel | None = None
    text: str | None = None


class Flag(Model):
    """A feature flag: named variants of a value, one of which is on by default."""

    description: str
    variants: dict[str, bool | int | float]
    default: str = "off"
    effects: Annotated[tuple[Effect, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _known_default(self) -> Flag:
        if self.default not in self.variants:
            raise ValueError(f"the default {self.default!r} is not among the variants")
        return self


class Flags(Model):
    """The feature flags, and where they are kept.

    Attributes:
        service: which serves them; while nobody can reach it, every flag has the value of its variant `off`.
        config_map: holds them under `key`, in flagd's format.
    """

    service: DnsLabel
    config_map: DnsLabel
    key: str
    flags: dict[str, Flag]


class Application(Model):
    """An application that the twin can run.

    Attributes:
        namespace: where its objects lie; `namespace_labels` are its labels.
        config_maps: shared configuration: name, key, text.
        secrets: shared secrets: name, key, text.
        manifests: further objects, as they are.
    """

    name: DnsLabel
    title: str
    namespace: DnsLabel
    namespace_labels: dict[str, str] = Field(default_factory=dict)
    labels: dict[str, str] = Field(default_factory=dict)
    load: Load
    network: Network = Network()
    services: Annotated[dict[DnsLabel, Service], Field(min_length=1)]
    flags: Flags | None = None
    config_maps: dict[DnsLabel, dict[str, str]] = Field(default_factory=dict)
    secrets: dict[DnsLabel, dict[str, str]] = Field(default_factory=dict)
    manifests: tuple[dict[str, Any], ...] = ()

    def route(self, name: RouteName) -> Route | None:
        """The route of that name, if there is one."""
        service = self.services.get(name.service)
        return service.routes.get(name.route) if service else None
