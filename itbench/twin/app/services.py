"""A service: the program, what it needs from Kubernetes, and the settings that it obeys."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from itbench.model.base import Model
from itbench.model.units import Seconds
from itbench.twin.app.routes import Route
from itbench.twin.app.units import Amount, parse_amount

Protocol = Literal["http", "grpc", "postgresql", "redis", "kafka", "tcp"]
DnsLabel = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Port = Annotated[int, Field(ge=1, le=65_535)]


def _quantity(value: str) -> str:
    if parse_amount(value) <= 0:
        raise ValueError(f"{value!r} is not more than zero")
    return value


Quantity = Annotated[str, BeforeValidator(str), AfterValidator(_quantity)]


class Budget(Model):
    """Processor and memory, as Kubernetes quantities."""

    cpu: Quantity | None = None
    memory: Quantity | None = None


class Resources(Model):
    """What a container asks for and may use at most."""

    requests: Budget = Budget()
    limits: Budget = Budget()


class KeyOf(Model):
    """One key of a ConfigMap or a Secret, written `name/key`."""

    name: DnsLabel
    key: str

    @model_validator(mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        name, slash, key = value.partition("/")
        if not (name and slash and key):
            raise ValueError(f"{value!r} names no key; write name/key")
        return {"name": name, "key": key}


class FromSecret(Model):
    """The value of an environment variable that comes from a Secret."""

    secret: KeyOf


class FromConfigMap(Model):
    """The value of an environment variable that comes from a ConfigMap."""

    config_map: KeyOf


class Mount(Model):
    """A ConfigMap as a folder of files."""

    config_map: DnsLabel
    path: str


class Exposed(Model):
    """The Kubernetes Service in front of a workload, where it is not simply called like it.

    Attributes:
        name: of the Service; workloads that name the same one share it.
        port: of the Service; the default is the port of the workload.
        selector: labels of the pods; the default is the workload's own.
        headless: without an address of its own: names lead to pods.
    """

    name: DnsLabel | None = None
    port: Port | None = None
    selector: dict[str, str] | None = None
    headless: bool = False


class Memory(Model):
    """What a process holds, in bytes.

    Attributes:
        base: after its start.
        leak: more with each second.
    """

    base: Amount = 48 * 2**20
    leak: Amount = 0.0


class Setting(Model):
    """An environment variable that changes what the program does.

    Attributes:
        sets: the thing it sets, for the whole service: the port it listens on, the processor time of a request, the
            latency of its own work (p50, keeping its spread), a share of failing requests, bytes at start, bytes
            leaked a second, seconds after which the program exits.
        unit: what a value of 1 means, in seconds, bytes or as a share.
        text: the error that failing requests show.
    """

    sets: Literal["port", "cpu", "latency", "failures", "memory", "leak", "lifetime"]
    unit: float = Field(default=1.0, gt=0)
    text: str | None = None


class Readiness(Model):
    """The probe that decides whether a pod gets traffic."""

    path: str | None = None
    period: Annotated[Seconds, Field(gt=0)] = 10.0


class Service(Model):
    """One workload of an application.

    Attributes:
        language: decides how errors read.
        port: where the program listens; None for one that only calls others.
        entrypoint: names by which a command may call the program of the image.
        command: replaces the image's own.
        workers: requests that a pod works on at once; None for any number.
        threads: that compute at once: one in Node.js or under Python's lock; None for as many as there are processors.
        queue: requests that may wait for a pod before more are dropped.
        env: environment variables; those in `settings` are obeyed.
        mounts: ConfigMaps that it reads as files.
        needs: addresses, expanded from its environment, without which its program exits soon after its start.
        startup: from the start of its program until that listens; `startup_cpu` of it is processor time, which takes
            longer under a limit.
        fails_with: HTTP status of its answer when it fails.
        exposed: its Kubernetes Service, where that differs from the default.
    """

    language: str
    image: str
    workload: Literal["Deployment", "StatefulSet", "DaemonSet"] = "Deployment"
    replicas: Annotated[int, Field(ge=1, le=1000)] = 1
    port: Port | None = None
    port_name: DnsLabel | None = None
    protocol: Protocol = "http"
    exposed: Exposed = Exposed()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)
    env: dict[str, str | FromSecret | FromConfigMap] = Field(default_factory=dict)
    settings: dict[str, Setting] = Field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    resources: Resources = Resources()
    readiness: Readiness | None = None
    workers: Annotated[int, Field(ge=1, le=100_000)] | None = None
    threads: Annotated[int, Field(ge=1, le=1000)] | None = None
    queue: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    memory: Memory = Memory()
    needs: tuple[str, ...] = ()
    startup: Seconds = 2.0
    startup_cpu: Seconds = 0.2
    fails_with: Annotated[int, Field(ge=400, le=599)] = 500
    routes: Annotated[dict[str, Route], Field(min_length=1)]

    @property
    def service_port(self) -> int | None:
        """The port of its Kubernetes Service."""
        return self.exposed.port or self.port
