"""The application of a scenario: as described, with the load and the autoscalers that the scenario asks for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from itbench.cluster.protocol import KubeObject
from itbench.datasets.scenario_file import ScenarioFile
from itbench.model.errors import UsageError
from itbench.twin.app.application import Application
from itbench.twin.app.load import load_application

_CPU_PERCENT, _MEMORY_PERCENT = 70, 80
_MAX_REPLICAS = 10


def application_of(file: ScenarioFile) -> Application:
    """The application that a scenario runs.

    Raises:
        DatasetError: there is none of that name, or its load cannot be as the scenario wants; with path, line and key.
        UsageError: the application's own file is wrong.
    """
    scenario = file.scenario
    own = application_file(file)
    try:
        application = load_application(scenario.application if own is None else str(own))
    except UsageError as error:
        if error.path is not None:
            raise
        raise file.error(("application",), error.message, error.hint) from error
    changed = scenario.load.model_dump(exclude_none=True)
    if "rate" in changed:
        changed |= {"users": None}
    elif "users" in changed:
        changed |= {"rate": None}
    try:
        load = type(application.load).model_validate(application.load.model_dump() | changed)
    except ValidationError as error:
        raise file.error(("load",), str(error.errors()[0]["msg"])) from error
    scalers = tuple(autoscalers(application)) if scenario.autoscaling else ()
    return application.model_copy(update={"load": load, "manifests": (*application.manifests, *scalers)})


def application_file(file: ScenarioFile) -> Path | None:
    """The file that a scenario describes its application in; None for an application that ships with itbench."""
    name = file.scenario.application
    return file.source.path.parent / name if "/" in name or name.endswith((".yaml", ".yml")) else None


def autoscalers(application: Application) -> Iterator[KubeObject]:
    """An autoscaler for each Deployment but the load generator's, as the upstream option for the demo has it."""
    for name, service in application.services.items():
        if service.workload != "Deployment" or name == application.load.service:
            continue
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        metrics = [_utilisation("cpu", _CPU_PERCENT), _utilisation("memory", _MEMORY_PERCENT)]
        policies = [{"type": "Percent", "value": 50, "periodSeconds": 60}, {"type": "Pods", "value": 2, "periodSeconds": 60}]
        yield {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name},
            "spec": {
                "scaleTargetRef": target,
                "minReplicas": 1,
                "maxReplicas": _MAX_REPLICAS,
                "metrics": metrics,
                "behavior": {"scaleDown": {"selectPolicy": "Min", "policies": policies}},
            },
        }


def _utilisation(resource: str, percent: int) -> KubeObject:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": resource, "target": target}}
