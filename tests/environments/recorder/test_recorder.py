"""A real API server is recorded: what is there, what changes, what goes, across a loss of the connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from itbench.cluster.control_plane import control_plane
from itbench.cluster.kube_assets import kube_asset
from itbench.cluster.reference import ObjectRef
from itbench.cluster.server import ServerCluster
from itbench.cluster.transport import Transport
from itbench.environments.recorder.recorder import Wish, record
from itbench.environments.recorder.secrets import HIDDEN
from itbench.environments.recorder.watching import Scope, Watching
from itbench.model.errors import ClusterError, UsageError
from itbench.snapshot.snapshot import open_snapshot

pytestmark = pytest.mark.integration
SETTINGS = ObjectRef.parse("configmap/settings", "shop")


@pytest.fixture(scope="module")
def kubeconfig() -> Iterator[Path]:
    try:
        for program in ("etcd", "kube-apiserver"):
            kube_asset(program)
    except ClusterError as error:
        pytest.skip(str(error))
    with control_plane() as found:
        with ServerCluster.connect(found) as cluster:
            for name in ("shop", "other"):
                cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
                cluster.create(
                    {
                        "apiVersion": "v1",
                        "kind": "ConfigMap",
                        "metadata": {"name": "settings", "namespace": name},
                        "data": {"port": "80"},
                    }
                )
        yield found


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_recording_has_every_version_and_removal_and_no_secret(kubeconfig: Path, tmp_path: Path) -> None:
    stop, told = Event(), list[str]()
    wish = Wish(kubeconfig, scope=Scope(("shop",)))
    thread = Thread(target=record, args=(wish, tmp_path / "out", stop, None, told.append))
    thread.start()
    until(lambda: "recording until Ctrl-C" in told)
    with ServerCluster.connect(kubeconfig) as cluster:
        vault = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "vault", "namespace": "shop"}}
        cluster.create({**vault, "stringData": {"password": "hunter2-very-secret"}})
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "cart.1", "namespace": "shop"},
            "involvedObject": {"kind": "Pod", "name": "cart", "namespace": "shop"},
            "reason": "BackOff",
            "message": "login as hunter2-very-secret failed",
            "type": "Warning",
            "lastTimestamp": "2026-03-01T10:00:00Z",
        }
        cluster.create(event)
        cluster.patch(SETTINGS, {"data": {"port": "81"}})
        cluster.delete(SETTINGS)
        time.sleep(1)
    stop.set()
    thread.join(60)
    with open_snapshot(tmp_path / "out", cache_dir=tmp_path / "cache") as snapshot:
        versions = snapshot.object_history(kind="ConfigMap", name="settings")
        assert [(version.manifest["data"]["port"], version.deleted) for version in versions] == [
            ("80", False),
            ("81", False),
            ("81", True),
        ]
        assert {version.entity.namespace for version in versions} == {"shop"}
        (secret,) = snapshot.object_history(kind="Secret")
        assert secret.manifest["data"] == {"password": HIDDEN}
        (found,) = snapshot.events(reason="BackOff")
        assert (found.message, found.involved.name) == (f"login as {HIDDEN} failed", "cart")
    assert not [path for path in (tmp_path / "out").rglob("*.*") if "hunter2" in path.read_text()]


def test_after_a_loss_what_was_missed_is_found_by_comparison(kubeconfig: Path) -> None:
    transport = Transport.open(kubeconfig, None)
    watching = Watching(transport, Scope(("other",)))
    settings = ObjectRef.parse("configmap/settings", "other")
    before = watching.poll(1)
    assert "settings" in {event.object["metadata"]["name"] for event in before}
    watching.close()  # as when the server has gone
    with ServerCluster.connect(kubeconfig) as cluster:
        cluster.delete(settings)
        cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new", "namespace": "other"}})
    after = watching.poll(1)
    watching.close()
    transport.close()
    assert [(event.type, event.object["metadata"]["name"]) for event in after] == [("DELETED", "settings"), ("ADDED", "new")]


def test_a_namespace_that_is_not_there_is_named(kubeconfig: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no namespace 'shopp'"):
        record(Wish(kubeconfig, scope=Scope(("shopp",))), tmp_path / "out", Event(), 1, print)
    assert list(tmp_path.iterdir()) == []


def test_prometheus_is_asked_before_anything_is_recorded(kubeconfig: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Prometheus does not answer"):
        record(Wish(kubeconfig, prometheus="http://127.0.0.1:1"), tmp_path / "out", Event(), 1, print)
    assert list(tmp_path.iterdir()) == []
