"""The ground truth of a measured incident, in the flat dialect of the public datasets, plus what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from itbench.cluster.reference import ObjectRef
from itbench.faults.injection import Injection
from itbench.model.scenario import Scenario, Wording
from itbench.snapshot.records import Alert
from itbench.twin.app.application import Application
from itbench.twin.app.objects import service_name
from itbench.twin.incident.impacts import TRAFFIC
from itbench.twin.incident.measure import SLO_DAYS, SLO_TARGET, Measured
from itbench.twin.incident.words import condition_of, condition_of_root, describe, effect_of
from itbench.twin.telemetry.alerts import identity

Entry = dict[str, Any]
# What follows a name in a filter: nothing more of a word, or what controllers append.
_WHOLE, _GENERATED, _DOT = r"\b", "-.*", r"\."


def ground_truth(measured: Measured, alerts: Iterable[Alert], quiet: Iterable[Alert]) -> Entry:
    """The document.

    Args:
        measured: the incident.
        alerts: all sightings of alerts in the world with the faults.
        quiet: those in the world without; they are not the incident's.
    """
    writer = _Writer(measured)
    writer.add_groups()
    writer.add_propagations()
    writer.add_alerts(alerts, quiet)
    scenario = measured.worlds.plan.scenario
    return {
        "metadata": {"name": scenario.id, "title": scenario.title},
        "fault": [record for item in measured.worlds.injected for record in writer.fault_records(item.injection)],
        "groups": list(writer.groups.values()),
        "aliases": [list(ids) for ids in writer.aliases],
        "propagations": writer.propagations,
        "alerts": writer.alerts,
        "recommended_actions": list(_actions(measured)),
        "measured": writer.measured(),
    }


class _Writer:
    """Collects the parts, which name each other by the ids of groups."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._application: Application = measured.worlds.plan.application
        self._scenario: Scenario = measured.worlds.plan.scenario
        self._service_ids: dict[str, str] = {}
        self._pod_ids: dict[str, str] = {}
        self._root_ids: dict[int, str] = {}
        self.groups: dict[str, Entry] = {}
        self.aliases: list[tuple[str, ...]] = []
        self.propagations: list[Entry] = []
        self.alerts: list[Entry] = []

    def add_groups(self) -> None:
        """Roots first, then the services in the order in which trouble reaches them, each with its pods."""
        suffering = dict.fromkeys((*self._measured.chain.services, *(item.service for item in self._measured.impacts)))
        for index, item in enumerate(self._measured.worlds.injected):
            self._root_ids[index] = self._add_root(item.injection)
        for name in suffering:
            self._add_service(name)

    def _add_root(self, injection: Injection) -> str:
        ids = [self._group(ref, root=number == 0) for number, ref in enumerate(injection.roots)]
        children = [self._group(ref) for ref in self._experiments(injection.roots)]
        same = list(dict.fromkeys((*ids, *children)))
        if len(same) > 1:
            self.aliases.append(tuple(same))
        return ids[0]

    def _experiments(self, roots: Sequence[ObjectRef]) -> list[ObjectRef]:
        """What a Schedule makes: experiments that bear its name and a suffix."""
        found = []
        for ref in roots:
            change = next(
                (item for one in self._measured.worlds.injected for item in one.injection.objects if item.object == ref),
                None,
            )
            kind = ((change.after or {}).get("spec") or {}).get("type") if change is not None else None
            if ref.kind == "Schedule" and kind:
                found.append(ObjectRef(str(kind), ref.name, ref.namespace))
        return found

    def _group(self, ref: ObjectRef, *, root: bool = False) -> str:
        known = next(
            (
                key
                for key, group in self.groups.items()
                if group["kind"] == ref.kind and group["filter"] == _filter(ref) and group.get("namespace") == ref.namespace
            ),
            None,
        )
        key = known or self._free_id(f"{ref.name}-{ref.kind.lower()}")
        group = self.groups.setdefault(
            key,
            {"id": key, "kind": ref.kind, **({"namespace": ref.namespace} if ref.namespace else {}), "filter": _filter(ref)},
        )
        if root:
            group["root_cause"] = True
        return key

    def _free_id(self, stem: str) -> str:
        number = 1
        while f"{stem}-{number}" in self.groups:
            number += 1
        return f"{stem}-{number}"

    def _add_service(self, name: str) -> None:
        body, namespace = self._application.services[name], self._application.namespace
        exposed = body.service_port is not None
        front = (
            ObjectRef("Service", service_name(name, body), namespace)
            if exposed
            else ObjectRef(body.workload, name, namespace)
        )
        shared = exposed and sum(service_name(*item) == front.name for item in self._application.services.items()) > 1
        if shared:  # several workloads behind one Service: each is itself
            front = ObjectRef(body.workload, name, namespace)
        self._service_ids[name] = self._group(front)
        pods = ObjectRef("Pod", name, namespace)
        self._pod_ids[name] = self._group(pods)
        self._alias(name, body.workload)

    def _alias(self, name: str, workload: str) -> None:
        """Ownership and selection: a service and its pods are one, and so are a workload that is a root and its pods."""
        service, pod = self._service_ids[name], self._pod_ids[name]
        roots = [self.groups[key] for key in self._root_ids.values()]
        owner = next((group for group in roots if group["kind"] == workload and group["filter"] == [f"{name}\\b"]), None)
        if owner is not None:
            self._join(owner["id"], pod)
        elif not self.groups[service].get("root_cause"):
            self._join(service, pod)

    def _join(self, one: str, other: str) -> None:
        for index, ids in enumerate(self.aliases):
            if one in ids:
                self.aliases[index] = tuple(dict.fromkeys((*ids, other)))
                return
        if one != other:
            self.aliases.append((one, other))

    def add_propagations(self) -> None:
        """The steps from the roots, then those between services."""
        measured = self._measured
        for index, names in measured.chain.first.items():
            injection = measured.worlds.injected[index].injection
            for name in names:
                if self._service_ids[name] != self._root_ids[index]:
                    effect = condition_of(name, measured.impacts)
                    self._propagation(self._root_ids[index], name, condition_of_root(injection), effect)
        for step in measured.chain.steps:
            condition = condition_of(step.source, measured.impacts, step.spread)
            self._propagation(self._service_ids[step.source], step.target, condition, effect_of(step))

    def _propagation(self, source: str, target: str, condition: str, effect: str) -> None:
        key = self._service_ids[target]
        words = _wording(self._scenario.wording, self.groups[source], self.groups[key])
        known = next((item for item in self.propagations if (item["source"], item["target"]) == (source, key)), None)
        if known is None:
            said = {
                "condition": (words.condition if words else None) or condition,
                "effect": (words.effect if words else None) or effect,
            }
            self.propagations.append({"source": source, "target": key, **said})
        elif words is None and effect not in known["effect"]:
            known["effect"] += f"; {effect}"

    def add_alerts(self, alerts: Iterable[Alert], quiet: Iterable[Alert]) -> None:
        """The alerts that fire because of the faults, each once for each of its label sets, in the order of firing."""
        innocent = {identity(alert) for alert in quiet if alert.state == "firing"}
        seen: dict[tuple[str, ...], None] = {}
        for alert in alerts:
            own = identity(alert)
            if alert.state != "firing" or own in innocent or own in seen:
                continue
            seen[own] = None
            group = self._group_of(alert)
            description = alert.annotations.get("description", "")
            self.alerts.append(
                {"id": alert.name, **({"group_id": group} if group else {}), "metadata": {"description": description}}
            )

    def _group_of(self, alert: Alert) -> str | None:
        labels = alert.labels
        service = labels.get("service_name")
        if service is not None and service in self._service_ids:
            return self._service_ids[service]
        pod = labels.get("pod", "")
        owners = {usage.name: usage.service for usage in self._measured.worlds.faulted.usages}
        if pod in owners:
            return self._pod_ids.get(owners[pod])
        for kind in ("deployment", "horizontalpodautoscaler", "statefulset"):
            name = labels.get(kind)
            if name is not None:
                return next((key for key, group in self.groups.items() if group["filter"] == [f"{name}\\b"]), None)
        return None

    def fault_records(self, injection: Injection) -> list[Entry]:
        """What was done, in words and field by field."""
        records = []
        for item in injection.objects:
            if item.object not in injection.roots:
                continue
            entity: Entry = {"kind": item.object.kind, "name": item.object.name, "group_id": self._id_of(item.object)}
            if item.fields:
                first = item.fields[0]
                entity["changed"] = {"element": first.field, "from": _plain(first.old), "to": _plain(first.new)}
            records.append(
                {
                    "category": "Change" if item.deed == "changed" else item.deed.capitalize(),
                    "condition": condition_of_root(injection),
                    "fault_mechanism": injection.fault,
                    "entity": entity,
                }
            )
        return records

    def _id_of(self, ref: ObjectRef) -> str:
        return next(
            key for key, group in self.groups.items() if group["kind"] == ref.kind and group["filter"] == _filter(ref)
        )

    def measured(self) -> Entry:
        """The numbers: when, how much, how far."""
        measured = self._measured
        begins = min((item.time for item in measured.worlds.injected), default=0.0)
        entities: dict[str, list[Entry]] = {}
        for impact in measured.impacts:
            ids = self._service_ids if impact.aspect in TRAFFIC else self._pod_ids
            entities.setdefault(ids[impact.service], []).append(
                {
                    "aspect": impact.aspect,
                    "after_seconds": round(impact.onset - begins, 1),
                    "lasting_seconds": round(impact.seconds, 1),
                    "healthy": _number(impact.healthy),
                    "peak": _number(impact.peak),
                    "in_words": describe(impact),
                }
            )
        touched = {impact.service for impact in measured.impacts}
        return {
            "seed": measured.worlds.seed,
            "injected_at_seconds": [round(item.time, 1) for item in measured.worlds.injected],
            "first_impact_after_seconds": None if measured.onset is None else round(measured.onset - begins, 1),
            "entities": entities,
            "users": {
                "requests": round(measured.burned.requests),
                "failed_by_the_incident": round(measured.burned.failed),
                "error_budget": {"target": SLO_TARGET, "days": SLO_DAYS, "burned": _number(measured.burned.budget)},
            },
            "blast_radius": {"services": len(touched), "of": len(self._application.services)},
        }


