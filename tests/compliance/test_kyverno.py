from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from itbench.compliance import trying
from itbench.compliance.asked import Asked
from itbench.compliance.evaluate import ComplianceRules, evaluate_answer
from itbench.compliance.kyverno import HINT, find_kyverno
from itbench.compliance.kyverno_policy import RefusedError, reaches_out, read_policies
from itbench.compliance.place import Place
from itbench.compliance.task import locate_task
from itbench.compliance.trying import try_answer
from itbench.compliance.variants import Variant
from itbench.model.compliance import Judged
from itbench.model.errors import UsageError
from itbench.scoring.compliance import GATES, score_compliance

RULE = """apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata:
  name: closed
spec:
  validationFailureAction: Audit
  rules:
  - name: network
    match: {any: [{resources: {kinds: [Pod]}}]}
    validate:
      message: the network of the node
      pattern: {spec: {=(hostNetwork): false}}
"""
OTHER = """  - name: process-ids
    match: {any: [{resources: {kinds: [Pod]}}]}
    validate:
      message: the processes of the node
      pattern: {spec: {=(hostPID): false}}
"""
CEL = """apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata:
  name: closed
spec:
  validationActions: [Audit]
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods]}
  validations:
  - message: the network of the node
    expression: "!object.spec.?hostNetwork.orValue(false)"
"""
GENERATE, IN_CEL = Asked("kyverno-generate", "ClusterPolicy"), Asked("kyverno-generate", "ValidatingPolicy")
Trial = Callable[..., Judged]


def workload(kind: str, **spec: object) -> bytes:
    pod = {"containers": [{"name": "c", "image": "shop/web:1"}], **spec}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod}
    inner: object = {"Pod": pod, "Deployment": {"selector": {"matchLabels": {"app": "web"}}, "template": template}}.get(kind)
    if kind == "CronJob":
        inner = {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template}}}
    version = {"Pod": "v1", "Deployment": "apps/v1", "CronJob": "batch/v1"}[kind]
    meta = {"name": "web", "namespace": "shop"}
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": meta, "spec": inner}).encode()


SETS = (
    Variant("static-resources", "violating", {"a.yaml": workload("Pod", hostNetwork=True)}),
    Variant("cron", "violating", {"a.yaml": workload("CronJob", hostNetwork=True)}),
    Variant("plain", "compliant", {"a.yaml": workload("Pod"), "b.json": workload("Deployment")}),
    Variant("other", "compliant", {"a.yaml": workload("Deployment", hostNetwork=False)}, hidden=True),
)


@pytest.fixture
def kyverno(place: Place) -> Trial:
    """Judges a policy with the real Kyverno."""
    try:
        find_kyverno()
    except UsageError as error:
        pytest.skip(str(error))

    def trial(policy: str, asked: Asked = GENERATE, sets: Sequence[Variant] = SETS) -> Judged:
        return asyncio.run(try_answer(asked, {"policy.yaml": policy}, sets, place))

    return trial


def values(seen: Judged) -> dict[str, float]:
    return {key: value for score in score_compliance(seen).values() for key, value in score.values.items()}


def refused(policy: str, asked: Asked = GENERATE, given: Sequence[str] = ()) -> str:
    assert asked.policy_kind is not None
    with pytest.raises(RefusedError) as caught:
        read_policies(policy, asked.policy_kind, given)
    return str(caught.value.problem)


@pytest.mark.integration
@pytest.mark.parametrize(("policy", "asked"), [(RULE, GENERATE), (CEL, IN_CEL)])
def test_both_kinds_of_policy_are_judged_on_all_sets_by_one_run(policy: str, asked: Asked, kyverno: Trial) -> None:
    seen = kyverno(policy, asked)
    assert [one.verdict for one in seen.tried] == ["false", "false", "true", "true"]
    assert values(seen)["exactness"] == 1
    assert "CronJob web: closed/" in seen.tried[1].detail
    assert len({one.fetched.seconds for one in seen.tried}) == 1


@pytest.mark.integration
def test_a_policy_that_always_says_the_same_is_not_exact(kyverno: Trial) -> None:
    always_no = RULE.replace("pattern: {spec: {=(hostNetwork): false}}", "deny: {}")
    found = values(kyverno(always_no))
    assert [found[gate] for gate in GATES] == [1, 1, 1, 0]
    assert (found["exactness"], found["balanced_accuracy"]) == (0, 0.5)
    never = values(kyverno(RULE.replace("kinds: [Pod]", "kinds: [Service]")))
    assert [never[gate] for gate in GATES] == [1, 1, 0, 0]


def test_yaml_that_cannot_be_read_has_line_and_column() -> None:
    assert refused(RULE.replace("kinds: [Pod]}}]}", "kinds: [Pod}}]}")).startswith("policy.yaml:9:43: syntax: not YAML")
    assert refused("# nothing\n").startswith("policy.yaml:1:1: wrong kind: there is no policy")


