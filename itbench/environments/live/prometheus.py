"""A real Prometheus of one's own, which is fed what the simulated world measures.

It listens on this machine, under a path that nobody can guess: who may not know it cannot write to it. Agents get
`itbench.environments.live.metrics_api` in front of it, which reads only.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from itbench.cluster.control_plane import FOLDER_PREFIX
from itbench.environments.live.remote_write import HEADERS, Points, request_body
from itbench.model.errors import ItbenchError

_START_SECONDS = 30.0
_STOP_SECONDS = 30.0
_LOOK_SECONDS = 0.05
_REQUEST_SECONDS = 60.0
_SERIES = 2000  # a request
_LISTENING = re.compile(rb'msg="Listening on" address=(\S+)')


class PrometheusError(ItbenchError):
    """Prometheus does not start, or does not take samples."""


def find_prometheus() -> Path | None:
    """The program, in PATH or where `make prometheus` puts it; None where there is none."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for folder in (os.environ.get("PATH"), str(caches / "itbench" / "prometheus")):
        found = shutil.which("prometheus", path=folder) if folder else None
        if found is not None:
            return Path(found).resolve()
    return None


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A Prometheus that runs.

    Attributes:
        host: HOST:PORT.
        prefix: of all its paths; a secret.
    """

    host: str
    prefix: str

    def write(self, series: Sequence[Points]) -> None:
        """Add samples, which must not be more than an hour older than others before them.

        Raises:
            PrometheusError: it does not take them.
        """
        for first in range(0, len(series), _SERIES):
            body = request_body(series[first : first + _SERIES])
            status, answer = self.ask("POST", "/api/v1/write", body, HEADERS)
            if status >= 300:
                said = answer.decode(errors="replace").strip()[:300]
                raise PrometheusError(f"Prometheus does not take samples ({status}): {said}")

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None, most: int = 1 << 26
    ) -> tuple[int, bytes]:
        """The status and body of an answer, cut after `most` bytes.

        Raises:
            PrometheusError: it does not answer.
        """
        connection = http.client.HTTPConnection(self.host, timeout=_REQUEST_SECONDS)
        try:
            connection.request(method, self.prefix + path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(most)
        except (OSError, http.client.HTTPException) as error:
            raise PrometheusError(f"Prometheus does not answer ({type(error).__name__}: {error})") from error
        finally:
            connection.close()


@contextmanager
def running_prometheus(program: Path) -> Iterator[Prometheus]:
    """Start it; nothing is left of it at the end, nor when this process is killed.

    Raises:
        PrometheusError: it does not get ready.
    """
    # The prefix is that of control planes, so that `env reap` finds what a killed guard leaves.
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}prometheus-"))
    prefix = f"/{secrets.token_hex(16)}"
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 1m}\n", encoding="utf-8")
    # Who sees the processes of this machine sees the prefix, and could mislead those who ask; no verdict comes from here.
    words = [
        str(program),
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        "--storage.tsdb.retention.time=30d",
        "--web.listen-address=127.0.0.1:0",
        f"--web.route-prefix={prefix}",
        "--web.enable-remote-write-receiver",
        "--web.max-connections=64",
        "--query.timeout=20s",
        "--query.max-samples=5000000",
        "--query.max-concurrency=4",
    ]
    guard = subprocess.Popen(
        [sys.executable, "-m", "itbench.cluster.guard", str(folder), json.dumps([words])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield _ready(guard, folder, prefix)
    finally:
        with suppress(subprocess.TimeoutExpired):
            guard.communicate(timeout=_STOP_SECONDS)  # closes its input, which is the order to clean up
        shutil.rmtree(folder, ignore_errors=True)


def _ready(guard: subprocess.Popen[bytes], folder: Path, prefix: str) -> Prometheus:
    deadline = time.monotonic() + _START_SECONDS
    log = folder / "prometheus.log"
    while time.monotonic() < deadline:
        said = log.read_bytes() if log.exists() else b""
        if listening := _LISTENING.search(said):
            found = Prometheus(listening[1].decode(), prefix)
            with suppress(PrometheusError):
                if found.ask("GET", "/-/ready")[0] == http.HTTPStatus.OK:
                    return found
        if guard.poll() is not None or b"level=error" in said:
            break
        time.sleep(_LOOK_SECONDS)
    last = log.read_text(errors="replace").strip().splitlines()[-2:] if log.exists() else ["it printed nothing"]
    raise PrometheusError(f"Prometheus does not get ready: {' / '.join(last)[:500]}")
