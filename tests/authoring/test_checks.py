"""Each check can fail: what a sound scenario gave is spoilt on purpose."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from itbench.authoring.adversaries import entities, loudest_entities, scores
from itbench.authoring.leaks import find_leaks, forbidden, leaks, readable
from itbench.authoring.observable import observable
from itbench.authoring.quiet import healthy, manifests
from itbench.authoring.rehearsal import Exhibit, Rehearsal
from itbench.authoring.seeds import Outcome, seeds_agree
from itbench.model.entity import Entity
from itbench.snapshot.records import Alert


def alert(rehearsal: Rehearsal, name: str, severity: str, state: str = "firing", **labels: str) -> Alert:
    time = rehearsal.measured.worlds.faulted.begin + timedelta(seconds=300)
    return Alert(time, {"alertname": name, "severity": severity, "namespace": "book-info", **labels}, state)


def test_an_alert_without_the_faults_fails_and_noise_excuses_only_information(lost: Rehearsal) -> None:
    grave = alert(lost, "HighRequestLatency", "warning", service_name="reviews-v1")
    slight = alert(lost, "CPUThrottlingHigh", "info", pod="reviews-v1-x")
    waiting = alert(lost, "HighRequestLatency", "warning", "pending", service_name="reviews-v1")
    assert healthy(lost).passed
    assert healthy(replace(lost, quiet=(slight, waiting))).passed
    found = healthy(replace(lost, quiet=(grave,)))
    assert not found.passed
    assert "HighRequestLatency (reviews-v1)" in found.evidence
    silent = lost.plan.scenario.model_copy(update={"noise": 0.0})
    plan = replace(lost.plan, file=replace(lost.plan.file, scenario=silent))
    assert not healthy(replace(lost, plan=plan, quiet=(slight,))).passed


def test_an_alert_that_fires_anyway_does_not_count_as_expected(lost: Rehearsal) -> None:
    assert manifests(lost).passed
    quiet = tuple(one for one in lost.alerts if one.name == "HighRequestErrorRate")
    found = manifests(replace(lost, quiet=quiet))
    assert not found.passed
    assert found.numbers["missing"] == ["HighRequestErrorRate"]


def test_times_of_alerts_count_from_the_injection(lost: Rehearsal) -> None:
    first = next(one for one in lost.incident_alerts if one.name == "HighRequestErrorRate")
    numbers = manifests(lost).numbers
    assert numbers["after_seconds HighRequestErrorRate"] == lost.seconds(first) - 600
    assert numbers["deadline_seconds"] == 900


def test_naming_everything_fails_where_everything_is_a_root(lost: Rehearsal, files_of_lost: Exhibit) -> None:
    assert scores(files_of_lost).passed
    group = files_of_lost.truth.groups[0].model_copy(update={"name": "details", "filter": ()})
    truth = files_of_lost.truth.model_copy(update={"groups": (group,), "propagations": (), "aliases": ()})
    few = tuple(one for one in files_of_lost.recording.objects if one.entity.name == "details")
    recording = replace(files_of_lost.recording, objects=few, events=())
    found = scores(Exhibit(recording, truth))
    assert not found.passed
    assert "naming every entity scores" in found.evidence


def test_the_loudest_are_those_with_the_most_sightings(lost: Rehearsal) -> None:
    once = alert(lost, "A", "info", service_name="reviews-v1")
    twice = alert(lost, "B", "info", pod="details-v1-abc", service_name="ignored")
    pending = alert(lost, "A", "info", "pending", service_name="reviews-v1")
    assert loudest_entities([once, twice, twice, pending, pending]) == [
        Entity(namespace="book-info", kind="Pod", name="details-v1-abc")
    ]
    assert len(loudest_entities([once, twice])) == 2
    assert loudest_entities([]) == []


def test_everything_is_every_object_and_whatever_else_is_spoken_of(files_of_lost: Exhibit) -> None:
    named = entities(files_of_lost.recording)
    assert Entity(namespace="book-info", kind="Service", name="details") in named
    assert len(named) == len(set(named)) > 40


@pytest.mark.parametrize(
    ("text", "whose"),
    [
        ("labels: {managed-by: ITBench}", "a word of the harness"),
        ("see ground_truth.yaml", "a word of the harness"),
        ("ns/chaos-mesh", "no chaos experiment is part of the scenario"),
        ("invalid_kubernetes_service_selector ran", "the id of the fault invalid-kubernetes-service-selector"),
        ("a service that selects none", "from the title of the fault invalid-kubernetes-service-selector"),
        ("name: pages-without-blurbs-1", "the scenario's id"),
        ("BLURBS ARE MISSING!", "the scenario's title"),
        ("some pages come without the part\nthat tells who wrote the book", "a sentence of the scenario's description"),
    ],
)
def test_whatever_gives_the_incident_away_is_found(lost: Rehearsal, text: str, whose: str) -> None:
    wanted = forbidden(lost.plan.scenario, lost.measured.worlds.injected)
    (found, *_) = find_leaks([("k8s_objects_raw.tsv", f"before {text} after")], wanted)
    assert found.whose == whose
    assert found.where == "k8s_objects_raw.tsv"


def test_everything_that_is_written_is_searched(
    lost: Rehearsal, files_of_lost: Exhibit, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert leaks(lost, files_of_lost.recording).passed
    folder = tmp_path_factory.mktemp("files")
    files_of_lost.recording.write(folder)
    searched = " ".join(text for _, text in readable(files_of_lost.recording)).lower()
    for word in ("productpage-v1", "istio-proxy", "kube-state-metrics", "failedscheduling", "kubectl-edit"):
        written = any(word in path.read_text().lower() for path in folder.rglob("*") if path.is_file())
        assert (word in searched) or not written


def test_a_root_that_no_file_shows_fails(lost: Rehearsal, files_of_lost: Exhibit) -> None:
    assert "spec.selector" in observable(lost, files_of_lost).evidence
    others = tuple(one for one in files_of_lost.recording.objects if one.entity.name != "details")
    recording = replace(files_of_lost.recording, objects=others, events=())
    found = observable(replace(lost, alerts=()), Exhibit(recording, files_of_lost.truth))
    assert not found.passed
    assert "service/details" in found.evidence


def test_a_change_of_the_root_that_is_not_the_faults_shows_nothing(lost: Rehearsal, files_of_lost: Exhibit) -> None:
    begin = lost.measured.worlds.faulted.begin
    early = next(one for one in files_of_lost.recording.objects if str(one.entity).endswith("/Service/details"))
    manifest = {**early.manifest, "metadata": {**early.manifest["metadata"], "labels": {"seen": "yes"}}}
    late = replace(early, manifest=manifest, time=begin + timedelta(seconds=1200))
    recording = replace(files_of_lost.recording, objects=(early, late), events=())
    assert not observable(replace(lost, alerts=()), Exhibit(recording, files_of_lost.truth)).passed


def outcome(seed: int, root: str = "details", alerts: str = "HighRequestErrorRate", services: str = "a b c") -> Outcome:
    return Outcome(seed, frozenset({("Service", root)}), frozenset(alerts.split()), frozenset(services.split()))


def test_seeds_must_have_roots_alerts_and_most_of_the_chain_in_common() -> None:
    assert seeds_agree([outcome(0), outcome(1, services="a b c d")]).passed
    cases = {
        "other roots": outcome(1, root="ratings"),
        "raises HighRequestLatency": outcome(1, alerts="HighRequestErrorRate HighRequestLatency"),
        "share only 50%": outcome(1, services="a b d"),
    }
    for words, other in cases.items():
        found = seeds_agree([outcome(0), other])
        assert not found.passed
        assert words in found.evidence
