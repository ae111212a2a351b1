"""The Prometheus HTTP API that agents get: queries go to a real Prometheus, alerts and rules are the world's own.

Nothing can be written through it, and nothing else of Prometheus is in reach.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from itbench.environments.live.prometheus import Prometheus, PrometheusError
from itbench.snapshot.records import Alert
from itbench.twin.telemetry.alerts import INTERVAL
from itbench.twin.telemetry.rules.load import AlertRule

_PASSED = re.compile(
    r"/(-/(ready|healthy)|api/v1/(query|query_range|query_exemplars|format_query|series|labels|label/[^/]+/values|metadata"
    r"|status/(buildinfo|runtimeinfo|tsdb)))"
)
_ALERTS, _RULES, _QUERY = "/api/v1/alerts", "/api/v1/rules", "/api/v1/query"
_MOST_QUESTION = 1_000_000
_MOST_ANSWER = 64_000_000
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Alerting:
    """What evaluates alerts: `rules`, and what `alerts` are active now."""

    rules: Sequence[AlertRule]
    alerts: Callable[[], Sequence[Alert]]


class MetricsApi:
    """Serves the API on a free port of this machine; a context manager.

    Args:
        prometheus: is asked.
        alerting: in threads of this server.
        now: seconds since 1970 that queries without a time are about; None is the wall clock's.
    """

    def __init__(self, prometheus: Prometheus, alerting: Alerting, now: float | None = None) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(prometheus, alerting, now))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, name="metrics", daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> MetricsApi:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(prometheus: Prometheus, alerting: Alerting, now: float | None) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 60  # who connects and says nothing is let go

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path == _ALERTS:
                self._tell({"alerts": [_alert(each) for each in alerting.alerts()]})
            elif path == _RULES:
                self._tell({"groups": [_group(alerting)]})
            else:
                self._pass_on(b"")

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not (length.isascii() and length.isdigit()) or int(length) > _MOST_QUESTION:
                self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a question has at most {_MOST_QUESTION} bytes")
            elif self.headers.get_content_type() != _FORM:
                self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"questions are posted as {_FORM}")
            else:
                self._pass_on(self.rfile.read(int(length)))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

        def _pass_on(self, body: bytes) -> None:
            if not _PASSED.fullmatch(urlsplit(self.path).path):
                self._refuse(HTTPStatus.NOT_FOUND, "this is read-only: query, query_range, series, labels, alerts, rules")
                return
            path = self.path
            if (
                now is not None
                and urlsplit(path).path == _QUERY
                and "time" not in parse_qs(f"{urlsplit(path).query}&{body.decode(errors='replace')}")
            ):
                path += f"{'&' if urlsplit(path).query else '?'}time={now:.3f}"
            try:
                headers = {"Content-Type": _FORM} if body else {}
                status, answer = prometheus.ask(self.command, path, body, headers, _MOST_ANSWER)
            except PrometheusError as error:
                self._refuse(HTTPStatus.BAD_GATEWAY, error.message)
                return
            if len(answer) >= _MOST_ANSWER:
                self._refuse(HTTPStatus.UNPROCESSABLE_ENTITY, f"the answer has more than {_MOST_ANSWER} bytes; ask for less")
                return
            self._answer(status, answer)

        def _tell(self, data: object) -> None:
            self._answer(HTTPStatus.OK, json.dumps({"status": "success", "data": data}).encode())

        def _refuse(self, status: HTTPStatus, message: str) -> None:
            self._answer(status, json.dumps({"status": "error", "errorType": "bad_data", "error": message}).encode())
            self.close_connection = True

        def _answer(self, status: int, raw: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    return Handler


def _alert(alert: Alert) -> dict[str, object]:
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "state": alert.state,
        "activeAt": None if alert.active_since is None else alert.active_since.isoformat().replace("+00:00", "Z"),
        "value": repr(alert.value),
    }


def _group(alerting: Alerting) -> dict[str, object]:
    active: dict[str, list[Alert]] = {}
    for alert in alerting.alerts():
        active.setdefault(alert.name, []).append(alert)
    rules = [
        {
            "type": "alerting",
            "name": rule.name,
            "query": rule.text,
            "duration": rule.hold,
            "labels": rule.labels,
            "annotations": rule.annotations,
            "state": _state(active.get(rule.name, ())),
            "health": "ok",
            "alerts": [_alert(alert) for alert in active.get(rule.name, ())],
        }
        for rule in alerting.rules
    ]
    return {"name": "application", "file": "rules.yaml", "interval": INTERVAL, "rules": rules}


def _state(alerts: Sequence[Alert]) -> str:
    states = {alert.state for alert in alerts}
    return next((state for state in ("firing", "pending") if state in states), "inactive")
