"""Try to reach secrets from inside a box; run there as a program of its own, with its questions on standard input.

It knows the digests and places of the secrets, not the secrets. It needs the standard library alone, and is passed to
the interpreter as text, so that no file of itbench has to be in sight. `probe` starts it and reads its answer.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# From harmless to worst; of several tries in one way, the worst counts.
RESULTS = ("absent", "denied", "different", "connected", "named", "read")
# Who may speak to a container engine owns the machine.
_ENGINES = (
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/run/crio/crio.sock",
)
_MOST_FILES = 50_000
_UP = "../" * 64


@dataclass(frozen=True, slots=True)
class Secret:
    """A file that must not be readable."""

    path: str
    sha256: str
    size: int

    @property
    def tails(self) -> list[str]:
        """Its path relative to each of the folders above it."""
        parts = self.path.strip("/").split("/")
        return ["/".join(parts[start:]) for start in range(len(parts))]


@dataclass(frozen=True, slots=True)
class Questions:
    """What to look for. `harness` is the process whose tree is searched, 0 for all visible processes."""

    secrets: list[Secret]
    names: list[str]
    workspace: str
    input_dir: str | None
    harness: int

    @property
    def folders(self) -> list[str]:
        """What the agent is given."""
        return [self.workspace] + ([self.input_dir] if self.input_dir else [])

    def named_in(self, text: str) -> str:
        """`named` if the text tells which scenario it is, or where a secret lies."""
        needles = [*self.names, *(secret.path for secret in self.secrets)]
        return "named" if any(needle in text for needle in needles) else "different"


@dataclass(frozen=True, slots=True)
class Found:
    """The result of one way of looking for one thing."""

    how: str
    target: str
    result: str


def search(questions: Questions) -> Iterator[Found]:
    """Every way of looking for every secret."""
    processes = _processes(questions.harness)
    for secret in questions.secrets:
        yield _found("path", secret, [secret.path, os.path.realpath(secret.path)])
        yield _found("relative", secret, [f"{folder}/{_UP}{secret.path}" for folder in questions.folders])
        yield _found("symlink", secret, [secret.path], through=f"{questions.workspace}/.itbench-probe")
        yield _found("listing", secret, _listed(os.path.dirname(secret.path)))  # noqa: PTH120 - text, not a Path
        yield _found("proc root", secret, [f"/proc/{pid}/root{secret.path}" for pid in processes])
        yield _found(
            "proc cwd",
            secret,
            (f"/proc/{pid}/cwd/{tail}" for pid in processes for tail in [*secret.tails, _UP + secret.path]),
        )
        yield _found("proc fd", secret, _open_files(processes, secret))
    for pid in processes:
        for file in ("environ", "cmdline"):
            how = file if not questions.harness or pid == os.getpid() else f"harness {file}"
            yield Found(how, str(pid), _text(f"/proc/{pid}/{file}", questions))
    yield Found("mountinfo", "self", _mounts(questions))
    for engine in _ENGINES:
        yield Found("engine", engine, _connected(engine))
    for folder in questions.folders:
        yield from _given(folder, questions)


def look(path: str, secret: Secret) -> str:
    """Whether the file at `path` can be read and holds the secret."""
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size != secret.size:
            return "different"
        with Path(path).open("rb") as file:
            return "read" if hashlib.file_digest(file, "sha256").hexdigest() == secret.sha256 else "different"
    except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
        return "absent"
    except OSError:
        return "denied"


def _found(how: str, secret: Secret, paths: Iterable[str], through: str | None = None) -> Found:
    results = []
    for path in paths:
        if through is None:
            results.append(look(path, secret))
        else:
            Path(through).symlink_to(path)
            results.append(look(through, secret))
            Path(through).unlink()
    return Found(how, secret.path, max(results, key=RESULTS.index, default="absent"))


def _connected(path: str) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(path)
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            return "absent"
        except OSError:
            return "denied"
        return "connected"


def _listed(folder: str) -> list[str]:
    try:
        return [str(path) for path in Path(folder).iterdir()]
    except OSError:
        return []


def _open_files(processes: Iterable[int], secret: Secret) -> Iterator[str]:
    """Descriptors of the processes, and the secret below those that are folders."""
    for pid in processes:
        for path in _listed(f"/proc/{pid}/fd"):
            yield path
            if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where it is not allowed to look
                yield from (f"{path}/{tail}" for tail in secret.tails)


def _processes(harness: int) -> list[int]:
    """All visible processes, or those of the harness: what strangers on the host do is none of our business."""
    parents: dict[int, int] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = file.read_bytes()
        except OSError:
            continue
        parents[int(file.parent.name)] = int(text[text.rindex(b")") + 2 :].split()[1])
    if not harness:
        return sorted(parents)

    def below(pid: int) -> bool:
        while pid not in (harness, 0):
            pid = parents.get(pid, 0)
        return pid == harness

    return sorted(filter(below, parents))


def _text(path: str, questions: Questions) -> str:
    try:
        return questions.named_in(Path(path).read_bytes().decode(errors="replace"))
    except OSError:
        return "denied"


def _mounts(questions: Questions) -> str:
    """Whether the host folder behind a mount names the scenario. Where it is mounted may name what is hidden."""
    roots = [line.split()[3] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return questions.named_in("\n".join(roots))


def _given(folder: str, questions: Questions) -> Iterator[Found]:
    """Whether what the agent is given holds a copy of a secret, or says by a name which scenario it is."""
    worst = "absent"
    sizes = {secret.size for secret in questions.secrets}
    for count, path in enumerate(_walk(folder)):
        if count >= _MOST_FILES:
            raise RuntimeError(f"{folder} holds more than {_MOST_FILES} files")
        results = [questions.named_in(str(path.relative_to(folder)))]
        if path.is_symlink():
            results.append(questions.named_in(str(path.readlink())))
        if _size(path) in sizes:
            results += [look(str(path), secret) for secret in questions.secrets]
        worst = max([worst, *results], key=RESULTS.index)
    yield Found("given files", folder, worst)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _walk(folder: str) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        yield from (Path(place, name) for name in (*folders, *files))


def main() -> None:
    """Answer the questions on standard input, in JSON."""
    values = json.load(sys.stdin)
    questions = Questions(**{**values, "secrets": [Secret(**secret) for secret in values["secrets"]]})
    found = [[one.how, one.target, one.result] for one in search(questions)]
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
