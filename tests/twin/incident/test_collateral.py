"""Collateral damage: what an operator breaks counts, what the fault breaks and what a repair brings back does not."""

from __future__ import annotations

import pytest

from itbench.cluster.reference import ObjectRef
from itbench.datasets.scenario_file import read_scenario
from itbench.twin.incident.collateral import collateral
from itbench.twin.incident.incident import Incident
from itbench.twin.incident.levels import Levels
from itbench.twin.incident.plan import Plan, plan

SCENARIO = """\
schema_version: 1
id: no-stars
domain: sre
title: Reviews have no stars
application: book-info
timeline: {before: 2m, after: 2m}
disruptions:
  - faults:
      - id: scaled-to-zero-kubernetes-workload
        args:
          kubernetesObject:
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: ratings-v1, namespace: book-info}
"""
BROKEN = ObjectRef.parse("deploy/ratings-v1", "book-info")
INNOCENT = ObjectRef.parse("deploy/details-v1", "book-info")


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("scenario")
    (folder / "scenario.yaml").write_text(SCENARIO)
    return plan(read_scenario(folder))


def damage(planned: Plan, *deeds: tuple[ObjectRef, int]) -> dict[str, float]:
    worlds = [Incident(planned, 3), Incident(planned, 3), Incident(planned, 3, faulted=False)]
    for world in worlds:
        world.play()
    since = worlds[0].now
    for ref, replicas in deeds:
        worlds[0].running.twin.cluster.scale(ref, replicas)
    for world in worlds:
        world.wait_until(since + 180)
    levels = [Levels.of(world.happened()) for world in worlds]
    return {each.service: each.requests for each in collateral(*levels, since, since + 180)}


def test_who_does_nothing_damages_nothing(planned: Plan) -> None:
    assert damage(planned) == {}


def test_a_repair_is_no_damage(planned: Plan) -> None:
    assert sum(damage(planned, (BROKEN, 1)).values()) < 5


def test_an_innocent_service_that_is_taken_away_is_named_with_its_requests(planned: Plan) -> None:
    found = damage(planned, (INNOCENT, 0))
    assert next(iter(found)) == "details-v1"
    assert found["details-v1"] > 50
    assert "ratings-v1" not in found
