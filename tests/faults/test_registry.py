"""Finding faults by id, and reading their arguments."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from itbench.faults import registry
from itbench.faults.arguments import ArgumentsError
from itbench.faults.registry import FAULTS, fault, known_faults
from itbench.faults.scaling import ScaledToZero
from itbench.faults.waiters import WAITERS, waiter
from itbench.model.errors import FaultError

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "cart", "namespace": "otel-demo"}}


class Custom(ScaledToZero):
    """A plug-in's."""

    id = "our-own"


def plug_in(monkeypatch: pytest.MonkeyPatch, *found: object) -> None:
    """Install plug-ins."""

    class Point(EntryPoint):
        def load(self) -> Any:
            index = int(self.name)
            if isinstance(found[index], Exception):
                raise found[index]
            return found[index]

    points = [Point(str(index), f"pkg{index}:x", registry.ENTRY_POINT_GROUP) for index in range(len(found))]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)


def test_an_unknown_fault_is_told_what_was_meant() -> None:
    with pytest.raises(FaultError, match="Did you mean 'scaled-to-zero-kubernetes-workload'") as caught:
        fault("scaled-to-zero-workload", {})
    assert caught.value.exit_code == 2


def test_all_problems_have_their_keys() -> None:
    args = {"kubernetesObject": {**TARGET, "kind": "Pod"}, "container": {"name": 3}, "contaner": 1}
    with pytest.raises(ArgumentsError) as caught:
        fault("nonexistent-kubernetes-workload-container-image", args)
    assert {problem.key for problem in caught.value.problems} == {
        ("kubernetesObject", "kind"),
        ("container", "name"),
        ("contaner",),
    }
    hints = {problem.dotted: problem.hint for problem in caught.value.problems}
    assert hints["contaner"] == "Did you mean 'container'? Known: container, kubernetesObject."
    assert str(caught.value).startswith("kubernetesObject.kind: nonexistent-kubernetes-workload-container-image: ")


def test_a_missing_argument_is_named() -> None:
    with pytest.raises(ArgumentsError, match=r"container: .*the argument 'container' is missing"):
        fault("nonexistent-kubernetes-workload-container-image", {"kubernetesObject": TARGET})


def test_unknown_arguments_can_be_left_out_and_are_listed() -> None:
    args = {"kubernetesObject": {**TARGET, "metadata": {**TARGET["metadata"], "uid": "x"}}, "configMapName": "features"}  # type: ignore[dict-item]
    found = fault("crashing-kubernetes-workload-init-container", args, unknown="ignore")
    assert found.ignored == ("kubernetesObject.metadata.uid", "configMapName")
    with pytest.raises(ArgumentsError, match="there is no argument"):
        fault("crashing-kubernetes-workload-init-container", args)


def test_what_is_wrong_beside_unknown_arguments_stays_wrong() -> None:
    args = {"kubernetesObject": {**TARGET, "kind": "Pod"}, "more": 1}
    with pytest.raises(ArgumentsError) as caught:
        fault("scaled-to-zero-kubernetes-workload", args, unknown="ignore")
    assert [problem.dotted for problem in caught.value.problems] == ["kubernetesObject.kind"]


@pytest.mark.parametrize("raw", [None, [], "x", 3, {"kubernetesObject": None}, {"kubernetesObject": []}])
@pytest.mark.parametrize("unknown", ["refuse", "ignore"])
def test_what_is_no_mapping_is_refused(raw: object, unknown: Any) -> None:
    with pytest.raises(ArgumentsError):
        fault("scaled-to-zero-kubernetes-workload", raw, unknown=unknown)


@pytest.mark.parametrize("name", ["", "-a", "A", "a/b", "a\n", "a" * 300])
def test_names_are_names(name: str) -> None:
    args = {"kubernetesObject": {**TARGET, "metadata": {"name": name, "namespace": "x"}}}
    with pytest.raises(ArgumentsError) as caught:
        fault("scaled-to-zero-kubernetes-workload", args)
    assert caught.value.problems[0].dotted == "kubernetesObject.metadata.name"


def test_keys_have_no_tags_of_alternatives() -> None:
    target = {**TARGET, "metadata": {"name": "cart"}}
    with pytest.raises(ArgumentsError) as caught:
        fault("misconfigured-kubernetes-horizontal-pod-autoscaler", {"kubernetesObject": target})
    assert caught.value.problems[0].dotted == "kubernetesObject.metadata.namespace"


def test_texts_are_not_taken_for_numbers() -> None:
    target = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "ad", "namespace": "x"}}
    with pytest.raises(ArgumentsError, match="targetPort"):
        fault("modified-target-port-kubernetes-service", {"kubernetesObject": target, "targetPort": "8080"})


def test_arguments_that_were_written_are_read_again() -> None:
    first = fault("scaled-to-zero-kubernetes-workload", {"kubernetesObject": TARGET})
    assert first.args.model_dump(mode="json") == {"kubernetesObject": TARGET}


def test_plug_ins_add_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, Custom, lambda: [Custom])
    with pytest.warns(UserWarning, match="the id 'our-own' is taken"):
        assert list(known_faults()) == [*FAULTS, "our-own"]
    with pytest.warns(UserWarning, match="is taken"):
        assert isinstance(fault("our-own", {"kubernetesObject": TARGET}), Custom)


@pytest.mark.parametrize("broken", [ImportError("no module"), 3, lambda: [int], lambda: 1 / 0])
def test_a_broken_plug_in_warns_and_stops_nothing(broken: object, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, broken, Custom)
    with pytest.warns(UserWarning, match="pkg0:x cannot be loaded"):
        assert "our-own" in known_faults()


def test_every_fault_says_what_it_is() -> None:
    for kind in FAULTS.values():
        assert kind.title
        assert kind.description.endswith(".")
        assert kind.__doc__


def test_waiters_are_found_likewise() -> None:
    assert set(WAITERS) == {
        *("delete-workload-pods", "pause-execution", "restart-kubernetes-workload", "scale-kubernetes-workload"),
    }
    with pytest.raises(FaultError, match="Did you mean 'pause-execution'"):
        waiter("pause-executions", {})
    with pytest.raises(ArgumentsError, match="replicas"):
        waiter("scale-kubernetes-workload", {"kubernetesObject": TARGET, "replicas": 0})
    with pytest.raises(ArgumentsError, match="seconds"):
        waiter("pause-execution", {"seconds": -1})