def _wording(wordings: Iterable[Wording], source: Mapping[str, Any], target: Mapping[str, Any]) -> Wording | None:
    names = tuple(told(group["kind"], group["filter"][0]) for group in (source, target))
    return next((item for item in wordings if (item.source, item.target) == names), None)


def told(kind: str, expression: str) -> str:
    """`Kind/name` of a group in the ground truth, as authors name it in `wording`.

    Args:
        kind: of the group.
        expression: the first of its filters.
    """
    return f"{kind}/{expression.removesuffix(_WHOLE).removesuffix(_GENERATED).replace(_DOT, '.')}"


def _filter(ref: ObjectRef) -> list[str]:
    generated = ref.kind in ("Pod", "ReplicaSet") or ref.kind.endswith("Chaos")
    return [ref.name.replace(".", _DOT) + (_GENERATED if generated else _WHOLE)]


def _actions(measured: Measured) -> Iterable[Entry]:
    texts = [fix.text for item in measured.worlds.injected for fix in item.fault.fixes()]
    for number, text in enumerate((*texts, *(fix.text for fix in measured.worlds.plan.scenario.fixes)), 1):
        yield {"solution": {"id": f"fix-{number}", "actions": [text]}}


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _number(value: float) -> float:
    return float(f"{value:.4g}") if abs(value) > 1e-9 else 0.0
