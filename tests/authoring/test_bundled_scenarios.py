"""The scenarios that ship: all can be planned, every mechanism has one, and the suites choose among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from itbench.authoring.check import check_scenario
from itbench.authoring.verdict import TITLES
from itbench.bundled import bundled
from itbench.cluster.reference import ObjectRef
from itbench.datasets.discover import load_suite, suite_names
from itbench.datasets.scenario_file import read_scenario
from itbench.faults.registry import FAULTS
from itbench.twin.app.load import load_application
from itbench.twin.incident.plan import Plan, plan
from itbench.twin.running import RunningApplication
from itbench.twin.telemetry.rules.load import rules_for

WITHOUT_EFFECT_ON_THE_TWIN = {"kubernetes-api-server-request-surge"}
SRE = sorted((bundled("scenarios") / "sre").glob("*/scenario.yaml"))


@pytest.fixture(scope="module")
def plans() -> list[Plan]:
    return [plan(read_scenario(path)) for path in SRE]


def test_there_are_at_least_44_and_each_lies_in_a_folder_of_its_name(plans: list[Plan]) -> None:
    assert len(plans) >= 44
    for path, one in zip(SRE, plans, strict=True):
        assert one.scenario.id == path.parent.name
        assert [file.name for file in path.parent.iterdir()] == ["scenario.yaml"]


def test_every_fault_of_the_library_that_shows_on_the_twin_has_a_scenario(plans: list[Plan]) -> None:
    used = {step.fault.id for one in plans for step in one.steps if step.fault is not None}
    assert set(FAULTS) - used == WITHOUT_EFFECT_ON_THE_TWIN


def test_every_flag_and_every_kind_of_experiment_has_a_scenario(plans: list[Plan]) -> None:
    args = [step.fault.args.model_dump() for one in plans for step in one.steps if step.fault is not None]
    flags = load_application("otel-demo").flags
    assert flags is not None
    assert {item["flag"]["name"] for item in args if "flag" in item} == set(flags.flags)
    specs = [item["scheduleSpec"] for item in args if "scheduleSpec" in item]
    kinds = {spec["type"] for spec in specs}
    assert kinds >= {"NetworkChaos", "PodChaos", "StressChaos", "HTTPChaos", "JVMChaos", "IOChaos"}
    network = {spec["networkChaos"]["action"] for spec in specs if spec["type"] == "NetworkChaos"}
    assert network == {"delay", "loss", "partition"}
    stress = {name for spec in specs if spec["type"] == "StressChaos" for name in spec["stressChaos"]["stressors"]}
    assert stress == {"cpu", "memory"}
    http = {"abort" if spec["httpChaos"].get("abort") else "patch" for spec in specs if spec["type"] == "HTTPChaos"}
    assert http == {"abort", "patch"}


def test_both_applications_all_complexities_several_faults_and_distractions_occur(plans: list[Plan]) -> None:
    assert {one.scenario.application for one in plans} == {"otel-demo", "book-info"}
    assert min(Counter(one.scenario.complexity for one in plans)[level] for level in ("low", "medium", "high")) >= 8
    assert sum(sum(step.fault is not None for step in one.steps) > 1 for one in plans) >= 5
    assert sum(bool(one.distractions) for one in plans) >= 3


def test_every_scenario_says_what_happens_and_which_alerts_must_fire(plans: list[Plan]) -> None:
    for one in plans:
        assert one.scenario.description, one.scenario.id
        assert one.scenario.expected_alerts, one.scenario.id


@pytest.fixture(scope="module")
def clusters(plans: list[Plan]) -> dict[tuple[str, bool], RunningApplication]:
    """Each application as it stands before anything is done to it, with autoscalers and without."""
    kinds = {(one.scenario.application, one.scenario.autoscaling): one.application for one in plans}
    return {kind: RunningApplication(application) for kind, application in kinds.items()}


@pytest.mark.parametrize("number", range(len(SRE)), ids=[path.parent.name for path in SRE])
def test_what_a_scenario_names_is_there(
    number: int, plans: list[Plan], clusters: dict[tuple[str, bool], RunningApplication]
) -> None:
    one = plans[number]
    running = clusters[one.scenario.application, one.scenario.autoscaling]
    for step in one.steps:
        (step.fault or step.waiter).check(running.twin.cluster)
    for change in (distraction.change for distraction in one.scenario.distractions):
        if "object" in change:
            running.twin.cluster.get(ObjectRef.parse(change["object"], one.application.namespace))
    for labels in _selected(one):
        assert any(
            labels.items() <= pod["metadata"].get("labels", {}).items()
            for pod in running.twin.cluster.list("Pod", one.application.namespace)
        ), f"no pod has {labels}"
    rules = {rule.name for rule in rules_for(one.application.name)}
    for alert in (*one.scenario.expected_alerts, *one.scenario.innocent_alerts):
        assert alert.name in rules
        assert alert.labels.get("service_name", one.application.load.service) in one.application.services


def _selected(one: Plan) -> Iterator[dict[str, str]]:
    """The labels of the pods that experiments hit."""
    for step in one.steps:
        spec = step.fault.args.model_dump().get("scheduleSpec") if step.fault is not None else None
        if spec is None:
            continue
        body = next(value for key, value in spec.items() if isinstance(value, dict) and key.lower() == spec["type"].lower())
        for place in (body, body.get("target")):
            if isinstance(place, dict):
                yield place["selector"]["labelSelectors"]


@pytest.mark.integration
@pytest.mark.parametrize("name", ["bookshop-turns-everyone-away", "quotes-cut-short", "mail-is-garbled"])
def test_a_sample_holds_every_check(name: str) -> None:
    """`itbench scenario check --suite sre-all` checks all of them: docs/benchmarks.md."""
    report = check_scenario(bundled("scenarios") / "sre" / name / "scenario.yaml", at_once=2)
    assert report.failures == ()
    assert report.passed
    assert [check.name for check in report.checks] == list(TITLES)


def test_the_starter_suite_has_two_incidents_of_each_complexity() -> None:
    assert Counter(one.complexity for one in load_suite("starter") if one.domain == "sre") == {
        "low": 2, "medium": 2, "high": 2
    }  # fmt: skip


def test_suites_of_a_domain_hold_all_of_it() -> None:
    assert {"starter", "sre-all", "finops-all"} <= set(suite_names())
    assert [one.id for one in load_suite("sre-all")] == [path.parent.name for path in SRE]
    assert {one.domain for one in load_suite("finops-all")} == {"finops"}
