"""What the API server asks of kubelets when somebody reads a log: an HTTPS server that has the containers' output.

It serves nothing else: exec, attach and port-forward are refused with a message that says so.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from itbench.model.errors import ClusterError, NotFoundError

_NOT_SIMULATED = "simulated containers have logs only: they run no commands and take no connections\n"


class Logs(Protocol):
    """Where the output of containers is."""

    def __call__(self, namespace: str, pod: str, container: str, *, tail: int | None, previous: bool) -> str:
        """The lines of one container.

        Raises:
            ClusterError: there is no such pod, container or previous run.
        """
        ...


class LogServer:
    """Serves the logs of containers on a free port of this machine; a context manager.

    Args:
        logs: where they are; asked in threads of this server.
        certificate, key: files, PEM. The API server does not check them.
    """

    def __init__(self, logs: Logs, certificate: Path, key: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server = _Server(("127.0.0.1", 0), _handler(logs), context)
        self._thread = Thread(target=self._server.serve_forever, name="logs", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> LogServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], handler: Callable[..., BaseHTTPRequestHandler], context: ssl.SSLContext
    ) -> None:
        self._context = context
        super().__init__(address, handler)

    def finish_request(self, request, client_address):  # type: ignore[no-untyped-def]  # as socketserver has it
        """Shake hands in the request's own thread: who connects and says nothing must not hold up the others."""
        request.settimeout(10)
        with suppress(OSError), self._context.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are no affair of ours."""


def _handler(logs: Logs) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            parts = [part for part in url.path.split("/") if part]
            if len(parts) != 4 or parts[0] != "containerLogs":
                self._answer(HTTPStatus.NOT_IMPLEMENTED, _NOT_SIMULATED)
                return
            query = {key: values[-1] for key, values in parse_qs(url.query).items()}
            tail = query.get("tailLines", "")
            try:
                text = logs(
                    *parts[1:],
                    tail=int(tail) if tail.isascii() and tail.isdigit() else None,
                    previous=query.get("previous") in ("true", "1"),
                )
            except NotFoundError as error:
                self._answer(HTTPStatus.NOT_FOUND, f"{error.message}\n")
            except ClusterError as error:
                self._answer(HTTPStatus.BAD_REQUEST, f"{error.message}\n")
            else:
                self._answer(HTTPStatus.OK, text)

        def do_POST(self) -> None:
            self._answer(HTTPStatus.NOT_IMPLEMENTED, _NOT_SIMULATED)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

        def _answer(self, status: HTTPStatus, text: str) -> None:
            raw = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    return Handler