def test_another_kind_or_number_of_policies_is_said_to_be_so() -> None:
    assert refused(CEL).startswith(
        "policy.yaml:1:1: wrong kind: ValidatingPolicy of policies.kyverno.io/v1; a ClusterPolicy"
    )
    own = RULE.replace("kyverno.io/v1", "admissionregistration.k8s.io/v1")
    assert "wrong kind" in refused(own)
    two = f"{RULE}---\n{RULE.replace('closed', 'open')}"
    assert refused(two) == "policy.yaml:13:1: several policies: 2 policies; one is asked for"
    assert "closed is there twice" in refused(f"{RULE}---\n{RULE}")
    assert "there is no policy" in refused("---\n")


def test_policies_to_change_keep_their_names_and_number() -> None:
    two = f"{RULE}---\n{RULE.replace('closed', 'open')}"
    assert "open is new" in refused(two, given=["closed"])
    assert "gone is missing" in refused(RULE, given=["closed", "gone"])
    assert [policy.name for policy in read_policies(two, "ClusterPolicy", ["closed", "open"])] == ["closed", "open"]


def test_a_misspelt_key_is_no_policy_that_passes_everything() -> None:
    assert "the rule network has no `validate`" in refused(RULE.replace("validate:", "validat:"))
    assert "nothing in spec.validations" in refused(CEL.replace("validations:", "validatons:"), IN_CEL)


def test_aliases_do_not_explode() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{after}: &{after} [{','.join([f'*{before}'] * 10)}]\n"
        for before, after in zip("abcdefghi", "bcdefghij", strict=True)
    )
    assert "syntax" in refused(bomb)


@pytest.mark.parametrize(
    ("policy", "asked", "told"),
    [
        (RULE.replace("    validate:", "    mutate: {}\n    validate:"), GENERATE, "closed/network: mutate"),
        (
            RULE.replace("    validate:", "    context: [{name: x, apiCall: {urlPath: /api}}]\n    validate:"),
            GENERATE,
            "apiCall",
        ),
        (CEL.replace("!object", "http.Get('http://192.0.2.1') == '' || !object"), IN_CEL, "http.Get"),
        (CEL.replace("!object", "resource.Get('v1', 'pods', 'a', 'b') == null || !object"), IN_CEL, "resource.Get"),
    ],
)
def test_what_reaches_beyond_the_object_is_taken_away(policy: str, asked: Asked, told: str) -> None:
    assert asked.policy_kind is not None
    problem = reaches_out(read_policies(policy, asked.policy_kind))
    assert problem is not None
    assert (problem.kind, told in problem.message) == ("forbidden builtin", True)


@pytest.mark.integration
def test_what_kyverno_has_against_a_policy_is_told_with_its_line(kyverno: Trial) -> None:
    seen = kyverno(RULE.replace("the network of the node", "false"))
    assert seen.problem is not None
    assert (seen.problem.kind, seen.problem.line) == ("compile", 11)
    assert "message in body must be of type string" in seen.problem.message
    wrong = kyverno(CEL.replace("!object", "!objct"), IN_CEL)
    assert wrong.problem is not None
    assert wrong.problem.line == 12
    found = values(wrong)
    assert [found[gate] for gate in GATES] == [1, 0, 0, 0]


@pytest.mark.integration
def test_an_update_must_leave_other_rules_as_they_were(kyverno: Trial) -> None:
    given = RULE.replace("=(hostNetwork): false", "=(hostIPC): false") + OTHER
    asked = Asked("kyverno-update", "ClusterPolicy", given, ("closed/network",))
    sets = (*SETS, Variant("pids", "violating", {"a.yaml": workload("Pod", hostPID=True)}))
    right = values(kyverno(RULE + OTHER, asked, sets))
    assert (right["exactness"], right["unchanged_rules"]) == (1, 1)
    dropped = kyverno(RULE, asked, sets)
    assert dropped.kept[0].rule == "closed/process-ids"
    assert any("fail became no result" in line for line in dropped.kept[0].differs)
    assert (values(dropped)["exactness"], values(dropped)["unchanged_rules"]) == (0, 0)
    # Right on every set, and still a rule says something else of an object.
    moved = kyverno(RULE.replace("=(hostNetwork): false", "=(hostNetwork): false, =(hostPID): false"), asked, sets)
    assert all(one.right for one in moved.tried)
    assert values(moved)["exactness"] == 0


def test_without_the_program_the_answer_is_unscored_and_the_command_is_named(
    monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    def missing() -> None:
        raise UsageError("the Kyverno command line is not here", hint=HINT)

    monkeypatch.setattr(trying, "find_kyverno", missing)
    task = locate_task("kyverno-host-namespaces")
    verdict = evaluate_answer(b'{"files": {"policy.yaml": "x"}}', task.folder, ComplianceRules(), 1000)
    assert verdict.outcome.cause == "evaluator_error"
    assert "make policy-engines" in verdict.outcome.detail


def test_a_program_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "kyverno"
    program.write_text("#!/bin/sh\necho Version: v1.12.3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    find_kyverno.cache_clear()
    try:
        with pytest.raises(UsageError, match=r"1\.15 or later"):
            find_kyverno()
    finally:
        find_kyverno.cache_clear()
