"""Try an answer in the way that its task's form asks for: what collects, what judges, and what must be there for it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from itbench.compliance.asked import Asked
from itbench.compliance.engine import EngineName, find_engine
from itbench.compliance.fetch import Collector, StaticFetch
from itbench.compliance.judge import judge
from itbench.compliance.kyverno import find_kyverno
from itbench.compliance.kyverno_judge import judge_policies
from itbench.compliance.live import LiveFetch, audited, open_live_fetch, require_control_plane
from itbench.compliance.place import Place
from itbench.compliance.playbook import PlaybookRun, find_ansible
from itbench.compliance.safety import joined
from itbench.compliance.variants import Variant
from itbench.model.compliance import REQUIRED, Judged, TaskKind


async def try_answer(
    asked: Asked,
    files: Mapping[str, str],
    variants: Sequence[Variant],
    place: Place,
    engine: EngineName = "auto",
) -> Judged:
    """What is seen when an answer is tried on the variants, of which the visible one comes first.

    Raises:
        ItbenchError: something is missing here that the form needs, or fails; that is nobody's score.
    """
    kind = asked.kind
    lacking = tuple(name for name in REQUIRED[kind] if not files.get(name, "").strip())

    def missing(judged_by: str) -> Judged:
        return Judged(kind=kind, files=tuple(sorted(files)), missing=lacking, engine=judged_by, sandbox=place.mode)

    if kind in ("kyverno-generate", "kyverno-update"):
        kyverno = find_kyverno()
        if lacking:
            return missing(str(kyverno))
        return await judge_policies(files, variants, asked, kyverno, place)
    rego = find_engine(engine)
    require(kind, place)
    if lacking:
        return missing(str(rego))
    async with collecting(kind, place) as collector:
        seen = await judge(files, variants, rego, place, collector)
        if isinstance(collector, LiveFetch):
            seen = seen.model_copy(update={"safety": joined(seen.safety, audited(collector.plane))})
    return seen.model_copy(update={"kind": kind})


def require(kind: TaskKind, place: Place) -> None:
    """Refuse early where what collects for a form of tasks with a policy in Rego cannot be had.

    Raises:
        ItbenchError: it cannot; says what helps.
    """
    if kind == "host-ansible-opa":
        find_ansible()
    if kind == "kubectl-opa":
        require_control_plane(place)


@asynccontextmanager
async def collecting(kind: TaskKind, place: Place) -> AsyncIterator[Collector]:
    """What collects for a form of tasks with a policy in Rego.

    Raises:
        ItbenchError: as `require`, or it does not start.
    """
    if kind == "kubectl-opa":
        with tempfile.TemporaryDirectory(prefix="itbench-") as folder:
            async with open_live_fetch(place, Path(folder)) as collector:
                yield collector
    elif kind == "host-ansible-opa":
        yield PlaybookRun(place, find_ansible())
    else:
        yield StaticFetch(place)
