"""Find a Rego engine: the real `opa` program, else the same engine as a Python package. Both run only in the sandbox."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from itbench.model.errors import UsageError

# What reaches out of the evaluation, or makes it differ from one time to the next.
FORBIDDEN = ("http.send", "net.lookup_ip_addr", "opa.runtime", "rand.intn", "uuid.rfc4122")
HINT = "Run: make policy-engines (builds opa from source, a few minutes once), or: make policy-wheel (seconds)"
EngineName = Literal["auto", "opa", "wheel"]


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine. `where` is the program, or the folder from which the package is imported."""

    kind: Literal["cli", "wheel"]
    where: Path
    version: str

    def __str__(self) -> str:
        return f"opa {self.version}" if self.kind == "cli" else f"Go OPA of opa-golib-python-bindings {self.version}"


def engines_folder() -> Path:
    """Where `make policy-engines` leaves what it builds."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "itbench" / "policy-engines"


def find_engine(name: EngineName = "auto") -> Engine:
    """The engine of that name; the program is the better judge, since builtins can be taken away from it.

    Raises:
        UsageError: there is none.
    """
    found = (_program() if name in ("auto", "opa") else None) or (_wheel() if name in ("auto", "wheel") else None)
    if found is None:
        raise UsageError("no Rego engine is here, so no policy can be judged", hint=HINT)
    return found


@cache
def capabilities(program: Path) -> str:
    """The capabilities of an opa program without what is forbidden, as JSON.

    Raises:
        UsageError: the program does not tell.
    """
    done = subprocess.run([program, "capabilities", "--current"], capture_output=True, text=True, check=False, timeout=60)
    try:
        value = json.loads(done.stdout)
        value["builtins"] = [builtin for builtin in value["builtins"] if builtin["name"] not in FORBIDDEN]
    except (ValueError, LookupError, TypeError) as error:
        raise UsageError("this opa does not state its capabilities", path=program, hint=HINT) from error
    return json.dumps(value | {"allow_net": []})


@cache
def _program() -> Engine | None:
    path = shutil.which("opa") or shutil.which(engines_folder() / "opa")
    if path is None:
        return None
    done = subprocess.run([path, "version"], capture_output=True, text=True, check=False, timeout=60)
    version = next((line.split()[-1] for line in done.stdout.splitlines() if line.startswith("Version:")), None)
    return None if version is None else Engine("cli", Path(path).resolve(), version)


@cache
def _wheel() -> Engine | None:
    folders = [engines_folder() / "wheel", *(Path(entry) for entry in sys.path if entry)]
    for folder in folders:
        if (folder / "opa_bindings" / "libopabridge.so").is_file():
            told = next(folder.glob("opa_golib_python_bindings-*.dist-info"), None)
            version = told.name.removesuffix(".dist-info").rpartition("-")[2] if told else "?"
            return Engine("wheel", folder.resolve(), version)
    return None
