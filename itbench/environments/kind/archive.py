"""Images without a registry: archives as `docker save` writes them, for `docker load` and `kind load image-archive`.

The images of an application share one layer (the service program, and busybox as its shell) and have a small one each with
the names of their program and its documents, so that an archive of twenty services is no larger than one of one. The bytes
depend on the parts and the application alone.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from itbench.environments.kind.application import service_images
from itbench.environments.kind.program import programs
from itbench.faults.images import AGENT, BUSYBOX, CURL
from itbench.model.errors import ClusterError
from itbench.twin.app.application import Application

MONITORING_IMAGE = "registry.local/monitoring/telemetry:1"
PROMETHEUS_IMAGE = "registry.local/monitoring/prometheus:2.42.0"

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PROGRAM = "usr/local/bin/service"
_SHELL = "bin/busybox"
# What people and scripts use in containers.
_APPLETS = """
[ ash awk basename base64 cat chmod chown cp cut date dd df diff dirname du echo env expr false find free grep gunzip gzip
head hostname id ip kill killall less ln ls md5sum mkdir mktemp more mount mv nc netstat nohup nslookup pgrep pidof ping
printenv printf ps pwd readlink realpath rm rmdir route sed seq sh sha256sum sleep sort stat sync tail tar tee telnet test
time timeout top touch tr true uname uniq uptime vi watch wc wget which whoami xargs yes
"""
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a layer: its bytes, or where it links to, or a folder if it is neither."""

    content: bytes | None = None
    link: str | None = None
    mode: int = 0o644


Layer = Mapping[str, Entry]
"""Files by their path, without the slash in front."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image to be: its name with a tag, its layers from the bottom up, and what it runs."""

    name: str
    layers: tuple[Layer, ...]
    entrypoint: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def service_parts() -> Path:
    """Where `make kind-service-image` leaves what images are made of."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "itbench" / "kind" / "service"


def require_parts(parts: Path | None = None) -> None:
    """Make sure that what images are made of is there.

    Raises:
        ClusterError: it is not.
    """
    folder = parts or service_parts()
    for name in ("service", "busybox/bin/busybox", "prometheus/usr/bin/prometheus"):
        if not (folder / name).is_file():
            raise _missing(folder / name)


def application_images(application: Application, parts: Path | None = None) -> list[Image]:
    """The images of an application's services, and those that faults bring.

    Args:
        application: what they play.
        parts: as `make kind-service-image` leaves them; the default is where it does so.

    Raises:
        ClusterError: they are not there.
    """
    base = _base(parts or service_parts())
    documents = programs(application)
    images = []
    for image in service_images(application):
        own = {f"etc/program/{name}.json": Entry(documents[name].model_dump_json().encode()) for name in image.services}
        links = {_bin(name): Entry(link=f"/{_PROGRAM}") for name in image.entrypoints if not _is_a_shell(name)}
        images.append(Image(image.name, (base, {**links, **own}), (image.entrypoints[0],)))
    return [*images, *_brought_by_faults(base)]


def monitoring_images(parts: Path | None = None) -> list[Image]:
    """The images of the collector, the exporter and Prometheus.

    Raises:
        ClusterError: what they are made of is not there.
    """
    folder = parts or service_parts()
    files = {
        path.relative_to(folder / "prometheus").as_posix(): Entry(path.read_bytes(), mode=0o755)
        for path in sorted((folder / "prometheus").rglob("*"))
        if path.is_file() and path.name != "promtool"
    }
    if "usr/bin/prometheus" not in files:
        raise _missing(folder / "prometheus")
    base = _base(folder)
    shell = {name: entry for name, entry in base.items() if name != _PROGRAM}
    return [
        Image(MONITORING_IMAGE, (base,), (f"/{_PROGRAM}",)),
        Image(PROMETHEUS_IMAGE, (shell, files), ("/usr/bin/prometheus",)),
    ]


def write_archive(images: Iterable[Image], target: Path) -> None:
    """Write images as one archive, with every layer in it once. It is there whole or not at all."""
    manifest = []
    written: set[str] = set()
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    layers: dict[int, bytes] = {}
    images = list(images)  # layers that images share are one object as long as these are there
    try:
        with tarfile.open(fresh, "w") as archive:
            for image in images:
                packed = [layers.setdefault(id(layer), _packed(layer)) for layer in image.layers]
                digests = [hashlib.sha256(layer).hexdigest() for layer in packed]
                config = json.dumps(_config(image, digests), sort_keys=True).encode()
                name = f"{hashlib.sha256(config).hexdigest()}.json"
                files = [
                    *((f"{digest}/layer.tar", layer) for digest, layer in zip(digests, packed, strict=True)),
                    (name, config),
                ]
                for path, content in files:
                    if path not in written:
                        written.add(path)
                        _add(archive, path, Entry(content))
                manifest.append({"Config": name, "RepoTags": [image.name], "Layers": [path for path, _ in files[:-1]]})
            _add(archive, "manifest.json", Entry(json.dumps(manifest).encode()))
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def _base(parts: Path) -> Layer:
    """The service program and a shell."""
    program, shell = parts / "service", parts / "busybox" / "bin" / "busybox"
    for path in (program, shell):
        if not path.is_file():
            raise _missing(path)
    return {
        _PROGRAM: Entry(program.read_bytes(), mode=0o755),
        _SHELL: Entry(shell.read_bytes(), mode=0o755),
        **{f"bin/{name}": Entry(link=f"/{_SHELL}") for name in _APPLETS.split()},
        "etc/passwd": Entry(b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"),
        "etc/group": Entry(b"root:x:0:\nnobody:x:65534:\n"),
        "root": Entry(mode=0o700),
        "tmp": Entry(mode=0o1777),
    }


def _missing(path: Path) -> ClusterError:
    return ClusterError(f"{path} is not there", hint="Run `make kind-service-image`.")


def _bin(name: str) -> str:
    return name.lstrip("/") if name.startswith("/") else f"usr/local/bin/{name}"


def _is_a_shell(name: str) -> bool:
    return name.rpartition("/")[2] in _APPLETS.split()


def _brought_by_faults(base: Layer) -> Iterator[Image]:
    """Images that faults name: a shell, a shell with the curl of the service program, and an agent that only waits."""
    yield Image(BUSYBOX, (base,), ("sh",))
    yield Image(CURL, (base, {"usr/bin/curl": Entry(link=f"/{_PROGRAM}")}), ("curl",))
    yield Image(AGENT, (base,), ("tail", "-f", "/dev/null"))


def _config(image: Image, digests: Sequence[str]) -> dict[str, object]:
    environment = {"PATH": _PATH, **image.environment}
    return {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "Entrypoint": list(image.entrypoint),
            "Env": [f"{name}={value}" for name, value in environment.items()],
            "WorkingDir": "/",
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
    }


def _packed(layer: Layer) -> bytes:
    """A layer as a tar file, with the folders that its files lie in."""
    whole: dict[str, Entry] = {}
    for path, entry in sorted(layer.items()):
        for parent in reversed(Path(path).parents[:-1]):
            whole.setdefault(parent.as_posix(), Entry(mode=0o755))
        whole[path] = entry
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, entry in whole.items():
            _add(archive, path, entry)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, path: str, entry: Entry) -> None:
    info = tarfile.TarInfo(path)
    info.mode = entry.mode
    if entry.link is not None:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.link, 0o777
        archive.addfile(info)
    elif entry.content is None:
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    else:
        info.size = len(entry.content)
        archive.addfile(info, io.BytesIO(entry.content))
