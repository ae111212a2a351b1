"""A task of ours as its author writes it, scenario.yaml: the requirement, and how the sets of resources are made.

A set is a healthy *fleet* (itbench.compliance.fleets), which keeps every rule, and steps that change it:

    violating:
      in an init container:
      - {on: Deployment, do: ["init securityContext.privileged = true"]}

`do` lists edits, `PLACE PATH = VALUE`, `PLACE PATH += VALUE` (append) or `PLACE PATH -` (delete): itbench.compliance.edits.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from itbench.compliance.edits import parse_edit
from itbench.model.base import Document, Model
from itbench.model.compliance import TaskKind
from itbench.model.scenario import Complexity, ScenarioId

FleetName = Literal["workloads", "some-workloads", "rbac", "namespaces", "apiserver", "services", "host", "host-root"]
PolicyKind = Literal["ClusterPolicy", "ValidatingPolicy"]


class Step(Model):
    """One change to a fleet; exactly one of `do`, `add`, `file` and `layout` is given.

    Attributes:
        on: kind of the object that `do` changes; one is drawn if several are there.
        named: its name, where a particular one is meant.
        do: edits, one after the other, to the same object.
        add: an object that joins the fleet.
        file: a text file that `replace`, `append`, `prepend` or `delete` changes.
        replace: regular expression, in multi-line mode, whose every match becomes `by`.
        layout: how the objects are written: all in one List, in one multi-document file, one a file, or as JSON.
    """

    on: str | None = None
    named: str | None = None
    do: tuple[str, ...] = ()
    add: dict[str, Any] | None = None
    file: str | None = None
    replace: str | None = None
    by: str = ""
    append: str | None = None
    prepend: str | None = None
    delete: bool = False
    layout: Literal["list", "multi", "single", "json"] | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Step:
        given = [bool(self.do), self.add is not None, self.file is not None, self.layout is not None]
        if sum(given) != 1:
            raise ValueError("a step has exactly one of do, add, file and layout")
        if self.do and self.on is None:
            raise ValueError("do needs `on`, the kind of object that is changed")
        for edit in self.do:
            parse_edit(edit)
        changes = [self.replace is not None, self.append is not None, self.prepend is not None, self.delete]
        if self.file is not None and sum(changes) != 1:
            raise ValueError("a file is changed by exactly one of replace, append, prepend and delete")
        return self


Steps = tuple[Step, ...]


class TaskDefinition(Document):
    """scenarios/ciso/<id>/scenario.yaml. `visible` names the violating set that agents see.

    Attributes:
        policy_kind: which of Kyverno's kinds of policy is asked for; only where Kyverno judges.
        changed: the rules, POLICY/RULE or POLICY alone, which a `kyverno-update` may change; all others of given/ stay.
    """

    id: ScenarioId
    domain: Literal["ciso"]
    kind: TaskKind = "static-opa"
    policy_kind: PolicyKind | None = None
    changed: tuple[str, ...] = ()
    title: Annotated[str, Field(min_length=1, max_length=120)]
    complexity: Complexity
    control: str = Field(description="the benchmark's control, such as CIS Kubernetes 5.2.5")
    requirement: str
    fleet: FleetName
    compliant: Annotated[dict[str, Steps], Field(min_length=3)]
    violating: Annotated[dict[str, Steps], Field(min_length=6)]
    visible: str
    tags: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _visible_exists(self) -> TaskDefinition:
        if self.visible not in self.violating:
            raise ValueError(f"visible: there is no violating set {self.visible!r}")
        return self

    @model_validator(mode="after")
    def _fits_its_kind(self) -> TaskDefinition:
        if self.kind.startswith("kyverno") != (self.policy_kind is not None):
            raise ValueError("policy_kind is given where Kyverno judges, and only there")
        if (self.kind == "kyverno-update") != bool(self.changed):
            raise ValueError("changed is given for kyverno-update, and only there")
        if (self.kind == "host-ansible-opa") != (self.fleet == "host-root"):
            raise ValueError("the fleet host-root is that of host-ansible-opa, and only there")
        return self
