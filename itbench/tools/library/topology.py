"""How things hang together: the graph of objects and calls, what is near one of them, and all about one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from itbench.model.entity import Entity, canonical_kind
from itbench.snapshot.filters import Filter
from itbench.tools.arguments import EntityWord, Limit, Namespace, Offset
from itbench.tools.entities import listed
from itbench.tools.errors import ToolError
from itbench.tools.graph import Edge, Graph
from itbench.tools.library.logs import log_patterns
from itbench.tools.library.metrics import metric_anomalies
from itbench.tools.library.objects import change_cells
from itbench.tools.library.traces import call_changes
from itbench.tools.registry import tool
from itbench.tools.render import paged, sections
from itbench.tools.session import Session

Relation = Annotated[
    Literal["owns", "selects", "scales", "uses", "runs_on", "routes", "limits", "calls"] | None,
    Field(description="Only this relation."),
]
At = Annotated[str | None, Field(description="As it was at this time; default: the end.")]
_COLUMNS = ("source", "relation", "target", "by")
_SECTION_CHARS = 2400


@tool()
def topology(
    session: Session,
    namespace: Namespace = None,
    kind: Annotated[str | None, Field(description="Only edges from or to objects of this kind.")] = None,
    relation: Relation = None,
    at: At = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> str:
    """The graph of Kubernetes objects and services: source, relation, target, and by what.

    owns (ownerReferences), selects (labels: Services, policies, chaos objects → Pods), scales, uses (mounts, environment,
    service account), runs_on, routes, limits, calls (Services, from spans). Names have their namespace. Start with
    relation=calls.
    """
    graph = session.graph(None if at is None else session.clock.parse(at))
    wanted = None if kind is None else canonical_kind(kind) or kind
    found = [
        edge
        for edge in graph.edges
        if (relation is None or edge.relation == relation)
        and (namespace is None or namespace in (edge.source.namespace, edge.target.namespace))
        and (wanted is None or wanted in (edge.source.kind, edge.target.kind))
    ]
    counts = Counter(edge.relation for edge in graph.edges)
    nodes = len({entity for edge in graph.edges for entity in (edge.source, edge.target)})
    head = f"{nodes} entities; " + (", ".join(f"{name}: {count}" for name, count in sorted(counts.items())) or "no edges")
    body = paged(_COLUMNS, found[offset : offset + limit], _cells, total=len(found), offset=offset, what="edges")
    return f"{head}\n{body}"


@tool()
def neighbours(
    session: Session,
    name: EntityWord,
    depth: Annotated[int, Field(ge=1, le=4, description="How many steps away.")] = 1,
    relation: Relation = None,
    at: At = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> str:
    """The edges around one object or service, nearest first: what owns, selects, uses or calls it, and the other way round.

    An object and its namesakes (the Deployment, the Service) count as one.
    """
    graph = session.graph(None if at is None else session.clock.parse(at))
    centres = session.entities.resolve(name)
    distances: dict[Edge, int] = {}
    for centre in centres:
        for distance, edge in graph.around(centre, depth):
            if relation is None or edge.relation == relation:
                distances[edge] = min(distance, distances.get(edge, distance))
    found = sorted(distances, key=lambda edge: (distances[edge], str(edge.source), edge.relation, str(edge.target)))
    head = f"around {listed(centres)}"

    def cells(edge: Edge) -> Sequence[Any]:
        return distances[edge], *_cells(edge)

    columns = ("steps", *_COLUMNS)
    body = paged(columns, found[offset : offset + limit], cells, total=len(found), offset=offset, what="edges")
    return f"{head}\n{body}"


@tool()
def entity_context(session: Session, name: EntityWord) -> str:
    """All about one object or service in one answer: alerts, changes, warnings, neighbours, calls, metrics, log patterns.

    It looks at the object, its namesakes and what they own (the Pods of a Deployment). Each part is cut; the tools of the
    same names give the rest.
    """
    centres = session.entities.resolve(name)
    graph = session.graph()
    family = _family(graph, centres)
    names = sorted({entity.name for entity in family})
    edges = list(dict.fromkeys(edge for centre in centres for _, edge in graph.around(centre, 1)))
    changes = session.changes_of(family)
    service = next((each for each in session.entities.services if each in {centre.name for centre in centres}), None)
    parts = [
        ("Entities", listed(family, 20)),
        ("Alerts", _alerts(session, names)),
        (
            "Changes",
            _part(("time", "observed", "change", "object", "fields"), changes, lambda one: change_cells(one, False)),
        ),
        ("Events (warnings first)", _events(session, names)),
        ("Neighbours", _part(_COLUMNS, edges, _cells)),
    ]
    if service is not None:
        parts += [
            ("Calls before and after the incident", _quietly(session, call_changes, service=service, limit=12)),
            ("Log patterns", _quietly(session, log_patterns, service=service, limit=8)),
        ]
    measured = [each for each in names if each in _measured(session)][:3]
    parts += [
        (f"Metrics of {each} that deviate", _quietly(session, metric_anomalies, object=each, limit=8)) for each in measured
    ]
    return sections(
        [(title, body if len(body) <= _SECTION_CHARS * 2 else body[: _SECTION_CHARS * 2] + "…") for title, body in parts]
    )


def _family(graph: Graph, centres: Sequence[Entity]) -> list[Entity]:
    """The entities, all that they own, and the Pods behind a Service; by identifier."""
    owned: dict[Entity, list[Entity]] = {}
    for edge in graph.edges:
        if edge.relation == "owns" or (edge.relation == "selects" and edge.source.kind == "Service"):
            owned.setdefault(edge.source, []).append(edge.target)
    found = dict.fromkeys(centres)
    queue = list(centres)
    while queue:
        for child in owned.get(queue.pop(), ()):
            if child not in found:
                found[child] = None
                queue.append(child)
    return sorted(found, key=str)


def _alerts(session: Session, names: Sequence[str]) -> str:
    found = [one for one in session.snapshot.alert_summaries(limit=None) if one.entity in names]

    def cells(one: Any) -> Sequence[Any]:
        return one.last_seen - one.duration, one.name, one.entity, one.severity, one.duration

    return _part(("active_since", "alert", "entity", "severity", "duration"), found, cells)


def _events(session: Session, names: Sequence[str]) -> str:
    found = Filter().add("list_contains(?, name)", list(names))
    rows = session.snapshot.query(
        f"""SELECT type, reason, kind || '/' || name, count(*) AS seen, min(time), max(time), arg_max(message, (time, row))
        FROM stored.events {found} GROUP BY type, reason, kind, name
        ORDER BY type <> 'Warning', seen DESC, reason, kind, name LIMIT 200""",
        found.values,
    )
    columns = ("type", "reason", "object", "seen", "first", "last", "last_message")
    return _part(columns, rows, lambda row: (*row[:4], session.utc(row[4]), session.utc(row[5]), row[6]))


def _part(columns: Sequence[str], rows: Sequence[Any], cells: Any) -> str:
    return paged(columns, rows, cells, total=len(rows), offset=0, cell=300, most=_SECTION_CHARS)


def _quietly(session: Session, asked: Any, **arguments: Any) -> str:
    """The answer of another tool, or why it has none: one part must not cost the others."""
    try:
        return str(asked(session, arguments))
    except ToolError as error:
        return f"none: {error.message}"


def _measured(session: Session) -> set[str]:
    rows = session.once(
        "measured", lambda: session.snapshot.query("SELECT DISTINCT object_name FROM stored.metrics")
    )  # fmt: skip
    return {name for (name,) in rows}


def _cells(edge: Edge) -> Sequence[Any]:
    return edge.source, edge.relation, edge.target, edge.note
