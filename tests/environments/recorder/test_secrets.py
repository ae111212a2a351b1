"""No secret is written."""

from __future__ import annotations

import base64
import json

import pytest

from itbench.cluster.protocol import KubeObject
from itbench.environments.recorder.secrets import HIDDEN, Secrets

PASSWORD = "hunter2-very-secret"


def secret(**data: str) -> KubeObject:
    return {
        "kind": "Secret",
        "metadata": {
            "name": "vault",
            "namespace": "shop",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"stringData": data})},
        },
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }


def test_of_secrets_the_keys_stay_and_nothing_else() -> None:
    assert Secrets().without(secret(password=PASSWORD)) == {
        "kind": "Secret",
        "metadata": {"name": "vault", "namespace": "shop", "annotations": {}},
        "data": {"password": HIDDEN},
    }


def test_the_recorded_object_is_not_changed() -> None:
    obj = secret(password=PASSWORD)
    Secrets().without(obj)
    assert obj == secret(password=PASSWORD)


def test_values_of_secrets_are_taken_out_of_logs_and_events() -> None:
    secrets = Secrets()
    secrets.learn([secret(password=PASSWORD)])
    encoded = base64.b64encode(PASSWORD.encode()).decode()
    assert secrets.text(f"login with {PASSWORD} ({encoded})") == f"login with {HIDDEN} ({HIDDEN})"


def test_names_are_not_taken_for_secrets() -> None:
    secrets = Secrets()
    secrets.learn([secret(host="postgresql"), {"kind": "Service", "metadata": {"name": "postgresql", "namespace": "shop"}}])
    assert secrets.text("postgresql does not answer") == "postgresql does not answer"


def test_what_the_environment_of_containers_calls_secret_is_hidden_also_where_it_was_last_applied() -> None:
    env = [{"name": "DB_PASSWORD", "value": PASSWORD}, {"name": "TOKEN_URL", "value": "http://auth"}]
    workload: KubeObject = {
        "kind": "Deployment",
        "metadata": {"name": "cart", "namespace": "shop"},
        "spec": {"template": {"spec": {"containers": [{"name": "cart", "env": env}]}}},
    }
    workload["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(workload)}
    found = Secrets().without(workload)
    assert found["spec"]["template"]["spec"]["containers"][0]["env"] == [
        {"name": "DB_PASSWORD", "value": HIDDEN},
        {"name": "TOKEN_URL", "value": "http://auth"},
    ]
    assert PASSWORD not in json.dumps(found)


def test_configuration_keeps_all_but_what_it_calls_secret() -> None:
    found = Secrets().without(
        {"kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"api-key": "abc", "port": "8080"}}
    )
    assert found["data"] == {"api-key": HIDDEN, "port": "8080"}


def test_private_keys_are_never_written() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----"
    assert Secrets().text(f"loaded {key}.") == f"loaded {HIDDEN}."


@pytest.mark.parametrize(
    "key", ["DB_PASSWORD", "REPORT_API_KEY", "HOST_TOKEN", "profileToken", "SECRET_NAME_TOKEN", "apiKey2"]
)
def test_a_key_that_says_secret_hides_its_value(key: str) -> None:
    obj = {"kind": "ConfigMap", "metadata": {"name": "web"}, "data": {key: "value-of-it"}}
    assert Secrets().without(obj)["data"] == {key: HIDDEN}


@pytest.mark.parametrize(
    "key", ["TOKEN_URL", "PASSWORD_FILE", "secretName", "tokenExpirationSeconds", "API_KEY_HOSTNAME", "replicas"]
)
def test_a_key_that_says_where_a_secret_lies_hides_nothing(key: str) -> None:
    obj = {"kind": "ConfigMap", "metadata": {"name": "web"}, "data": {key: "value-of-it"}}
    assert Secrets().without(obj)["data"] == {key: "value-of-it"}


def test_a_secret_within_another_leaves_nothing_of_it() -> None:
    secrets = Secrets()
    secrets.learn([secret(short="sesame-open"), secret(long="sesame-open-wide")])
    assert secrets.text("say sesame-open-wide") == f"say {HIDDEN}"
