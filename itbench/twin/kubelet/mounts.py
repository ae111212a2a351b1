"""Mounting the volumes of a pod, and what keeps them from being mounted."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from itbench.cluster.protocol import KubeObject
from itbench.twin.control.store import Store
from itbench.twin.kubelet.environment import keys_of, texts
from itbench.twin.kubelet.host import Host
from itbench.twin.kubelet.timing import MOUNT_FIRST, MOUNT_LAST, MOUNT_TIMEOUT
from itbench.twin.objects import name_of, namespace_of, phase_of


def mount_problems(pod: KubeObject, store: Store) -> dict[str, str]:
    """What keeps each volume that a container mounts from being mounted, in the kubelet's words, by volume."""
    used = _used(pod)
    problems = {}
    for volume in pod["spec"].get("volumes") or ():
        if volume["name"] in used:
            problem = next(_problems(pod, volume, store), None)
            if problem is not None:
                problems[str(volume["name"])] = problem
    return problems


def mounted_files(pod: KubeObject, container: KubeObject, store: Store) -> dict[str, str]:
    """The files that a container has from ConfigMaps and Secrets: path and text."""
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    found = {}
    for mount in container.get("volumeMounts") or ():
        for path, text in _texts(pod, volumes.get(mount["name"]) or {}, store).items():
            folder, part = str(mount["mountPath"]).rstrip("/"), mount.get("subPath")
            if part is None:
                found[f"{folder}/{path}"] = text
            elif path == part:
                found[folder] = text
    return found


def _texts(pod: KubeObject, volume: KubeObject, store: Store) -> dict[str, str]:
    """The files of a volume; none but for a ConfigMap or a Secret."""
    for kind, field, key in (("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")):
        source = volume.get(field)
        if source is not None:
            data = texts(store.get(kind, (namespace_of(pod), source[key])))
            items = source.get("items")
            return data if not items else {item["path"]: data[item["key"]] for item in items if item["key"] in data}
    return {}


def wait_for_volumes(
    host: Host, pod: Callable[[], KubeObject], is_stopping: Callable[[], bool]
) -> Generator[float, None, bool]:
    """Mount the volumes of a pod, again and again for two minutes; gives whether that worked.

    Args:
        host: the node.
        pod: the pod as it is by then.
        is_stopping: whether the pod shall end.
    """
    clock, delay, begun = host.clock, MOUNT_FIRST, host.clock.now
    while problems := complain_of_volumes(host, pod()):
        late = clock.now + delay - begun > MOUNT_TIMEOUT
        yield max(0.0, begun + MOUNT_TIMEOUT - clock.now) if late else delay
        if is_stopping():
            return False
        if late:
            host.recorder.warning(pod(), "FailedMount", timeout_text(list(problems)))
            return False
        delay = min(2 * delay, MOUNT_LAST)
    return True


def complain_of_volumes(host: Host, pod: KubeObject) -> dict[str, str]:
    """Record what keeps volumes from being mounted, or from being brought up to date; gives it by volume."""
    problems = mount_problems(pod, host.store)
    for volume, problem in problems.items():
        host.recorder.warning(pod, "FailedMount", failure_text(volume, problem))
    return problems


def failure_text(volume: str, problem: str) -> str:
    """The event for one volume."""
    return f'MountVolume.SetUp failed for volume "{volume}" : {problem}'


def timeout_text(volumes: list[str]) -> str:
    """The event for a step that waited too long."""
    return (
        f"Unable to attach or mount volumes: unmounted volumes=[{' '.join(volumes)}], unattached volumes=[], "
        "failed to process volumes=[]: context deadline exceeded"
    )


def _used(pod: KubeObject) -> set[str]:
    spec = pod["spec"]
    containers = [*(spec.get("initContainers") or ()), *spec["containers"]]
    return {
        mount["name"] for item in containers for part in ("volumeMounts", "volumeDevices") for mount in item.get(part) or ()
    }


def _problems(pod: KubeObject, volume: KubeObject, store: Store) -> Iterator[str]:
    if "configMap" in volume:
        yield from _keys(pod, "ConfigMap", volume["configMap"]["name"], volume["configMap"], store)
    elif "secret" in volume:
        yield from _keys(pod, "Secret", volume["secret"]["secretName"], volume["secret"], store)
    elif "projected" in volume:
        for source in volume["projected"].get("sources") or ():
            for kind, field in (("ConfigMap", "configMap"), ("Secret", "secret")):
                if field in source:
                    yield from _keys(pod, kind, source[field]["name"], source[field], store)
    elif "hostPath" in volume and volume["hostPath"].get("type") in ("Directory", "File", "Socket"):
        kind = {"Directory": "a directory", "File": "a file", "Socket": "a socket file"}[volume["hostPath"]["type"]]
        yield f"hostPath type check failed: {volume['hostPath']['path']} is not {kind}"
    elif "persistentVolumeClaim" in volume:
        name = volume["persistentVolumeClaim"]["claimName"]
        claim = store.get("PersistentVolumeClaim", (namespace_of(pod), name))
        if claim is None:
            yield f'persistentvolumeclaim "{name}" not found'
        elif phase_of(claim) != "Bound":
            yield f"PVC {namespace_of(pod)}/{name_of(claim)} is not bound"


def _keys(pod: KubeObject, kind: str, name: str, source: KubeObject, store: Store) -> Iterator[str]:
    found = store.get(kind, (namespace_of(pod), name))
    optional = bool(source.get("optional"))
    if found is None:
        if not optional:
            yield f'{kind.lower()} "{name}" not found'
        return
    for item in source.get("items") or ():
        if item["key"] not in keys_of(found) and not optional:
            word = "config" if kind == "ConfigMap" else "secret"
            yield f"{'configmap ' if word == 'config' else ''}references non-existent {word} key: {item['key']}"
