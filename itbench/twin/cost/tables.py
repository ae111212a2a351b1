"""The files of a scenario besides the FOCUS export: what each column is, is said in docs/finops-twin.md."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from itbench.model.cost import HIERARCHY
from itbench.twin.cost.alerts import Alert, Budget
from itbench.twin.cost.allocation import Workload
from itbench.twin.cost.calendar import Calendar, Floats
from itbench.twin.cost.events import Event
from itbench.twin.cost.resources import resource_id
from itbench.twin.cost.rows import Path as RowPath
from itbench.twin.cost.rows import Row
from itbench.twin.cost.world import LineCost, World

POD_DAYS = 28
"""Days at the end for which allocation.csv has pods; before them it has controllers, as OpenCost forgets pods."""

Cell = str | float | int


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file."""

    columns: Sequence[str]
    rows: Iterable[Sequence[Cell]]

    def write(self, path: Path) -> None:
        """Write it, lines ended by a line feed."""
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(self.columns)
            writer.writerows(self.rows)


@dataclass(frozen=True, slots=True)
class Text:
    """A file of one text."""

    text: str

    def write(self, path: Path) -> None:
        """Write it."""
        path.write_text(self.text, encoding="utf-8")


def anomaly_document(day: date, account: str) -> Text:
    """anomaly.json in the public form."""
    return Text(json.dumps({"date": day.isoformat(), "account_id": account}) + "\n")


def public_table(rows: Mapping[RowPath, Row], calendar: Calendar) -> Table:
    """data.csv in the public form. Price × instances × 24 is the cost; days without any cost have no row."""
    columns = ("date", *HIERARCHY, "Price ($/hr)", "Num_Instances", "unblended_cost")
    return Table(columns, _public_rows(rows, calendar))


def _public_rows(rows: Mapping[RowPath, Row], calendar: Calendar) -> Iterator[Sequence[Cell]]:
    for number, day in enumerate(calendar.dates):
        for path, row in rows.items():
            cost, units = float(row.cost[number]), float(row.units[number])
            if cost >= 0.005:
                price = cost / (24 * units) if units > 0 else 0.0
                yield (day.isoformat(), *path, f"{price:.6g}", f"{units:.2f}", f"{cost:.2f}")


def budget_table(budgets: Iterable[Budget], calendar: Calendar) -> Table:
    """budgets.csv: a row for each account and month."""
    months = sorted({(day.year, day.month) for day in calendar.dates})
    columns = ("budget_id", "scope", "month", "amount", "currency")
    rows = [
        (f"budget-{item.account}", f"account/{item.account}", f"{year}-{month:02d}", f"{item.amount:.2f}", "USD")
        for item in budgets
        for year, month in months
    ]
    return Table(columns, rows)


def alert_table(alerts: Iterable[Alert]) -> Table:
    """alerts.csv."""
    columns = ("rule", "scope", "fired_on", "observed", "threshold")
    return Table(columns, [(it.rule, it.scope, it.fired_on.isoformat(), it.observed, it.threshold) for it in alerts])


def event_table(events: Iterable[Event]) -> Table:
    """events.csv."""
    rows = [(f"{it.time:%Y-%m-%dT%H:%M:%SZ}", it.kind, it.resource, it.message) for it in events]
    return Table(("time", "kind", "resource", "message"), rows)


def usage_table(world: World) -> Table:
    """usage.csv: what is behind the cost, in long form."""
    return Table(("date", "resource_id", "metric", "value", "unit"), _usage_rows(world))


def _usage_rows(world: World) -> Iterator[Sequence[Cell]]:
    series = [item for item in _series(world) if item[2].any()]
    for number, day in enumerate(world.calendar.dates):
        text = day.isoformat()
        for resource, metric, values, unit in series:
            yield text, resource, metric, f"{values[number]:.6g}", unit


def _series(world: World) -> Iterator[tuple[str, str, Floats, str]]:
    for name, traffic in world.traffic.items():
        meant = traffic.meant.sum(axis=1) * 3600
        if meant.max() < 100:
            continue  # nobody asks anything of it
        yield f"application/{name}", "requests", traffic.arriving.sum(axis=1) * 3600, "requests"
        yield f"application/{name}", "requests_succeeded", meant * (1 - traffic.failing), "requests"
    for line in world.lines:
        yield from _line_series(world, line)
    for number, commitment in enumerate(world.plan.commitments):
        spec = commitment.spec
        mine = [it for it in world.lines if it.plan.account == spec.account and it.plan.spec.family in spec.families]
        listed: Floats = np.sum([line.listed for line in mine], axis=0)
        yield f"commitment/{commitment.name}", "coverage", world.used(number) / np.maximum(listed, 1e-9), "share"


def _line_series(world: World, line: LineCost) -> Iterator[tuple[str, str, Floats, str]]:
    resource, family = resource_id(world.plan, line.plan), world.plan.families[line.plan.spec.family]
    units = line.use.units
    match family.unit:
        case "hours":
            yield resource, "instances", units.mean(axis=1), "instances"
        case "stock":
            yield resource, "stored", units.mean(axis=1), "GB"
        case "flow":
            yield resource, "transferred", units.sum(axis=1), "GB"
    service = line.use.service
    if service is None:
        return
    weight = np.maximum(service.replicas.sum(axis=1), 1e-9)
    yield resource, "cpu_utilisation", (service.utilisation * service.replicas).sum(axis=1) / weight, "share"
    yield resource, "memory_utilisation", (service.memory * service.replicas).sum(axis=1) / weight, "share"
    if family.gpus:
        yield resource, "gpu_utilisation", (service.utilisation * service.replicas).sum(axis=1) / weight, "share"
    if line.plan.spec.kind == "pool":
        yield resource, "replicas", service.replicas.mean(axis=1), "pods"
        yield resource, "replicas_max", line.plan.most, "pods"


