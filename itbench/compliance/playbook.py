"""Collect host settings with an agent's Ansible playbook: run by itself in the sandbox against a folder that stands for /.

The folder is made anew for every set and mounted read-only; its files have the modes that inventory/modes.txt lists. Nothing
of the host is asked: a playbook that escapes into `shell` or `command` is in the same sandbox as any fetch script.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from itbench.compliance.engine import engines_folder
from itbench.compliance.fetch import Collected, Errand, run_collector, write_files
from itbench.compliance.place import Place
from itbench.compliance.variants import Variant
from itbench.model.errors import MissingExtraError, SandboxError

PLAYBOOK = "playbook.yml"
ROOT = "root"
MODES = "inventory/modes.txt"
# One host, by every name that a playbook may give it.
_INVENTORY = "[rhel9_servers]\nlocalhost ansible_connection=local\n"
# Ansible starts a program for each module.
SECONDS = 180.0
_LIMIT_OF_NAMES = 200


@dataclass(frozen=True, slots=True)
class PlaybookRun:
    """playbook.yml, with the path of the folder in the variable `root`."""

    place: Place
    ansible: Ansible
    script: str = PLAYBOOK

    @property
    def at_once(self) -> int:
        """Two for each processor, since Ansible often waits for the modules that it starts; each takes 100 MB."""
        return min(8, 2 * (os.cpu_count() or 1))

    async def __call__(self, files: Mapping[str, str], variant: Variant) -> Collected:
        """Run the playbook once."""
        folders = {
            ROOT: lambda folder: make_root(folder, variant.files),
            ".inventory": lambda folder: write_files(folder, {"hosts": _INVENTORY.encode()}),
        }
        extra = self.ansible.folder
        errand = Errand(
            PLAYBOOK,
            lambda inner: (*self.ansible.argv, *_arguments(inner)),
            folders,
            env=lambda inner: {**_environment(inner), **({} if extra is None else {"PYTHONPATH": str(extra)})},
            expose=() if extra is None else (extra,),
            seconds=SECONDS,
        )
        return await run_collector(errand, files, self.place)


@dataclass(frozen=True, slots=True)
class Ansible:
    """How ansible-playbook is started; `folder` is what Python has to find besides its own packages."""

    argv: tuple[str, ...]
    folder: Path | None = None


def find_ansible() -> Ansible:
    """Ansible of this environment, else the one on PATH, else the one that `make ansible` installed.

    Raises:
        MissingExtraError: there is none.
    """
    module = (sys.executable, "-m", "ansible", "playbook")
    if importlib.util.find_spec("ansible") is not None:
        return Ansible(module)
    if found := shutil.which("ansible-playbook"):
        return Ansible((found,))
    folder = engines_folder() / f"ansible-{sys.version_info.major}.{sys.version_info.minor}"
    if (folder / "ansible").is_dir():
        return Ansible(module, folder)
    raise MissingExtraError("ansible-core", "ansible", "running a playbook")


def make_root(folder: Path, files: Mapping[str, bytes]) -> None:
    """The folder that stands for /: the text files, and what inventory/modes.txt lists with its modes.

    Raises:
        SandboxError: a mode cannot be set here.
    """
    write_files(folder, {path: content for path, content in files.items() if path != MODES})
    listed = dict(_modes(files.get(MODES, b"").decode()))
    for path in listed:
        target = folder / path.strip("/")
        if path.endswith("/"):
            target.mkdir(parents=True, exist_ok=True)
        elif not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(f"# {path}\n", encoding="utf-8")
    for parent, names, others in os.walk(folder):  # whatever umask the harness has
        for name in names:
            Path(parent, name).chmod(0o755)
        for name in others:
            Path(parent, name).chmod(0o644)
    try:
        for path, mode in sorted(listed.items(), key=lambda entry: -len(entry[0])):
            (folder / path.strip("/")).chmod(mode)
    except OSError as error:
        raise SandboxError(f"cannot set the mode of {path} ({error.strerror})") from error


def _modes(text: str) -> list[tuple[str, int]]:
    """Paths and modes; lines are MODE, a tab and the path, which ends in a slash if it is a folder's."""
    found = []
    for line in text.splitlines()[:_LIMIT_OF_NAMES]:
        mode, _, path = line.partition("\t")
        if path.startswith("/") and ".." not in PurePosixPath(path).parts:
            found.append((path, int(mode, 8)))
    return found


def _arguments(inner: PurePosixPath) -> tuple[str, ...]:
    inventory = str(inner / ".inventory" / "hosts")
    variables = f"root={inner / ROOT}"
    return ("-i", inventory, "-e", variables, PLAYBOOK)


def _environment(inner: PurePosixPath) -> Mapping[str, str]:
    own = str(inner / ".ansible")
    return {
        "ANSIBLE_HOME": own,
        "ANSIBLE_LOCAL_TEMP": f"{own}/local",
        "ANSIBLE_REMOTE_TEMP": f"{own}/remote",
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_FORKS": "1",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
        "LC_ALL": "C.UTF-8",  # Ansible insists on UTF-8
    }
