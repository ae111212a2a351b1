"""Check that the root cause can be found: something in the files shows the object, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from itbench.authoring.adversaries import score_of_roots
from itbench.authoring.rehearsal import Exhibit, Rehearsal
from itbench.authoring.verdict import Check
from itbench.cluster.reference import ObjectRef
from itbench.faults.fields import FieldPath, differences, overlapping, written
from itbench.model.entity import Entity
from itbench.snapshot.records import ObjectVersion
from itbench.twin.incident.incident import Injected


def observable(rehearsal: Rehearsal, found: Exhibit) -> Check:
    """Every root is in the files, changed, made, gone or spoken of, under a name that the ground truth accepts."""
    seen: dict[str, str | None] = {}
    roots: list[Entity] = []
    for item in rehearsal.measured.worlds.injected:
        places = [(ref, _where(ref, item, rehearsal, found)) for ref in item.injection.roots]
        ref, place = next(((ref, place) for ref, place in places if place is not None), places[0])
        seen[str(ref)] = place
        roots.append(Entity(namespace=ref.namespace, kind=ref.kind, name=ref.name))
    hidden = [name for name, place in seen.items() if place is None]
    f1 = score_of_roots(roots, found.truth)
    numbers = {**{f"root {name}": place for name, place in seen.items()}, "f1_by_their_own_names": f1}
    if hidden:
        return Check(
            name="observable",
            passed=False,
            evidence=f"nothing in the files shows what happened to {', '.join(hidden)}",
            remedy="Let timeline.after be at least 300 s, for objects are dumped every 300 s; or break one that is dumped.",
            numbers=numbers,
        )
    if f1 < 1 - 1e-9:
        return Check(
            name="observable",
            passed=False,
            evidence=f"the roots by the names that they have in the files score {f1:.2f}, not 1",
            remedy="Report this: the ground truth does not fit what was recorded.",
            numbers=numbers,
        )
    text = "; ".join(f"{name}: {place}" for name, place in seen.items())
    return Check(name="observable", passed=True, evidence=text, numbers=numbers)


def _where(ref: ObjectRef, item: Injected, rehearsal: Rehearsal, found: Exhibit) -> str | None:
    """What in the files shows what became of a root, in words."""
    begin = rehearsal.measured.worlds.faulted.begin
    before: list[ObjectVersion] = []
    after: list[ObjectVersion] = []
    for version in found.recording.objects:
        if _is(version, ref):
            # A dump in the very moment of the injection may show either state.
            (before if (version.time - begin).total_seconds() < item.time else after).append(version)
    fields = [change.path for change in item.injection.changes if change.object == ref and change.path]
    return _in_objects(before, after, fields) or _in_events(ref, item, rehearsal, found) or _in_alerts(ref, rehearsal)


def _in_objects(before: Sequence[ObjectVersion], after: Sequence[ObjectVersion], fields: Sequence[FieldPath]) -> str | None:
    """How dumps before and after show it; of an object that the fault changed, by one of the fields that it changed."""
    if before and not after:
        return "gone from k8s_objects"
    if after and not before:
        return "new in k8s_objects"
    for version in after:
        for change in differences(before[-1].manifest, version.manifest) if before else ():
            if not fields or any(overlapping(change.path, path) for path in fields):
                return f"{written(change.path)} changes in k8s_objects"
    return None


def _in_events(ref: ObjectRef, item: Injected, rehearsal: Rehearsal, found: Exhibit) -> str | None:
    begin = rehearsal.measured.worlds.faulted.begin
    for event in found.recording.events:
        if (event.time - begin).total_seconds() < item.time:
            continue
        involved = event.involved
        if (involved.kind, involved.name) == (ref.kind, ref.name):
            return f"event {event.reason}"
        if event.type == "Warning" and ref.name in event.message.replace('"', " ").split():
            return f"event {event.reason} of {involved.kind} {involved.name} names it"
    return None


def _in_alerts(ref: ObjectRef, rehearsal: Rehearsal) -> str | None:
    about = next((alert for alert in rehearsal.incident_alerts if ref.name in alert.labels.values()), None)
    return None if about is None else f"alert {about.name} names it"


def _is(version: ObjectVersion, ref: ObjectRef) -> bool:
    manifest: Mapping[str, Any] = version.manifest
    metadata = manifest.get("metadata") or {}
    return (manifest.get("kind"), metadata.get("name"), metadata.get("namespace") or None) == (
        ref.kind,
        ref.name,
        ref.namespace or None,
    )
