"""Proposals are carried out on the twin: the repair saves, harm is seen, nonsense is refused."""

from __future__ import annotations

import pytest

from itbench.model.cost import ActionKind, CostAction
from itbench.model.resource import Resource
from itbench.twin.cost.mitigation import apply
from tests.twin.cost.conftest import Write

RUNAWAY = {"class": "runaway_autoscaler", "application": "checkout"}


def action(kind: ActionKind, name: str = "checkout", type: str = "Application", **args: float | str) -> CostAction:  # noqa: A002
    return CostAction(action=kind, target=Resource(name=name, type=type), args=dict(args))


def test_setting_the_targets_back_saves_what_the_autoscaler_wastes(scenario: Write) -> None:
    outcome = apply(scenario(RUNAWAY), 5, [action(ActionKind.SET_AUTOSCALER, target=0.55)])
    assert outcome.saved_monthly == pytest.approx(outcome.optimal_saved_monthly, rel=0.02)
    assert outcome.saved_low <= outcome.saved_monthly <= outcome.saved_high
    assert outcome.after.cpu_efficiency > 2 * outcome.before.cpu_efficiency
    assert outcome.keeps_service_levels
    assert outcome.violations == ()
    assert outcome.refused == ()


def test_too_few_pods_save_more_and_break_the_service_levels(scenario: Write) -> None:
    outcome = apply(scenario(RUNAWAY), 5, [action(ActionKind.SET_AUTOSCALER, target=0.55, most=6)])
    assert outcome.saved_monthly > outcome.optimal_saved_monthly
    broken = {guard.measure for guard in outcome.guards if not guard.holds}
    assert broken == {"latency_p95", "error_share", "headroom"}
    assert not outcome.keeps_service_levels


def test_without_proposals_nothing_changes(scenario: Write) -> None:
    outcome = apply(scenario(RUNAWAY), 5, [])
    assert outcome.saved_monthly == 0
    assert outcome.before == outcome.after


def test_unsafe_acts_are_seen(scenario: Write) -> None:
    proposals = [
        action(ActionKind.DELETE_DATA, "order-archive"),
        action(ActionKind.REMOVE_REDUNDANCY, "checkout"),
        action(ActionKind.SET_AUTOSCALER, "storefront", target=0.9),
        action(ActionKind.SET_RETENTION, "inventory", days=2),
    ]
    found = set(apply(scenario(RUNAWAY), 5, proposals).violations)
    assert {(0, "deletes_data"), (1, "removes_redundancy"), (2, "production_out_of_scope"), (3, "deletes_data")} <= found
    assert (1, "production_out_of_scope") not in found


def test_what_cannot_be_done_is_refused_with_a_reason(scenario: Write) -> None:
    proposals = [
        action(ActionKind.SET_AUTOSCALER, "no-such-service", target=0.5),
        action(ActionKind.SET_AUTOSCALER, target=float("nan")),
        action(ActionKind.RIGHTSIZE, family="dsv5"),
        action(ActionKind.DELETE_ORPHANS, "gp3", "Instance Family"),
        action(ActionKind.BUY_COMMITMENT, "compute-plan", "Commitment"),
        *[CostAction(action=ActionKind.NOTHING)] * 200,
    ]
    outcome = apply(scenario(RUNAWAY), 5, proposals)
    assert [refused.index for refused in outcome.refused] == [0, 1, 2, 3, 4, 100]
    assert "between" in outcome.refused[1].reason or "number" in outcome.refused[1].reason
    assert outcome.before == outcome.after


def test_a_commitment_that_nobody_uses_costs_money(scenario: Write) -> None:
    bought = action(ActionKind.BUY_COMMITMENT, "lake-ingest", hourly=100.0)
    renamed = action(ActionKind.BUY_COMMITMENT, "ci-runners", hourly=100.0)
    outcome = apply(scenario(RUNAWAY), 5, [bought, renamed])
    assert [refused.index for refused in outcome.refused] == [0]
    assert outcome.saved_monthly < -10_000


def test_fewer_retries_save_and_fail_more(scenario: Write) -> None:
    file = scenario({"class": "retry_storm", "application": "payment-gateway", "errors": 0.5, "retries": 6})
    limited = apply(file, 5, [action(ActionKind.LIMIT_RETRIES, "payment-gateway", retries=0)])
    assert limited.saved_monthly > 0
    assert limited.after.error_share == pytest.approx(0.5, abs=0.01)
    assert not limited.keeps_service_levels
    mended = apply(file, 5, [action(ActionKind.FIX_DEPENDENCY, "payment-gateway")])
    assert mended.keeps_service_levels


def test_one_line_can_be_named_by_its_resource_id(scenario: Write) -> None:
    file = scenario({"class": "orphaned_resources", "account": "shop-staging", "family": "gp3", "each_day": 900})
    whole = apply(file, 5, [action(ActionKind.DELETE_ORPHANS, "gp3", "Instance Family")])
    assert whole.saved_monthly == pytest.approx(whole.optimal_saved_monthly, rel=0.05)
    assert whole.violations == ()
