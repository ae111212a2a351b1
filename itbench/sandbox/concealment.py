"""What a program must not see: answers, credentials, and the sockets and temporary files of other programs."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable, Iterator
from pathlib import Path

from itbench.model.errors import UsageError
from itbench.sandbox.box import Box

# Each box has its own /tmp, /run and /dev, or none. /run holds the sockets of the host: docker.sock, D-Bus, ssh-agent.
PRIVATE = (Path("/tmp"), Path("/run"), Path("/dev"), Path("/proc"))  # noqa: S108 - named in order to be hidden

# Relative to the home directory. Folders and files alike; what does not exist is skipped.
CREDENTIALS = tuple(
    """
    .ssh .gnupg .password-store .local/share/keyrings .netrc .git-credentials .Xauthority .ICEauthority
    .config .aws .azure .boto .s3cfg .oci .aliyun .bluemix .kube .docker .helm .terraform.d .vault-token
    .npmrc .yarnrc.yml .pypirc .gem/credentials .cargo/credentials .cargo/credentials.toml
    .m2/settings.xml .m2/settings-security.xml .gradle/gradle.properties
    .pgpass .my.cnf .databrickscfg .kaggle .huggingface .cache/huggingface/token .cache/huggingface/stored_tokens
    .claude .claude.json .codex .gemini .openai .anthropic .mozilla .thunderbird
    .bash_history .zsh_history .python_history .psql_history .mysql_history
    """.split()
)
# Readable by the owner, which matters where the harness runs as root.
SYSTEM_CREDENTIALS = tuple(
    """
    /etc/shadow /etc/gshadow /etc/shadow- /etc/gshadow- /etc/ssl/private /etc/kubernetes /etc/rancher
    /var/lib/kubelet /var/lib/rancher /var/lib/docker /var/lib/containerd /var/spool/cron
    """.split()
)
# Parts of /run that ordinary programs need: the target of /etc/resolv.conf, and NixOS's programs.
_NEEDED_RUN = ("/etc/resolv.conf", "/run/current-system", "/run/opengl-driver")


def answers(box: Box) -> tuple[Path, ...]:
    """`box.hidden` as real paths, with the git histories that may hold another copy of it; outermost folders only."""
    real = [Path(os.path.realpath(path)) for path in box.hidden]
    return _outermost(path for path in [*real, *_histories(real)] if os.path.lexists(path))


def credentials() -> tuple[Path, ...]:
    """Where secrets of this user and this machine usually lie, as far as they exist."""
    homes = {Path(pwd.getpwuid(os.getuid()).pw_dir), Path.home()}
    paths = [home / name for home in homes for name in CREDENTIALS] + [Path(name) for name in SYSTEM_CREDENTIALS]
    return _outermost(Path(os.path.realpath(path)) for path in paths if os.path.lexists(path))


def needed_from_run() -> tuple[Path, ...]:
    """What stays visible of /run."""
    real = {Path(os.path.realpath(path)) for path in _NEEDED_RUN}
    return tuple(sorted(path for path in real if path.is_relative_to("/run") and os.path.lexists(path)))


def exposed(box: Box, hidden: Iterable[Path]) -> tuple[Path, ...]:
    """`box.expose` as real paths, outermost first, without what does not exist.

    Raises:
        UsageError: one of them lies in a hidden place, where it would not be seen.
    """
    shown = tuple(sorted({Path(os.path.realpath(path)) for path in box.expose if os.path.lexists(path)}))
    for path in shown:
        for place in hidden:
            if within(path, (place,)):
                raise UsageError(
                    f"cannot be exposed, because agents never see what is in {place}",
                    path=path,
                    hint="Copy what the agent needs of it to another place",
                )
    return shown


def within(path: Path, folders: Iterable[Path]) -> bool:
    """Whether `path` is one of the folders or lies in one."""
    return any(path.is_relative_to(folder) for folder in folders)


def _histories(paths: Iterable[Path]) -> Iterator[Path]:
    """The .git of each repository around the paths: `git show HEAD:…` would print what is hidden beside it."""
    for path in paths:
        for entry in (folder / ".git" for folder in path.parents):
            if entry.is_dir():
                yield entry
            elif os.path.lexists(entry) and (linked := _linked_history(entry)) is not None:
                yield linked


def _linked_history(entry: Path) -> Path | None:
    """The folder that the .git file of a worktree or submodule points to; None if it cannot be read."""
    try:
        with entry.open(errors="replace") as file:
            target = file.read(4096).removeprefix("gitdir:").strip()
    except OSError:  # a link to nothing, or not for us to read
        return None
    folder = Path(os.path.realpath(entry.parent / target))
    return folder.parents[1] if folder.parent.name == "worktrees" else folder


def _outermost(paths: Iterable[Path]) -> tuple[Path, ...]:
    chosen: list[Path] = []
    for path in sorted(set(paths)):
        if not within(path, chosen):
            chosen.append(path)
    return tuple(chosen)
