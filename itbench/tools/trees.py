"""Single traces as trees: what called what, what took the time (critical path), and where errors began."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from itbench.snapshot.records import Span


class Node(NamedTuple):
    """A span in its trace; `critical_ns` is its own share of the critical path, 0 for spans that nothing waited for."""

    span: Span
    depth: int
    self_ns: int
    critical_ns: int


def tree(spans: Sequence[Span]) -> list[Node]:
    """The spans of one trace, each below its parent, siblings by their start.

    A span whose parent was not recorded is a root. Cycles, which only damaged data have, are cut.
    """
    children = _children(spans)
    critical = critical_path(spans)
    found: list[Node] = []
    seen: set[int] = set()
    stack = [(span, 0) for span in reversed(_roots(spans))]
    while stack:
        span, depth = stack.pop()
        if id(span) in seen:
            continue
        seen.add(id(span))
        own = children.get(span.span_id, [])
        found.append(Node(span, depth, _self_time(span, own), critical.get(span.span_id, 0)))
        stack.extend((child, depth + 1) for child in reversed(own))
    return found


def critical_path(spans: Sequence[Span]) -> dict[str, int]:
    """Nanoseconds of the longest root's duration by the span that was at work (id → ns); they add up to that duration.

    From the end backwards: the child that ended last was waited for; before its start the next one, and so on. What no child
    covers is the span's own.
    """
    roots = _roots(spans)
    if not roots:
        return {}
    children = _children(spans)
    root = max(roots, key=lambda span: span.duration_ns)
    shares: dict[str, int] = defaultdict(int)
    stack = [(root, _start(root), _end(root))]
    seen = {root.span_id}
    while stack:
        span, begin, end = stack.pop()
        at = end
        for child in sorted(children.get(span.span_id, ()), key=lambda each: (_end(each), each.span_id), reverse=True):
            first, last = max(_start(child), begin), min(_end(child), at)
            if last <= first or child.span_id in seen:
                continue
            seen.add(child.span_id)
            shares[span.span_id] += at - last
            stack.append((child, first, last))
            at = first
        shares[span.span_id] += at - begin
    return dict(shares)


@dataclass(frozen=True, slots=True)
class ErrorPath:
    """Erroneous traces that broke alike: the services from the outside to where the error began.

    Attributes:
        services: the path, outermost first.
        operation: the name of the span where the error began, the deepest that failed.
        message: its status message, the most frequent.
        example: a trace of this kind.
    """

    services: tuple[str, ...]
    operation: str
    kind: str
    message: str
    before: int
    after: int
    example: str


def error_paths(early: Mapping[str, Sequence[Span]], late: Mapping[str, Sequence[Span]]) -> list[ErrorPath]:
    """Where errors began, by path; the most frequent after the pivot first.

    Args:
        early: spans of traces by trace id, from before the pivot.
        late: the same from after it.
    """
    counts: dict[tuple[tuple[str, ...], str, str], list[int]] = defaultdict(lambda: [0, 0])
    messages: dict[tuple[tuple[str, ...], str, str], Counter[str]] = defaultdict(Counter)
    samples: dict[tuple[tuple[str, ...], str, str], str] = {}
    for side, traces in enumerate((early, late)):
        for trace, spans in traces.items():
            for services, origin in _origins(spans):
                key = services, origin.name, origin.kind
                counts[key][side] += 1
                messages[key][origin.status_message] += 1
                samples[key] = trace  # the last one: of the incident, if there is one
    paths = [
        ErrorPath(*key, _most_frequent(messages[key]), before, after, samples[key])
        for key, (before, after) in counts.items()
    ]
    return sorted(paths, key=lambda path: (-path.after, -path.before, path.services, path.operation, path.kind))


def _most_frequent(texts: Counter[str]) -> str:
    return min(texts.items(), key=lambda each: (-each[1], each[0]))[0]


def _origins(spans: Sequence[Span]) -> Iterator[tuple[tuple[str, ...], Span]]:
    """The failed spans with no failed child, each with its path of services."""
    by_id = {span.span_id: span for span in spans}
    blamed = {span.parent_span_id for span in spans if span.status == "Error"}
    for span in spans:
        if span.status == "Error" and span.span_id not in blamed:
            path: list[str] = []
            at: Span | None = span
            seen: set[str] = set()
            while at is not None and at.span_id not in seen:
                seen.add(at.span_id)
                if not path or path[-1] != at.service:
                    path.append(at.service)
                at = by_id.get(at.parent_span_id) if at.parent_span_id else None
            yield tuple(reversed(path)), span


def _children(spans: Iterable[Span]) -> dict[str, list[Span]]:
    children: dict[str, list[Span]] = defaultdict(list)
    for span in sorted(spans, key=lambda each: (each.time, each.span_id)):
        if span.parent_span_id and span.parent_span_id != span.span_id:
            children[span.parent_span_id].append(span)
    return children


def _roots(spans: Sequence[Span]) -> list[Span]:
    known = {span.span_id for span in spans}
    roots = [span for span in spans if not span.parent_span_id or span.parent_span_id not in known]
    return sorted(roots, key=lambda each: (each.time, each.span_id))


def _start(span: Span) -> int:
    return round(span.time.timestamp() * 1e6) * 1000


def _end(span: Span) -> int:
    return _start(span) + span.duration_ns


def _self_time(span: Span, children: Sequence[Span]) -> int:
    """The duration that no child covers."""
    covered, reach = 0, _start(span)
    for child in children:
        first, last = max(_start(child), reach), min(_end(child), _end(span))
        if last > first:
            covered += last - first
            reach = last
    return span.duration_ns - covered
