"""A new scenario: what is asked, what is offered, and that the result can be played."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from itbench.authoring.new import Draft, kind_of, write_draft
from itbench.authoring.questions import answer, next_question
from itbench.cli.main import main
from itbench.datasets.scenario_file import read_scenario
from itbench.model.errors import DatasetError, UsageError
from itbench.twin.app.load import load_application

ENVIRONMENT = "modified-kubernetes-workload-container-environment-variable"
OTEL = load_application("otel-demo")


def asked(fault: str, *answers: str) -> tuple[dict[str, Any], list[str]]:
    kind, args, keys = kind_of(fault), {}, []
    for text in answers:
        question = next_question(kind, args, OTEL)
        assert question is not None
        keys.append(question.dotted)
        answer(kind, args, question.key, text, OTEL)
    assert next_question(kind, args, OTEL) is None
    return args, keys


def test_containers_and_variables_are_those_of_the_chosen_workload() -> None:
    kind, args = kind_of(ENVIRONMENT), {}
    question = next_question(kind, args, OTEL)
    assert question is not None
    assert "Deployment/cart" in question.choices
    answer(kind, args, question.key, "Deployment/cart", OTEL)
    question = next_question(kind, args, OTEL)
    assert question is not None
    assert question.choices == ("cart",)
    answer(kind, args, question.key, "cart", OTEL)
    question = next_question(kind, args, OTEL)
    assert question is not None
    assert "VALKEY_ADDR" in question.choices


def test_answers_become_arguments_that_the_fault_takes() -> None:
    args, keys = asked(ENVIRONMENT, "cart", "cart", "VALKEY_ADDR", "nowhere:1")
    assert keys == ["kubernetesObject", "container.name", "container.env.name", "container.env.value"]
    assert args["container"] == {"name": "cart", "env": {"name": "VALKEY_ADDR", "value": "nowhere:1"}}
    assert args["kubernetesObject"]["metadata"] == {"name": "cart", "namespace": "otel-demo"}


def test_numbers_are_numbers_and_flags_stay_texts() -> None:
    assert asked("modified-target-port-kubernetes-service", "Service/ad", "8080")[0]["targetPort"] == 8080
    flag = asked("opentelemetry-demo-feature-flag", "ConfigMap/flagd-config", "adFailure", "on")[0]["flag"]
    assert flag == {"name": "adFailure", "state": "on"}


def test_an_experiment_on_a_service_has_a_usual_spec() -> None:
    args, _ = asked("scheduled-chaos-mesh-experiment", "drill", "NetworkChaos", "cart")
    assert args["scheduleSpec"]["networkChaos"]["selector"]["labelSelectors"] == {"app.kubernetes.io/component": "cart"}
    assert args["kubernetesObject"]["metadata"] == {"name": "drill", "namespace": "chaos-mesh"}


def test_an_object_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match=r"no Service 'carts'\. There are: Service/ad, Service/cart"):
        answer(kind_of("deleted-kubernetes-service"), {}, ("kubernetesObject",), "carts", OTEL)


def test_a_fault_is_also_known_by_its_public_number() -> None:
    assert kind_of("14") is kind_of("modified-target-port-kubernetes-service")
    assert kind_of("36") is kind_of("corrupted-kubernetes-secret-credentials")
    with pytest.raises(UsageError, match="no fault '31'"):
        kind_of("31")


def test_an_id_with_other_characters_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match=r"'Bad Id' is no id of a scenario"):
        Draft("Bad Id", "Bad", "otel-demo", "deleted-kubernetes-service").scenario()


def new(*options: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, ["scenario", "new", *options], input=typed)


def test_options_alone_make_a_scenario_that_can_be_played(tmp_path: Path) -> None:
    told = new(
        *("--id", "no-stars", "--application", "book-info", "--fault", "deleted-kubernetes-service", "--yes"),
        *("--arg", "kubernetesObject=Service/ratings", "--out", str(tmp_path)),
    )
    assert told.exit_code == 0, told.output
    scenario = read_scenario(tmp_path / "no-stars").scenario
    assert (scenario.title, scenario.application) == ("No stars", "book-info")
    assert scenario.timeline.before == 600


def test_without_asking_what_is_missing_is_named_with_what_there_is(tmp_path: Path) -> None:
    told = new(
        *("--id", "x", "--application", "otel-demo", "--fault", ENVIRONMENT, "--yes", "--out", str(tmp_path)),
        *("--arg", "kubernetesObject=Deployment/cart"),
    )
    assert told.exit_code == 2
    assert "--arg container.env.name=… is missing" in told.stderr
    assert "VALKEY_ADDR" in told.stderr


def test_questions_take_numbers_and_names(tmp_path: Path) -> None:
    told = new(
        *("--id", "no-mail", "--title", "No mail", "--application", "otel-demo", "--out", str(tmp_path)),
        typed="scaled-to-zero-kubernetes-workload\nDeployment/email\nn\n",
    )
    assert told.exit_code == 0, told.output
    assert " 20  scaled-to-zero-kubernetes-workload" in told.stderr
    (fault,) = read_scenario(tmp_path / "no-mail").scenario.disruptions[0].faults
    assert fault.args["kubernetesObject"]["metadata"]["name"] == "email"


def test_pods_are_replaced_after_the_fault_where_asked(tmp_path: Path) -> None:
    args = asked("nonexistent-kubernetes-workload-node", "Deployment/quote")[0]
    path = write_draft(
        Draft("a", "A", "otel-demo", "nonexistent-kubernetes-workload-node", args, replace_pods=True), tmp_path
    )
    (disruption,) = read_scenario(path).scenario.disruptions
    assert [step.id for step in disruption.after] == ["delete-workload-pods"]


def test_what_cannot_be_injected_is_told_with_file_and_line(tmp_path: Path) -> None:
    args = asked("opentelemetry-demo-feature-flag", "ConfigMap/flagd-config", "adFailure", "off")[0]
    with pytest.raises(DatasetError) as caught:
        write_draft(Draft("a", "A", "otel-demo", "opentelemetry-demo-feature-flag", args), tmp_path)
    assert caught.value.key == "disruptions[0].faults[0].args.flag.state"
    assert (caught.value.line or 0) > 10


def test_a_scenario_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    draft = Draft("a", "A", "otel-demo", "scaled-to-zero-kubernetes-workload", asked(
        "scaled-to-zero-kubernetes-workload", "Deployment/ad")[0])  # fmt: skip
    write_draft(draft, tmp_path)
    with pytest.raises(UsageError, match="there already"):
        write_draft(draft, tmp_path)
