"""Truth is the bill with a cause less the bill without it, on the same random numbers."""

from __future__ import annotations

import numpy as np
import pytest

from itbench.model.cost import CauseClass
from itbench.twin.cost.rows import rows_of
from itbench.twin.cost.simulate import simulate
from tests.twin.cost.conftest import Write

CAUSES = {
    "runaway_autoscaler": {"application": "checkout"},
    "forgotten_environment": {"application": "trial", "copy_of": "checkout", "account": "shop-staging"},
    "wrong_instance_family": {"application": "search", "family": "r6i", "to": "x2idn"},
    "lost_commitment": {"commitment": "database-reservation"},
    "storage_class": {"application": "product-images", "family": "s3-infrequent", "to": "s3-standard"},
    "retention": {"application": "inventory", "family": "ebs-snapshot", "days": 200, "ingest": 3},
    "log_explosion": {"application": "search"},
    "trace_explosion": {"application": "checkout"},
    "cross_zone": {"application": "search", "kb": 30},
    "retry_storm": {"application": "payment-gateway"},
    "orphaned_resources": {"account": "shop-staging", "family": "gp3", "each_day": 500},
    "gpu_idle": {"application": "forecast-training", "family": "g5"},
    "price_change": {"family": "cache.m6g", "factor": 1.5},
    "mistagging": {"application": "recommendations", "to": "search"},
}
SITS = {
    "forgotten_environment": [("trial", "Application")],
    "lost_commitment": [("db.r6g", "Instance Family")],
    "orphaned_resources": [("gp3", "Instance Family")],
    "price_change": [("cache.m6g", "Instance Family")],
    "mistagging": [("search", "Application"), ("recommendations", "Application")],
}


def test_every_class_has_a_mechanism_that_is_tested() -> None:
    assert set(CAUSES) == set(CauseClass)


@pytest.mark.parametrize("name", CAUSES)
def test_a_cause_raises_cost_where_it_sits_and_nowhere_else(name: str, scenario: Write) -> None:
    args = CAUSES[name]
    simulation = simulate(scenario({"class": name, **args}), 11)
    (cause,) = simulation.truth.causes
    onset = simulation.prepared.onsets[0]
    assert cause.onset == simulation.world.calendar.dates[onset]
    wanted = SITS.get(name, [(str(args.get("application")), "Application")])
    assert [(item.name, item.type) for item in cause.resources] == wanted
    if name == "mistagging":
        assert cause.amount == pytest.approx(0, abs=0.01)
        assert cause.moved > 100
    else:
        assert cause.amount > 10
    with_cause, without = rows_of(simulation.world), rows_of(simulation.quiet)
    for path, row in with_cause.items():
        before = without[path].cost[:onset] if path in without else np.zeros(onset)
        assert row.cost[:onset] == pytest.approx(before, abs=1e-12)
    rows = {tuple(item.path.values()): item.amount for item in simulation.truth.attribution}
    assert sum(rows.values()) == pytest.approx(cause.amount, abs=max(0.02 * abs(cause.amount), 0.5))


def test_without_causes_nothing_is_to_be_named(scenario: Write) -> None:
    simulation = simulate(scenario(), 4)
    assert simulation.truth.benign
    assert simulation.document()["resource"] == []
    assert simulation.world.cost() == pytest.approx(simulation.quiet.cost())


def test_each_of_several_causes_is_measured_by_leaving_it_out(scenario: Write) -> None:
    logs = {"class": "log_explosion", "application": "search"}
    gpu = {"class": "gpu_idle", "application": "forecast-training", "family": "g5"}
    both, alone = simulate(scenario(logs, gpu), 3), simulate(scenario(logs), 3)
    assert [cause.cause for cause in both.truth.causes] == [CauseClass.LOG_EXPLOSION, CauseClass.GPU_IDLE]
    assert both.truth.causes[0].amount == pytest.approx(alone.truth.causes[0].amount)
    total = float((both.world.cost() - both.quiet.cost()).sum())
    assert sum(cause.amount for cause in both.truth.causes) == pytest.approx(total, abs=0.05)


def test_a_longer_bill_and_another_cause_change_no_other_number(scenario: Write) -> None:
    one = simulate(scenario({"class": "log_explosion", "application": "search"}), 9)
    other = simulate(
        scenario({"class": "orphaned_resources", "account": "insights", "family": "pd-balanced", "each_day": 50}), 9
    )
    mine, theirs = rows_of(one.quiet), rows_of(other.quiet)
    assert {path: row.cost.sum() for path, row in mine.items()} == {path: row.cost.sum() for path, row in theirs.items()}


def test_seeds_give_other_histories_and_the_same_resource(scenario: Write) -> None:
    file = scenario({"class": "runaway_autoscaler", "application": "checkout"})
    first, second = simulate(file, 1), simulate(file, 2)
    assert first.document()["resource"] == second.document()["resource"]
    assert first.truth.causes[0].amount != second.truth.causes[0].amount


def test_the_retry_storm_multiplies_attempts_by_the_geometric_sum(scenario: Write) -> None:
    file = scenario({"class": "retry_storm", "application": "payment-gateway", "errors": 0.5, "retries": 2})
    simulation = simulate(file, 1)
    onset = simulation.prepared.onsets[0]
    traffic = simulation.world.traffic["payment-gateway"]
    assert (traffic.arriving / traffic.meant)[onset:] == pytest.approx(1 + 0.5 + 0.25)
    assert traffic.failing[onset:] == pytest.approx(0.125)


def test_the_runaway_autoscaler_gets_the_targets_that_the_fault_of_the_library_sets(scenario: Write) -> None:
    simulation = simulate(scenario({"class": "runaway_autoscaler", "application": "checkout"}), 1)
    (line,) = simulation.world.plan.of("checkout", "pool")
    assert (line.target[-1], line.memory_target[-1]) == (0.2, 0.3)
    (cost,) = (it for it in simulation.world.of("checkout") if it.plan is line)
    assert cost.use.service is not None
    # Pods use more than 30 % of their memory even when idle: no number of them is enough.
    assert (cost.use.service.replicas[-1] == line.most[-1]).all()
