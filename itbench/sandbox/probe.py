"""Show, from the agent's side of the sandbox, that the answers cannot be reached.

Before a run, a program takes the agent's place: the same isolation, environment, workspace, input and hidden paths. It
tries to read each secret in every way that prober.py knows. It is told where a secret lies and its SHA-256, never what
it says; a leak means that these very bytes were read, or that something given to the agent names the scenario.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from itbench.model.base import Document, Model
from itbench.model.errors import SandboxError
from itbench.sandbox import prober
from itbench.sandbox.box import Box, Mode, inner_input, inner_workspace
from itbench.sandbox.concealment import PRIVATE, within
from itbench.sandbox.supervisor import run

_PROBE_SECONDS = 15.0
_REPORT_BYTES = 20_000_000


class Attempt(Model):
    """One way of reaching one thing.

    Attributes:
        how: `path`, `relative`, `symlink`, `listing`, `proc root`, `proc cwd`, `proc fd`, `environ`, `cmdline`,
            `mountinfo`, `given files`; `engine` for sockets of container
            engines; `harness environ` and `harness cmdline` for the harness's own processes.
        target: path of the secret or folder, or a process id.
        result: `read` (the secret itself), `named` (a text or file name tells the scenario or the secret's place),
            `different` (something else could be read), `connected` (to an engine), `denied`, `absent`.
    """

    how: str
    target: str
    result: Literal["absent", "denied", "different", "connected", "named", "read"]

    @property
    def leaks(self) -> bool:
        """Whether the agent can learn something from it.

        Without a process namespace the command line of the harness is public on every Linux; it can name a dataset,
        but holds no answers, so it is recorded and not counted.
        """
        return self.result in ("named", "read") and self.how != "harness cmdline"


class ProbeReport(Document):
    """What an agent could reach; `leaked` if any attempt leaks."""

    mode: Mode
    leaked: bool
    attempts: tuple[Attempt, ...]

    @property
    def leaks(self) -> tuple[Attempt, ...]:
        """The attempts that leak."""
        engines = ("connected",) if self.mode == "bubblewrap" else ()
        return tuple(attempt for attempt in self.attempts if attempt.leaks or attempt.result in engines)


async def probe(box: Box, secrets: Sequence[Path], names: Sequence[str] = ()) -> ProbeReport:
    """Try to reach the secrets from inside the box.

    Args:
        box: as the agent will get it. Its program is not used; its output files are, and are removed again.
        secrets: files that must not be readable, such as ground truths; up to a few hundred.
        names: words that give the scenario away, such as its id. Choose them long enough not to occur by chance.

    Raises:
        SandboxError: the probe could not be carried out, so nothing is known.
    """
    questions = prober.Questions(
        secrets=[_secret(path) for path in secrets],
        names=list(names),
        workspace=str(inner_workspace(box.mode, box.workspace)),
        input_dir=None if box.input_dir is None else str(inner_input(box.mode, box.input_dir)),
        harness=0 if box.mode == "bubblewrap" else os.getpid(),
    )
    trial = _with_prober(box)
    with tempfile.TemporaryFile() as stdin:
        stdin.write(json.dumps(asdict(questions)).encode())
        stdin.seek(0)
        ending = await run(trial, stdin=stdin.fileno())
    text, errors = box.stdout.read_bytes(), box.stderr.read_text(errors="replace")
    for file in (box.stdout, box.stderr):
        file.unlink()
    if ending.reason != "exited" or ending.exit_code != 0:
        last = (errors.strip().splitlines() or [""])[-1]
        raise SandboxError(f"the probe of the sandbox ended by {ending.reason} without a result {last}".rstrip())
    try:
        attempts = tuple(Attempt(how=how, target=target, result=result) for how, target, result in json.loads(text))
    except (ValueError, ValidationError) as error:
        raise SandboxError(f"the probe of the sandbox gave no readable result: {error}") from None
    # Landlock cannot close sockets; docs/isolation.md says so.
    engine = box.mode == "bubblewrap" and any(attempt.result == "connected" for attempt in attempts)
    return ProbeReport(mode=box.mode, leaked=engine or any(attempt.leaks for attempt in attempts), attempts=attempts)


def _secret(path: Path) -> prober.Secret:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return prober.Secret(str(path.absolute()), digest, file.tell())
    except OSError as error:
        raise SandboxError(f"a secret to probe for cannot be read: {error.strerror}", path=path) from None


def _with_prober(box: Box) -> Box:
    """The box with the prober in it. Its interpreter has to be in sight, even where that is installed below /tmp."""
    program = Path(sys.executable).resolve()
    home = Path(sys.base_prefix).resolve()
    return replace(
        box,
        argv=(str(program), "-I", "-S", "-c", Path(prober.__file__).read_text()),
        expose=(*box.expose, *((home,) if within(home, PRIVATE) else ())),
        budget=box.budget.model_copy(update={"wall_seconds": _PROBE_SECONDS, "stdout_bytes": _REPORT_BYTES}),
    )
