"""What containers print, asked of the API server again and again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote

from itbench.cluster.kinds import kind_named
from itbench.cluster.listing import read_all
from itbench.cluster.protocol import KubeObject
from itbench.cluster.transport import Query, Transport
from itbench.environments.recorder.records import log_of, resource_of
from itbench.environments.recorder.watching import Scope
from itbench.model.errors import ClusterError
from itbench.snapshot.records import LogRecord

_FIRST_LINES = 200
_MOST_BYTES = 1_000_000  # of one container at once


class Logs:
    """Follows the logs of a cluster's containers.

    Args:
        transport: to it.
        scope: whose logs.
    """

    def __init__(self, transport: Transport, scope: Scope) -> None:
        self._transport = transport
        self._scope = scope
        self._last: dict[tuple[str, str], str] = {}
        self._restarts: dict[tuple[str, str], int] = {}

    def lines(self) -> Iterator[LogRecord]:
        """What is new since the last call; the last 200 lines at first. Of a container that restarted, also its end.

        Raises:
            ClusterError: the pods cannot be listed.
        """
        there = set()
        for namespace in self._scope.namespaces or (None,):
            pods, _ = read_all(self._transport, kind_named("Pod"), namespace)
            for pod in pods:
                for status in (pod.get("status") or {}).get("containerStatuses") or ():
                    key = (pod["metadata"]["uid"], status["name"])
                    there.add(key)
                    yield from self._container(pod, key, int(status.get("restartCount") or 0))
        for known in (self._last, self._restarts):
            for key in known.keys() - there:
                del known[key]

    def _container(self, pod: KubeObject, key: tuple[str, str], restarts: int) -> Iterator[LogRecord]:
        if restarts > self._restarts.get(key, restarts):
            yield from self._asked(pod, key, previous=True)
        self._restarts[key] = restarts
        yield from self._asked(pod, key, previous=False)

    def _asked(self, pod: KubeObject, key: tuple[str, str], *, previous: bool) -> Iterator[LogRecord]:
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        last = self._last.get(key, "")
        since = last.partition(" ")[0]
        query: Query = {
            "container": key[1],
            "timestamps": True,
            "previous": previous or None,
            "limitBytes": _MOST_BYTES,
            **({"sinceTime": since[:19] + "Z"} if _is_time(since) else {"tailLines": _FIRST_LINES}),
        }
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(name, safe='')}/log"
        try:
            text = self._transport.text("GET", path, query)
        except ClusterError:  # it has not started, or its node does not answer
            return
        lines = [line for line in text.splitlines() if line.strip()]
        if last in lines:
            lines = lines[len(lines) - lines[::-1].index(last) :]
        if not lines:
            return
        self._last[key] = lines[-1]
        now, resource = datetime.now(UTC), resource_of(pod, key[1])
        for line in lines:
            yield log_of(line, now, resource["service.name"], resource)


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
