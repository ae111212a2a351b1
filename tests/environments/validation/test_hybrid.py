"""The twin behind a real API server: what is injected through it comes to the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from itbench.cluster.kube_assets import kube_asset
from itbench.environments.validation.observed import read_observed
from itbench.environments.validation.selection import choose
from itbench.environments.validation.session import ValidationRequest, validate
from itbench.model.errors import ClusterError
from itbench.twin.compare.agreement import ASPECTS
from itbench.twin.compare.validation import ComparedFault

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module", autouse=True)
def _assets() -> None:
    try:
        for program in ("etcd", "kube-apiserver"):
            kube_asset(program)
    except ClusterError as error:
        pytest.skip(str(error))


def test_faults_agree_in_everything_and_one_that_fails_stops_no_other(
    written: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [
        written("no-such-service", "deleted-kubernetes-service", "v1 Service nothing"),
        written("nobody-reads"),
        written("reviews-gone", "deleted-kubernetes-service", "v1 Service reviews"),
    ]
    chosen, _ = choose("hybrid", None, [str(path) for path in paths])
    told: list[ComparedFault] = []
    out = tmp_path / "out"
    summed = validate(ValidationRequest("hybrid", out=out), chosen, told.append)
    assert [each.outcome for each in summed.faults] == ["environment_error", "compared", "compared"]
    assert "nothing" in summed.failed[0].cause
    assert told == list(summed.faults)
    for fault in summed.faults[1:]:
        for name in ASPECTS:
            aspect = fault.aspects[name]
            assert aspect.agreement in (None, 1), (fault.scenario, name, aspect)
        assert fault.aspects["states"].agreement == 1
    assert "Deployment reviews-v1: ScalingReplicaSet" in summed.faults[1].aspects["events"].both
    assert "Service/reviews fields: deleted" in summed.faults[2].aspects["states"].both
    assert summed.agreement["states"].n == 2

    # What the API server saw is in the records, and is taken from there.
    seen = read_observed(out / "nobody-reads", "hybrid")
    assert seen is not None
    marked = seen.told().world.events
    assert ("Deployment reviews-v1", "ScalingReplicaSet") in marked
    monkeypatch.setattr("itbench.environments.validation.session.on_hybrid", None)  # nothing is played there again
    again = validate(ValidationRequest("hybrid", out=out, resume=True), chosen[1:2], told.append)
    assert again.faults[0] == summed.faults[1]
