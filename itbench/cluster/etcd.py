"""An etcd on a Unix socket, spoken to in its JSON form of gRPC: what a control plane's store holds, and its changes.

What is written here passes no API server: no admission, no defaults, no validation, no audit. That is how simulated
controllers and kubelets keep uids, times and statuses exactly as they are (`itbench.environments.live.bridge`).
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itbench.model.errors import ClusterError

_SECONDS = 30.0
_AT_ONCE = 100  # of a transaction's 128 operations


@dataclass(frozen=True, slots=True)
class Stored:
    """One key as it is, or was changed to.

    Attributes:
        value: None where the key is gone.
        revision: of the store, at the change.
    """

    key: str
    value: bytes | None
    revision: int


class Etcd:
    """One etcd. Not to be shared between threads; a stream is a connection of its own.

    Args:
        path: of the socket.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = _Connection(path)

    def close(self) -> None:
        """Give up the connection."""
        self._connection.close()

    def last_change(self, prefix: str) -> int:
        """The revision of the last change of a key with this prefix; 0 if there is none. Removals are not counted."""
        asked = {**_range(prefix), "limit": 1, "keys_only": True, "sort_order": "DESCEND", "sort_target": "MOD"}
        return max((int(item["mod_revision"]) for item in self._call("/v3/kv/range", asked).get("kvs", ())), default=0)

    def put(self, items: Sequence[tuple[str, bytes]]) -> dict[str, int]:
        """Write keys whatever they are now; gives the revision of each."""
        revisions: dict[str, int] = {}
        for first in range(0, len(items), _AT_ONCE):
            part = items[first : first + _AT_ONCE]
            deeds = [{"request_put": {"key": _coded(key.encode()), "value": _coded(value)}} for key, value in part]
            answer = self._call("/v3/kv/txn", {"success": deeds})
            revisions |= dict.fromkeys((key for key, _ in part), int(answer["header"]["revision"]))
        return revisions

    def swap(self, key: str, value: bytes | None, revision: int) -> int | None:
        """Write a key, or remove it (None), if its last change was at `revision` (0: it is not there).

        Returns:
            The new revision; None if it was changed since, and is left as it is.
        """
        name = _coded(key.encode())
        compare = {"key": name, "target": "MOD", "result": "EQUAL", "mod_revision": str(revision)}
        deed: dict[str, Any] = (
            {"request_delete_range": {"key": name}}
            if value is None
            else {"request_put": {"key": name, "value": _coded(value)}}
        )
        answer = self._call("/v3/kv/txn", {"compare": [compare], "success": [deed]})
        return int(answer["header"]["revision"]) if answer.get("succeeded") else None

    def follow(self, prefix: str, revision: int) -> Stream:
        """The changes of keys with this prefix from `revision` on."""
        return Stream(self._path, prefix, revision)

    def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        for attempt in (1, 2):
            try:
                self._connection.request("POST", path, json.dumps(body))
                response = self._connection.getresponse()
                answer = json.loads(response.read())
                break
            except (OSError, http.client.HTTPException, ValueError) as error:
                self._connection.close()  # it opens anew
                if attempt == 2:  # what is written twice is written alike
                    raise ClusterError(f"the control plane's store does not answer: {error}") from None
        if response.status != http.HTTPStatus.OK:
            raise ClusterError(f"the control plane's store refuses: {answer.get('message', response.status)}")
        return dict(answer)


class Stream:
    """Changes as they come; iterate in one thread, `close` in any."""

    def __init__(self, path: Path, prefix: str, revision: int) -> None:
        self._connection = _Connection(path, seconds=None)
        asked = {"create_request": {**_range(prefix), "start_revision": str(revision)}}
        self._connection.request("POST", "/v3/watch", json.dumps(asked))
        self._response = self._connection.getresponse()

    def __iter__(self) -> Iterator[Stored]:
        """Ends when the stream is closed, or etcd is gone."""
        try:
            with suppress(OSError, http.client.HTTPException, ValueError):
                while line := self._response.readline():
                    for event in json.loads(line).get("result", {}).get("events", ()):
                        pair = event["kv"]
                        gone = event.get("type") == "DELETE"
                        value = None if gone else base64.b64decode(pair.get("value", ""))
                        yield Stored(base64.b64decode(pair["key"]).decode(), value, int(pair["mod_revision"]))
        finally:
            self._response.close()
            self._connection.close()

    def close(self) -> None:
        """End it. Harmless when repeated."""
        stream = self._connection.sock
        if stream is not None:
            with suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, seconds: float | None = _SECONDS) -> None:
        super().__init__("etcd", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _range(prefix: str) -> dict[str, Any]:
    first = prefix.encode()
    return {"key": _coded(first), "range_end": _coded(first[:-1] + bytes([first[-1] + 1]))}


def _coded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
