"""One application file, two clusters: how many calls a second between services, on the twin and on a real cluster.

Usage: .venv/bin/python benchmarks/kind_rates.py PROMETHEUS_URL [APPLICATION] [MINUTES]

The real cluster's are read from its Prometheus, over the last minutes; the twin's are those of the same load.
"""

from __future__ import annotations

import json
import sys
import urllib.parse
import urllib.request
from collections import defaultdict
from datetime import UTC, datetime

from itbench.twin.app.application import Application
from itbench.twin.app.load import load_application
from itbench.twin.flow.moments import Array
from itbench.twin.running import RunningApplication
from itbench.twin.telemetry.semantics import exported, in_mesh
from itbench.twin.telemetry.traffic import Traffic

MESH = "sum by (source_workload, destination_workload) (rate(istio_requests_total[{minutes}m]))"
SPANS = (
    "sum by (service_name, span_name, span_kind) "
    '(rate(traces_span_metrics_calls_total{{span_kind=~"SPAN_KIND_(SERVER|CLIENT|PRODUCER|CONSUMER)"}}[{minutes}m]))'
)
KINDS = {"SPAN_KIND_SERVER": "←", "SPAN_KIND_CONSUMER": "←"}


def main() -> None:
    url, name, minutes = [*sys.argv[1:], "book-info", "5"][:3]
    application = load_application(name)
    live, twin = live_rates(url, application, float(minutes)), twin_rates(application)
    print(f"| {name} | twin, 1/s | live, 1/s | live / twin |\n|---|---|---|---|")
    for what in sorted({*live, *twin}, key=lambda what: -twin.get(what, 0.0)):
        one, other = twin.get(what, 0.0), live.get(what, 0.0)
        print(f"| {what} | {one:.3f} | {other:.3f} | {other / one if one else float('nan'):.2f} |")


def live_rates(url: str, application: Application, minutes: float) -> dict[str, float]:
    expression = (MESH if in_mesh(application) else SPANS).format(minutes=f"{minutes:g}")
    with urllib.request.urlopen(f"{url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}", timeout=30) as answer:
        found = json.load(answer)["data"]["result"]
    rates: dict[str, float] = defaultdict(float)
    for series in found:
        labels, value = series["metric"], float(series["value"][1])
        if in_mesh(application):
            rates[f"{labels['source_workload']} → {labels['destination_workload']}"] += value
        else:
            rates[f"{labels['service_name']} {KINDS.get(labels['span_kind'], '→')} {labels['span_name']}"] += value
    return rates


def twin_rates(application: Application) -> dict[str, float]:
    now = datetime.now(UTC)
    daytime = (now - now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()
    running = RunningApplication(application, daytime=daytime)
    running.advance(600)
    traffic = Traffic.of(running.advance(300))
    attempts: Array = traffic.attempts.mean(0)
    arrivals: Array = traffic.arrivals.mean(0)
    rates: dict[str, float] = defaultdict(float)
    if in_mesh(application):
        for site, rate in zip(traffic.graph.sites, attempts.tolist(), strict=True):
            rates[f"{site.caller.service} → {site.callee.service}"] += rate
        return rates
    from itbench.twin.telemetry.semantics import Semantics

    semantics = Semantics(traffic.graph)
    signs = {"Server": "←", "Consumer": "←", "Client": "→", "Producer": "→"}
    for operation, rate in [
        *zip(semantics.routes, arrivals.tolist(), strict=True),
        *zip(semantics.sites, attempts.tolist(), strict=True),
    ]:
        if operation is not None and operation.kind in signs and exported(application, operation.service):
            rates[f"{operation.service} {signs[operation.kind]} {operation.name}"] += rate
    return rates


if __name__ == "__main__":
    main()
