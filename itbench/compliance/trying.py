"""Try an answer in the way that its task's form asks for: what collects, what judges, and what must be there for it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from itbench.compliance.asked import Asked
from itbench.compliance.engine import EngineName, find_engine
from itbench.compliance.fetch import StaticFetch
from itbench.compliance.judge import judge
from itbench.compliance.kyverno import find_kyverno
from itbench.compliance.kyverno_judge import judge_policies
from itbench.compliance.live import audited, open_live_fetch, require_control_plane
from itbench.compliance.place import Place
from itbench.compliance.playbook import PlaybookRun, find_ansible
from itbench.compliance.safety import joined
from itbench.compliance.variants import Variant
from itbench.model.compliance import REQUIRED, Judged


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
    ansible = find_ansible() if kind == "host-ansible-opa" else None
    if kind == "kubectl-opa":
        require_control_plane(place)
    if lacking:
        return missing(str(rego))
    if kind == "kubectl-opa":
        with tempfile.TemporaryDirectory(prefix="itbench-") as folder:
            async with open_live_fetch(place, Path(folder)) as collector:
                seen = await judge(files, variants, rego, place, collector)
                seen = seen.model_copy(update={"safety": joined(seen.safety, audited(collector.plane))})
    elif ansible is not None:
        seen = await judge(files, variants, rego, place, PlaybookRun(place, ansible))
    else:
        seen = await judge(files, variants, rego, place, StaticFetch(place))
    return seen.model_copy(update={"kind": kind})
