"""Kubernetes objects: which there are, one as it was, and what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import yaml
from pydantic import Field

from itbench.model.entity import canonical_kind
from itbench.snapshot.filters import Filter, page
from itbench.tools.arguments import EntityWord, Limit, Namespace, Offset, Since, Until
from itbench.tools.clock import iso
from itbench.tools.entities import listed
from itbench.tools.errors import ToolError, did_you_mean
from itbench.tools.history import ObjectChange
from itbench.tools.registry import tool
from itbench.tools.render import cut, paged
from itbench.tools.session import Session

At = Annotated[str | None, Field(description="As it was at this time (formats as in since); default: the end.")]
_SPEC_CHARS = 16_000


@tool()
def objects(
    session: Session,
    namespace: Namespace = None,
    kind: Annotated[str | None, Field(description="Only this kind, such as Deployment or deploy.")] = None,
    name_contains: Annotated[str | None, Field(description="Only names with this text in them.")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> str:
    """The Kubernetes objects that were recorded: how often and when each was seen, and whether it was deleted.

    `object` shows one of them, object_changes what changed.
    """
    wanted = None if kind is None else canonical_kind(kind) or kind
    for column, value in (("namespace", namespace), ("kind", wanted)):
        if value is not None:
            known = [each for (each,) in session.snapshot.query(f"SELECT DISTINCT {column} FROM stored.objects ORDER BY 1")]
            if value not in known:
                raise ToolError(f"no object has the {column} {value[:100]!r}", hint=did_you_mean(value, filter(None, known)))
    found = Filter().equal(namespace=namespace, kind=wanted).add("contains(lower(name), lower(?))", name_contains)
    grouped = f"""SELECT namespace, kind, name, count(*), min(time), max(time), arg_max(deleted, (time, row))
        FROM stored.objects {found} GROUP BY namespace, kind, name"""
    rows = session.snapshot.query(f"{grouped} ORDER BY namespace, kind, name {page(limit, offset)}", found.values)
    total = session.snapshot.query(f"SELECT count(*) FROM ({grouped})", found.values)[0][0]

    def cells(row: Sequence[Any]) -> Sequence[Any]:
        *identity, versions, first, last, deleted = row
        name = "/".join(part for part in identity if part)
        return name, versions, session.utc(first), session.utc(last), "deleted" if deleted else ""

    columns = ("object", "seen", "first", "last", "state")
    return paged(columns, rows, cells, total=total, offset=offset, what="objects")


@tool()
def object(  # noqa: A001 - what it gives
    session: Session,
    name: EntityWord,
    at: At = None,
    status: Annotated[bool, Field(description="With its status.")] = True,
) -> str:
    """The manifest of one Kubernetes object as it was at a time, in YAML, without book-keeping fields."""
    moment = session.clock.end if at is None else session.clock.parse(at)
    candidates = session.entities.resolve(name)
    # Telemetry and events name objects whose manifest nobody recorded.
    for entity in candidates:
        versions = session.snapshot.objects_at(
            moment, namespace=entity.namespace or "", kind=entity.kind or "", name=entity.name
        )  # fmt: skip
        if not versions:
            continue
        others = [other for other in candidates if other != entity]
        head = f"# {entity}, as observed at {iso(versions[0].time)}"
        if others:
            head += f"\n# others with this name: {listed(others)}"
        manifest = _readable(versions[0].manifest, status)
        text = yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=160)
        return f"{head}\n{cut(text, _SPEC_CHARS)}"
    raise ToolError(
        f"no manifest of {listed(candidates)} is known at {iso(moment)}",
        hint="objects lists what was recorded and when; object_changes tells of deletions",
    )


@tool()
def object_changes(
    session: Session,
    name: Annotated[str | None, Field(description="Only this object, as namespace/Kind/name, Kind/name or name.")] = None,
    namespace: Namespace = None,
    kind: Annotated[str | None, Field(description="Only this kind.")] = None,
    status: Annotated[bool, Field(description="Changes of the status alone, too.")] = False,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> str:
    """What happened to Kubernetes objects, by time: created, modified (each field, old → new), deleted or gone.

    Gone: later dumps no longer list it. Fields that change by themselves (managedFields, resourceVersion,
    heartbeat times, …) are left out. `time` is when it happened by the object's own account, else when it was observed;
    dumps may lag by minutes.
    """
    first, last = session.window(since, until)
    wanted = None if kind is None else canonical_kind(kind) or kind
    entities = None if name is None else set(session.entities.resolve(name))
    found = [
        change
        for change in (session.changes if status else session.spec_changes)
        if (entities is None or change.entity in entities)
        and (namespace is None or change.entity.namespace == namespace)
        and (wanted is None or (change.entity.kind or "").casefold() == wanted.casefold())
        and (first is None or change.time >= first)
        and (last is None or change.time < last)
    ]
    columns = ("time", "observed", "change", "object", "fields")
    return paged(
        columns,
        found[offset : offset + limit],
        lambda change: change_cells(change, status),
        total=len(found),
        offset=offset,
        what="changes",
        cell=1500,
    )


def change_cells(change: ObjectChange, status: bool) -> Sequence[Any]:
    """A row for a change, with its fields but for those of the status, unless they are asked for."""
    fields = [str(field) for field in change.fields if status or not field.in_status]
    shown = "; ".join(fields[:12]) + (f"; and {len(fields) - 12} more" if len(fields) > 12 else "")
    return change.time, change.observed, change.type, change.entity, shown


def _readable(manifest: Mapping[str, Any], status: bool) -> dict[str, Any]:
    """Without what only machines read."""
    found = {key: value for key, value in manifest.items() if status or key != "status"}
    metadata = found.get("metadata")
    if isinstance(metadata, Mapping):
        found["metadata"] = {key: value for key, value in metadata.items() if key not in ("managedFields", "selfLink")}
        notes = metadata.get("annotations")
        if isinstance(notes, Mapping):
            last_applied = "kubectl.kubernetes.io/last-applied-configuration"
            found["metadata"]["annotations"] = {key: value for key, value in notes.items() if key != last_applied}
    return found
