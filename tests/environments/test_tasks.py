from pathlib import PurePosixPath

import pytest

from itbench.environments.tasks import make_live_task, make_task
from itbench.model.base import Domain
from itbench.model.task import Budget


@pytest.mark.parametrize("domain", ["sre", "finops"])
def test_the_task_tells_the_whole_contract(domain: Domain) -> None:
    task = make_task(domain, PurePosixPath("/tmp/snapshot"), Budget(wall_seconds=90), seed=5)
    assert "/tmp/snapshot" in task.instructions
    assert "agent_output.json" in task.instructions
    assert "90 seconds" in task.instructions
    assert "$" not in task.instructions.replace("$/hr", "")
    for key in {"sre": ("entities", "propagations", "alerts_explained"), "finops": ("resource",)}[domain]:
        assert f'"{key}"' in task.instructions


def test_a_task_without_data_or_time_limit_says_so() -> None:
    task = make_task("sre", None, Budget(wall_seconds=None), seed=0)
    assert "(this scenario has no data)" in task.instructions
    assert "no time limit" in task.instructions


def test_ids_are_random() -> None:
    assert make_task("sre", None, Budget(), 1).id != make_task("sre", None, Budget(), 1).id


@pytest.mark.parametrize("repair", [True, False])
@pytest.mark.parametrize("kubectl", [True, False])
def test_the_live_task_tells_what_may_be_done(repair: bool, kubectl: bool) -> None:
    address = "http://127.0.0.1:9" if kubectl else None
    budget, folder = Budget(wall_seconds=90), PurePosixPath("/tmp/snapshot")
    task = make_live_task(folder, budget, 5, repair=repair, kubectl=kubectl, prometheus=address)
    assert ("Repair it" in task.instructions) is repair
    assert ("Change nothing" in task.instructions) is not repair
    assert ("KUBECONFIG" in task.instructions) is kubectl
    assert ("PROMETHEUS_URL" in task.instructions) is kubectl
    assert "FINDINGS" in task.instructions
    assert "goes on" in task.instructions
    assert "does not go on" in make_live_task(folder, budget, 5, repair=repair, kubectl=True, real=True).instructions
    assert "90 seconds" in task.instructions
    assert "$" not in task.instructions
    for key in ("entities", "propagations", "alerts_explained"):
        assert f'"{key}"' in task.instructions
