"""No adversary is exact on any task that ships.

Their scripts do the same for all tasks of a form, so one task runs them for real, and for the others it is worked out here
what they collect. Policies are judged by the real engines; Kyverno judges one for all tasks that share it at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from itbench.bundled import bundled
from itbench.compliance.asked import Asked
from itbench.compliance.authoring import few
from itbench.compliance.baselines import ADVERSARIES, adversary
from itbench.compliance.fetch import Collector, StaticFetch
from itbench.compliance.kyverno import find_kyverno
from itbench.compliance.kyverno_judge import judge_policies
from itbench.compliance.live import open_live_fetch, require_control_plane
from itbench.compliance.place import Place
from itbench.compliance.playbook import PlaybookRun, find_ansible
from itbench.compliance.task import read_task
from itbench.compliance.variants import Variant, objects_of
from itbench.model.compliance import Judged
from itbench.model.errors import ClusterError, MissingExtraError, SandboxError, UsageError
from itbench.scoring.compliance import score_compliance

from .conftest import OwnPolicies

pytestmark = pytest.mark.integration
TASKS = sorted(path.parent.name for path in (bundled("scenarios") / "ciso").glob("*/scenario.yaml"))
MISSING = (ClusterError, MissingExtraError, SandboxError, UsageError)


@cache
def asked(name: str) -> Asked:
    return read_task(bundled("scenarios") / "ciso" / name).asked()


@cache
def sets(name: str) -> tuple[Variant, ...]:
    return read_task(bundled("scenarios") / "ciso" / name).variants(seed=1)


def answer_of(cheat: str, name: str) -> Mapping[str, str]:
    return adversary(cheat, asked(name), sets(name)[0].files)


def collected(name: str, variant: Variant) -> dict[str, str]:
    """What the adversaries' script collects from a set; from an API server, without what that brings along."""
    if asked(name).kind == "kubectl-opa":
        return {f"{obj['kind']}/{obj['metadata']['name']}": "" for obj in objects_of(variant.files) if obj["kind"] in LISTED}
    files = variant.files
    if asked(name).kind == "host-ansible-opa":
        seen = (path for path in sets(name)[0].files if path.startswith("etc/") and path.endswith(".conf"))
        files = {path: files.get(path, b"") for path in seen}
    return {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}


LISTED = frozenset("Deployment StatefulSet DaemonSet Job CronJob Pod Service Role".split())
IN_REGO = [name for name in TASKS if asked(name).policy_kind is None]
BEFORE_KYVERNO = [name for name in TASKS if asked(name).policy_kind is not None]


@pytest.mark.parametrize("cheat", ADVERSARIES)
def test_no_adversary_is_exact_on_any_task_in_rego(cheat: str, own_policies: OwnPolicies) -> None:
    for name in IN_REGO:
        inputs = [json.dumps(collected(name, one)).encode() for one in sets(name)]
        said = own_policies.by_wheel(answer_of(cheat, name)["policy.rego"], inputs)
        assert set(map(type, said)) == {bool}
        assert said != [one.side == "compliant" for one in sets(name)], name


# Of `few`: the visible set for who says yes, a compliant one for who says no, another violating one for who knows names.
WRONG_ON = {"always-no": 1, "always-yes": 0, "file-names": 2}


def exact_before_kyverno(policy: str, chosen: Mapping[str, Sequence[Variant]], place: Place) -> list[str]:
    """Which tasks a policy is exact on, judged on the sets of all of them by one start of Kyverno."""
    together = [replace(variant, name=f"{name}: {variant.name}") for name, own in chosen.items() for variant in own]
    form = asked(next(iter(chosen)))
    seen = asyncio.run(judge_policies({"policy.yaml": policy}, together, form, find_kyverno(), place))
    assert seen.problem is None  # it was judged, not refused
    found = []
    for name in chosen:
        own = tuple(one for one in seen.tried if one.name.startswith(f"{name}: "))
        assert len(own) == len(chosen[name])
        if exactness(seen.model_copy(update={"tried": own})) == 1:
            found.append(name)
    return found


def exactness(seen: Judged) -> float:
    return score_compliance(seen)["exactness"].values["exactness"]


@pytest.mark.parametrize("cheat", ADVERSARIES[:3])  # Kyverno knows no files: the two that look at files are one
@pytest.mark.parametrize("kind", ["ClusterPolicy", "ValidatingPolicy"])
def test_no_adversary_is_exact_on_any_task_before_kyverno(cheat: str, kind: str, place: Place) -> None:
    """Who is wrong on one set is not exact on more, so most are tried on the one that they should get wrong."""
    try:
        find_kyverno()
    except UsageError as error:
        pytest.skip(str(error))
    by_policy = defaultdict(list)
    for name in (name for name in BEFORE_KYVERNO if asked(name).policy_kind == kind):
        by_policy[answer_of(cheat, name)["policy.yaml"]].append(name)
    for policy, those in by_policy.items():
        exact = exact_before_kyverno(policy, {name: [few(sets(name))[WRONG_ON[cheat]]] for name in those}, place)
        if exact:
            exact = exact_before_kyverno(policy, {name: sets(name) for name in exact}, place)
        assert not exact


async def collects(name: str, collector: Collector) -> None:
    """The adversaries' script, run for real on a set of each side, leaves what `collected` says."""
    for variant in few(sets(name))[:2]:
        found = await collector(answer_of("file-names", name), variant)
        assert found.data is not None, found.fetched
        assert json.loads(found.data).items() >= collected(name, variant).items()
        assert collected(name, variant)


def test_what_an_adversarys_playbook_collects_is_what_it_is_judged_on_here(place: Place) -> None:
    try:
        run = PlaybookRun(place, find_ansible())
    except MISSING as error:
        pytest.skip(str(error))
    asyncio.run(collects("ansible-auditd-keeps-logs", run))


def test_what_an_adversarys_fetch_script_collects_is_what_it_is_judged_on_here(place: Place) -> None:
    asyncio.run(collects("pods-host-network", StaticFetch(place)))


def test_what_an_adversary_gets_from_an_api_server_is_what_it_is_judged_on_here(place: Place, tmp_path: Path) -> None:
    async def on_a_server() -> None:
        async with open_live_fetch(place, tmp_path) as collector:
            await collects("kubectl-privileged", collector)

    try:
        require_control_plane(place)
    except MISSING as error:
        pytest.skip(str(error))
    asyncio.run(on_a_server())
