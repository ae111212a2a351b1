"""Try Kyverno policies on every set by one run of Kyverno, and hold the rules that should stay against the given ones."""

from __future__ import annotations

import json
import re
import secrets
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from itbench.cluster.protocol import KubeObject
from itbench.compliance.asked import Asked
from itbench.compliance.kyverno import Applied, Kyverno, Result, apply
from itbench.compliance.kyverno_policy import POLICY, Policy, RefusedError, look_at_policies, reaches_out, read_policies
from itbench.compliance.place import Place
from itbench.compliance.variants import Variant, objects_of
from itbench.model.compliance import Fetched, Judged, KeptRule, PolicyProblem, Tried, Verdict

_MAX_DIFFERENCES = 5
_PATH = re.compile(r"spec(?:\.\w+|\[\d+\])+")
_CEL_PLACE = re.compile(r"<input>:\d+:(\d+)")


async def judge_policies(
    files: Mapping[str, str],
    variants: Sequence[Variant],
    asked: Asked,
    kyverno: Kyverno,
    place: Place,
) -> Judged:
    """Apply the answer's policies to all sets at once. A set is refused if a rule fails on one of its objects.

    Args:
        files: the answer's.
        variants: the visible one first.
        asked: which kind of policies, and which are given.
        kyverno: what evaluates policies.
        place: the sandbox.

    Raises:
        SandboxError: the sandbox or Kyverno failed, which is nobody's score.
    """
    told: Mapping[str, Any] = {
        "kind": asked.kind,
        "files": tuple(sorted(files)),
        "engine": str(kyverno),
        "sandbox": place.mode,
    }
    assert asked.policy_kind is not None, "the form is one of Kyverno's"
    originals = read_policies(asked.given, asked.policy_kind, any_number=True) if asked.given else ()
    try:
        policies = read_policies(files[POLICY], asked.policy_kind, [policy.name for policy in originals])
    except RefusedError as error:
        return Judged(**told, tried=_untried(variants, error.problem), problem=error.problem)
    safety = look_at_policies(policies)
    if (problem := reaches_out(policies)) is not None:
        return Judged(**told, tried=_untried(variants, problem), problem=problem, safety=safety)
    objects, owners = _tagged(variants)
    prefix = f"given-{secrets.token_hex(4)}-"
    streams = [files[POLICY], *([_renamed(originals, prefix)] if originals else [])]
    applied = await apply(streams, objects, kyverno, place)
    if applied.complaint:
        problem = _problem(applied.complaint, policies)
        return Judged(
            **told, tried=_untried(variants, problem), problem=problem, safety=safety, policy_seconds=applied.seconds
        )
    own = [one for one in applied.results if not one.policy.startswith(prefix)]
    return Judged(
        **told,
        tried=tuple(_tried(index, variant, applied, own, owners) for index, variant in enumerate(variants)),
        kept=_kept(originals, asked.changed, applied.results, prefix, owners) if originals else (),
        safety=safety,
        policy_seconds=applied.seconds,
    )


@dataclass(frozen=True, slots=True)
class _Owner:
    """Which set an object belongs to, and how it is called there."""

    variant: int
    name: str


def _tagged(variants: Sequence[Variant]) -> tuple[list[KubeObject], dict[str, _Owner]]:
    """The objects of all sets with uids and new ends of their names, both drawn, in an order that says nothing."""
    found: dict[str, KubeObject] = {}
    owners = {}
    for index, variant in enumerate(variants):
        for obj in objects_of(variant.files):
            uid = str(uuid.uuid4())
            name = obj["metadata"]["name"]
            metadata = {**obj["metadata"], "name": f"{name}-{secrets.token_hex(3)}", "uid": uid}
            found[uid] = {**obj, "metadata": metadata}
            owners[uid] = _Owner(index, f"{obj['kind']} {name}")
    return [found[uid] for uid in sorted(found)], owners


def _renamed(policies: Sequence[Policy], prefix: str) -> str:
    """The given policies under names of their own, so that one run judges by both."""
    renamed = (
        {**policy.value, "metadata": {"name": f"{prefix}{policy.name}"} | _annotations(policy)} for policy in policies
    )
    return "\n---\n".join(map(json.dumps, renamed))


def _annotations(policy: Policy) -> dict[str, Any]:
    metadata = policy.value["metadata"]
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return {"annotations": annotations} if annotations else {}


def _tried(index: int, variant: Variant, applied: Applied, results: Sequence[Result], owners: Mapping[str, _Owner]) -> Tried:
    own = [one for one in results if owners[one.uid].variant == index]
    verdict, detail = _verdict(own, owners) if applied.ended else ("timeout", "Kyverno was stopped by a limit")
    fetched = Fetched(ok=applied.ended, problem="" if applied.ended else detail, seconds=applied.seconds, size=applied.size)
    return Tried(
        name=variant.name, side=variant.side, hidden=variant.hidden, fetched=fetched, verdict=verdict, detail=detail
    )


def _verdict(results: Sequence[Result], owners: Mapping[str, _Owner]) -> tuple[Verdict, str]:
    """`false` if a rule fails on an object; an error counts as one, unless another rule fails anyhow."""
    meaning: tuple[tuple[str, Verdict], ...] = (("fail", "false"), ("error", "error"))
    for wanted, verdict in meaning:
        first = next((one for one in results if one.result == wanted), None)
        if first is not None:
            return verdict, f"{owners[first.uid].name}: {first.policy}/{first.rule}: {first.message}"
    return "true", ""


def _kept(
    originals: Sequence[Policy],
    changed: Sequence[str],
    results: Sequence[Result],
    prefix: str,
    owners: Mapping[str, _Owner],
) -> tuple[KeptRule, ...]:
    """Each rule that should stay: on which objects it says the same under the answer as under what was given."""
    said: dict[str, dict[str, str]] = defaultdict(dict)
    for one in results:
        rule = one.policy + (f"/{one.rule}" if one.rule else "")
        said[rule][one.uid] = one.result
    kept = []
    for policy in originals:
        rules = [f"{policy.name}/{rule['name']}" for rule in policy.rules] or [policy.name]
        for rule in rules:
            if rule in changed or policy.name in changed:
                continue
            before, after = said[f"{prefix}{rule}"], said[rule]
            uids = sorted(before.keys() | after.keys())
            differs = [
                f"{owners[uid].name}: {before.get(uid, 'no result')} became {after.get(uid, 'no result')}"
                for uid in uids
                if before.get(uid) != after.get(uid)
            ]
            kept.append(
                KeptRule(rule=rule, of=len(uids), same=len(uids) - len(differs), differs=tuple(differs[:_MAX_DIFFERENCES]))
            )
    return tuple(kept)


def _untried(variants: Sequence[Variant], problem: PolicyProblem) -> tuple[Tried, ...]:
    """Only the visible set: with a policy that cannot be used, none of the others is tried."""
    visible = variants[0]
    fetched = Fetched(ok=False, problem=str(problem))
    return (Tried(name=visible.name, side=visible.side, fetched=fetched, detail=str(problem)),)


def _problem(complaint: str, policies: Sequence[Policy]) -> PolicyProblem:
    """Kyverno's complaint with the line that it is about."""
    text = " ".join(complaint.split())
    policy = next((policy for policy in policies if policy.name in text), policies[0])
    path, place = _PATH.search(text), _CEL_PLACE.search(text)
    line = policy.line_of(path[0]) if path else policy.line
    return PolicyProblem(kind="compile", message=text[:500], file=POLICY, line=line, column=int(place[1]) if place else None)
