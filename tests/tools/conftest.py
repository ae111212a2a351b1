"""A small incident, told by hand: at minute 10 of 20 the image of `cart` changes, and its calls to `db` fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from itbench.model.entity import Entity
from itbench.snapshot.records import Alert, Event, LogRecord, ObjectVersion, Series, Span
from itbench.snapshot.snapshot import open_snapshot
from itbench.snapshot.writer import SnapshotWriter
from itbench.tools.session import Session
from itbench.tools.toolbox import Toolbox

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def pod_of(service: str) -> dict[str, str]:
    return {"k8s.namespace.name": "shop", "k8s.pod.name": f"{service}-7d9f-x1"}


@dataclass
class Story:
    """What a snapshot is to hold."""

    alerts: list[Alert] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    objects: list[ObjectVersion] = field(default_factory=list)
    logs: list[LogRecord] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        writer = SnapshotWriter(folder)
        for method, records in (
            (writer.write_alerts, self.alerts),
            (writer.write_events, self.events),
            (writer.write_objects, self.objects),
            (writer.write_logs, self.logs),
            (writer.write_spans, self.spans),
            (writer.write_metrics, self.series),
        ):
            if records:
                method(records)


def manifest(kind: str, name: str, spec: dict[str, Any], *, labels: dict[str, str] | None = None, **metadata: Any) -> dict:
    namespaced = {} if kind in ("Node", "Namespace") else {"namespace": "shop"}
    return {
        "kind": kind,
        "metadata": {
            "name": name,
            **namespaced,
            "labels": labels or {},
            "creationTimestamp": "2026-02-01T00:00:00Z",
            **metadata,
        },
        "spec": spec,
    }


def deployment(name: str, image: str, **metadata: Any) -> dict:
    container = {"name": name, "image": image, "envFrom": [{"configMapRef": {"name": f"{name}-config"}}]}
    spec = {"replicas": 1, "template": {"spec": {"containers": [container], "serviceAccountName": name}}}
    return manifest("Deployment", name, spec, uid=f"uid-{name}", **metadata)


def pod(name: str, app: str, owner: str) -> dict:
    owners = [{"kind": "Deployment", "name": owner, "uid": f"uid-{owner}"}]
    return manifest("Pod", name, {"nodeName": "n1"}, labels={"app": app}, ownerReferences=owners)


def request(number: int, minute: float, *, fails: bool, db_ms: float = 10.0) -> list[Span]:
    """front → cart → db; where it fails, db leaves no span and the client's span names it."""
    trace, status = f"t{number:03}", "Error" if fails else "Unset"
    ms = 1_000_000
    start = at(minute)
    cart = pod_of("cart")

    def later(milliseconds: float) -> datetime:
        return start + timedelta(milliseconds=milliseconds)

    spans = [
        Span(start, trace, f"{trace}a", "", "GET /", "front", 100 * ms, "Server", status, resource=pod_of("front")),
        Span(later(10), trace, f"{trace}b", f"{trace}a", "POST /add", "cart", 60 * ms, "Server", status, resource=cart),
        Span(
            later(20), trace, f"{trace}c", f"{trace}b", "query", "cart", int(40 * ms), "Client", status,
            "connection refused" if fails else "", resource=cart, attributes={"server.address": "db"},
        ),
    ]  # fmt: skip
    if not fails:
        spans.append(
            Span(
                later(25), trace, f"{trace}d", f"{trace}c", "SELECT", "db", int(db_ms * ms), "Server", resource=pod_of("db")
            )
        )
    return spans


def incident() -> Story:
    cart, cart_pod = pod_of("cart"), Entity(namespace="shop", kind="Pod", name="cart-7d9f-x1")
    cart_new = deployment("cart", "cart:2", managedFields=[{"manager": "kubectl", "time": "2026-03-01T12:09:30Z"}])
    return Story(
        alerts=[
            Alert(at(12 + n), {"alertname": "HighErrors", "service_name": "cart", "namespace": "shop", "severity": "page"},
                  "firing", at(11)) for n in range(8)
        ],
        events=[
            Event(at(9.5), Entity(namespace="shop", kind="Deployment", name="cart"), "ScalingReplicaSet", "Scaled up"),
            *(Event(at(11 + n), cart_pod, "Unhealthy", f"probe {n}", "Warning") for n in range(3)),
        ],
        objects=[
            version
            for minute in (0, 5, 10, 15, 20)
            for version in (
                ObjectVersion(at(minute), deployment("cart", "cart:1") if minute < 10 else cart_new),
                ObjectVersion(at(minute), deployment("front", "front:1")),
                ObjectVersion(at(minute), manifest("Service", "cart", {"selector": {"app": "cart"}})),
                ObjectVersion(at(minute), pod("cart-7d9f-x1", "cart", "cart")),
                ObjectVersion(at(minute), pod("front-7d9f-x1", "front", "front")),
            )
        ],
        logs=[
            *(LogRecord(at(n), f"served request {n} in {n * 7} ms", "cart", "INFO", 9, resource=cart) for n in range(20)),
            *(LogRecord(at(11 + n), f"dial 10.0.0.{n}:5432: connection refused", "cart", "ERROR", 17, resource=cart)
              for n in range(5)),
        ],
        spans=[span for n in range(20) for span in request(n, n + 0.25, fails=n >= 11)],
        series=[
            Series("memory_bytes", "pod", "cart-7d9f-x1", {"namespace": "shop", "container": "cart"},
                   tuple((at(n), 100.0 + n % 2 if n < 11 else 300.0) for n in range(20))),
            Series("memory_bytes", "pod", "front-7d9f-x1", {"namespace": "shop", "container": "front"},
                   tuple((at(n), 50.0 + n % 2) for n in range(20))),
        ],
    )  # fmt: skip


Tell = Callable[[Story], Toolbox]


@pytest.fixture
def tell(tmp_path: Path) -> Iterator[Tell]:
    """Write a story into a folder and open the tools over it."""
    with ExitStack() as stack:

        def open_it(story: Story) -> Toolbox:
            story.write(tmp_path / "story")
            snapshot = open_snapshot(tmp_path / "story", cache_dir=tmp_path / "cache")
            return stack.enter_context(Toolbox(snapshot))

        yield open_it


@pytest.fixture(scope="module")
def toolbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toolbox]:
    """The tools over the incident; ground truth lies beside it, as in a dataset."""
    folder = tmp_path_factory.mktemp("incident")
    incident().write(folder / "data")
    (folder / "data" / "ground_truth.yaml").write_text("groups: [{id: secret-root, root_cause: true}]\n")
    with Toolbox(open_snapshot(folder / "data", cache_dir=folder / "cache")) as opened:
        yield opened


@pytest.fixture
def session_of(tmp_path: Path) -> Iterator[Callable[[Story], Session]]:
    with ExitStack() as stack:

        def open_it(story: Story) -> Session:
            story.write(tmp_path / "story")
            return Session(stack.enter_context(open_snapshot(tmp_path / "story", cache_dir=tmp_path / "cache")))

        yield open_it


@pytest.fixture
def rows() -> Callable[[str], list[dict[str, str]]]:
    """The table in an answer: a dict for each row, under the header that follows the line with the counts."""

    def read(text: str) -> list[dict[str, str]]:
        lines: Iterable[str] = iter(text.splitlines())
        for one in lines:
            if " of " in one and "–" in one:
                break
        header = next(iter(lines), "").split(" | ")
        return [dict(zip(header, each.split(" | "), strict=True)) for each in lines]

    return read
