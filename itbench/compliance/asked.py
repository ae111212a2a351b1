"""What a task asks for, as its definition says it, or as an agent can read it from what it is given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from itbench.compliance.definition import PolicyKind
from itbench.datasets.compliance_folder import read_tree
from itbench.model.compliance import TaskKind

GIVEN = "policies"
PROBLEM = "problem.md"
_POLICY_KIND = re.compile(r"of kind `(ClusterPolicy|ValidatingPolicy)`")


@dataclass(frozen=True, slots=True)
class Asked:
    """The form of an answer.

    Args:
        kind: which files, and how they are tried.
        policy_kind: of Kyverno's policies; None for other forms.
        given: the Kyverno policies to change, one YAML stream; empty where nothing is given.
        changed: the rules that may change, POLICY/RULE or POLICY.
    """

    kind: TaskKind = "static-opa"
    policy_kind: PolicyKind | None = None
    given: str = ""
    changed: tuple[str, ...] = ()


def given_policies(folder: Path) -> str:
    """The policies in a task's folder policies/, one YAML stream; empty if there are none."""
    return "\n---\n".join(content.decode() for _, content in sorted(read_tree(folder / GIVEN).items()))


def asked_in(folder: Path) -> Asked:
    """What problem.md and the files beside it ask for. It does not say which rules may change."""
    problem = (folder / PROBLEM).read_text(encoding="utf-8")
    found = _POLICY_KIND.search(problem)
    if found is not None and "policy.yaml" in problem:
        given = given_policies(folder)
        kind: PolicyKind = "ClusterPolicy" if found[1] == "ClusterPolicy" else "ValidatingPolicy"
        return Asked("kyverno-update" if given else "kyverno-generate", kind, given)
    if "`playbook.yml`" in problem:
        return Asked("host-ansible-opa")
    return Asked("kubectl-opa" if "`KUBECONFIG`" in problem else "static-opa")