ALLOCATION_COLUMNS = (
    *("start", "end", "minutes", "name", "cluster", "namespace", "controllerKind", "controller", "pod"),
    *("cpuCores", "cpuCoreRequestAverage", "cpuCoreUsageAverage", "cpuCoreHours", "cpuCost", "cpuEfficiency"),
    *("gpuCount", "gpuHours", "gpuCost", "networkCrossZoneCost", "networkCost", "loadBalancerCost", "pvCost"),
    *("ramBytes", "ramByteRequestAverage", "ramByteUsageAverage", "ramByteHours", "ramCost", "ramEfficiency"),
    *("sharedCost", "totalCost", "totalEfficiency"),
)


def allocation_table(workloads: Sequence[Workload], calendar: Calendar) -> Table:
    """allocation.csv: OpenCost's allocations, a day each, and what is idle or shared in each cluster."""
    return Table(ALLOCATION_COLUMNS, _allocation_rows(workloads, calendar))


def _allocation_rows(workloads: Sequence[Workload], calendar: Calendar) -> Iterator[Sequence[Cell]]:
    clusters: dict[str, list[Workload]] = {}
    for workload in workloads:
        clusters.setdefault(workload.cluster, []).append(workload)
    dates = calendar.dates
    for day in range(calendar.days):
        start = f"{dates[day].isoformat()}T00:00:00Z"
        end = f"{(calendar.first.fromordinal(dates[day].toordinal() + 1)).isoformat()}T00:00:00Z"
        for cluster, members in sorted(clusters.items()):
            idle = sum(float(it.idle[day]) for it in members)
            shared = idle * _SYSTEM
            yield _other(start, end, cluster, "__idle__", "", idle - shared, 0.0)
            yield _other(start, end, cluster, "kube-system", "kube-system", shared, shared)
            for workload in members:
                if workload.pod_hours[day] > 0:
                    if day >= calendar.days - POD_DAYS:
                        yield from _pods(workload, day, start, end)
                    else:
                        yield _allocated(workload, day, start, end, "", 24.0, float(workload.pod_hours[day]))


_SYSTEM = 0.15  # of what is idle for others: the system's own pods, shared by all
_GIB = 1_073_741_824


def _other(start: str, end: str, cluster: str, name: str, namespace: str, cost: float, shared: float) -> Sequence[Cell]:
    nothing = ("0",) * 6
    return (
        *(start, end, "1440", name, cluster, namespace, "", "", ""),
        *("0", "0", "0", "0", f"{cost * 0.6:.4f}", "0"),
        *nothing,
        "0",
        *("0", "0", "0", "0", f"{cost * 0.4:.4f}", "0"),
        *(f"{shared:.4f}", f"{cost:.4f}", "0"),
    )


def _pods(workload: Workload, day: int, start: str, end: str) -> Iterator[Sequence[Cell]]:
    """The n-th pod runs in the hours in which there are n or more."""
    service = workload.line.use.service
    assert service is not None
    replicas = service.replicas[day]
    for number in range(int(replicas.max())):
        hours = float((replicas > number).sum())
        yield _allocated(workload, day, start, end, f"{workload.name}-{number}", hours, hours)


def _allocated(
    workload: Workload, day: int, start: str, end: str, pod: str, hours: float, pod_hours: float
) -> Sequence[Cell]:
    """An allocation that ran for `hours` of a day, with `pod_hours` of all the workload's."""
    share = pod_hours / float(workload.pod_hours[day])
    spec = workload.spec
    cpu, memory = float(workload.cpu_cost[day]) * share, float(workload.memory_cost[day]) * share
    cpu_use, memory_use = float(workload.cpu_use[day]), float(workload.memory_use[day])
    extras = {name: float(values[day]) * share for name, values in workload.extras.items()}
    cores, gigabytes = spec.cpu * pod_hours / hours, spec.memory * pod_hours / hours
    used_bytes = f"{gigabytes * memory_use * _GIB:.0f}"
    total = cpu + memory + extras["network"] + extras["load_balancer"] + extras["pv"]
    efficiency = (cpu * cpu_use + memory * memory_use) / max(cpu + memory, 1e-9)
    name = "/".join((workload.cluster, workload.namespace, pod or workload.name))
    return (
        *(start, end, f"{hours * 60:.0f}", name, workload.cluster, workload.namespace, "deployment", workload.name, pod),
        *(f"{cores:.4g}", f"{cores:.4g}", f"{cores * cpu_use:.4g}", f"{cores * hours:.6g}", f"{cpu:.4f}", f"{cpu_use:.4f}"),
        *("0", "0", "0"),
        *(f"{extras['cross_zone']:.4f}", f"{extras['network']:.4f}"),
        *(f"{extras['load_balancer']:.4f}", f"{extras['pv']:.4f}"),
        *(f"{gigabytes * _GIB:.0f}", f"{gigabytes * _GIB:.0f}", used_bytes, f"{gigabytes * _GIB * hours:.0f}"),
        *(f"{memory:.4f}", f"{memory_use:.4f}"),
        *("0", f"{total:.4f}", f"{efficiency:.4f}"),
    )
