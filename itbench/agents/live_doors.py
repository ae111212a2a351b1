"""The ways into a live system that an agent's program finds in its environment and workspace."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from itbench.agents.findings import FILE
from itbench.agents.protocol import ContainerAccess, LiveAccess, Workspace

KUBECONFIG = "kubeconfig"
"""Its name in a workspace."""
_TOOLS = "/tools"


@dataclass(frozen=True, slots=True)
class Doors:
    """What a container is given: variables, and files of this machine by their path inside."""

    environment: Mapping[str, str]
    files: Mapping[str, Path]


def write_kubeconfig(text: str, workspace: Path) -> None:
    """Write a kubeconfig for the agent alone, which nobody else can read for a moment: kubectl warns of others."""
    with os.fdopen(os.open(workspace / KUBECONFIG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def program_doors(live: LiveAccess, workspace: PurePosixPath) -> dict[str, str]:
    """The variables of a program on this machine; `workspace` is as it sees it."""
    told = {"FINDINGS": str(workspace / FILE)}
    if live.kubeconfig is not None:
        told["KUBECONFIG"] = str(workspace / KUBECONFIG)
        if live.kubectl is not None:
            told["PATH"] = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{live.kubectl}"
    if live.prometheus is not None:
        told["PROMETHEUS_URL"] = live.prometheus
    return told


def container_doors(live: LiveAccess, access: ContainerAccess, workspace: PurePosixPath, path: str) -> Doors:
    """What a container is given besides its workspace.

    Args:
        live: has kubectl; an image's own one is found first.
        access: from the container's network.
        workspace: as the container sees it.
        path: PATH of the image.
    """
    told = {"KUBECONFIG": str(workspace / KUBECONFIG), "PROMETHEUS_URL": access.prometheus}
    kubectl = shutil.which("kubectl", path=None if live.kubectl is None else str(live.kubectl))
    if kubectl is None:
        return Doors(told, {})
    return Doors(told | {"PATH": f"{path}:{_TOOLS}"}, {f"{_TOOLS}/kubectl": Path(kubectl).resolve()})


@asynccontextmanager
async def followed(workspace: Workspace) -> AsyncIterator[None]:
    """Take what a program finds while it works."""
    if workspace.live is None:
        yield
        return
    async with workspace.live.findings.followed(workspace.path / FILE):
        yield
